"""Public keys as rules see them, and what a certificate request says about one."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256


class KeyAlgorithm(StrEnum):
    """``KeyAlgorithmName`` of the generation options: the names of Windows' key storage providers.

    Source: domain.md 2.11 for RSA; CNG algorithm identifiers for the curves.
    """

    RSA = "RSA"
    ECDSA_P256 = "ECDSA_P256"
    ECDSA_P384 = "ECDSA_P384"
    OTHER = "OTHER"


class HashAlgorithm(StrEnum):
    """``HashAlgorithmName`` of the generation options, weakest first."""

    SHA1 = "SHA1"
    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"

    @property
    def strength(self) -> int:
        """Return a number that grows with the length of the digest."""
        return _STRENGTHS[self]


_STRENGTHS = {algorithm: strength for strength, algorithm in enumerate(HashAlgorithm)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """Shape: *encoded* is the DER SubjectPublicKeyInfo; *modulus* and *exponent* are set for RSA only.

    Units: *bits* of the RSA modulus, or of the curve's field.
    """

    algorithm: KeyAlgorithm
    name: str
    bits: int
    encoded: bytes
    modulus: int | None = None
    exponent: int | None = None

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 by which the register finds who holds a certificate for this key."""
        return sha256(self.encoded).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequest:
    """What a PKCS#10 request says, and whether its own key signed it.

    Shape: *signature_hash* is None for signatures that name no hash we know; *subject* is RFC 4514 text.
    """

    encoded: bytes
    public_key: PublicKey
    signature_hash: HashAlgorithm | None
    signature_name: str
    is_proven: bool
    subject: str = ""
    alternative_names: tuple[tuple[str, str], ...] = ()

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 by which a repeated submission is recognised."""
        return sha256(self.encoded).digest()
