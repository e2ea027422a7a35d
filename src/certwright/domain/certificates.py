"""Certificates as the register keeps them: about to be signed, issued, held, revoked."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NewType

from certwright.domain.identities import UserId
from certwright.domain.profiles import ProfileId
from certwright.domain.requests import RequestId
from certwright.domain.revocation import RevocationReason

SerialNumber = NewType("SerialNumber", int)

SERIAL_NUMBER_BITS = 159
"""The most random bits that fit RFC 5280's twenty octets and stay positive."""


class CertificateStatus(IntEnum):
    """The ``Status`` of a certificate on the wire (domain.md 1.8)."""

    ACTIVE = 0
    REVOKED = 1
    EXPIRED = 2
    ON_HOLD = 3


class CertificateType(IntEnum):
    """The ``CertificateType`` on the wire (domain.md 1.6)."""

    ISSUED = 1
    EXTERNAL = 2
    AUTHORITY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One place of a request, from the moment before its certificate is signed.

    Shape: *to_be_signed* is the DER TBSCertificate, kept until *encoded*, the DER Certificate, takes over: exactly one of
    them is set. *request_digest* is the SHA-256 of the PKCS#10, *key_digest* that by which `PublicKey` is recognised.
    """

    serial: SerialNumber
    request_id: RequestId
    place: int
    profile_id: ProfileId
    subject_id: UserId
    requester_name: str
    template_common_name: str
    authority_name: str
    not_before: datetime
    not_after: datetime
    request_digest: bytes
    key_digest: bytes
    to_be_signed: bytes | None
    encoded: bytes | None = None
    thumbprint: str = ""
    revoked_at: datetime | None = None
    revocation_reason: RevocationReason | None = None
    is_key_history: bool = False
    is_archived: bool = False

    @property
    def type(self) -> CertificateType:
        """Return that it is one of ours."""
        return CertificateType.ISSUED

    def status(self, now: datetime) -> CertificateStatus:
        """Return what the certificate is worth at *now*; a revocation outlasts the end of validity."""
        if self.revoked_at is not None and self.revoked_at <= now:
            held = self.revocation_reason is RevocationReason.CERTIFICATE_HOLD
            return CertificateStatus.ON_HOLD if held else CertificateStatus.REVOKED
        return CertificateStatus.EXPIRED if self.not_after < now else CertificateStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whose key it is, by the register; a compromised key is not certified for the holder either."""

    subject_id: UserId
    is_compromised: bool = False


def format_serial_number(serial: SerialNumber) -> str:
    """Return upper-case hexadecimal of even length, the form of the REST API's examples."""
    digits = f"{serial:X}"
    return digits if len(digits) % 2 == 0 else f"0{digits}"
