"""Digests of events as they are stored, without making events of them: proving a history reads every row of it.

What looks as we write it is digested as it came from the driver; all else is read as an event first, which says whether it is
one. Both give the same digest (a test compares them).
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from certwright.domain.events import Digested, EventType, StoredEvent, UnreadableEvent
from certwright.domain.sealing import digest_fields, digest_of, format_time

_TYPES = frozenset(each.value for each in EventType)
_is_stored_time = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", re.ASCII).fullmatch
_is_stored_uuid = re.compile(r"[0-9a-f]{32}").fullmatch
_decode_details = msgspec.json.Decoder(dict[str, str]).decode
_encode = msgspec.json.Encoder().encode


class _Unusual(Exception):
    """This is not how we write it; it may still be readable."""


def digest_rows(rows: Iterable[tuple[Any, ...]], find_one: Callable[[int], StoredEvent]) -> Digested:
    """Return the digests of *rows*, which are as the driver gave them, in the order of `history.EVENT_COLUMNS`.

    *find_one* reads an event by its number, as far as it can be read.
    """
    digests, unreadable = [], []
    for row in rows:
        sequence = row[0]
        try:
            digest = _digest_row(row)
        except (_Unusual, ValueError, TypeError):
            event = find_one(sequence)
            digest = digest_of(event)
            if isinstance(event, UnreadableEvent):
                unreadable.append(sequence)
        digests.append((sequence, digest))
    return Digested(tuple(digests), tuple(unreadable))


def _digest_row(row: tuple[Any, ...]) -> bytes:
    sequence, kind, at, actor, actor_id, source, request_id, subject_id, comment, details = row
    if kind not in _TYPES or not (type(actor) is type(source) is type(comment) is str):
        raise _Unusual
    fields = (
        sequence,
        kind,
        _format_time(at),
        actor,
        _format_uuid(actor_id),
        source,
        _format_uuid(request_id),
        _format_uuid(subject_id),
        comment,
        sorted(_decode_details(details).items()),
    )
    encoded = _encode(fields)
    # The two encoders differ in what they escape outside of printable ASCII.
    return sha256(encoded).digest() if encoded.isascii() and b"\x7f" not in encoded else digest_fields(fields)


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
