"""Public keys as rules see them, and what a certificate request says about one."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

LARGEST_EXPONENT_BITS = 256
"""Source: SP 800-89 section 5.3.3."""
LARGEST_MODULUS_BITS = 8_192
"""Twice what templates can ask for: it takes a second to see that a longer one is no prime, and eight for each doubling."""
LARGEST_OTHER_BITS = 4_096
"""Of keys that no template asks for: they are verified only to say what is wrong with a request."""


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
    """Shape: *encoded* is the DER SubjectPublicKeyInfo; *modulus* and *exponent* are set for RSA only. *identity* is set where
    *encoded* is not all that the same key can be: an RSA key is its modulus, whatever the exponent.

    Units: *bits* of the RSA modulus, or of the curve's field.
    """

    algorithm: KeyAlgorithm
    name: str
    bits: int
    encoded: bytes
    modulus: int | None = None
    exponent: int | None = None
    identity: bytes = b""

    @property
    def is_oversized(self) -> bool:
        """Return whether it only serves to keep others busy: nothing is computed with such a key."""
        if self.algorithm is KeyAlgorithm.OTHER and self.bits > LARGEST_OTHER_BITS:
            return True
        return self.bits > LARGEST_MODULUS_BITS or (self.exponent or 0).bit_length() > LARGEST_EXPONENT_BITS

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 by which the register finds who holds a certificate for this key: for its modulus or point."""
        return sha256(self.identity or self.encoded).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequest:
    """What a PKCS#10 request says, and whether its own key signed it.

    Shape: *signature_hash* is None for signatures that name no hash we know; *subject* is RFC 4514 text, and empty where
    *subject_fault* says why it cannot be read.
    """

    encoded: bytes
    public_key: PublicKey
    signature_hash: HashAlgorithm | None
    signature_name: str
    is_proven: bool
    subject: str = ""
    subject_fault: str = ""

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 by which a repeated submission is recognised."""
        return sha256(self.encoded).digest()
