"""One-time passwords: what proves that the subject himself executes a request that somebody else has started.

Source: domain.md 1.15, 3 (DistributeSecrets) and 4.2.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from hashlib import sha256

MOST_PASSWORDS = 2
SHORTEST_CHARACTERS, LONGEST_CHARACTERS = 8, 64
MOST_TRIES = 100
LONGEST_VALIDITY = timedelta(days=365)
KEY_OCTETS = 32
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Letters and digits that nobody takes for each other: 32 of them, five bits each."""
BITS_A_CHARACTER = 5
GROUP_CHARACTERS = 4


class Distribution(IntEnum):
    """How one password reaches its reader. Source: PasswordDistributionType in domain.md 1.15, as proposed there."""

    DISPLAY_ON_SCREEN = 1
    EMAIL_TO_TARGET = 2
    EMAIL_TO_ORIGINATOR = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimePasswordRules:
    """What a policy says about one-time passwords.

    Shape: there are as many as *distributions*: none, one or two. *checked_over_rest* asks for them over the REST API, too,
    whose documentation knows none; there they are checked otherwise only when they are given.
    Units: *length* in characters.
    """

    distributions: tuple[Distribution, ...] = ()
    length: int = 12
    validity: timedelta = timedelta(days=7)
    tries: int = 5
    checked_over_rest: bool = False


def make_password(number: int, length: int) -> str:
    """Return the password that *number*, of five random bits a character, makes: in groups of four, as people read it."""
    letters = "".join(ALPHABET[number >> BITS_A_CHARACTER * each & 31] for each in range(length))
    return "-".join(letters[each : each + GROUP_CHARACTERS] for each in range(0, length, GROUP_CHARACTERS))


def digest_of(key: bytes, password: str) -> bytes:
    """Return HMAC-SHA-256 under *key* over the letters and digits of *password*, in capitals.

    A fast hash is right here: what is guessed is random, of 40 bits at least, and cannot be tried without the key, which rests
    encrypted. Source: RFC 2104.
    """
    letters = "".join(each for each in password.upper() if each.isalnum())
    return hmac.new(key, letters.encode(), sha256).digest()


def are_right(key: bytes, digests: Sequence[bytes], given: Sequence[str]) -> bool:
    """Return whether *given* are the passwords, as many and in any order."""
    if not digests or len(given) != len(digests):
        return False
    hashed = [digest_of(key, each) for each in given]
    return all(any(hmac.compare_digest(digest, each) for each in hashed) for digest in digests)
