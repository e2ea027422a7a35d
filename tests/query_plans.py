"""What databases say of how they would carry out a statement: into which tables they look, and by which index."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import Executable

_SQLITE_LOOK = re.compile(r"(SEARCH|SCAN) (\w+)(?: USING (?:COVERING )?(?:INDEX (\w+)|INTEGER (PRIMARY KEY)))?(?: \((.*)\))?")


@dataclass(frozen=True)
class Look:
    """One access to a table, or to its alias.

    Shape: *index* is empty where all rows are walked in their own order; *is_led* says that the index leads to some of them,
    instead of giving the order of all.
    """

    table: str
    index: str
    is_led: bool


class Planner(Protocol):
    """Says how a database would carry out a statement whose values it does not know yet."""

    def list_looks(self, statement: Executable) -> list[Look]: ...


class SqlitePlanner:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def list_looks(self, statement: Executable) -> list[Look]:
        compiled: Any = statement.compile(dialect=sqlite.dialect())  # type: ignore[attr-defined]
        rows = self._connection.execute(f"EXPLAIN QUERY PLAN {compiled}", [None] * len(compiled.positiontup or ()))
        found = [_SQLITE_LOOK.match(row[3]) for row in rows]
        return [Look(each[2], each[3] or each[4] or "", each[1] == "SEARCH") for each in found if each]


class PostgresqlPlanner:
    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        # The tables are empty, so that to read all of them would be best.
        for way in ("seqscan", "mergejoin", "hashjoin"):
            connection.execute(f"SET enable_{way} = off".encode())
        connection.execute("SET plan_cache_mode = force_generic_plan")

    def list_looks(self, statement: Executable) -> list[Look]:
        compiled: Any = statement.compile(dialect=postgresql.psycopg.dialect())  # type: ignore[attr-defined]
        names = list(compiled.params)
        text = str(compiled)
        for number, name in enumerate(names, start=1):
            text = text.replace(f"%({name})s", f"${number}")
        self._connection.execute(f"PREPARE look AS {text.replace('%%', '%')}".encode())
        values = f"({', '.join(['NULL'] * len(names))})" if names else ""
        (plan,) = self._connection.execute(f"EXPLAIN (FORMAT JSON) EXECUTE look{values}".encode()).fetchone() or ()
        self._connection.execute("DEALLOCATE look")
        return list(_list_looks(plan[0]["Plan"], ""))


def _list_looks(node: dict[str, Any], table: str) -> Iterator[Look]:
    table = node.get("Relation Name", table)
    if node["Node Type"] in ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Index Scan"):
        yield Look(table, node.get("Index Name", ""), "Index Cond" in node)
    for each in node.get("Plans", ()):
        yield from _list_looks(each, table)


@contextmanager
def planning(url: str) -> Iterator[Planner]:
    """Give out the planner of the database, which has its schema and may be empty."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        try:
            yield SqlitePlanner(connection)
        finally:
            connection.close()
        return
    session = psycopg.connect(url)
    try:
        yield PostgresqlPlanner(session)
    finally:
        session.rollback()
        session.close()
