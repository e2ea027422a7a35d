"""Removal of events that nobody needs any more, and the records of it."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, func, insert, literal_column, or_, select

from certwright.adapters.sql.history import LAST_SEALED
from certwright.adapters.sql.noted_rows import list_events, list_notes
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.retention_tables import retention_records
from certwright.adapters.sql.row_marks import RowLedger, write_note
from certwright.adapters.sql.tables import certificate_copies, certificates, events, requests
from certwright.domain.requests import OPEN_STATUSES
from certwright.domain.retention import PASSING, RetentionRecord, encode_ranges

_NOW = bindparam("now", type_=certificates.c.not_after.type)
_IS_LIVING = certificates.c.not_after > _NOW
_OPEN = requests.c.status.in_([literal_column(str(int(each))) for each in sorted(OPEN_STATUSES)])


def _holds_living(profile_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return that the profile holds a certificate which has not ended, revoked or not."""
    shared = certificate_copies.join(certificates, certificates.c.serial == certificate_copies.c.serial)
    return or_(
        exists().where(certificates.c.profile_id == profile_id, _IS_LIVING),
        exists(select(1).select_from(shared).where(certificate_copies.c.profile_id == profile_id, _IS_LIVING)),
    )


_IS_NEEDED = or_(
    exists().where(
        requests.c.id == events.c.request_id,
        or_(_OPEN, _holds_living(requests.c.profile_id), _holds_living(requests.c.old_profile_id)),
    ),
    exists().where(certificates.c.request_id == events.c.request_id, _IS_LIVING),
)
"""Looked up for each event of a slice: all living certificates can be very many."""
_REMOVABLE = (
    # What decides is read with the number: whatever is spelled otherwise than it was written ends the removal.
    select(events.c.sequence, events.c.at, events.c.request_id)
    .where(
        events.c.sequence.between(bindparam("first"), bindparam("last")),
        events.c.sequence <= LAST_SEALED,
        events.c.at < bindparam("before"),
        or_(
            and_(events.c.request_id.is_not(None), ~_IS_NEEDED),
            and_(events.c.request_id.is_(None), events.c.type.in_([literal_column(f"'{each}'") for each in sorted(PASSING)])),
        ),
    )
    .order_by(events.c.sequence)
)
_LAST_OLD = select(func.max(events.c.sequence + literal_column("0"))).where(
    events.c.sequence + literal_column("0") <= LAST_SEALED, events.c.at < bindparam("before")
)
_REMOVE = delete(events).where(events.c.sequence.between(bindparam("first"), bindparam("last")))

_ADD = insert(retention_records)
_LAST = select(func.coalesce(func.max(retention_records.c.number), 0))
_ALL = select(*retention_records.c).order_by(retention_records.c.number)
_is_range = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?", re.ASCII).fullmatch


class SqlRetention:
    """What may be removed from the history, and what was."""

    def __init__(self, connection: Connection, ledger: RowLedger) -> None:
        self._connection = connection
        self._ledger = ledger

    def find_last_old(self, before: datetime) -> int:
        """Return the number of the last sealed event from before *before*; 0 when there is none."""
        number: int | None = self._connection.execute(_LAST_OLD, {"before": before}).scalar()
        return number or 0

    def list_removable(self, before: datetime, now: datetime, *, first: int, last: int) -> tuple[int, ...]:
        """Return the numbers of those from *first* to *last* that may be removed at *now*, ascending."""
        values = {"before": before, "now": now, "first": first, "last": last}
        return tuple(row.sequence for row in self._connection.execute(_REMOVABLE, values))

    def find_last_number(self) -> int:
        """Return the number of the last record; 0 when there is none."""
        number: int = self._connection.execute(_LAST).scalar()
        return number

    def remove(self, record: RetentionRecord) -> None:
        """Remove the events of *record*, and keep it, and what they told of rows."""
        if self._ledger.is_on:
            self._keep_rows(record.ranges)
        self._connection.execute(_REMOVE, [{"first": first, "last": last} for first, last in record.ranges])
        row = {
            "number": record.number,
            "removed_at": record.removed_at,
            "before": record.before,
            "operator": record.operator,
            "events": record.events,
            "numbers": encode_ranges(record.ranges),
            "signature": record.signature,
        }
        self._connection.execute(_ADD, row)

    def _keep_rows(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Let the next event say what those in *ranges* said last of each row, and which event that was."""
        kept: dict[tuple[str, str], tuple[str, int]] = {}
        for first, last in ranges:
            for row in list_events(self._connection, first, last):
                for kind, key, mark, said_by in list_notes(row.details):
                    number = said_by or row.sequence
                    if number >= kept.get((kind, key), ("", 0))[1]:
                        kept[kind, key] = (mark, number)
        for (kind, key), (mark, number) in kept.items():
            self._ledger.note_text(f"{write_note(kind, key, mark)} {number}")

    def list_records(self) -> tuple[RetentionRecord, ...]:
        """Return all records by their numbers; of one that was made unreadable, what can be read."""
        return tuple(_read_record(row) for row in self._connection.execute(_ALL))


def _read_record(row: Row) -> RetentionRecord:
    found = [_is_range(each) for each in str(row.numbers).split(",")]
    return RetentionRecord(
        number=row.number,
        removed_at=row.removed_at,
        before=row.before,
        operator=row.operator,
        events=row.events,
        ranges=tuple((int(each[1]), int(each[2] or each[1])) for each in found if each is not None),
        signature=bytes(row.signature),
    )
