"""The thread that seals the history while the server runs."""

from datetime import timedelta
from threading import Event, Thread

import structlog

from certwright.application.seal_history import seal_history
from certwright.bootstrap import Installation
from certwright.domain.errors import Unavailable

log = structlog.get_logger(__name__)


class Sealer:
    """A context manager: seals new events at an interval, and what is left when it ends."""

    def __init__(self, installation: Installation, interval: timedelta) -> None:
        self._installation = installation
        self._interval_seconds = interval.total_seconds()
        self._ended = Event()
        self._thread = Thread(target=self._run, name="sealer", daemon=True)

    def __enter__(self) -> "Sealer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._seal()

    def _run(self) -> None:
        while not self._ended.wait(self._interval_seconds):
            self._seal()

    def _seal(self) -> None:
        try:
            seal_history(world=self._installation.world, key=self._installation.sealing_key)
        except Unavailable as unavailable:
            # The database may come back; the next round seals what this one could not.
            log.warning("history not sealed", error=str(unavailable))
        except Exception:
            # The outermost edge of a thread: one bad round must not end the sealing of all that follow.
            log.exception("history not sealed")
