"""Which passwords an account may be given."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from certwright.domain.errors import MalformedValue, PasswordGuessable, PasswordTooShort, Refused
from certwright.domain.identities import User
from certwright.domain.rules.common_passwords import COMMON_WORDS, SERVICE_WORDS

LIMIT_CHARACTERS = 1_000
FEWEST_DIFFERENT = 5
"""Characters; below, it is a repetition."""
FEWEST_LEFT = 4
"""Characters that have to be left of a password without names and common words, and without the digits around them."""
SHORTEST_NAME = 3
_LOOK_ALIKES = str.maketrans("013457@$!", "oieastasi")


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPolicy:
    """What the settings ask of new passwords.

    Source: NIST SP 800-63B-4 section 3.1.1.2: 15 characters where a password is the only factor, long ones taken, no rules
    about kinds of characters, no end by date; names and a list of common passwords refused.
    """

    minimum_characters: int = 15
    refuses_names: bool = True
    refuses_common: bool = True


def list_password_faults(password: str, user: User, policy: PasswordPolicy) -> Iterator[Refused]:
    """Return everything that is wrong with *password* as a new one of *user*; no fault has it in its text."""
    if not password:
        yield MalformedValue("password", "it must not be empty")
        return
    if len(password) > LIMIT_CHARACTERS:
        yield MalformedValue("password", f"at most {LIMIT_CHARACTERS} characters are taken")
        return
    if not password.isprintable():
        yield MalformedValue("password", "control characters and line ends are not taken")
    if len(password) < policy.minimum_characters:
        yield PasswordTooShort(policy.minimum_characters)
    detail = _find_why_guessable(password, user, policy)
    if detail:
        yield PasswordGuessable(detail)


def _find_why_guessable(password: str, user: User, policy: PasswordPolicy) -> str | None:
    if policy.refuses_names and _is_made_of(password, _list_names(user)):
        return "it is made of names of the account or of this service"
    return _find_why_common(password) if policy.refuses_common else None


def _find_why_common(password: str) -> str | None:
    if len(set(password.casefold())) < FEWEST_DIFFERENT:
        return "it repeats a few characters"
    if _is_sequence(password):
        return "it is a sequence"
    return "it is a common password" if _is_made_of(password, COMMON_WORDS) else None


def _list_names(user: User) -> frozenset[str]:
    """Return the words of the user's names, and of the service's."""
    names = (user.account_name, user.principal_name, user.email, user.display_name, user.domain)
    parts = {_fold(part) for name in names for part in (name, *name.replace("@", " ").replace(".", " ").split())}
    return frozenset(each for each in parts if len(each) >= SHORTEST_NAME) | SERVICE_WORDS


def _is_made_of(password: str, words: Iterable[str]) -> bool:
    """Return whether little is left of the password without *words*, also where digits stand for letters."""
    longest_first = sorted(words, key=lambda each: (-len(each), each))
    return any(_has_little_left(_fold(text), longest_first) for text in (password, password.translate(_LOOK_ALIKES)))


def _has_little_left(text: str, words: Iterable[str]) -> bool:
    left = text
    for each in words:
        left = left.replace(each, " ")
    # A number around a name is no secret; a number alone may be one.
    return left != text and sum(len(each.strip("0123456789")) for each in left.split()) < FEWEST_LEFT


def _is_sequence(password: str) -> bool:
    """Return whether most characters are the neighbours of those before them, as in ``abcdefg`` and ``7777777``."""
    steps = [abs(ord(second) - ord(first)) for first, second in pairwise(password.casefold())]
    return 2 * sum(each <= 1 for each in steps) > len(steps)


def _fold(text: str) -> str:
    """Return the letters and digits."""
    return "".join(each for each in text.casefold() if each.isalnum())
