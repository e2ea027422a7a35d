"""Which events somebody wants to read."""

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from certwright.domain.certificates import SerialNumber, format_serial_number
from certwright.domain.events import EventType, StoredEvent
from certwright.domain.sealing import format_time


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSearch:
    """What the events have to be about; all of what is said counts, and nothing means every event.

    Shape: *user* is who did it, by the name that the history has, *user_id* who did it or to whom it was done: one of both is
    enough. An event is about a request, a profile, a certificate or a profile template when it says so, or when the request
    that it belongs to is. *since* is the first moment that counts, *until* the first that does not.
    """

    user: str = ""
    user_id: UUID | None = None
    request_id: UUID | None = None
    profile_id: UUID | None = None
    serial: SerialNumber | None = None
    template_id: UUID | None = None
    types: frozenset[EventType] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def describe(self) -> str:
        """Return the search in one line, for the history."""
        told = {each.name: _encode(getattr(self, each.name)) for each in fields(self)}
        return ", ".join(f"{name} {value}" for name, value in told.items() if value) or "everything"


@dataclass(frozen=True, slots=True)
class FoundEvents:
    """What one look found. Shape: *following* is the number from which the next look goes on; None when there is nothing left.

    A look reads so many events and no more, so that it may find fewer than were asked for, or none, and not be at the end.
    """

    events: tuple[StoredEvent, ...]
    following: int | None


def _encode(value: object) -> str:
    if isinstance(value, frozenset):
        return " ".join(sorted(value))
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, int):
        return format_serial_number(SerialNumber(value))
    return str(value or "")
