"""A lock between processes, kept by the system on a file, so that it ends with its holder however that ends."""

import fcntl
import os
from pathlib import Path

from certwright.domain.errors import StoreUnavailable


class FileLock:
    """Held by one process at a time; processes that wait come before one that has just had it.

    A process that lets go of a lock and wants it again is faster than one that must be woken first. So there are two locks:
    whoever waits holds the *turn* meanwhile, and nobody can wait for the lock who does not have the turn.

    Not for several threads at once: the caller sees to that. Errors of making one: StoreUnavailable.
    """

    def __init__(self, database: Path) -> None:
        self._lock = _open(database.with_name(database.name + ".lock"))
        self._turn = _open(database.with_name(database.name + ".turn"))

    def acquire(self) -> None:
        """Wait until the lock is ours, for as long as it takes."""
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def release(self) -> None:
        """Let go."""
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the files, and with them let go."""
        os.close(self._lock)
        os.close(self._turn)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"the file {path} cannot be opened: {error.strerror}") from error
