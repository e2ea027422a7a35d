"""The time of this machine."""

from datetime import UTC, datetime


class SystemClock:
    """Keeps `domain.ports.Clock`."""

    def now(self) -> datetime:
        """Return the time, aware, UTC."""
        return datetime.now(UTC)
