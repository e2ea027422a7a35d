"""Private keys as they are kept, sealed and by name; the key they are sealed under; keys in clear, for a moment."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from certwright.domain.events import Event, EventType, tell_of_program
from certwright.domain.public_keys import CertificateRequest, HashAlgorithm, PublicKey

PASSPHRASE_VERSION = 0
"""Stands for the passphrase itself, under which everything was sealed before there were versions."""


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


def tell_created(key: SealedKey) -> Event:
    """Return the event that the key was made; it says by its digest which public key it is."""
    return tell_of_program(EventType.KEY_CREATED, key.created, key=key.name, public_sha256=sha256(key.public).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyVersion:
    """One version of the key-encryption key. Shape: numbers go up from 1; *wrapped* is the key, sealed by the passphrase."""

    number: int
    wrapped: bytes
    created: datetime


@dataclass(frozen=True, slots=True)
class SealedPart:
    """One sealed value, and the name that it is bound to."""

    name: str
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRow:
    """A row or file with sealed values in it.

    Shape: *place* is ``table.column``, or a file; *key* finds the row, and rows are listed in its order; *stored* is the whole
    content, by which a change is noticed.
    """

    place: str
    key: Any
    stored: Any
    parts: tuple[SealedPart, ...]


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
