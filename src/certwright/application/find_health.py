"""Find out whether the server can do its work."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from certwright.application.world import World
from certwright.domain.errors import CertwrightError, Unavailable
from certwright.domain.event_search import EventSearch
from certwright.domain.events import Checkpoint, Event, Seal
from certwright.domain.health import GIVEN_UP_SHOWN, LATE, UNSENT_AFTER, Health, OwnCertificate, list_ends
from certwright.domain.leases import TERM
from certwright.domain.outbox import OutboxState
from certwright.domain.ports import Session

FindCheckpoint = Callable[[], Checkpoint | None]


def find_health(
    *,
    world: World,
    sealing_interval: timedelta,
    find_checkpoint: FindCheckpoint,
    list_certificates: Callable[[], Iterable[OwnCertificate]] = tuple,
) -> Health:
    """Return how things are now. It writes to the store, as much as a few events would: who asks often keeps the answer.

    Shape: *list_certificates* returns those that the installation itself needs.
    """
    fault = _find_writing_fault(world)
    written = Health(faults=(f"store: {fault}",) if fault else (), is_writable=not fault)
    try:
        written = replace(written, warnings=list_ends(list_certificates(), world.clock.now()))
        with world.store.reading() as session:
            found = _look_at_history(session, written, world.clock.now())
    except Unavailable as unavailable:
        return replace(written, faults=(*written.faults, f"history: {unavailable.text}"))
    return _judge(found, find_checkpoint, world.clock.now(), 2 * sealing_interval + LATE)


def _find_writing_fault(world: World) -> str:
    try:
        with world.store.writing() as session:
            session.history.probe(world.clock.now())
    except CertwrightError as refused:
        return refused.text
    return ""


def _look_at_history(session: Session, health: Health, now: datetime) -> Health:
    last = session.history.find_last_seal()
    until, at = (last.last_sequence, last.sealed_at) if isinstance(last, Seal) else (0, None)
    first = next(iter(session.history.list_found(EventSearch(), after=until, most=1).events), None)
    return replace(
        health,
        sealed_until=until,
        sealed_at=at,
        unsealed=session.history.count_unsealed(),
        oldest_unsealed=now - first.at if isinstance(first, Event) else None,
        leases=tuple((each.name, now - (each.until - TERM)) for each in session.leases.list_all()),
        warnings=(*health.warnings, *_list_unsent(session, now)),
    )


def _list_unsent(session: Session, now: datetime) -> Iterator[str]:
    waiting = session.outbox.find_oldest_waiting()
    if waiting is not None and now - waiting.created > UNSENT_AFTER:
        yield f"outbox: messages to {waiting.sink} have waited since {waiting.created:%Y-%m-%d %H:%M} UTC: {waiting.error}"
    for dead in session.outbox.list_all(OutboxState.DEAD, 1):
        if now - dead.created < GIVEN_UP_SHOWN:
            yield f"outbox: a message to {dead.sink} of {dead.created:%Y-%m-%d %H:%M} UTC was given up: {dead.error}"


def _judge(health: Health, find_checkpoint: FindCheckpoint, now: datetime, patience: timedelta) -> Health:
    faults = list(health.faults)
    if health.oldest_unsealed is not None and health.oldest_unsealed > patience:
        faults.append(f"history: events above {health.sealed_until} are not sealed")
    try:
        checkpoint = find_checkpoint()
    except OSError as error:
        checkpoint = None
        faults.append(f"checkpoints: they cannot be read: {error.strerror}")
    until = checkpoint.statement.last if checkpoint else None
    is_old = health.sealed_at is not None and now - health.sealed_at > patience
    if until is not None and until < health.sealed_until and is_old:
        faults.append(f"checkpoints: there is none for the events above {until}")
    return replace(health, faults=tuple(faults), checkpointed_until=until)
