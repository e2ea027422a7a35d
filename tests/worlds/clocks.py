"""A clock that stands still until it is told to go."""

from datetime import datetime, timedelta

from worlds.contoso import NOW


class SteppingClock:
    """Keeps `domain.ports.Clock`."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the time."""
        return self._now

    def step(self, by: timedelta) -> None:
        """Go on."""
        self._now += by
