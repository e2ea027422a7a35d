"""Posted keys: whose they are, and whether their modulus is a prime, a look that costs more than all others together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from certwright.application.places import Place
from certwright.domain.certificates import KeyHolder
from certwright.domain.identities import User
from certwright.domain.issuing import Cleared, Draft, Issuer, clear
from certwright.domain.ports import Crew, Session
from certwright.domain.profile_templates import CertificateTemplate
from certwright.domain.public_keys import CertificateRequest, PublicKey
from certwright.domain.rules.key_strength import list_key_faults
from certwright.domain.rules.key_weaknesses import list_key_weaknesses
from certwright.formats.prime_moduli import is_prime_or_power, takes_long


@dataclass(frozen=True, slots=True)
class PostedKeys:
    """What is known of posted keys before they are cleared.

    Shape: *holders* are found by the digests of keys; *slow_moduli* take long to look at. Who has `is_prime_or_power` look at
    them beforehand, where others have their turn meanwhile, spares `clear_posted` that time.
    """

    holders: Mapping[bytes, KeyHolder] = field(default_factory=dict)
    slow_moduli: tuple[int, ...] = ()


def read_posted_keys(places: Iterable[Place], session: Session, crew: Crew) -> PostedKeys:
    """Return what is known of the posted keys of the places that are still empty.

    Errors: TakesLong where some of them take *crew* to look at.
    """
    empty = [each for each in places if each.certificate is None]
    posted = [(each.posted, each.template) for each in empty if isinstance(each.posted, CertificateRequest)]
    found = {each: session.certificates.find_key_holder(each) for each in {each.public_key.digest for each, _ in posted}}
    slow = {
        modulus
        for request, template in posted
        if takes_long(modulus := _find_new_modulus(request, found[request.public_key.digest]))
        and not _is_refused_at_once(request.public_key, template)
    }
    if slow:
        crew.announce()
    return PostedKeys({digest: holder for digest, holder in found.items() if holder is not None}, tuple(slow))


def _is_refused_at_once(key: PublicKey, template: CertificateTemplate) -> bool:
    """Return whether *key* need not be looked at for long: who posts it again and again must not cost that each time."""
    return bool(list_key_faults(key, template) or list_key_weaknesses(key, template.key))


def clear_posted(draft: Draft, place: Place, subject: User, issuer: Issuer, known: PostedKeys) -> Cleared:
    """Return *draft* as `clear` does; *known* is what `read_posted_keys` returned. Errors: as there."""
    holder = known.holders.get(draft.request.public_key.digest)
    modulus = _find_new_modulus(draft.request, holder) if place.posted is not None else 0
    is_broken = partial(is_prime_or_power, modulus)
    return clear(draft, subject=subject, issuer=issuer, key_holder=holder, is_prime_or_power=is_broken)


def _find_new_modulus(request: CertificateRequest, holder: KeyHolder | None) -> int:
    """Return the modulus that is to be looked at, 0 where none is: those that the register has were looked at when they were
    first certified, and nobody has proven to have the key of a request that it did not sign.
    """
    return request.public_key.modulus or 0 if holder is None and request.is_proven else 0
