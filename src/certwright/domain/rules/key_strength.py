"""A key must be of the algorithm that the generation options name, and at least of their size."""

from certwright.domain.errors import KeyAlgorithmRefused, KeyTooSmall, Refused
from certwright.domain.profile_templates import CertificateTemplate
from certwright.domain.public_keys import PublicKey


def list_key_faults(key: PublicKey, template: CertificateTemplate) -> list[Refused]:
    """Return what is wrong with the algorithm and the size.

    Source: the decision "key check" in domain.md: algorithm exactly as in the options, size at least.
    """
    wanted = template.key
    if key.algorithm is not wanted.algorithm:
        return [KeyAlgorithmRefused(key.name, wanted.algorithm.value)]
    return [KeyTooSmall(key.bits, wanted.bits)] if key.bits < wanted.bits else []
