"""Removal of events that nobody needs any more, and the records of it."""

import re
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, func, insert, literal_column, or_, select

from certwright.adapters.sql.history import LAST_SEALED
from certwright.adapters.sql.noted_rows import EVENTS_OF_ROWS, list_notes
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.retention_tables import retention_records
from certwright.adapters.sql.row_marks import RowLedger, write_note
from certwright.adapters.sql.tables import certificate_copies, certificates, events, requests
from certwright.domain.requests import OPEN_STATUSES
from certwright.domain.retention import PASSING, RetentionRecord, encode_ranges

_NOW = bindparam("now", type_=certificates.c.not_after.type)
_IS_LIVING = certificates.c.not_after > _NOW
_HOLDING = (
    select(certificates.c.profile_id)
    .where(_IS_LIVING)
    .union(
        select(certificate_copies.c.profile_id)
        .join(certificates, certificates.c.serial == certificate_copies.c.serial)
        .where(_IS_LIVING)
    )
)
"""Profiles that hold a certificate which has not ended, revoked or not."""
_NEEDED = (
    select(requests.c.id)
    .where(
        or_(
            requests.c.status.in_([literal_column(str(int(each))) for each in sorted(OPEN_STATUSES)]),
            requests.c.profile_id.in_(_HOLDING),
            requests.c.old_profile_id.in_(_HOLDING),
        )
    )
    .union(select(certificates.c.request_id).where(_IS_LIVING))
)
_IS_REMOVABLE = and_(
    events.c.sequence <= LAST_SEALED,
    events.c.at < bindparam("before"),
    or_(
        events.c.request_id.not_in(_NEEDED),
        and_(events.c.request_id.is_(None), events.c.type.in_([literal_column(f"'{each}'") for each in sorted(PASSING)])),
    ),
)
_REMOVABLE = select(events.c.sequence).where(_IS_REMOVABLE).order_by(events.c.sequence).limit(bindparam("most"))
_COUNT = select(func.count()).select_from(events).where(_IS_REMOVABLE)
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

    def count_removable(self, before: datetime, now: datetime) -> int:
        """Return how many events from before *before* may be removed at *now*."""
        count: int = self._connection.execute(_COUNT, {"before": before, "now": now}).scalar()
        return count

    def list_removable(self, before: datetime, now: datetime, most: int) -> tuple[int, ...]:
        """Return the numbers of the first *most* of them, ascending."""
        rows = self._connection.execute(_REMOVABLE, {"before": before, "now": now, "most": most})
        return tuple(row.sequence for row in rows)

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
            for row in self._connection.execute(EVENTS_OF_ROWS, {"first": first, "last": last}):
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
