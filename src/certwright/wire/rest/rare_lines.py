"""Log lines at a bounded rate: for what every call would log again while it lasts."""

from time import monotonic
from typing import Any

import structlog

INTERVAL_SECONDS = 10.0

_log = structlog.get_logger(__name__)


class RareLine:
    """Logs an event at level error at most once in an interval, with the number of times that were left out before.

    Used by one event loop, or by threads that may write a line too many at the same instant.
    """

    def __init__(self, event: str, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._event = event
        self._interval_seconds = interval_seconds
        self._next = 0.0
        self._left_out = 0

    def write(self, **fields: Any) -> None:
        """Log the event with *fields*, unless that was done a moment ago."""
        now = monotonic()
        if now < self._next:
            self._left_out += 1
            return
        _log.error(self._event, left_out=self._left_out, **fields)
        self._next, self._left_out = now + self._interval_seconds, 0
