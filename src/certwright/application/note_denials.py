"""Calls without the right to them, as events, at a rate that cannot fill the history."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from certwright.domain.bounded_events import EventRate
from certwright.domain.events import Event, EventType, tell
from certwright.domain.identities import Caller
from certwright.domain.ports import Clock, Store


class DenialHistory:
    """Writes at most *events_a_minute*; what was left out is counted in the next event that is written."""

    def __init__(self, store: Store, clock: Clock, *, events_a_minute: int = 60) -> None:
        self._store = store
        self._clock = clock
        self._rate = EventRate(events_a_minute)

    def plan(self, by: Caller, method: str, route: str, about: str) -> Callable[[], None] | None:
        """Return what writes the event that *by* was refused, or None when it is left out.

        Shape: *about* has the identifiers of what was asked for. Errors of the writing: StoreUnavailable.
        """
        now = self._clock.now()
        left_out = self._rate.find_room(now)
        if left_out is None:
            return None
        details = {"method": method, "route": route, "object": about, "left_out": str(left_out) if left_out else ""}
        given = {name: value for name, value in details.items() if value}
        return partial(self._append, replace(tell(EventType.ACCESS_DENIED, by, now), details=given))

    def _append(self, event: Event) -> None:
        with self._store.writing() as session:
            session.history.append([event])
