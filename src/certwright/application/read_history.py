"""Read what happened. Each reading is an event, written before anything is given out."""

from collections.abc import Iterator
from dataclasses import dataclass

from certwright.application.event_searches import Named, parse_search
from certwright.application.world import World
from certwright.domain.access import ReadHistory, check_allowed, decide
from certwright.domain.event_search import EventSearch
from certwright.domain.events import EventType, StoredEvent, StoredSeal, tell, tell_of_operator
from certwright.domain.identities import Caller
from certwright.domain.retention import RetentionRecord
from certwright.domain.sealing import ABOVE_ALL, BELOW_ALL

EVENTS_A_READ = 2_000
SEALS_A_READ = 20


@dataclass(frozen=True, slots=True)
class EventPage:
    """Shape: *following* is what to ask for as *after* to get the next page; None on the last one.

    A page may have fewer events than were asked for, or none, and not be the last: see `FoundEvents`.
    """

    events: tuple[StoredEvent, ...]
    following: int | None


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """An event and the seal over it; None where it is not sealed yet."""

    event: StoredEvent
    seal: StoredSeal | None


def read_events(named: Named, *, after: int, most: int, by: Caller, world: World) -> EventPage:
    """Return a page of what *named* asks for, for an auditor. Errors: AccessDenied; MalformedValue; ProfileTemplateNotFound."""
    with world.store.writing() as session:
        check_allowed(decide(by, ReadHistory(), session.directory.load_grants()))
        search = parse_search(named, session)
        now = world.clock.now()
        told = tell(EventType.HISTORY_READ, by, now, search=search.describe(), after=str(after), most=str(most))
        session.history.append([told])
    with world.store.reading() as session:
        found = session.history.list_found(search, after=after, most=most)
    return EventPage(found.events, found.following)


def read_newest_events(named: Named, most: int, *, operator: str, world: World) -> tuple[StoredEvent, ...]:
    """Return the last events that *named* asks for, ascending. Errors: MalformedValue; ProfileTemplateNotFound."""
    search = _tell_reading(named, "list", operator, world)
    found: tuple[StoredEvent, ...] = ()
    before: int | None = ABOVE_ALL
    while before is not None and len(found) < most:
        with world.store.reading() as session:
            looked = session.history.list_newest_found(search, before=before, most=most - len(found))
        found, before = (*looked.events, *found), looked.following
    return found


def read_event(sequence: int, *, operator: str, world: World) -> ShownEvent | None:
    """Return one event, or None where there is none with this number."""
    _tell_reading(Named(), f"event {sequence}", operator, world)
    with world.store.reading() as session:
        found = session.history.list_between(sequence, sequence)
        return ShownEvent(found[0], session.history.find_seal_over(sequence)) if found else None


def export_events(named: Named, *, operator: str, world: World) -> Iterator[StoredEvent]:
    """Return every event that *named* asks for, ascending, as it is read: however many they are, few are held at a time.

    Errors: MalformedValue; ProfileTemplateNotFound.
    """
    search = _tell_reading(named, "export", operator, world)
    with world.store.reading() as session:
        last = session.history.find_last_number()
    return _read_up_to(last, search, world)


def export_seals(*, operator: str, world: World) -> Iterator[StoredSeal]:
    """Return every seal, ascending, as it is read."""
    _tell_reading(Named(), "export of seals", operator, world)
    return _read_seals(world)


def export_records(*, operator: str, world: World) -> tuple[RetentionRecord, ...]:
    """Return every record of what was removed, by their numbers."""
    _tell_reading(Named(), "export of retention records", operator, world)
    with world.store.reading() as session:
        return session.retention.list_records()


def _tell_reading(named: Named, how: str, operator: str, world: World) -> EventSearch:
    """Return what *named* means, once it is written down that *operator* reads it."""
    with world.store.writing() as session:
        search = parse_search(named, session)
        now = world.clock.now()
        session.history.append([tell_of_operator(EventType.HISTORY_READ, operator, now, search=search.describe(), how=how)])
    return search


def _read_up_to(last: int, search: EventSearch, world: World) -> Iterator[StoredEvent]:
    """Return events in a session for each batch: nobody's writing waits for whoever takes them."""
    after: int | None = BELOW_ALL
    while after is not None and after < last:
        with world.store.reading() as session:
            found = session.history.list_found(search, after=after, most=EVENTS_A_READ)
        yield from (each for each in found.events if each.sequence <= last)
        after = found.following


def _read_seals(world: World) -> Iterator[StoredSeal]:
    after = 0
    while True:
        with world.store.reading() as session:
            found = session.history.list_seals(after, SEALS_A_READ)
        yield from found
        if len(found) < SEALS_A_READ:
            return
        after = found[-1].number
