"""Failed sign-ins as events, at a rate that nobody can use to fill the history."""

from threading import Lock
from uuid import UUID

from certwright.domain.bounded_events import EventRate, format_for_display
from certwright.domain.events import Event, EventType
from certwright.domain.ports import Clock, Store


class FailureHistory:
    """Writes at most *events_a_minute*; what was left out is counted in the next event that is written."""

    def __init__(self, store: Store, clock: Clock, *, events_a_minute: int = 60) -> None:
        self._store = store
        self._clock = clock
        self._rate = EventRate(events_a_minute)
        self._lock = Lock()

    def append(self, event_type: EventType, name: str, source: str, subject_id: UUID | None) -> None:
        """Record that somebody who says he is *name* was turned away; *subject_id* is whose account that is."""
        now = self._clock.now()
        with self._lock:
            left_out = self._rate.find_room(now)
        if left_out is None:
            return
        event = Event(
            type=event_type,
            at=now,
            actor=format_for_display(name),
            source=source,
            subject_id=subject_id,
            details={"left_out": str(left_out)} if left_out else {},
        )
        with self._store.writing() as session:
            session.history.append([event])
