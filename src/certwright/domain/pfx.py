"""PFX files: how a private key travels with its certificate, protected by a password that nobody keeps."""

from dataclasses import dataclass
from enum import StrEnum

from certwright.domain.errors import PfxPasswordMissing, PfxPasswordTooShort, PfxPasswordUnusable


class PfxProtection(StrEnum):
    """What encrypts a PFX file: *triple-des* is for old clients that read nothing better."""

    AES_256 = "aes-256"
    TRIPLE_DES = "triple-des"


@dataclass(frozen=True, slots=True, kw_only=True)
class PfxRules:
    """What holds for the PFX files of an installation. Shape: *iterations* of each key derivation in the file."""

    iterations: int = 50_000
    minimum_password_characters: int = 8


def check_pfx_password(password: str, rules: PfxRules) -> None:
    """Raise unless *password* can protect a PFX file that every reader opens.

    There is no upper limit, and any character will do but one: formats of text that end at U+0000 would cut it there.
    Half a surrogate pair is no character.

    Errors: PfxPasswordMissing; PfxPasswordTooShort; PfxPasswordUnusable.
    Source: RFC 7292 appendix B.1 for the ending; decision 17.
    """
    if not password:
        raise PfxPasswordMissing()
    if len(password) < rules.minimum_password_characters:
        raise PfxPasswordTooShort(rules.minimum_password_characters)
    if "\0" in password or any("\ud800" <= each <= "\udfff" for each in password):
        raise PfxPasswordUnusable()
