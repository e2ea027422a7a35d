"""All rows that carry marks, against their marks and against the history."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial

from sqlalchemy import Update, bindparam, update

from certwright.adapters.sql.directory import RAISE_REVISIONS
from certwright.adapters.sql.key_claims import KeyClaims
from certwright.adapters.sql.marked_rows import MARKED_ROWS
from certwright.adapters.sql.noted_rows import Noted, NotedRows, reading_notes
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.row_marks import REMOVED, MarkedRows, RowLedger, join_notes, spell_mark, write_note
from certwright.adapters.sql.row_walk import read_or_none, walk_rows
from certwright.domain.state_proof import StateProof


@dataclass(frozen=True, slots=True)
class _Difference:
    """A row that does not fit, and why. Shape: *row* is None for one that is gone, or cannot be read, which lasts."""

    kind: str
    key: str
    fault: str
    rows: MarkedRows | None = None
    row: Row | None = None
    is_lasting: bool = False


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
            found = list(walk.list_differences())
            claims = KeyClaims(self._connection)
            claims.compare()
            faults, lasting = ([each.fault for each in found if each.is_lasting is last] for last in (False, True))
            return StateProof(
                walk.rows,
                walk.taken_as_found,
                faults=tuple(faults),
                remarks=(*noted.remarks, *claims.remarks),
                lasting=(*noted.faults, *lasting, *claims.faults),
            )

    def settle(self, *, newer_than: int = 0) -> Iterator[str]:
        """Mark every row that does not fit as it is, and return what is to be told of it, in parts for one event each."""
        with reading_notes(self._connection) as noted:
            walk = _Walk(self._connection, self._ledger, noted)
            differences = list(walk.list_differences(_list_kinds(newer_than)))
        # What any process remembers was read before.
        self._connection.execute(RAISE_REVISIONS)
        return join_notes([self._settle(each) for each in differences if not each.is_lasting])

    def list_kinds(self, *, newer_than: int = 0) -> tuple[str, ...]:
        """Return the names of the kinds of rows that are newer than the version."""
        return tuple(each.name for each in _list_kinds(newer_than))

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

    def list_differences(self, kinds: Sequence[MarkedRows] = MARKED_ROWS) -> Iterator[_Difference]:
        """Return every row of *kinds* that does not fit, by its kind; then those that are gone."""
        for kind in kinds:
            yield from self._look_at_all(kind)
        names = {each.name for each in kinds}
        for name, key, sequence in self._noted.list_missing():
            if name not in names:
                continue
            yield _Difference(name, key, f"{name} {key} is gone: event {sequence} tells of it")

    def _look_at_all(self, kind: MarkedRows) -> Iterator[_Difference]:
        for walked in walk_rows(kind, self._connection):
            self.rows += 1
            noted = self._noted.find(kind.name, walked.key)
            fault = read_or_none(partial(self._find_fault, kind, walked.row, noted))
            if noted is not None and noted.is_seen:
                yield _Difference(kind.name, walked.key, f"{kind.name} {walked.key} is there more than once", is_lasting=True)
            elif fault is None:
                called = f"{kind.name} {walked.key}" if walked.key else f"a {kind.name}, its key included,"
                yield _Difference(kind.name, walked.key, f"{called} cannot be read", is_lasting=True)
            elif fault and walked.row is not None:
                name = kind.name_row(walked.row._asdict())
                yield _Difference(kind.name, walked.key, f"{name} {fault}", kind, walked.row)
            elif noted is not None and noted.is_found:
                self.taken_as_found += 1

    def _find_fault(self, kind: MarkedRows, row: Row | None, noted: Noted | None) -> str | None:
        """Return what is wrong with the row, nothing where it fits, and None where it cannot be read."""
        if row is None:
            return None
        if not self._ledger.is_right(kind, row):
            return "is not as this installation wrote it"
        if noted is None:
            return "is in no event"
        if noted.mark == REMOVED:
            return f"is there again: event {noted.sequence} tells that it was removed"
        if noted.mark != spell_mark(getattr(row, kind.mark)):
            return f"is not what event {noted.sequence} tells last of it: an older state was put back"
        return ""


def _list_kinds(newer_than: int) -> tuple[MarkedRows, ...]:
    return tuple(each for each in MARKED_ROWS if each.since > newer_than)


@cache
def _mark(kind: MarkedRows) -> Update:
    keys = [kind.table.c[each] for each in kind.key]
    is_row = [each == bindparam(f"of_{each.name}", type_=each.type) for each in keys]
    return update(kind.table).where(*is_row).values({kind.mark: bindparam("new_mark")})
