"""Who asks, and whether they may."""

from dataclasses import dataclass

from certwright.domain.errors.tree import Refused


class NotSignedIn(Refused):
    """No proof of identity that we accept."""


class CredentialsMissing(NotSignedIn):
    """Nobody has signed in."""

    code = "credentials-missing"
    sentence = "Sign in first: this server wants to know who asks."


@dataclass(eq=False)
class SchemeNotOffered(NotSignedIn):
    """Credentials of a scheme that this server does not take, such as Negotiate or Bearer."""

    code = "scheme-not-offered"
    sentence = "This server does not take credentials of the scheme {scheme}: sign in with {offered}."
    scheme: str
    offered: str


class CredentialsRejected(NotSignedIn):
    """The account is unknown, disabled, or the password is wrong: which of them is not told."""

    code = "credentials-rejected"
    sentence = "The account name or the password is not right, or the account may not sign in."


@dataclass(eq=False)
class SignInThrottled(NotSignedIn):
    """Too many wrong passwords for one account, or from one address."""

    code = "sign-in-throttled"
    sentence = "Too many failed sign-ins; the next is looked at in {retry_after_seconds} s."
    retry_after_seconds: int


@dataclass(eq=False)
class AccessDenied(Refused):
    """*reasons* name each right that was looked for and where; the first line is fit for anybody's eyes."""

    code = "access-denied"
    sentence = "You may not {act}."
    act: str
    reasons: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return what is not allowed, then what was missing."""
        return " ".join((super().text, *self.reasons))


@dataclass(eq=False)
class OneTimePasswordsMissing(Refused):
    """Somebody else has started the request: its subject proves with one-time passwords that it is he who executes it."""

    code = "one-time-passwords-missing"
    sentence = "The request asks for its one-time passwords ({count}): give them with it."
    count: int


@dataclass(eq=False)
class OneTimePasswordsRejected(Refused):
    """One of them is wrong: which one is not told."""

    code = "one-time-passwords-rejected"
    sentence = "The one-time passwords are not right; tries left: {tries_left}."
    tries_left: int


@dataclass(eq=False)
class SubjectDisabled(Refused):
    """Nothing is issued to an account that the directory has switched off."""

    code = "subject-disabled"
    sentence = "The account {account} is disabled: nothing is issued to it."
    account: str
