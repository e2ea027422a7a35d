"""Certificates that were issued elsewhere and attached to a person and a profile template."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from certwright.domain.certificates import Certificate, CertificateStatus, CertificateType, SerialNumber
from certwright.domain.identities import UserId
from certwright.domain.keys import PrivateKey, SealedKey
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.public_keys import PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCertificate:
    """A certificate as a file has it. Shape: *encoded* is DER, *issuer* a DER Name; the names are RFC 4514 text."""

    encoded: bytes
    serial: SerialNumber
    issuer: bytes
    issuer_name: str
    subject_name: str
    not_before: datetime
    not_after: datetime
    public_key: PublicKey
    is_authority: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalFile:
    """What a file brings: the certificate of its *key*, or certificates without keys. Shape: *name* is for faults."""

    name: str
    certificates: tuple[FoundCertificate, ...]
    key: PrivateKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalCertificate:
    """A certificate of somebody else's authority that comes back with a person's own.

    Shape: *thumbprint* is the SHA-1 of *encoded*, in upper-case hexadecimal, and tells one from all others; *public_key* is the
    DER SubjectPublicKeyInfo; *sealed_key* is the private key at rest, None where it never came.
    *key_identity* is that of the `PublicKey`, needed when the certificate is added, and not kept.
    """

    thumbprint: str
    serial: SerialNumber
    subject_id: UserId
    template_id: ProfileTemplateId
    requester_name: str
    authority_name: str
    subject_name: str
    not_before: datetime
    not_after: datetime
    public_key: bytes
    encoded: bytes
    imported_at: datetime
    sealed_key: bytes | None = field(default=None, repr=False)
    key_identity: bytes = field(default=b"", repr=False, compare=False)

    @property
    def key_digest(self) -> bytes:
        """Return the SHA-256 by which the holder of the key is found."""
        return sha256(self.key_identity or self.public_key).digest()

    @property
    def key(self) -> SealedKey | None:
        """Return the private key as it rests."""
        if self.sealed_key is None:
            return None
        name = name_external_key(self.thumbprint)
        return SealedKey(name=name, public=self.public_key, sealed=self.sealed_key, created=self.imported_at)

    @property
    def type(self) -> CertificateType:
        """Return what tells it from our own."""
        return CertificateType.EXTERNAL

    @property
    def template_common_name(self) -> str:
        """Return nothing: no certificate template of ours was its model."""
        return ""

    @property
    def is_key_history(self) -> bool:
        """Return that it is in use."""
        return False

    @property
    def is_archived(self) -> bool:
        """Return that no recovery agent has its key."""
        return False

    def status(self, now: datetime) -> CertificateStatus:
        """Return what its dates say; whether its issuer has revoked it is not known here."""
        return CertificateStatus.EXPIRED if self.not_after < now else CertificateStatus.ACTIVE

    def comes_back(self, now: datetime) -> bool:
        """Return whether it is delivered: while it is valid, and with a key for good, as something may be encrypted to it."""
        return self.sealed_key is not None or self.status(now) is CertificateStatus.ACTIVE


HeldCertificate = Certificate | ExternalCertificate
"""Whatever stands in a list of certificates."""


def name_external_key(thumbprint: str) -> str:
    """Return the name under which the private key of an external certificate rests."""
    return f"external/{thumbprint}"
