"""Open connections of one process: how many there may be, from one source and in all, and which has to go for a new one."""

import resource
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from certwright.domain.bounded_events import EventRate
from certwright.domain.client_sources import group_source

RESERVED_DESCRIPTORS = 128
"""File descriptors of each process that no connection takes: for the store, the log, and everything else that is opened."""
FEWEST_CONNECTIONS = 16
LINES_A_MINUTE = 6

_log = structlog.get_logger(__name__)


def raise_descriptor_limit(wanted: int) -> int:
    """Allow this process as many file descriptors as *wanted*, as far as the system lets it; return how many it has now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft not in (resource.RLIM_INFINITY,) and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return soft


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Shape: *in_all* and *from_one_source* are of one process; sources for which *is_exempt* holds count in all only."""

    in_all: int
    from_one_source: int
    is_exempt: Callable[[str], bool] = lambda _: False


def share_limits(
    in_all: int, from_one_source: int, processes: int, descriptors: int, is_exempt: Callable[[str], bool]
) -> ConnectionLimits:
    """Return the limits of one of several processes, which has so many file descriptors, and keeps some of them for itself."""
    room = max(FEWEST_CONNECTIONS, descriptors - RESERVED_DESCRIPTORS)
    share = -(-in_all // processes)
    if room < share:
        _log.warning("connections limited by file descriptors", connections=room, wanted=share)
    return ConnectionLimits(in_all=min(share, room), from_one_source=-(-from_one_source // processes), is_exempt=is_exempt)


@dataclass(slots=True, eq=False)
class _Source:
    """Shape: *waiting* are the connections without a call in progress, those that wait longest first."""

    count: int = 0
    waiting: "OrderedDict[Place, None]" = field(default_factory=OrderedDict)


@dataclass(slots=True, eq=False)
class Place:
    """One connection. Shape: *end* breaks it off; who was given the place says how."""

    connections: "Connections"
    source: str
    end: Callable[[], object] = bool
    is_open: bool = True

    def wait(self) -> None:
        """Note that no call is in progress: from now on the connection may have to go for a new one."""
        if self.is_open:
            self.connections.note_waiting(self)

    def work(self) -> None:
        """Note that a whole call has come, and is in progress."""
        self.connections.note_working(self)

    def leave(self) -> None:
        """Note that the connection has ended."""
        if self.is_open:
            self.is_open = False
            self.connections.note_left(self)


class Connections:
    """All connections of a process.

    Where a source has as many as it may have, its connection that has waited longest goes for the new one, and where there
    are too many in all, the one that has waited longest of all. So idle connections keep nobody out. When all of them have
    calls in progress, the new one is refused.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._sources: dict[str, _Source] = {}
        self._waiting: OrderedDict[Place, None] = OrderedDict()
        self._count = 0
        self._rate = EventRate(LINES_A_MINUTE)
        self._unanswered = EventRate(LINES_A_MINUTE)

    def __len__(self) -> int:
        return self._count

    def admit(self, address: str) -> Place | None:
        """Return the place of a new connection from *address*; None when there is no room for it."""
        source = group_source(address)
        if not self._find_room(source, address):
            self._note_refused(source)
            return None
        place = Place(self, source)
        self._sources.setdefault(source, _Source()).count += 1
        self._count += 1
        place.wait()
        return place

    def note_waiting(self, place: Place) -> None:
        """Put *place* behind those that wait longer."""
        for each in (self._waiting, self._sources[place.source].waiting):
            each[place] = None
            each.move_to_end(place)

    def note_working(self, place: Place) -> None:
        """Let nothing end *place* but its own end."""
        if self._waiting.pop(place, place) is None:
            del self._sources[place.source].waiting[place]

    def note_left(self, place: Place) -> None:
        """Forget *place*."""
        self.note_working(place)
        self._count -= 1
        source = self._sources[place.source]
        source.count -= 1
        if source.count == 0:
            del self._sources[place.source]

    def note_unanswered(self, address: str, code: str) -> None:
        """Log at a bounded rate that a connection was ended, for what *code* says, without an answer."""
        left_out = self._unanswered.find_room(datetime.now(UTC))
        if left_out is not None:
            _log.info("refused", code=code, source=group_source(address), left_out=left_out)

    def _find_room(self, source: str, address: str) -> bool:
        """Return whether there is room, after what has to go for the new connection has gone."""
        known = self._sources.get(source)
        if known is not None and known.count >= self._limits.from_one_source and not self._limits.is_exempt(address):
            return self._make_room(known.waiting)
        return self._count < self._limits.in_all or self._make_room(self._waiting)

    def _make_room(self, waiting: "OrderedDict[Place, None]") -> bool:
        """End the connection that has waited longest, and return whether there was one."""
        if not waiting:
            return False
        place = next(iter(waiting))
        place.leave()
        place.end()
        return True

    def _note_refused(self, source: str) -> None:
        left_out = self._rate.find_room(datetime.now(UTC))
        if left_out is not None:
            _log.warning("connection refused", source=source, open=self._count, left_out=left_out)
