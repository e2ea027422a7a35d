"""What the history says of rows: the last mark of each, kept in a database of its own while they are compared."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from certwright.adapters.sql.event_details import find_details
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.row_marks import REMOVED, read_notes
from certwright.adapters.sql.row_walk import read_or_none
from certwright.adapters.sql.tables import events
from certwright.domain.events import KINDS, PROGRAM, ROWS, EventType
from certwright.domain.sealing import BELOW_ALL, name_events

EVENTS_AT_ONCE = 10_000
# Of every event: what its text is like says nothing for certain of what it tells.
_COLUMNS = (events.c.sequence, events.c.type, events.c.actor, events.c.details)
_BETWEEN = select(*_COLUMNS).where(events.c.sequence.between(bindparam("first"), bindparam("last"))).order_by(events.c.sequence)
_ONE = select(*_COLUMNS).where(events.c.sequence == bindparam("sequence"))
_NUMBERS_BETWEEN = _BETWEEN.with_only_columns(events.c.sequence)
_NUMBERS_AFTER = (
    select(events.c.sequence).where(events.c.sequence > bindparam("after")).order_by(events.c.sequence).limit(EVENTS_AT_ONCE)
)
_TABLE = """CREATE TABLE noted (kind TEXT, row_key TEXT, mark TEXT, sequence INTEGER, is_found INTEGER,
    is_seen INTEGER DEFAULT 0, PRIMARY KEY (kind, row_key)) WITHOUT ROWID"""
_NOTE = """INSERT INTO noted (kind, row_key, mark, sequence, is_found) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (kind, row_key) DO UPDATE SET mark = excluded.mark, sequence = excluded.sequence, is_found = excluded.is_found
    WHERE excluded.sequence >= sequence"""
_FIND = "SELECT mark, sequence, is_found, is_seen FROM noted WHERE kind = ? AND row_key = ?"
_SEE = "UPDATE noted SET is_seen = 1 WHERE kind = ? AND row_key = ?"
_UNSEEN = f"SELECT kind, row_key, sequence FROM noted WHERE is_seen = 0 AND mark <> '{REMOVED}' ORDER BY kind, row_key"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Noted:
    """What the history says last of a row.

    Shape: *is_found* says that the row was marked as it was found; *is_seen*, that a row of the same key was looked at before.
    """

    mark: str
    sequence: int
    is_found: bool
    is_seen: bool = False


class NotedRows:
    """What the events of *connection*'s view say of rows."""

    def __init__(self, noted: sqlite3.Connection, connection: Connection) -> None:
        self._noted = noted
        self._connection = connection
        self._noted.execute(_TABLE)
        self.remarks: list[str] = []
        self.faults: list[str] = []

    def read(self) -> None:
        """Read all events that tell of rows."""
        last = BELOW_ALL
        told = _ToldKinds()
        while numbers := self._connection.execute(_NUMBERS_AFTER, {"after": last}).all():
            last = numbers[-1].sequence
            for row in list_events(self._connection, numbers[0].sequence, last):
                self._add(row, told)
        if told.again:
            name = name_events(told.again[0], told.again[-1])
            self.faults.append(f"{name}: rows were marked as they were found, with a key that was made once more")

    def _add(self, event: Row, told: "_ToldKinds") -> None:
        is_found = event.type == EventType.STATE_MARKED
        said = list_notes(event.details)
        notes = [(kind, key, mark, said_by or event.sequence, is_found) for kind, key, mark, said_by in said]
        self._noted.executemany(_NOTE, notes)
        if is_found and event.actor != PROGRAM:
            name = name_events(event.sequence, event.sequence)
            self.remarks.append(f"{event.actor} accepted rows as they were: {name} names them")
        elif is_found or notes:
            told.add(event, {each[0] for each in notes})

    def find(self, kind: str, key: str) -> Noted | None:
        """Return what is said of the row, and remember that it is there."""
        row = self._noted.execute(_FIND, (kind, key)).fetchone()
        if row is None:
            return None
        self._noted.execute(_SEE, (kind, key))
        return Noted(row[0], row[1], bool(row[2]), bool(row[3]))

    def list_missing(self) -> Iterator[tuple[str, str, int]]:
        """Return kind and key of rows that were not looked for and should be there, with the event that says so."""
        return iter(self._noted.execute(_UNSEEN).fetchall())


class _ToldKinds:
    """Which kinds of rows events have told of. Shape: *again* are events that mark kinds as found which were told of before."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._found: set[str] = set()
        self.again: list[int] = []

    def add(self, event: Row, kinds: set[str]) -> None:
        """Take what *event* tells: of rows of *kinds*, and where it marks them as found, of which for the first time."""
        if event.type != EventType.STATE_MARKED:
            self._told |= kinds
            return
        first = set(_read_detail(event.details, KINDS).split())
        if (first | kinds) & self._told or first & self._found:
            self.again.append(event.sequence)
        self._found |= first | kinds


@contextmanager
def reading_notes(connection: Connection) -> Iterator[NotedRows]:
    """Give out what the history says of rows."""
    # An empty name: a database that is on the disk when it grows, and gone when it is closed.
    with closing(sqlite3.connect("")) as noted:
        found = NotedRows(noted, connection)
        found.read()
        yield found


def list_events(connection: Connection, first: int, last: int) -> list[Row]:
    """Return numbers, types, actors and details of the events in a range, ascending, without those that cannot be read."""
    values = {"first": first, "last": last}
    found = read_or_none(lambda: connection.execute(_BETWEEN, values).all())
    if found is not None:
        return found
    each = (_find_event(connection, row.sequence) for row in connection.execute(_NUMBERS_BETWEEN, values).all())
    return [row for row in each if row is not None]


def _find_event(connection: Connection, sequence: int) -> Row | None:
    return read_or_none(lambda: connection.execute(_ONE, {"sequence": sequence}).first())


def list_notes(details: object) -> Iterator[tuple[str, str, str, int | None]]:
    """Return what an event with *details* says of rows; nothing where they cannot be read, which is another's fault to tell."""
    return read_notes(_read_detail(details, ROWS))


def _read_detail(details: object, name: str) -> str:
    return (find_details(details) or {}).get(name, "")
