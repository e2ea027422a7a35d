"""Private keys and authorities as they are kept: sealed, and by name; and private keys in clear, for a moment."""

from dataclasses import dataclass, field
from datetime import datetime

from certwright.domain.public_keys import CertificateRequest, HashAlgorithm, PublicKey


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key in clear, on its way from where it was made or kept to a PFX file. Shape: *pkcs8* is DER."""

    public_key: PublicKey
    pkcs8: bytes = field(repr=False)

    def as_request(self, hash_algorithm: HashAlgorithm) -> CertificateRequest:
        """Return what a client would send for the key; who has the key at hand needs no signature to prove it."""
        return CertificateRequest(
            encoded=self.public_key.encoded,
            public_key=self.public_key,
            signature_hash=hash_algorithm,
            signature_name="",
            is_proven=True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedKey:
    """A private key at rest.

    Shape: *public* is the DER SubjectPublicKeyInfo; *sealed* is what the key port made of the private key, readable only with
    the key-encryption key and under this *name*.
    """

    name: str
    public: bytes
    sealed: bytes
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityRecord:
    """A certification authority of this installation.

    Shape: *certificate* is DER; *issuer_name* is the name of the authority above it, empty for the root.
    """

    name: str
    config_name: str
    certificate: bytes
    key_name: str
    issuer_name: str = ""
