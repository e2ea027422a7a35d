"""Private keys that the server makes, keeps and hands out."""

from dataclasses import dataclass

from certwright.domain.errors.malformed import Malformed


class PfxPasswordRefused(Malformed):
    """A private key is to be delivered, and what was sent cannot protect it. The password is never told."""


class PfxPasswordMissing(PfxPasswordRefused):
    """No password came for a file that needs one."""

    code = "pfx-password-missing"
    sentence = "The answer has private keys in it: send a pfxpassword to protect them. Nothing was issued."


@dataclass(eq=False)
class PfxPasswordTooShort(PfxPasswordRefused):
    """Too easily guessed."""

    code = "pfx-password-too-short"
    sentence = "The pfxpassword is too short: at least {minimum_characters} characters are wanted. Nothing was issued."
    minimum_characters: int


class PfxPasswordUnusable(PfxPasswordRefused):
    """Not every program would read it as the same text."""

    code = "pfx-password-unusable"
    sentence = "The pfxpassword has U+0000 or half a character in it, which no PFX file can carry. Nothing was issued."
