"""A program that takes the lock of an SQLite database, says so, and keeps it until it is killed. Argument: the file."""

import signal
import sys
from math import inf
from pathlib import Path

from certwright.adapters.sql.file_lock import FileLock


def main() -> None:
    lock = FileLock(Path(sys.argv[1]))
    lock.acquire(inf)
    sys.stdout.write("held\n")
    sys.stdout.flush()
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
