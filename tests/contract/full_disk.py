"""A program that writes while the database file itself cannot grow, as on a full disk, and prints what the store promised.

Arguments: URL, file of the database, how many transactions.
"""

import resource
import signal
import sys
from pathlib import Path

from certwright.adapters.sql.sqlite import LOG_COMMITS
from certwright.adapters.sql.store import SqlStore, open_store
from worlds.holdings import make_event

FILLING = "a comment to fill a page"


def fill(store: SqlStore) -> None:
    """Make the file larger than the write-ahead log of what follows, which is to fit below the limit."""
    with store.writing() as session:
        session.history.append([make_event(FILLING * 20) for _ in range(10_000)])
    for _ in range(LOG_COMMITS):
        with store.writing() as session:
            session.history.append([make_event(FILLING)])


def main() -> None:
    url, file, count = sys.argv[1:]
    store = open_store(url)
    fill(store)
    # A write beyond the limit fails, instead of ending the process.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    size = Path(file).stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    for number in range(int(count)):
        with store.writing() as session:
            session.history.append([make_event(f"event {number}")])
        sys.stdout.write(f"event {number}\n")
    sys.stdout.flush()
    store.close()


if __name__ == "__main__":
    main()
