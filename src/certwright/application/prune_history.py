"""Remove what nobody needs any more from the history, so that the rest stays provable."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice

from certwright.application.world import World
from certwright.domain.errors import MalformedValue
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.history_ports import SealingKey
from certwright.domain.retention import encode_ranges, find_ranges, plan_record

EVENTS_AT_ONCE = 5_000
"""One record and one transaction each: nobody's writing waits long."""
NUMBERS_A_LOOK = 5_000
"""Through so many numbers goes one look for what may be removed."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """Shape: *events* were removed under so many *records*."""

    events: int
    records: int


def count_prunable(before: datetime, *, world: World) -> int:
    """Return how many events `prune_history` would remove now. Errors: MalformedValue for a time to come."""
    _check_past(before, world)
    return sum(len(each) for each in _list_removable(before, world))


def prune_history(before: datetime, *, operator: str, world: World, key: SealingKey) -> Pruned:
    """Remove sealed events from before *before*, and keep a signed record of each batch.

    What belongs to a request stays while that is open, or while a certificate has not ended that the request issued, or that a
    profile holds which it made or was about. Of the rest, only what passes (`PASSING`) goes.

    Errors: MalformedValue for a time to come.
    """
    _check_past(before, world)
    events = records = 0
    for batch in _gather(_list_removable(before, world)):
        removed = _remove_batch(batch, before, operator, world, key)
        events, records = events + removed, records + bool(removed)
    return Pruned(events, records)


def _check_past(before: datetime, world: World) -> None:
    if before > world.clock.now():
        raise MalformedValue("before", "a time that has passed is wanted")


def _list_removable(before: datetime, world: World) -> Iterator[tuple[int, ...]]:
    """Return the numbers of what may be removed, ascending, look by look: each in a session that no writer awaits."""
    with world.store.reading() as session:
        end = session.retention.find_last_old(before)
    for first in range(1, end + 1, NUMBERS_A_LOOK):
        with world.store.reading() as session:
            last = min(end, first + NUMBERS_A_LOOK - 1)
            yield session.retention.list_removable(before, world.clock.now(), first=first, last=last)


def _gather(looks: Iterator[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
    """Return the same numbers in batches of `EVENTS_AT_ONCE`."""
    numbers = chain.from_iterable(looks)
    while batch := tuple(islice(numbers, EVENTS_AT_ONCE)):
        yield batch


def _remove_batch(batch: tuple[int, ...], before: datetime, operator: str, world: World, key: SealingKey) -> int:
    """Remove what may still be removed of *batch*, and return how many that were."""
    now = world.clock.now()
    with world.store.writing() as session:
        looks = [session.retention.list_removable(before, now, first=first, last=last) for first, last in find_ranges(batch)]
        numbers = tuple(chain.from_iterable(looks))
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
