"""What the history says of rows: the last mark of each, kept in a database of its own while they are compared."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import msgspec
from sqlalchemy import bindparam, select

from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.row_marks import REMOVED, read_notes
from certwright.adapters.sql.tables import events
from certwright.domain.events import KINDS, PROGRAM, ROWS, EventType
from certwright.domain.sealing import name_events

EVENTS_AT_ONCE = 10_000
_TELLS = events.c.details.like(f'%"{ROWS}":"%')
EVENTS_OF_ROWS = (
    select(events.c.sequence, events.c.details)
    .where(events.c.sequence.between(bindparam("first"), bindparam("last")), _TELLS)
    .order_by(events.c.sequence)
)
_FOLLOWING = (
    select(events.c.sequence, events.c.type, events.c.actor, events.c.details)
    .where(events.c.sequence > bindparam("after"), _TELLS)
    .order_by(events.c.sequence)
    .limit(EVENTS_AT_ONCE)
)
_TABLE = """CREATE TABLE noted (kind TEXT, row_key TEXT, mark TEXT, sequence INTEGER, is_found INTEGER,
    is_seen INTEGER DEFAULT 0, PRIMARY KEY (kind, row_key)) WITHOUT ROWID"""
_NOTE = """INSERT INTO noted (kind, row_key, mark, sequence, is_found) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (kind, row_key) DO UPDATE SET mark = excluded.mark, sequence = excluded.sequence, is_found = excluded.is_found
    WHERE excluded.sequence >= sequence"""
_FIND = "SELECT mark, sequence, is_found FROM noted WHERE kind = ? AND row_key = ?"
_SEE = "UPDATE noted SET is_seen = 1 WHERE kind = ? AND row_key = ?"
_UNSEEN = f"SELECT kind, row_key, sequence FROM noted WHERE is_seen = 0 AND mark <> '{REMOVED}' ORDER BY kind, row_key"  # noqa: S608
_decode_details = msgspec.json.Decoder(dict[str, str]).decode


@dataclass(frozen=True, slots=True)
class Noted:
    """What the history says last of a row. Shape: *is_found* says that the row was marked as it was found."""

    mark: str
    sequence: int
    is_found: bool


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
        last = 0
        told = _ToldKinds()
        while rows := self._connection.execute(_FOLLOWING, {"after": last}).all():
            for row in rows:
                last = row.sequence
                is_found = row.type == EventType.STATE_MARKED
                notes = [(kind, key, mark, said_by or last, is_found) for kind, key, mark, said_by in list_notes(row.details)]
                self._noted.executemany(_NOTE, notes)
                if is_found and row.actor != PROGRAM:
                    self.remarks.append(f"{row.actor} accepted rows as they were: {name_events(last, last)} names them")
                else:
                    told.add(row, {each[0] for each in notes})
        if told.again:
            name = name_events(told.again[0], told.again[-1])
            self.faults.append(f"{name}: rows were marked as they were found, with a key that was made once more")

    def find(self, kind: str, key: str) -> Noted | None:
        """Return what is said of the row, and remember that it is there."""
        row = self._noted.execute(_FIND, (kind, key)).fetchone()
        if row is None:
            return None
        self._noted.execute(_SEE, (kind, key))
        return Noted(row[0], row[1], bool(row[2]))

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


def list_notes(details: object) -> Iterator[tuple[str, str, str, int | None]]:
    """Return what an event with *details* says of rows; nothing where they cannot be read, which is another's fault to tell."""
    return read_notes(_read_detail(details, ROWS))


def _read_detail(details: object, name: str) -> str:
    try:
        return _decode_details(details).get(name, "") if isinstance(details, str) else ""
    except msgspec.DecodeError:
        return ""
