"""Failed sign-ins as events, at a rate that nobody can use to fill the history."""

from datetime import datetime, timedelta
from threading import Lock
from uuid import UUID

from certwright.domain.events import Event, EventType
from certwright.domain.ports import Clock, Store

SHOWN_CHARACTERS = 64


class FailureHistory:
    """Writes at most *events_a_minute*; what was left out is counted in the next event that is written."""

    def __init__(self, store: Store, clock: Clock, *, events_a_minute: int = 60) -> None:
        self._store = store
        self._clock = clock
        self._limit = events_a_minute
        self._minute_ends: datetime | None = None
        self._written = 0
        self._left_out = 0
        self._lock = Lock()

    def append(self, event_type: EventType, name: str, source: str, subject_id: UUID | None) -> None:
        """Record that somebody who says he is *name* was turned away; *subject_id* is whose account that is."""
        now = self._clock.now()
        left_out = self._find_room(now)
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

    def _find_room(self, now: datetime) -> int | None:
        """Return how many events were left out before this one, or None when this one is to be left out too."""
        with self._lock:
            if self._minute_ends is None or now >= self._minute_ends:
                self._minute_ends = now + timedelta(minutes=1)
                self._written = 0
            if self._written >= self._limit:
                self._left_out += 1
                return None
            self._written += 1
            left_out, self._left_out = self._left_out, 0
            return left_out


def format_for_display(name: str) -> str:
    """Return *name* as it may be shown to auditors: what cannot be printed becomes ``?``, what is too long is cut."""
    printable = "".join(each if each.isprintable() else "?" for each in name[: SHOWN_CHARACTERS + 1])
    return printable if len(printable) <= SHOWN_CHARACTERS else printable[:SHOWN_CHARACTERS] + "…"
