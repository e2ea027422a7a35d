"""The versions of the key-encryption key: random keys, each kept wrapped by the passphrase.

Another passphrase wraps them anew, and nothing else changes; another version seals what comes, and what was sealed before is
sealed again at leisure.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from certwright.adapters.keys.key_encryption import FORMAT as BY_PASSPHRASE
from certwright.adapters.keys.key_encryption import KEY_OCTETS, NONCE_OCTETS, KeyEncryptionKey
from certwright.domain.errors import KeyUnavailable, KeyVersionUnavailable
from certwright.domain.keys import PASSPHRASE_VERSION, KeyVersion, SealedPart

FORMAT = b"certwright-key/2\n"
VERSION_OCTETS = 4
HEADER_OCTETS = len(FORMAT) + VERSION_OCTETS + NONCE_OCTETS

MISSING = (
    "is not in the database, so that what it sealed cannot be opened: database and data folder have to be of one time, restore "
    "both from one backup"
)
WRONG_PASSPHRASE = "does not open with the passphrase that keys.passphrase of the settings names"


class Keyring:
    """`ports.Keyring`.

    Shape: a sealed secret is `FORMAT`, the number of the version in four octets, a nonce, then AES-256-GCM over the secret,
    authenticated together with what comes before it and with the secret's name. What `KeyEncryptionKey` sealed opens, too.

    *read_passphrase* is asked each time the passphrase is needed, which is once a version; *find_version* returns the version
    with the number, or for None the newest, as the store has it now.
    """

    def __init__(self, read_passphrase: Callable[[], str], find_version: Callable[[int | None], KeyVersion | None]) -> None:
        self._read_passphrase = read_passphrase
        self._find_version = find_version
        self._opened: dict[int, AESGCM] = {}
        self._by_passphrase: KeyEncryptionKey | None = None
        self._lock = Lock()

    def __repr__(self) -> str:
        return "Keyring(...)"

    def seal(self, secret: bytes, name: str) -> bytes:
        """Return *secret*, sealed under *name* by the version that is the newest now. Errors: KeyVersionUnavailable."""
        newest = self._find_version(None)
        if newest is None:
            raise KeyVersionUnavailable(1, MISSING)
        return self._seal(secret, name, newest.number)

    def open(self, sealed: bytes, name: str) -> bytes:
        """Return the secret. Errors: KeyUnavailable; KeyVersionUnavailable."""
        version = self.find_version(sealed)
        if version == PASSPHRASE_VERSION:
            return self._with_passphrase().open(sealed, name)
        if version is None or len(sealed) < HEADER_OCTETS:
            raise KeyUnavailable(name)
        header, nonce = sealed[:HEADER_OCTETS], sealed[HEADER_OCTETS - NONCE_OCTETS : HEADER_OCTETS]
        try:
            return self._get(version).decrypt(nonce, sealed[HEADER_OCTETS:], header + name.encode())
        except InvalidTag as error:
            raise KeyUnavailable(name) from error

    def seal_again(self, part: SealedPart, version: int) -> SealedPart:
        """Return the same secret, sealed by *version*. Errors: as `open`."""
        return SealedPart(part.name, self._seal(self.open(part.sealed, part.name), part.name, version))

    def find_version(self, sealed: bytes) -> int | None:
        """Return which version sealed it, `PASSPHRASE_VERSION` for none, or None for what we never made."""
        if sealed.startswith(BY_PASSPHRASE):
            return PASSPHRASE_VERSION
        number = sealed[len(FORMAT) : len(FORMAT) + VERSION_OCTETS]
        return int.from_bytes(number) if sealed.startswith(FORMAT) and len(number) == VERSION_OCTETS else None

    def make_version(self, before: KeyVersion | None, now: datetime) -> KeyVersion:
        """Return the version after *before*, a new key.

        Errors: KeyVersionUnavailable when the passphrase does not open *before*.
        """
        passphrase = KeyEncryptionKey(self._read_passphrase())
        if before is not None:
            _unwrap(before, passphrase)
        number = 1 if before is None else before.number + 1
        return KeyVersion(number=number, wrapped=passphrase.seal(secrets.token_bytes(KEY_OCTETS), _name(number)), created=now)

    def wrap_anew(self, version: KeyVersion, passphrase: str) -> KeyVersion:
        """Return the version, wrapped by another passphrase. Errors: KeyVersionUnavailable."""
        key = _unwrap(version, self._with_passphrase())
        wrapped = KeyEncryptionKey(passphrase).seal(key, _name(version.number))
        return KeyVersion(number=version.number, wrapped=wrapped, created=version.created)

    def _seal(self, secret: bytes, name: str, version: int) -> bytes:
        nonce = secrets.token_bytes(NONCE_OCTETS)
        header = FORMAT + version.to_bytes(VERSION_OCTETS) + nonce
        return header + self._get(version).encrypt(nonce, secret, header + name.encode())

    def _get(self, number: int) -> AESGCM:
        with suppress(KeyError):
            return self._opened[number]
        version = self._find_version(number)
        if version is None:
            raise KeyVersionUnavailable(number, MISSING)
        with self._lock:
            if number not in self._opened:
                self._opened[number] = AESGCM(_unwrap(version, KeyEncryptionKey(self._read_passphrase())))
            return self._opened[number]

    def _with_passphrase(self) -> KeyEncryptionKey:
        """Return what opens values from before there were versions; kept, because it takes a quarter of a second to derive."""
        with self._lock:
            if self._by_passphrase is None:
                self._by_passphrase = KeyEncryptionKey(self._read_passphrase())
            return self._by_passphrase


def _unwrap(version: KeyVersion, passphrase: KeyEncryptionKey) -> bytes:
    try:
        return passphrase.open(version.wrapped, _name(version.number))
    except KeyUnavailable as error:
        raise KeyVersionUnavailable(version.number, WRONG_PASSPHRASE) from error


def _name(number: int) -> str:
    """Return what a wrapped version is bound to."""
    return f"key-encryption key, version {number}"
