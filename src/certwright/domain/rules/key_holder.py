"""A key belongs to one person: who shares it could sign in the other's name."""

from certwright.domain.errors import KeyOfSomebodyElse, Refused
from certwright.domain.identities import UserId


def list_key_holder_faults(holder: UserId | None, subject: UserId) -> list[Refused]:
    """Return a fault when the register has a certificate for the same key and another person.

    Source: issue "A certificate request goes in, a certificate comes out", part 2.
    """
    return [KeyOfSomebodyElse()] if holder is not None and holder != subject else []
