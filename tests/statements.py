"""Watching what a store says to its database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from certwright.adapters.sql.store import SqlStore


@contextmanager
def recorded_statements(store: SqlStore) -> Iterator[list[str]]:
    """Give out a list into which each statement of *store* is written when it runs.

    What begins and ends transactions is not among them; executing one statement for many rows counts once.
    """
    recorded: list[str] = []

    def record(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        recorded.append(statement)

    for engine in store.engines:
        event.listen(engine, "before_cursor_execute", record)
    try:
        yield recorded
    finally:
        for engine in store.engines:
            event.remove(engine, "before_cursor_execute", record)
