"""INSERT with an answer to rows that are there already, which each database spells in a dialect of its own."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Insert, Table, UpdateBase
from sqlalchemy.dialects import postgresql, sqlite

from certwright.adapters.sql.prepared import Connection

AnyInsert = sqlite.Insert | postgresql.Insert


class Upsert:
    """One statement in the words of each database."""

    def __init__(self, spell: Callable[[Callable[[Table], AnyInsert]], Insert]) -> None:
        self._spelled: dict[str, UpdateBase] = {
            "sqlite": spell(sqlite.insert).execution_options(preserve_rowcount=True),
            "postgresql": spell(postgresql.insert).execution_options(preserve_rowcount=True),
        }

    def run(self, connection: Connection, rows: list[dict[str, Any]]) -> int:
        """Return how many of *rows* are in now, those that were replaced included. Shape: *rows* is not empty."""
        return connection.execute(self._spelled[connection.dialect_name], rows).rowcount


def insert_unless_taken(table: Table) -> Upsert:
    """Return the statement that leaves out rows of which a key or any unique value is taken."""
    return Upsert(lambda insert: insert(table).on_conflict_do_nothing())


def insert_or_replace(table: Table) -> Upsert:
    """Return the statement that gives a row with the same primary key the new values."""

    def spell(insert: Callable[[Table], AnyInsert]) -> Insert:
        statement = insert(table)
        keys = [each.name for each in table.primary_key]
        values = {each.name: statement.excluded[each.name] for each in table.columns if not each.primary_key}
        return statement.on_conflict_do_update(index_elements=keys, set_=values)

    return Upsert(spell)
