"""Events that foreign calls cause, at a rate that cannot fill the history."""

from datetime import datetime, timedelta

SHOWN_CHARACTERS = 64


class EventRate:
    """Lets at most *events_a_minute* be written, and counts those that are left out; for one thread at a time."""

    def __init__(self, events_a_minute: int = 60) -> None:
        self._limit = events_a_minute
        self._minute_ends: datetime | None = None
        self._written = 0
        self._left_out = 0

    def find_room(self, now: datetime) -> int | None:
        """Return how many events were left out before this one, or None when this one is to be left out, too."""
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
