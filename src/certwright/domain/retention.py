"""What was removed from the history, on purpose and signed for."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from certwright.domain.events import EventType
from certwright.domain.sealing import format_time

PASSING = frozenset(
    {
        EventType.SERVICE_STARTED,
        EventType.SERVICE_STOPPED,
        EventType.SIGN_IN_FAILED,
        EventType.SIGN_IN_THROTTLED,
        EventType.ACCESS_DENIED,
        EventType.PASSWORD_SET,
        EventType.HISTORY_READ,
    }
)
"""Of the events that belong to no request, those that may go one day. Changes of rights, people, templates, settings, keys and
of the history itself stay: they are few, and say why something was allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRecord:
    """Says which events were removed.

    Shape: *ranges* are first and last numbers of events that were there, ascending and apart; between the two of a range, each
    number that was under a seal was removed. *before* is the time up to which was removed.
    """

    number: int
    removed_at: datetime
    before: datetime
    operator: str
    events: int
    ranges: tuple[tuple[int, int], ...]
    signature: bytes = b""


def encode_record(record: RetentionRecord) -> bytes:
    """Return exactly what is signed: lines of a word and a value."""
    lines = (
        "certwright retention 1",
        f"number {record.number}",
        f"removed {format_time(record.removed_at)}",
        f"before {format_time(record.before)}",
        f"operator {json.dumps(record.operator)}",
        f"events {record.events}",
        f"numbers {encode_ranges(record.ranges)}",
    )
    return "".join(f"{line}\n" for line in lines).encode()


def encode_ranges(ranges: Iterable[tuple[int, int]]) -> str:
    """Return the ranges as ``1-5,7,9-20``."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def plan_record(
    numbers: Sequence[int],
    *,
    number: int,
    before: datetime,
    operator: str,
    now: datetime,
    sign: Callable[[bytes], bytes],
) -> RetentionRecord:
    """Return the signed record *number* of the removal of *numbers*, which are ascending."""
    plain = RetentionRecord(
        number=number, removed_at=now, before=before, operator=operator, events=len(numbers), ranges=find_ranges(numbers)
    )
    return RetentionRecord(
        number=number,
        removed_at=now,
        before=before,
        operator=operator,
        events=plain.events,
        ranges=plain.ranges,
        signature=sign(encode_record(plain)),
    )


def find_ranges(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return the runs of numbers that follow each other, each as its first and last."""
    ranges: list[tuple[int, int]] = []
    for each in numbers:
        if ranges and ranges[-1][1] + 1 == each:
            ranges[-1] = (ranges[-1][0], each)
        else:
            ranges.append((each, each))
    return tuple(ranges)
