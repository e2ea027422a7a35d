"""A program that writes events in several threads and says of each when the store has promised to keep it.

Arguments: URL, name, threads, blocks a thread.
"""

import os
import sys
import threading

from certwright.adapters.sql.store import SqlStore, open_store
from worlds.holdings import make_event


def write(store: SqlStore, name: str, blocks: int) -> None:
    for number in range(blocks):
        comment = f"{name}.{number}"
        with store.writing() as session:
            session.history.append([make_event(comment), make_event(comment)])
        os.write(1, f"{comment}\n".encode())
        with store.reading() as session:
            session.history.find_last_seal()


def main() -> None:
    url, name, threads, blocks = sys.argv[1:]
    store = open_store(url)
    writers = [threading.Thread(target=write, args=(store, f"{name}.{each}", int(blocks))) for each in range(int(threads))]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    store.close()


if __name__ == "__main__":
    main()
