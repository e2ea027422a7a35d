"""A lock between processes, kept by the system on a file, so that it ends with its holder however that ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from certwright.adapters.files import open_or_create
from certwright.domain.errors import StoreUnavailable

SHORTEST_PAUSE_SECONDS = 0.000_05
LONGEST_PAUSE_SECONDS = 0.002
"""Between two tries for a lock that another process has. flock(2) itself has no time limit."""


class FileLock:
    """Held by one process at a time; processes that wait come before one that has just had it.

    A process that releases a lock and wants it again is faster than one that waits for it. So there are two locks: who waits
    for the lock holds the *turn* meanwhile, and only the holder of the turn may wait for the lock.

    Not for several threads at once: the caller sees to that. Errors of making one: StoreUnavailable.
    """

    def __init__(self, database: Path) -> None:
        self._lock = _open(database.with_name(database.name + ".lock"))
        self._turn = _open(database.with_name(database.name + ".turn"))

    def acquire(self, deadline: float) -> bool:
        """Return whether the lock is ours before *deadline*: a frozen process may hold it without end.

        Units: seconds, of the clock `time.monotonic`; a deadline that is over means one try.
        """
        if not _lock_until(self._turn, deadline):
            return False
        try:
            return _lock_until(self._lock, deadline)
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def release(self) -> None:
        """Let go."""
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the files, and with them let go."""
        os.close(self._lock)
        os.close(self._turn)


def _lock_until(file: int, deadline: float) -> bool:
    for pause in _list_pauses():
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if monotonic() >= deadline:
            break
        sleep(pause)
    return False


def _list_pauses() -> Iterator[float]:
    """Return pauses without end, which become longer: short waits are not made longer, and long ones cost little."""
    pause = SHORTEST_PAUSE_SECONDS
    while True:
        yield pause
        pause = min(1.2 * pause, LONGEST_PAUSE_SECONDS)


def _open(path: Path) -> int:
    try:
        return open_or_create(path, os.O_RDWR)
    except OSError as error:
        raise StoreUnavailable(f"the file {path} cannot be opened: {error.strerror}") from error
