"""One look for events: as far as an index leads, or through so many events and no more."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import Select

from certwright.adapters.sql.event_search import (
    count_rare_types,
    find_asked,
    is_led,
    list_values,
    nearest_statement,
    owner_statement,
    search_statement,
)
from certwright.adapters.sql.prepared import Connection
from certwright.adapters.sql.tables import events
from certwright.domain.event_search import EventSearch, FoundEvents
from certwright.domain.events import StoredEvent
from certwright.domain.sealing import ABOVE_ALL, BELOW_ALL

ListEvents = Callable[[Select[Any], dict[str, Any]], tuple[StoredEvent, ...]]

WALKED_EVENTS = 50_000
"""How many numbers one look goes through at most where no index leads it."""

EVENT_COLUMNS = (
    events.c.sequence,
    events.c.type,
    events.c.at,
    events.c.actor,
    events.c.actor_id,
    events.c.source,
    events.c.request_id,
    events.c.subject_id,
    events.c.comment,
    events.c.details,
)
_NOTHING: frozenset[str] = frozenset()


class EventLook:
    """Looks for what *search* is about. Shape: *list_events* reads the rows of a statement."""

    def __init__(self, connection: Connection, list_events: ListEvents, search: EventSearch) -> None:
        self._connection = connection
        self._list_events = list_events
        self._asked = find_asked(search)
        self._rare_types = count_rare_types(search)
        self._values = list_values(search)
        owner = self._find_owner()
        if owner is not None:
            self._asked |= {"owner"}
            self._values["owner"] = owner
        self._is_led = is_led(self._asked, self._rare_types)

    def list_above(self, after: int, most: int) -> FoundEvents:
        """Return what is above *after*, ascending."""
        first = self._find_nearest(_NOTHING, after, ABOVE_ALL, newest_first=False)
        if first is None:
            return FoundEvents((), None)
        end = ABOVE_ALL if self._is_led else min(ABOVE_ALL, first + WALKED_EVENTS)
        found = self._list(after, end, most, newest_first=False)
        if len(found) == most:
            return FoundEvents(found, found[-1].sequence)
        following = None if self._is_led else self._find_nearest(self._asked, end - 1, ABOVE_ALL, newest_first=False)
        return FoundEvents(found, None if following is None else following - 1)

    def list_below(self, before: int, most: int) -> FoundEvents:
        """Return what is below *before*, ascending, the last of it."""
        last = self._find_nearest(_NOTHING, BELOW_ALL, before, newest_first=True)
        if last is None:
            return FoundEvents((), None)
        end = BELOW_ALL if self._is_led else last - WALKED_EVENTS
        found = self._list(end, before, most, newest_first=True)[::-1]
        if len(found) == most:
            return FoundEvents(found, found[0].sequence)
        following = None if self._is_led else self._find_nearest(self._asked, BELOW_ALL, end + 1, newest_first=True)
        return FoundEvents(found, None if following is None else following + 1)

    def _find_owner(self) -> UUID | None:
        """Return whose it is what the search is about; None where it is about nothing that is anybody's, or that is there."""
        statement = owner_statement(self._asked)
        owner: UUID | None = None if statement is None else self._connection.execute(statement, self._values).scalar()
        return owner

    def _list(self, after: int, before: int, most: int, *, newest_first: bool) -> tuple[StoredEvent, ...]:
        statement = search_statement(EVENT_COLUMNS, self._asked, self._rare_types, newest_first=newest_first)
        return self._list_events(statement, self._values | {"after": after, "before": before, "most": most})

    def _find_nearest(self, asked: frozenset[str], after: int, before: int, *, newest_first: bool) -> int | None:
        """Return the nearest event, in the time that is asked for; None where there is none."""
        values = self._values | {"after": after, "before": before}
        nearest: int | None = self._connection.execute(nearest_statement(asked, newest_first=newest_first), values).scalar()
        return nearest
