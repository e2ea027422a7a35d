"""A certificate that was issued elsewhere has to be as good as one of ours."""

from collections.abc import Callable
from datetime import datetime

from certwright.domain.errors import ExternalAuthority, ExternalExpired, ExternalKeyWeak, Refused
from certwright.domain.external_certificates import FoundCertificate
from certwright.domain.profile_templates import KeySpecification
from certwright.domain.public_keys import KeyAlgorithm, PublicKey
from certwright.domain.rules.key_weaknesses import list_key_weaknesses, list_prime_faults

SMALLEST_RSA_BITS = 2_048
"""What we make at least, and what SP 800-131A allows until 2030."""


def list_external_faults(
    file: str, found: FoundCertificate, now: datetime, *, is_prime_or_power: Callable[[], bool]
) -> list[Refused]:
    """Return what is wrong with a certificate of *file*; *is_prime_or_power* says so of the modulus of its key, which may
    take a second.

    Source: issue 5, "Bad input"; the rules for keys are those for keys that we certify.
    """
    faults: list[Refused] = []
    if found.is_authority:
        faults.append(ExternalAuthority(file))
    if found.not_after < now:
        faults.append(ExternalExpired(file))
    return faults + [ExternalKeyWeak(file, each) for each in _list_key_faults(found.public_key, is_prime_or_power)]


def _list_key_faults(key: PublicKey, is_prime_or_power: Callable[[], bool]) -> list[str]:
    if key.algorithm is KeyAlgorithm.OTHER:
        return [f"The key is {key.name}; RSA, P-256 and P-384 are taken."]
    if key.algorithm is KeyAlgorithm.RSA and key.bits < SMALLEST_RSA_BITS:
        return [f"The key has {key.bits} bits; at least {SMALLEST_RSA_BITS} are wanted."]
    weaknesses = list_key_weaknesses(key, KeySpecification()) or list_prime_faults(is_prime_or_power=is_prime_or_power())
    return [each.text for each in weaknesses]
