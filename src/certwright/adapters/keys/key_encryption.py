"""Encryption under a key that is made of a passphrase."""

import secrets
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from certwright.domain.errors import KeyUnavailable

FORMAT = b"certwright-key/1\n"
"""Leads every secret sealed in this way and fixes everything below; another way to seal gets another number."""
SALT_OCTETS = 16
NONCE_OCTETS = 12
KEY_OCTETS = 32
SCRYPT_COST = 2**15
SCRYPT_BLOCK_SIZE = 8
SCRYPT_PARALLELISM = 3
"""32 MiB and a quarter of a second; by OWASP's Password Storage Cheat Sheet as strong as 2^17 with one lane and 128 MiB."""


class KeyEncryptionKey:
    """A key that is made of a passphrase. It wraps the versions of the key-encryption key; before there were any, it sealed.

    Shape: a sealed secret is `FORMAT`, salt, nonce, then AES-256-GCM over the secret, authenticated together with what comes
    before it and with the secret's name: nothing sealed opens under another name. Derived keys are kept by their salt, so
    that however many secrets an installation has, a start derives once.

    Source: RFC 7914 (scrypt); NIST SP 800-38D (GCM).
    """

    def __init__(self, passphrase: str) -> None:
        self._passphrase = passphrase.encode()
        self._derived: dict[bytes, AESGCM] = {}
        self._lock = Lock()

    def __repr__(self) -> str:
        return "KeyEncryptionKey(...)"

    def seal(self, secret: bytes, name: str) -> bytes:
        """Return *secret* sealed under *name*, with the salt of what this object opened or sealed before."""
        with self._lock:
            salt = next(iter(self._derived), None) or secrets.token_bytes(SALT_OCTETS)
        nonce = secrets.token_bytes(NONCE_OCTETS)
        header = FORMAT + salt + nonce
        return header + self._derive(salt).encrypt(nonce, secret, header + name.encode())

    def open(self, sealed: bytes, name: str) -> bytes:
        """Return the secret.

        Errors: KeyUnavailable for another passphrase, another name, and bytes that were changed or never ours.
        """
        start = len(FORMAT)
        salt, nonce = sealed[start : start + SALT_OCTETS], sealed[start + SALT_OCTETS : start + SALT_OCTETS + NONCE_OCTETS]
        header = FORMAT + salt + nonce
        if not sealed.startswith(FORMAT) or len(nonce) != NONCE_OCTETS:
            raise KeyUnavailable(name)
        try:
            return self._derive(salt).decrypt(nonce, sealed[len(header) :], header + name.encode())
        except InvalidTag as error:
            raise KeyUnavailable(name) from error

    def _derive(self, salt: bytes) -> AESGCM:
        with self._lock:
            if salt not in self._derived:
                derivation = Scrypt(salt=salt, length=KEY_OCTETS, n=SCRYPT_COST, r=SCRYPT_BLOCK_SIZE, p=SCRYPT_PARALLELISM)
                self._derived[salt] = AESGCM(derivation.derive(self._passphrase))
            return self._derived[salt]
