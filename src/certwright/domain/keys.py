"""Private keys and authorities as they are kept: sealed, and by name."""

from dataclasses import dataclass
from datetime import datetime


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
