"""Work that is due: each job is a query for it. There is no queue; what is due follows from what is stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from certwright.application.world import World
from certwright.domain.errors import ChangedMeanwhile
from certwright.domain.leases import TERM, Lease, is_in_force


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One thing that is due.

    Shape: *what* says it to people, without any secret; *since* is when it became due, None where that has no meaning.
    *carry_out* does it and returns whether there was something left to do: it looks again, for somebody may have been first.
    """

    what: str
    carry_out: Callable[[], bool]
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One kind of work.

    Shape: *list_due* returns at most so many as it is asked for, the oldest first, and changes nothing. Work is looked for at
    each *interval*. *runs_at_end* says that a worker that ends does once more what is due, whoever has the lease.
    *list_in_turn* is for one who looks again and again: it goes through a part of what may be due, and the next time through
    the next part; without it, *list_due* takes no longer than what it finds.
    """

    name: str
    purpose: str
    interval: timedelta
    list_due: Callable[[int], Sequence[Due]]
    runs_at_end: bool = False
    list_in_turn: Callable[[int], Sequence[Due]] | None = None


def take_lease(name: str, holder: str, *, world: World) -> bool:
    """Return whether *holder* has the lease *name* for a term from now on: it was free, his already, or a dead one's."""
    now = world.clock.now()
    try:
        with world.store.writing() as session:
            return session.leases.take(Lease(name=name, holder=holder, until=now + TERM), now=now)
    except ChangedMeanwhile:
        return False


def give_up_leases(holder: str, *, world: World) -> None:
    """End every lease of *holder*, so that another can go on at once."""
    with world.store.writing() as session:
        session.leases.give_up(holder)


def list_leases(*, world: World) -> tuple[Lease, ...]:
    """Return the leases in force, by name."""
    now = world.clock.now()
    with world.store.reading() as session:
        return tuple(each for each in session.leases.list_all() if is_in_force(each, now))
