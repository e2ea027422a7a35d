"""A key belongs to one person: who shares it could sign in the other's name. A key that others have belongs to nobody."""

from certwright.domain.certificates import KeyHolder
from certwright.domain.errors import KeyCompromised, KeyOfSomebodyElse, Refused
from certwright.domain.identities import UserId


def list_key_holder_faults(holder: KeyHolder | None, subject: UserId) -> list[Refused]:
    """Return a fault when the register has a certificate for the same key and another person, or knows it as compromised.

    Source: issue "A certificate request goes in, a certificate comes out", part 2; for compromised keys the Baseline
    Requirements of the CA/Browser Forum, 6.1.1.3.
    """
    if holder is None:
        return []
    if holder.is_compromised:
        return [KeyCompromised()]
    return [KeyOfSomebodyElse()] if holder.subject_id != subject else []
