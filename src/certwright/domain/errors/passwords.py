"""Passwords of accounts that are not taken, and a current one that is wrong."""

from dataclasses import dataclass

from certwright.domain.errors.malformed import Malformed
from certwright.domain.errors.tree import Refused


@dataclass(eq=False)
class PasswordTooShort(Malformed):
    """A new password has fewer characters than the settings want."""

    code = "password-too-short"
    sentence = "The new password is too short: at least {minimum_characters} characters are wanted, such as several words."
    minimum_characters: int


@dataclass(eq=False)
class PasswordGuessable(Malformed):
    """A new password is one of those that are tried first."""

    code = "password-guessable"
    sentence = "The new password is easy to guess: {detail}. Choose another, such as several words that have nothing in common."
    detail: str


@dataclass(eq=False)
class CurrentPasswordWrong(Refused):
    """A user who changes the password gave another one than the current one."""

    code = "current-password-wrong"
    sentence = "The current password is not right: the password is unchanged."
