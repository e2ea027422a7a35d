"""Why certificates that were issued elsewhere are not attached. Nothing is, where one of them is refused."""

from dataclasses import dataclass

from certwright.domain.errors.malformed import Malformed
from certwright.domain.errors.moments import WrongState


@dataclass(eq=False)
class ExternalFileUnreadable(Malformed):
    """Not a file of certificates."""

    code = "external-file-unreadable"
    sentence = "{file} cannot be read as PFX, PEM or DER: {detail}."
    file: str
    detail: str


@dataclass(eq=False)
class ExternalPasswordWrong(Malformed):
    """The private key in the file does not open."""

    code = "external-password-wrong"
    sentence = "{file} does not open under this password, or is damaged."
    file: str


@dataclass(eq=False)
class ExternalKeysSeveral(Malformed):
    """It cannot be told which key is whose."""

    code = "external-keys-several"
    sentence = "{file} has more than one private key, or people's certificates beside that of its key: make a file for each."
    file: str


@dataclass(eq=False)
class ExternalKeyMisfit(Malformed):
    """Key and certificate are of different pairs."""

    code = "external-key-misfit"
    sentence = "{file}: the private key fits no certificate in it."
    file: str


@dataclass(eq=False)
class ExternalKeyWeak(Malformed):
    """A key that we would not certify."""

    code = "external-key-weak"
    sentence = "{file}: {detail}"
    file: str
    detail: str


@dataclass(eq=False)
class ExternalExpired(Malformed):
    """A certificate that is over."""

    code = "external-expired"
    sentence = "{file}: the certificate has expired."
    file: str


@dataclass(eq=False)
class ExternalAuthority(Malformed):
    """People are no authorities."""

    code = "external-authority"
    sentence = "{file}: this is the certificate of a certification authority, which is nobody's own."
    file: str


@dataclass(eq=False)
class ExternalKnown(WrongState):
    """A certificate that is here already."""

    code = "external-known"
    sentence = "{file}: {detail}."
    file: str
    detail: str


@dataclass(eq=False)
class ExternalNotTaken(WrongState):
    """A profile template that has none."""

    code = "external-not-taken"
    sentence = "The profile template {template} takes no external certificates: external_certificates = true lets it."
    template: str
