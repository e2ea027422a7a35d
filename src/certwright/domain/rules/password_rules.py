"""One-time passwords that are asked for have to be such that somebody can present them, and nobody can guess them."""

from datetime import timedelta

from certwright.domain.errors import DefinitionInvalid, Refused
from certwright.domain.one_time_passwords import (
    LONGEST_CHARACTERS,
    LONGEST_VALIDITY,
    MOST_PASSWORDS,
    MOST_TRIES,
    SHORTEST_CHARACTERS,
    OneTimePasswordRules,
)
from certwright.domain.request_types import RequestType

WITH_PASSWORDS = frozenset(
    {
        RequestType.ENROLL,
        RequestType.RENEW,
        RequestType.RECOVER,
        RequestType.DUPLICATE,
        RequestType.ONLINE_UPDATE,
        RequestType.TEMPORARY_CARD_ENROLL,
    }
)
"""What certificates come of, for the subject himself: others have no moment at which he would present a password."""


def list_password_faults(rules: OneTimePasswordRules, where: str, request_type: RequestType) -> list[Refused]:
    """Return what is wrong with the rules of a policy for *request_type*.

    Source: domain.md 1.15 and 4.2 (one or two); the limits are ours: 40 random bits cannot be guessed in a hundred tries.
    """
    is_asked = bool(rules.distributions)
    found = (
        ("distributions", f"no more than {MOST_PASSWORDS} are made", len(rules.distributions) > MOST_PASSWORDS),
        ("distributions", "nobody presents them for this kind of request", is_asked and request_type not in WITH_PASSWORDS),
        (
            "length",
            f"from {SHORTEST_CHARACTERS} to {LONGEST_CHARACTERS} characters are wanted",
            not SHORTEST_CHARACTERS <= rules.length <= LONGEST_CHARACTERS,
        ),
        ("tries", f"from 1 to {MOST_TRIES} are wanted", not 1 <= rules.tries <= MOST_TRIES),
        (
            "validity",
            f"more than nothing and at most {LONGEST_VALIDITY.days} days are wanted",
            not timedelta() < rules.validity <= LONGEST_VALIDITY,
        ),
    )
    return [DefinitionInvalid(f"{where}.{name}", detail) for name, detail, is_broken in found if is_broken]
