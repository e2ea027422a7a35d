"""Remove what nobody needs any more from the history, so that the rest stays provable."""

from dataclasses import dataclass
from datetime import datetime

from certwright.application.world import World
from certwright.domain.errors import MalformedValue
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.history_ports import SealingKey
from certwright.domain.retention import encode_ranges, plan_record

EVENTS_AT_ONCE = 5_000
"""One record and one transaction each: nobody's writing waits long."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """Shape: *events* were removed under so many *records*."""

    events: int
    records: int


def count_prunable(before: datetime, *, world: World) -> int:
    """Return how many events `prune_history` would remove now. Errors: MalformedValue for a time to come."""
    _check_past(before, world)
    with world.store.reading() as session:
        return session.retention.count_removable(before, world.clock.now())


def prune_history(before: datetime, *, operator: str, world: World, key: SealingKey) -> Pruned:
    """Remove sealed events from before *before*, and keep a signed record of each batch.

    What belongs to a request stays while that is open, or while a certificate has not ended that the request issued, or that a
    profile holds which it made or was about. Of the rest, only what passes (`PASSING`) goes.

    Errors: MalformedValue for a time to come.
    """
    _check_past(before, world)
    events = records = 0
    while removed := _remove_batch(before, operator, world, key):
        events, records = events + removed, records + 1
    return Pruned(events, records)


def _check_past(before: datetime, world: World) -> None:
    if before > world.clock.now():
        raise MalformedValue("before", "a time that has passed is wanted")


def _remove_batch(before: datetime, operator: str, world: World, key: SealingKey) -> int:
    now = world.clock.now()
    with world.store.writing() as session:
        numbers = session.retention.list_removable(before, now, EVENTS_AT_ONCE)
        if not numbers:
            return 0
        number = session.retention.find_last_number() + 1
        record = plan_record(numbers, number=number, before=before, operator=operator, now=now, sign=key.sign)
        session.retention.remove(record)
        told = tell_of_operator(
            EventType.HISTORY_PRUNED,
            operator,
            now,
            record=str(number),
            events=str(record.events),
            before=before.isoformat(),
            numbers=encode_ranges([(numbers[0], numbers[-1])]),
        )
        session.history.append([told])
    return len(numbers)
