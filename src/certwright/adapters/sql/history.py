"""Events and seals. Who reads what is not sealed yet must not be overtaken: see `CommitOrder`."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from hashlib import shake_256
from itertools import takewhile
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import Column, Select, bindparam, func, insert, select, text

from certwright.adapters.sql.event_details import read_details, write_details
from certwright.adapters.sql.event_digests import digest_rows
from certwright.adapters.sql.event_look import EVENT_COLUMNS, EventLook
from certwright.adapters.sql.event_marks import EventMarker
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.row_marks import RowLedger
from certwright.adapters.sql.seals import read_seal, seal_row
from certwright.adapters.sql.tables import OF_SETTINGS, events, history_probe, seals
from certwright.adapters.sql.upserts import insert_or_replace, insert_unless_taken
from certwright.domain.errors import ChangedMeanwhile, StoredRowAltered
from certwright.domain.event_search import EventSearch, FoundEvents
from certwright.domain.events import (
    ROWS,
    Digested,
    Event,
    EventType,
    Seal,
    StoredEvent,
    StoredSeal,
    UnreadableEvent,
    UnreadableSeal,
    tell_of_program,
)
from certwright.domain.requests import RequestId
from certwright.domain.sealing import digest_of

Found = TypeVar("Found")

_APPEND = insert(events)
_IN_ORDER = select(*EVENT_COLUMNS).order_by(events.c.sequence)
_OF_REQUEST = _IN_ORDER.where(events.c.request_id == bindparam("request_id"))
_BETWEEN = _IN_ORDER.where(events.c.sequence.between(bindparam("first"), bindparam("last")))
_ONE = select(*EVENT_COLUMNS).where(events.c.sequence == bindparam("sequence"))
LAST_SEALED = select(func.coalesce(func.max(seals.c.last_sequence), 0)).scalar_subquery()
_UNSEALED = _IN_ORDER.where(events.c.sequence > LAST_SEALED).limit(bindparam("most"))
_WITH_MARKS = select(*EVENT_COLUMNS, events.c.mark).order_by(events.c.sequence)
_MARKED_UNSEALED = _WITH_MARKS.where(events.c.sequence > LAST_SEALED).limit(bindparam("most"))
_MARKED_AFTER = _WITH_MARKS.where(events.c.sequence > bindparam("after")).limit(bindparam("most"))
_MARKED_BETWEEN = _WITH_MARKS.where(events.c.sequence.between(bindparam("first"), bindparam("last")))
_MARKED_ONE = _WITH_MARKS.where(events.c.sequence == bindparam("sequence"))
_REPEATED = select(events.c.mark).where(events.c.mark.is_not(None)).group_by(events.c.mark).having(func.count() > 1)
_COPIED = select(events.c.sequence).where(events.c.mark.in_(_REPEATED)).order_by(events.c.sequence)
_FIRST = _IN_ORDER.limit(1)
_LAST_GIVEN = {
    "sqlite": text("SELECT seq FROM sqlite_sequence WHERE name = 'events'"),
    "postgresql": text("SELECT pg_sequence_last_value(pg_get_serial_sequence('events', 'sequence')::regclass)"),
}
"""The counters of the databases. PostgreSQL's goes on where a change is taken back, and ahead of what a session sees."""
_LAST_NUMBER = select(func.coalesce(func.max(events.c.sequence), 0))

_COUNT_UNSEALED = select(func.coalesce(func.max(events.c.sequence), 0) - LAST_SEALED)

_PROBE = insert_or_replace(history_probe)
# The condition stands in the words of the index, without values: otherwise SQLite does not see that the index has it.
_LAST_SETTINGS = select(*EVENT_COLUMNS).where(OF_SETTINGS).order_by(events.c.sequence.desc()).limit(1)
PROBE_OCTETS = 32_768
"""More than a few events take, and more than what a full disk may still have left in pages that are begun."""

_ADD_SEAL = insert_unless_taken(seals)
_LAST_SEAL = select(*seals.c).order_by(seals.c.number.desc()).limit(1)
_SEALS_AFTER = select(*seals.c).where(seals.c.number > bindparam("after")).order_by(seals.c.number).limit(bindparam("most"))
_SEAL_OVER = select(*seals.c).where(seals.c.last_sequence >= bindparam("sequence")).order_by(seals.c.last_sequence).limit(1)
_ONE_SEAL = select(*seals.c).where(seals.c.number == bindparam("number"))


_UNREADABLE = (StoredRowAltered, ValueError, TypeError, AttributeError, sqlite3.OperationalError)
"""What comes of values that we did not write: from our own decoding, from the column types, and, for text that is not UTF-8,
from SQLite's driver, which then gives no code of an error."""


class CommitOrder(Protocol):
    """How a database makes sure that no event turns up below one that was already read.

    Sequence numbers are given when an event is written, not when it is committed; where several sessions write at once, a
    higher number may be seen before a lower one.
    """

    def announce(self, connection: Connection, /) -> None:
        """Tell readers that *connection* is about to write events; asked once a transaction."""

    def list_settled(self, connection: Connection, limit: int, /) -> list[int] | None:
        """Return the numbers of the first *limit* unsealed events, as of a moment at which nobody was writing any; None
        where *connection* sees every event below those that it sees.
        """


class SqlHistory:
    """The history. *marker* marks and *tell* hears of what is appended: this is the one door through which events come in."""

    def __init__(
        self,
        connection: Connection,
        order: CommitOrder,
        tell: Callable[[Sequence[Event]], None] | None = None,
        marker: EventMarker | None = None,
        ledger: RowLedger | None = None,
    ) -> None:
        self._ledger = ledger or RowLedger(None)
        self._connection = connection
        self._order = order
        self._tell = tell
        self._marker = marker
        self._is_announced = False

    @property
    def marked_after(self) -> int | None:
        """Return the number above which every event has to carry a mark; None where events are not marked."""
        return None if self._marker is None else self._marker.after

    @property
    def has_all_numbers(self) -> bool:
        """Return whether the database gives every number: PostgreSQL leaves out those of changes that were taken back."""
        return self._connection.dialect_name == "sqlite"

    def append(self, new: Iterable[Event]) -> None:
        """Store events in their order; the database gives the numbers."""
        appended = tuple(new)
        if not appended:
            return
        self._store(self._add_rows(appended))
        if self._tell is not None:
            self._tell(appended)

    def tell_of_rows(self) -> None:
        """Store events of their own for changed rows of which no event has told yet."""
        told = [_tell_of_rows(each, datetime.now(UTC)) for each in self._ledger.take_notes()]
        if told:
            self._store(told)

    def _add_rows(self, appended: Sequence[Event]) -> Sequence[Event]:
        """Return the events with what they tell of rows that were changed before them; who is told of events need not know."""
        first, *more = self._ledger.take_notes() or ("",)
        if not first:
            return appended
        *others, last = appended
        carrying = replace(last, details={**last.details, ROWS: first})
        return (*others, carrying, *(_tell_of_rows(each, last.at) for each in more))

    def _store(self, appended: Sequence[Event]) -> None:
        if not self._is_announced:
            self._order.announce(self._connection)
            self._is_announced = True
        marks = [None] * len(appended) if self._marker is None else self._marker.mark(appended)
        self._connection.execute(_APPEND, [_event_row(*each) for each in zip(appended, marks, strict=True)])

    def probe(self, at: datetime) -> None:
        """Write down that at *at* it was looked whether events can be written: about as much as some of them would take."""
        # Other octets each time, which no database can make less of.
        ballast = shake_256(at.isoformat().encode()).digest(PROBE_OCTETS)
        _PROBE.run(self._connection, [{"id": 1, "at": at, "ballast": ballast}])

    def find_last_settings(self) -> StoredEvent | None:
        """Return the last event of changed settings, at once, however long the history is."""
        found = self._list(_LAST_SETTINGS, {})
        return found[0] if found else None

    def list_of_request(self, request_id: RequestId) -> tuple[StoredEvent, ...]:
        """Return the request's events in their order."""
        return self._list(_OF_REQUEST, {"request_id": request_id})

    def list_unsealed(self, limit: int) -> tuple[StoredEvent, ...]:
        """Return committed events above the last sealed one, ascending, none of them to be overtaken by a later commit."""
        settled = self._order.list_settled(self._connection, limit)
        found = self._list(_UNSEALED, {"most": limit})
        wanted = _keep_settled([each.sequence for each in found], settled)
        return tuple(each for each in found if each.sequence in wanted)

    def count_unsealed(self) -> int:
        """Return how many events are above the last sealed one, as this session sees it."""
        count: int = self._connection.execute(_COUNT_UNSEALED).scalar()
        # Below 0 where somebody took away events.
        return max(0, count)

    def list_found(self, search: EventSearch, *, after: int, most: int) -> FoundEvents:
        """Return at most *most* events above *after* that *search* is about, ascending, as far as one look goes."""
        return EventLook(self._connection, self._list, search).list_above(after, most)

    def list_newest_found(self, search: EventSearch, *, before: int, most: int) -> FoundEvents:
        """Return at most *most* of the last events below *before* that *search* is about, ascending, likewise."""
        return EventLook(self._connection, self._list, search).list_below(before, most)

    def digest_unsealed(self, limit: int) -> Digested:
        """Return what `list_unsealed` lists, as digests."""
        settled = self._order.list_settled(self._connection, limit)
        # Sealing checks no marks: proving does, as often as somebody wants.
        found = self._digest(_MARKED_UNSEALED, {"most": limit}, None)
        wanted = _keep_settled([number for number, _ in found.digests], settled)
        return Digested(
            tuple(each for each in found.digests if each[0] in wanted),
            tuple(each for each in found.unreadable if each in wanted),
        )

    def digest_after(self, sequence: int, limit: int) -> Digested:
        """Return the first *limit* events above *sequence*, as digests."""
        return self._digest(_MARKED_AFTER, {"after": sequence, "most": limit}, self._marker)

    def digest_between(self, first: int, last: int) -> Digested:
        """Return what `list_between` lists, as digests."""
        return self._digest(_MARKED_BETWEEN, {"first": first, "last": last}, self._marker)

    def list_copied(self) -> tuple[int, ...]:
        """Return the numbers of events that have the mark of another, ascending."""
        return tuple(row.sequence for row in self._connection.execute(_COPIED))

    def find_last_number(self) -> int:
        """Return the number of the newest event, as this session sees it; 0 when there is none."""
        number: int = self._connection.execute(_LAST_NUMBER).scalar()
        return number

    def find_last_given(self) -> int | None:
        """Return where the database's own counter of events is; None where it was taken away, or never used."""
        found: int | None = self._connection.execute(_LAST_GIVEN[self._connection.dialect_name]).scalar()
        return found

    def find_first(self) -> StoredEvent | None:
        """Return the event with the lowest number."""
        found = self._list(_FIRST, {})
        return found[0] if found else None

    def list_between(self, first: int, last: int) -> tuple[StoredEvent, ...]:
        """Return the events of a range of sequence numbers, ascending."""
        return self._list(_BETWEEN, {"first": first, "last": last})

    def add_seal(self, seal: Seal) -> None:
        """Errors: ChangedMeanwhile when another sealer was first with this number, or with these events."""
        if not _ADD_SEAL.run(self._connection, [seal_row(seal)]):
            raise ChangedMeanwhile("seal")

    def find_last_seal(self) -> StoredSeal | None:
        """Return the seal with the highest number."""
        found = self._list_seals(_LAST_SEAL, {})
        return found[0] if found else None

    def find_seal_over(self, sequence: int) -> StoredSeal | None:
        """Return the seal that the event is under; None for one that is not sealed yet."""
        found = self._list_seals(_SEAL_OVER, {"sequence": sequence})
        return found[0] if found else None

    def list_seals(self, after: int, limit: int) -> tuple[StoredSeal, ...]:
        """Return seals with numbers above *after*, ascending."""
        return self._list_seals(_SEALS_AFTER, {"after": after, "most": limit})

    def _list_seals(self, statement: Select[Any], values: dict[str, Any]) -> tuple[StoredSeal, ...]:
        found = _read_or_none(lambda: tuple(read_seal(row) for row in self._connection.execute(statement, values)))
        if found is not None:
            return found
        numbers = [row.number for row in self._connection.execute(_numbers_of(statement, seals.c.number), values)]
        return tuple(self._find_seal(each) for each in numbers)

    def _find_seal(self, number: int) -> StoredSeal:
        """Return a seal that is there, as far as it can be read."""
        found = _read_or_none(lambda: read_seal(self._connection.execute(_ONE_SEAL, {"number": number}).first()))
        return found or UnreadableSeal(number)

    def _list(self, statement: Select[Any], values: dict[str, Any]) -> tuple[StoredEvent, ...]:
        found = _read_or_none(lambda: tuple(_read_event(row) for row in self._connection.execute(statement, values)))
        return self._list_one_by_one(statement, values) if found is None else found

    def _digest(self, statement: Select[Any], values: dict[str, Any], marker: EventMarker | None) -> Digested:
        found = _read_or_none(lambda: digest_rows(self._connection.execute(statement, values).raw(), self._find_one, marker))
        if found is not None:
            return found
        numbers = [row.sequence for row in self._connection.execute(_numbers_of(statement, events.c.sequence), values)]
        return _join(self._digest_one(each, marker) for each in numbers)

    def _digest_one(self, sequence: int, marker: EventMarker | None) -> Digested:
        """Return the digest of an event that is there, as far as it can be read."""
        rows = self._connection.execute(_MARKED_ONE, {"sequence": sequence})
        found = _read_or_none(lambda: digest_rows(rows.raw(), self._find_one, marker))
        if found is not None:
            return found
        event, number = self._find_one(sequence), (sequence,)
        digests = ((sequence, digest_of(event)),)
        if not isinstance(event, Event):
            return Digested(digests, number)
        # The driver reads the event, but not its mark.
        return Digested(digests, (), () if marker is None else number)

    def _list_one_by_one(self, statement: Select[Any], values: dict[str, Any]) -> tuple[StoredEvent, ...]:
        numbers = [row.sequence for row in self._connection.execute(_numbers_of(statement, events.c.sequence), values)]
        return tuple(self._find_one(each) for each in numbers)

    def _find_one(self, sequence: int) -> StoredEvent:
        """Return an event that is there, as far as it can be read."""
        found = _read_or_none(lambda: _read_event(self._connection.execute(_ONE, {"sequence": sequence}).first()))
        return found or UnreadableEvent(sequence)


def _keep_settled(found: list[int], settled: list[int] | None) -> frozenset[int]:
    """Return which of the numbers that a view has may be sealed."""
    if settled is None:
        return frozenset(found)
    # An event that this session's view is too old for ends the list: what follows it would overtake it. And what the view
    # has beyond the settled ones may itself have overtaken others that are still to be committed.
    return frozenset(takewhile(frozenset(found).__contains__, settled))


def _join(parts: Iterable[Digested]) -> Digested:
    """Return the digests of all *parts* together."""
    digests: list[tuple[int, bytes]] = []
    unreadable: list[int] = []
    unmarked: list[int] = []
    for each in parts:
        digests += each.digests
        unreadable += each.unreadable
        unmarked += each.unmarked
    return Digested(tuple(digests), tuple(unreadable), tuple(unmarked))


def _tell_of_rows(rows: str, at: datetime) -> Event:
    return replace(tell_of_program(EventType.STATE_NOTED, at), details={ROWS: rows})


def _event_row(event: Event, mark: bytes | None) -> dict[str, Any]:
    return {
        "type": event.type.value,
        "at": event.at,
        "actor": event.actor,
        "actor_id": event.actor_id,
        "source": event.source,
        "request_id": event.request_id,
        "subject_id": event.subject_id,
        "comment": event.comment,
        "details": write_details(event.details),
        "mark": mark,
    }


def _read_event(row: Row) -> Event:
    return msgspec.convert(row._asdict() | {"details": read_details(row.details)}, Event)


def _read_or_none(read: Callable[[], Found]) -> Found | None:
    """Return what *read* returns, or None when something in it cannot be read."""
    try:
        return read()
    except _UNREADABLE as error:
        if isinstance(error, sqlite3.Error) and hasattr(error, "sqlite_errorcode"):
            # The database's own fault: it is not the row that cannot be read.
            raise
        return None


@cache
def _numbers_of(statement: Select[Any], number: Column[int]) -> Select[Any]:
    """Return *statement* for the numbers alone, which can always be read."""
    return statement.with_only_columns(number)
