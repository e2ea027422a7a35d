"""Every row of a table in the order of its key, those too that were made unreadable: each alone, and the walk goes on."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote

import psycopg
from sqlalchemy import Column, Select, bindparam, literal_column, select, tuple_, type_coerce
from sqlalchemy.types import NullType

from certwright.adapters.sql.prepared import Connection, Row, Rows
from certwright.adapters.sql.row_marks import MarkedRows
from certwright.domain.errors import StoredRowAltered

ROWS_AT_ONCE = 2_000
_AS_STORED = NullType()
_UNREADABLE = (StoredRowAltered, ValueError, TypeError, AttributeError, sqlite3.OperationalError, psycopg.DataError)
"""What comes of values that we did not write: from the column types, from our own decoding, and from the drivers."""
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class WalkedRow:
    """A row. Shape: *row* is None where it cannot be read; *key* is empty where that cannot be read either."""

    key: str
    row: Row | None


def walk_rows(kind: MarkedRows, connection: Connection, *, at_once: int = ROWS_AT_ONCE) -> Iterator[WalkedRow]:
    """Return every row of *kind*, of which *at_once* are in memory."""
    walk = _Walk(kind, connection, at_once)
    while page := walk.list_next():
        yield from page


def read_or_none(read: Callable[[], Found]) -> Found | None:
    """Return what *read* returns, or None where a value cannot be read; what the database itself refuses is raised."""
    try:
        return read()
    except _UNREADABLE as error:
        # Of a value that only the driver could not read, the database knows nothing and gives no code.
        if getattr(error, "sqlite_errorcode", None) is not None or getattr(error, "sqlstate", None) is not None:
            raise
        return None


class _Part(Enum):
    """What is read of a row."""

    WHOLE = "whole"
    KEY = "key"
    STORED_KEY = "stored key"
    NOTHING = "nothing"


class _Walk:
    """A walk through the rows of one kind. Shape: it stands *skipped* rows behind the one with the key *after*, as stored."""

    def __init__(self, kind: MarkedRows, connection: Connection, at_once: int) -> None:
        self._at_once = at_once
        self._kind = kind
        self._connection = connection
        self._after: tuple[Any, ...] | None = None
        self._skipped = 0

    def list_next(self) -> list[WalkedRow]:
        """Return some rows more; none at the end."""
        page = read_or_none(self._read_page)
        return self._read_each() if page is None else page

    def _read_page(self) -> list[WalkedRow]:
        rows = self._select(_Part.WHOLE, self._at_once, self._skipped).all()
        page = [WalkedRow(self._kind.name_key(row._asdict()), row) for row in rows]
        if rows:
            self._after, self._skipped = _pick_stored_key(self._kind, rows[-1]), 0
        return page

    def _read_each(self) -> list[WalkedRow]:
        """Return as many rows as a page has, looking at each for itself."""
        page: list[WalkedRow] = []
        after, place = None, self._skipped
        while len(page) < self._at_once and self._select(_Part.NOTHING, 1, place).first() is not None:
            stored = self._read(_Part.STORED_KEY, place)
            page.append(WalkedRow(self._name(stored, place), self._read(_Part.WHOLE, place)))
            place += 1
            if stored is not None:
                after = (_pick_stored_key(self._kind, stored), place)
        self._skipped = place
        if after is not None:
            self._after, self._skipped = after[0], place - after[1]
        return page

    def _name(self, stored: Row | None, place: int) -> str:
        key = self._read(_Part.KEY, place)
        name = None if key is None else read_or_none(lambda: self._kind.name_key(key._asdict()))
        if name is not None:
            return name
        return "" if stored is None else "/".join(quote(str(each), safe="") for each in stored)

    def _read(self, part: _Part, place: int) -> Row | None:
        return read_or_none(lambda: self._select(part, 1, place).first())

    def _select(self, part: _Part, most: int, skipped: int) -> Rows:
        values = {"most": most, "skipped": skipped}
        if self._after is None:
            return self._connection.execute(_first(self._kind, part), values)
        after = {f"after_{number}": each for number, each in enumerate(self._after)}
        return self._connection.execute(_following(self._kind, part), values | after)


def _pick_stored_key(kind: MarkedRows, row: Row) -> tuple[Any, ...]:
    return tuple(getattr(row, f"stored_{number}") for number in range(len(kind.key)))


@cache
def _first(kind: MarkedRows, part: _Part) -> Select[Any]:
    columns = _list_columns(kind, part)
    selected = select(*columns).select_from(kind.table).order_by(*_list_keys(kind))
    return selected.limit(bindparam("most")).offset(bindparam("skipped"))


@cache
def _following(kind: MarkedRows, part: _Part) -> Select[Any]:
    stored = [type_coerce(each, _AS_STORED) for each in _list_keys(kind)]
    after = [bindparam(f"after_{number}", type_=_AS_STORED) for number in range(len(stored))]
    return _first(kind, part).where(tuple_(*stored) > tuple_(*after))


def _list_columns(kind: MarkedRows, part: _Part) -> list[Any]:
    stored = [type_coerce(each, _AS_STORED).label(f"stored_{number}") for number, each in enumerate(_list_keys(kind))]
    match part:
        case _Part.WHOLE:
            return [*(kind.table.c[each] for each in dict.fromkeys((*kind.columns, *kind.label, kind.mark))), *stored]
        case _Part.KEY:
            return [*_list_keys(kind)]
        case _Part.STORED_KEY:
            return stored
        case _Part.NOTHING:
            return [literal_column("1").label("one")]


def _list_keys(kind: MarkedRows) -> list[Column[Any]]:
    return [kind.table.c[each] for each in kind.key]
