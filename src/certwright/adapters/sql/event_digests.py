"""Digests of events as they are stored, without making events of them: proving a history reads every row of it.

What is stored as we write it is digested as it came from the driver; all else is read as an event, which says what is wrong
with it. An event that is read and one that is digested give the same digest (a test compares them).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from certwright.adapters.sql.event_details import read_details
from certwright.adapters.sql.event_marks import EventMarker, cut_number
from certwright.domain.errors import StoredRowAltered
from certwright.domain.events import Digested, Event, EventType, StoredEvent
from certwright.domain.sealing import digest_fields, digest_of, format_time, list_fields

_TYPES = frozenset(each.value for each in EventType)
_is_stored_time = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", re.ASCII).fullmatch
_is_stored_uuid = re.compile(r"[0-9a-f]{32}").fullmatch
_encode = msgspec.json.Encoder().encode


class _Unusual(Exception):
    """This is not how we write it."""


def digest_rows(
    rows: Iterable[tuple[Any, ...]], find_one: Callable[[int], StoredEvent], marker: EventMarker | None = None
) -> Digested:
    """Return the digests of *rows*, which are as the driver gave them: `history.EVENT_COLUMNS` in their order, then the mark.

    *find_one* reads an event by its number, as far as it can be read; *marker* says which marks are right.
    """
    digests, unreadable, unmarked = [], [], []
    for *columns, mark in rows:
        sequence = columns[0]
        try:
            fields = _list_stored_fields(columns)
        except (_Unusual, StoredRowAltered, ValueError, TypeError):
            event = find_one(sequence)
            if not isinstance(event, Event):
                digests.append((sequence, digest_of(event)))
                unreadable.append(sequence)
                continue
            fields = list_fields(event)
        encoded = _encode(fields)
        digests.append((sequence, _digest_encoded(encoded, fields)))
        if marker is not None and not marker.is_right(mark, cut_number(encoded)):
            unmarked.append(sequence)
    return Digested(tuple(digests), tuple(unreadable), tuple(unmarked))


def _digest_encoded(encoded: bytes, fields: Sequence[object]) -> bytes:
    # The two encoders differ in what they escape outside of printable ASCII.
    return sha256(encoded).digest() if encoded.isascii() and b"\x7f" not in encoded else digest_fields(fields)


def _list_stored_fields(columns: Sequence[Any]) -> list[object]:
    sequence, kind, at, actor, actor_id, source, request_id, subject_id, comment, details = columns
    if kind not in _TYPES or not (type(actor) is type(source) is type(comment) is str):
        raise _Unusual
    return [
        sequence,
        kind,
        _format_time(at),
        actor,
        _format_uuid(actor_id),
        source,
        _format_uuid(request_id),
        _format_uuid(subject_id),
        comment,
        sorted(read_details(details).items()),
    ]


def _format_time(at: object) -> str:
    if isinstance(at, datetime):
        return format_time(at)
    if isinstance(at, str) and _is_stored_time(at):
        datetime.fromisoformat(at)
        return f"{at[:10]}T{at[11:]}+00:00"
    raise _Unusual


def _format_uuid(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and _is_stored_uuid(value):
        return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"
    if isinstance(value, UUID):
        return str(value)
    raise _Unusual
