"""All rows that carry marks, against their marks and against the history."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Column, Select, Update, bindparam, select, tuple_, update

from certwright.adapters.sql.directory import RAISE_REVISIONS
from certwright.adapters.sql.marked_rows import MARKED_ROWS
from certwright.adapters.sql.noted_rows import Noted, NotedRows, reading_notes
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.row_marks import REMOVED, MarkedRows, RowLedger, join_notes, spell_mark, write_note
from certwright.domain.state_proof import StateProof

ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class _Difference:
    """A row that does not fit, and why. Shape: *row* is None for one that is gone."""

    kind: str
    key: str
    fault: str
    rows: MarkedRows | None = None
    row: Row | None = None


class SqlState:
    """Rows and their marks."""

    def __init__(self, connection: Connection, ledger: RowLedger) -> None:
        self._connection = connection
        self._ledger = ledger

    def prove(self) -> StateProof:
        """Return what does not fit; nothing is looked at where rows are not marked."""
        if not self._ledger.is_on:
            return StateProof()
        with reading_notes(self._connection) as noted:
            walk = _Walk(self._connection, self._ledger, noted)
            faults = tuple(each.fault for each in walk.list_differences())
            return StateProof(walk.rows, walk.taken_as_found, (*noted.faults, *faults), tuple(noted.remarks))

    def settle(self) -> Iterator[str]:
        """Mark every row that does not fit as it is, and return what is to be told of it, in parts for one event each."""
        with reading_notes(self._connection) as noted:
            differences = list(_Walk(self._connection, self._ledger, noted).list_differences())
        # What any process remembers was read before.
        self._connection.execute(RAISE_REVISIONS)
        return join_notes([self._settle(each) for each in differences if each.key])

    def _settle(self, difference: _Difference) -> str:
        kind, row = difference.rows, difference.row
        if kind is None or row is None:
            return write_note(difference.kind, difference.key, REMOVED)
        mark = self._ledger.digest(kind, kind.from_row(row))
        keys = {f"of_{name}": getattr(row, name) for name in kind.key}
        self._connection.execute(_mark(kind), keys | {"new_mark": mark})
        return write_note(kind.name, difference.key, spell_mark(mark))


class _Walk:
    """One walk through all rows."""

    def __init__(self, connection: Connection, ledger: RowLedger, noted: NotedRows) -> None:
        self._connection = connection
        self._ledger = ledger
        self._noted = noted
        self.rows = self.taken_as_found = 0

    def list_differences(self) -> Iterator[_Difference]:
        """Return every row that does not fit, by its kind; then those that are gone."""
        for kind in MARKED_ROWS:
            try:
                yield from self._look_at_all(kind)
            except (ValueError, TypeError, AttributeError, sqlite3.OperationalError) as error:
                if hasattr(error, "sqlite_errorcode") and isinstance(error, sqlite3.Error):
                    raise
                yield _Difference(kind.name, "", f"a {kind.name} is stored that cannot be read")
                return
        for name, key, sequence in self._noted.list_missing():
            yield _Difference(name, key, f"{name} {key} is gone: event {sequence} tells of it")

    def _look_at_all(self, kind: MarkedRows) -> Iterator[_Difference]:
        for row in self._list(kind):
            self.rows += 1
            values = row._asdict()
            key = kind.name_key(values)
            noted = self._noted.find(kind.name, key)
            fault = self._find_fault(kind, row, noted)
            if fault:
                yield _Difference(kind.name, key, f"{kind.name_row(values)} {fault}", kind, row)
            elif noted is not None and noted.is_found:
                self.taken_as_found += 1

    def _find_fault(self, kind: MarkedRows, row: Row, noted: Noted | None) -> str:
        if not self._ledger.is_right(kind, row):
            return "is not as this installation wrote it"
        if noted is None:
            return "is in no event"
        if noted.mark == REMOVED:
            return f"is there again: event {noted.sequence} tells that it was removed"
        if noted.mark != spell_mark(getattr(row, kind.mark)):
            return f"is not what event {noted.sequence} tells last of it: an older state was put back"
        return ""

    def _list(self, kind: MarkedRows) -> Iterator[Row]:
        found = self._connection.execute(_first(kind), {"most": ROWS_AT_ONCE}).all()
        while found:
            yield from found
            after = {f"after_{name}": getattr(found[-1], name) for name in kind.key}
            found = self._connection.execute(_following(kind), {"most": ROWS_AT_ONCE, **after}).all()


def _columns(kind: MarkedRows) -> list[Any]:
    return [kind.table.c[name] for name in dict.fromkeys((*kind.columns, *kind.label, kind.mark))]


@cache
def _first(kind: MarkedRows) -> Select[Any]:
    return select(*_columns(kind)).order_by(*_list_keys(kind)).limit(bindparam("most"))


@cache
def _following(kind: MarkedRows) -> Select[Any]:
    keys = _list_keys(kind)
    after = [bindparam(f"after_{each.name}", type_=each.type) for each in keys]
    return _first(kind).where(tuple_(*keys) > tuple_(*after))


@cache
def _mark(kind: MarkedRows) -> Update:
    is_row = [each == bindparam(f"of_{each.name}", type_=each.type) for each in _list_keys(kind)]
    return update(kind.table).where(*is_row).values({kind.mark: bindparam("new_mark")})


def _list_keys(kind: MarkedRows) -> list[Column[Any]]:
    return [kind.table.c[each] for each in kind.key]
