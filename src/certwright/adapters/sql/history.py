"""Events and seals. Who reads what is not sealed yet must not be overtaken: see `CommitOrder`."""

import sqlite3
import struct
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import takewhile
from typing import Any, Protocol

import msgspec
from sqlalchemy import Select, bindparam, func, insert, select

from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.tables import events, seals
from certwright.adapters.sql.upserts import insert_unless_taken
from certwright.domain.errors import ChangedMeanwhile
from certwright.domain.events import Event, Seal, StoredEvent, UnreadableEvent
from certwright.domain.requests import RequestId

_DIGEST = struct.Struct(">Q32s")
"""One event in a seal: its sequence number, eight octets, and the SHA-256."""

_EVENT = (
    events.c.sequence,
    events.c.type,
    events.c.at,
    events.c.actor,
    events.c.actor_id,
    events.c.source,
    events.c.request_id,
    events.c.subject_id,
    events.c.comment,
    events.c.details,
)
_APPEND = insert(events)
_OF_REQUEST = select(*_EVENT).where(events.c.request_id == bindparam("request_id")).order_by(events.c.sequence)
_BETWEEN = select(*_EVENT).where(events.c.sequence.between(bindparam("first"), bindparam("last"))).order_by(events.c.sequence)
_ONE = select(*_EVENT).where(events.c.sequence == bindparam("sequence"))
LAST_SEALED = select(func.coalesce(func.max(seals.c.last_sequence), 0)).scalar_subquery()
_UNSEALED = select(*_EVENT).where(events.c.sequence > LAST_SEALED).order_by(events.c.sequence).limit(bindparam("most"))

_COUNT_UNSEALED = select(func.count()).where(events.c.sequence > LAST_SEALED)

_SEAL = (seals.c.number, seals.c.digests, seals.c.chain, seals.c.signature, seals.c.sealed_at)
_ADD_SEAL = insert_unless_taken(seals)
_LAST_SEAL = select(*_SEAL).order_by(seals.c.number.desc()).limit(1)
_SEALS_AFTER = select(*_SEAL).where(seals.c.number > bindparam("after")).order_by(seals.c.number).limit(bindparam("most"))

_DETAILS_ENCODER = msgspec.json.Encoder()
_DETAILS_DECODER = msgspec.json.Decoder(dict[str, str])


_UNREADABLE = (ValueError, TypeError, AttributeError, sqlite3.OperationalError)
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
    """The history. *tell* hears of what was appended: this is the one door through which events come in."""

    def __init__(
        self, connection: Connection, order: CommitOrder, tell: Callable[[Sequence[Event]], None] | None = None
    ) -> None:
        self._connection = connection
        self._order = order
        self._tell = tell
        self._is_announced = False

    def append(self, new: Iterable[Event]) -> None:
        """Store events in their order; the database gives the numbers."""
        appended = tuple(new)
        if not appended:
            return
        if not self._is_announced:
            self._order.announce(self._connection)
            self._is_announced = True
        self._connection.execute(_APPEND, [_event_row(each) for each in appended])
        if self._tell is not None:
            self._tell(appended)

    def list_of_request(self, request_id: RequestId) -> tuple[StoredEvent, ...]:
        """Return the request's events in their order."""
        return self._list(_OF_REQUEST, {"request_id": request_id})

    def list_unsealed(self, limit: int) -> tuple[StoredEvent, ...]:
        """Return committed events above the last sealed one, ascending, none of them to be overtaken by a later commit."""
        settled = self._order.list_settled(self._connection, limit)
        found = self._list(_UNSEALED, {"most": limit})
        if settled is None:
            return found
        seen = {each.sequence for each in found}
        # An event that this session's view is too old for ends the list: what follows it would overtake it. And what the view
        # has beyond the settled ones may itself have overtaken others that are still to be committed.
        wanted = set(takewhile(seen.__contains__, settled))
        return tuple(each for each in found if each.sequence in wanted)

    def count_unsealed(self) -> int:
        """Return how many events are above the last sealed one, as this session sees it."""
        count: int = self._connection.execute(_COUNT_UNSEALED).scalar()
        return count

    def list_between(self, first: int, last: int) -> tuple[StoredEvent, ...]:
        """Return the events of a range of sequence numbers, ascending."""
        return self._list(_BETWEEN, {"first": first, "last": last})

    def add_seal(self, seal: Seal) -> None:
        """Errors: ChangedMeanwhile when another sealer was first with this number, or with these events."""
        row = {
            "number": seal.number,
            "last_sequence": seal.digests[-1][0],
            "digests": b"".join(_DIGEST.pack(*each) for each in seal.digests),
            "chain": seal.chain,
            "signature": seal.signature,
            "sealed_at": seal.sealed_at,
        }
        if not _ADD_SEAL.run(self._connection, [row]):
            raise ChangedMeanwhile("seal")

    def find_last_seal(self) -> Seal | None:
        """Return the seal with the highest number."""
        row = self._connection.execute(_LAST_SEAL).first()
        return None if row is None else _read_seal(row)

    def list_seals(self, after: int, limit: int) -> tuple[Seal, ...]:
        """Return seals with numbers above *after*, ascending."""
        return tuple(_read_seal(row) for row in self._connection.execute(_SEALS_AFTER, {"after": after, "most": limit}))

    def _list(self, statement: Select[Any], values: dict[str, Any]) -> tuple[StoredEvent, ...]:
        try:
            return tuple(_read_event(row) for row in self._connection.execute(statement, values))
        except _UNREADABLE as error:
            _check_unreadable(error)
        numbers = [row.sequence for row in self._connection.execute(_numbers_of(statement), values)]
        return tuple(self._find_one(each) for each in numbers)

    def _find_one(self, sequence: int) -> StoredEvent:
        """Return an event that is there, as far as it can be read."""
        try:
            (row,) = self._connection.execute(_ONE, {"sequence": sequence})
            return _read_event(row)
        except _UNREADABLE as error:
            _check_unreadable(error)
            return UnreadableEvent(sequence)


def _event_row(event: Event) -> dict[str, Any]:
    return {
        "type": event.type.value,
        "at": event.at,
        "actor": event.actor,
        "actor_id": event.actor_id,
        "source": event.source,
        "request_id": event.request_id,
        "subject_id": event.subject_id,
        "comment": event.comment,
        "details": _DETAILS_ENCODER.encode(dict(event.details)).decode(),
    }


def _read_event(row: Row) -> Event:
    return msgspec.convert(row._asdict() | {"details": _DETAILS_DECODER.decode(row.details)}, Event)


def _check_unreadable(error: Exception) -> None:
    """Raise *error* again when it is the database's own: then it is not the event that cannot be read."""
    if isinstance(error, sqlite3.Error) and hasattr(error, "sqlite_errorcode"):
        raise error


@cache
def _numbers_of(statement: Select[Any]) -> Select[Any]:
    """Return *statement* for the numbers alone, which can always be read."""
    return statement.with_only_columns(events.c.sequence)


def _read_seal(row: Row) -> Seal:
    return Seal(
        number=row.number,
        # A seal that somebody cut short is read as far as it goes; that its chain is broken is for the verifier to say.
        digests=tuple(_DIGEST.iter_unpack(row.digests[: len(row.digests) // _DIGEST.size * _DIGEST.size])),
        chain=row.chain,
        signature=row.signature,
        sealed_at=row.sealed_at,
    )
