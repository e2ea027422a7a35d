"""Watching what a store says to its database."""

from collections.abc import Iterator
from contextlib import contextmanager

from certwright.adapters.sql.store import SqlStore


@contextmanager
def recorded_statements(store: SqlStore) -> Iterator[list[str]]:
    """Give out a list into which each statement of *store* is written when it runs.

    What begins and ends transactions is not among them; executing one statement for many rows counts once.
    """
    recorded: list[str] = []
    with store.watched(recorded.append):
        yield recorded
