"""What keeps secrets where they rest, as small protocols; see `ports` for all others."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from certwright.domain.keys import KeyVersion, SealedPart, SealedRow


class KeyVersions(Protocol):
    """The versions of the key-encryption key, wrapped as they are stored."""

    def find_version(self, number: int | None = None) -> KeyVersion | None:
        """Return the version of the key-encryption key, or the newest."""

    def list_versions_locked(self) -> tuple[KeyVersion, ...]:
        """Return all versions, ascending; nobody else changes them or adds one until this session has ended."""

    def list_versions(self) -> tuple[KeyVersion, ...]:
        """Return all versions, ascending."""

    def add_version(self, version: KeyVersion) -> None:
        """Store a new version. Errors: ChangedMeanwhile when its number is taken."""

    def wrap_version_anew(self, version: KeyVersion) -> None:
        """Store another wrapping of a version that is there."""


class SealedRows(Protocol):
    """Everything in the store that is sealed under the key-encryption key, whatever it belongs to."""

    @property
    def places(self) -> tuple[str, ...]:
        """Return every ``table.column`` that holds sealed values."""

    def list_after(self, place: str, key: Any, limit: int) -> tuple[SealedRow, ...]:
        """Return rows of *place* that follow that of *key*, or the first ones for None; those without a sealed value, too."""

    def replace(self, row: SealedRow, parts: Sequence[SealedPart]) -> bool:
        """Store *parts* in place of those of *row*, unless the row has changed since; return whether it had not."""


class SealedFile(Protocol):
    """A file that holds one sealed value."""

    def find_sealed(self) -> SealedRow | None:
        """Return what it holds, or None when it is not there."""

    def replace_sealed(self, part: SealedPart) -> None:
        """Write *part* in its place, in one step."""


class Cipher(Protocol):
    """What seals secrets where they rest; *name* binds each to its place, so that it opens nowhere else."""

    def seal(self, secret: bytes, name: str) -> bytes:
        """Errors: KeyVersionUnavailable."""

    def open(self, sealed: bytes, name: str) -> bytes:
        """Return the secret.

        Errors: KeyUnavailable for another name and for what was changed; KeyVersionUnavailable for a version of the key that
                is missing, or that the passphrase does not open.
        """


class Keyring(Cipher, Protocol):
    """The versions of the key-encryption key, side by side. A sealed value says which opens it; the newest seals."""

    def seal_again(self, part: SealedPart, version: int) -> SealedPart:
        """Return the same secret, sealed by *version*. Errors: as `open`."""

    def find_version(self, sealed: bytes) -> int | None:
        """Return which version sealed it, `PASSPHRASE_VERSION` for none, or None for what we never made."""

    def make_version(self, before: KeyVersion | None, now: datetime) -> KeyVersion:
        """Return the version after *before*, a new key.

        Errors: KeyVersionUnavailable when the passphrase does not open *before*.
        """

    def wrap_anew(self, version: KeyVersion, passphrase: str) -> KeyVersion:
        """Return the version, wrapped by another passphrase. Errors: KeyVersionUnavailable."""
