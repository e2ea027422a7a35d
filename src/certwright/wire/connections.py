"""Open connections of one process: how many there may be, from one source and in all, and which has to go for a new one."""

import resource
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from certwright.domain.bounded_events import EventRate
from certwright.domain.client_sources import group_source
from certwright.wire.ranking import Ranking

RESERVED_DESCRIPTORS = 128
"""File descriptors of each process that no connection takes: for the store, the log, and everything else that is opened."""
FEWEST_CONNECTIONS = 16
LINES_A_MINUTE = 6
KNOWN_SHARE = 8
"""A known source keeps this part of all connections, whatever strangers do: 1 / 8."""
KNOWN_LIMIT = 10_000
"""Sources from which somebody has signed in, and that are remembered: the newest."""

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
    """Shape: *idle* are the connections without a call in progress, those that wait longest first; *asking* those whose call
    waits for a sign-in, or for something else that anybody may ask for.
    """

    name: str
    count: int = 0
    idle: "OrderedDict[Place, None]" = field(default_factory=OrderedDict)
    asking: "OrderedDict[Place, None]" = field(default_factory=OrderedDict)

    @property
    def expendable(self) -> int:
        """Return how many of its connections may have to go."""
        return len(self.idle) + len(self.asking)

    def choose(self) -> "Place":
        """Return which goes first: the one that is idle longest, or where all ask, the one that began last."""
        return next(iter(self.idle)) if self.idle else next(reversed(self.asking))


@dataclass(slots=True, eq=False)
class Place:
    """One connection.

    Shape: *end* breaks it off; who was given the place says how. *peer* is the source at its other end, *source* the one for
    which it is used: they differ where *peer* is a proxy.
    """

    connections: "Connections"
    peer: str
    source: str
    end: Callable[[], object] = bool
    is_open: bool = True
    has_call: bool = False
    is_asking: bool = False
    when_left: Callable[[], object] = bool
    """Called once when the connection ends while its call waits."""

    def wait(self) -> None:
        """Note that no call is in progress: from now on the connection may have to go for a new one."""
        self._change(has_call=False, is_asking=False)

    def work(self) -> None:
        """Note that a whole call has come, and is in progress."""
        self._change(has_call=True, is_asking=self.is_asking)

    def ask(self, source: str) -> None:
        """Note that the call, of a client at *source*, waits for something that anybody may ask for: it may have to go."""
        self._change(has_call=self.has_call, is_asking=True, source=source)

    def identify(self, source: str) -> None:
        """Note for which source the connection is used, as a trusted proxy says."""
        if source != self.source:
            self._change(has_call=self.has_call, is_asking=self.is_asking, source=source)

    def stop_asking(self) -> None:
        """Note that it waits for that no more."""
        self._change(has_call=self.has_call, is_asking=False)

    def note_known(self, source: str) -> None:
        """Note that somebody at *source* has signed in."""
        self.connections.note_known(source)

    def leave(self) -> None:
        """Note that the connection has ended."""
        if not self.is_open:
            return
        self.is_open = False
        self.connections.note_left(self)
        when_left, self.when_left = self.when_left, bool
        when_left()

    def _change(self, *, has_call: bool, is_asking: bool, source: str = "") -> None:
        if self.is_open:
            self.connections.forget(self)
            self.has_call, self.is_asking, self.source = has_call, is_asking, source or self.source
            self.connections.enter(self)


class Connections:
    """All connections of a process.

    Where a source has as many as it may have, one of its own goes for the new one: the one that is idle longest, or one whose
    call waits for a sign-in. Where there are too many in all, one of the source goes that has most of these; a source from
    which somebody has signed in keeps a share first. So neither idle connections nor calls of strangers keep others out. When
    all have calls in progress, the new one is refused.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._sources: dict[str, _Source] = {}
        self._known: OrderedDict[str, None] = OrderedDict()
        self._known_share = limits.in_all // KNOWN_SHARE
        self._strangers: Ranking[str] = Ranking()
        self._acquainted: Ranking[str] = Ranking()
        self._count = 0
        self._rate = EventRate(LINES_A_MINUTE)
        self._unanswered = EventRate(LINES_A_MINUTE)

    def __len__(self) -> int:
        return self._count

    @property
    def in_all(self) -> int:
        """Return how many there may be."""
        return self._limits.in_all

    def admit(self, address: str) -> Place | None:
        """Return the place of a new connection from *address*; None when there is no room for it."""
        source = group_source(address)
        if not self._find_room(source, address):
            self._note_refused(source)
            return None
        place = Place(self, source, source)
        self._get(source).count += 1
        self._count += 1
        self.enter(place)
        return place

    def enter(self, place: Place) -> None:
        """Put *place* behind those in its state, unless nothing may end it but its own end."""
        if place.has_call and not place.is_asking:
            return
        source = self._get(place.source)
        (source.asking if place.is_asking else source.idle)[place] = None
        self._rank(source)

    def forget(self, place: Place) -> None:
        """Let nothing end *place* but its own end."""
        source = self._sources.get(place.source)
        if source is None or (place.has_call and not place.is_asking):
            return
        (source.asking if place.is_asking else source.idle).pop(place, None)
        self._rank(source)

    def note_left(self, place: Place) -> None:
        """Forget *place*."""
        self.forget(place)
        self._count -= 1
        peer = self._sources[place.peer]
        peer.count -= 1
        self._rank(peer)

    def note_known(self, name: str) -> None:
        """Remember that somebody has signed in from the source of that *name*."""
        self._known[name] = None
        self._known.move_to_end(name)
        dropped = self._known.popitem(last=False)[0] if len(self._known) > KNOWN_LIMIT else name
        for each in (name, dropped):
            if each in self._sources:
                self._rank(self._sources[each])

    def note_unanswered(self, address: str, code: str) -> None:
        """Log at a bounded rate that a connection was ended, for what *code* says, without an answer."""
        left_out = self._unanswered.find_room(datetime.now(UTC))
        if left_out is not None:
            _log.info("refused", code=code, source=group_source(address), left_out=left_out)

    def _get(self, name: str) -> _Source:
        source = self._sources.get(name)
        if source is None:
            source = self._sources[name] = _Source(name)
        return source

    def _rank(self, source: _Source) -> None:
        """Say how much *source* has, and forget it when it has nothing."""
        expendable, is_known = source.expendable, source.name in self._known
        beyond = max(min(expendable, 1), expendable - self._known_share)
        self._acquainted.put(source.name, beyond if is_known else 0)
        self._strangers.put(source.name, 0 if is_known else expendable)
        if not source.count and not expendable:
            self._sources.pop(source.name, None)

    def _find_room(self, source: str, address: str) -> bool:
        """Return whether there is room, after what has to go for the new connection has gone."""
        known = self._sources.get(source)
        if known is not None and known.count >= self._limits.from_one_source and not self._limits.is_exempt(address):
            return self._make_room(known)
        return self._count < self._limits.in_all or self._make_room(self._find_greediest())

    def _find_greediest(self) -> _Source | None:
        """Return the source with most connections that may have to go; of several, one from which nobody has signed in."""
        ranking = self._strangers if self._strangers.greatest >= self._acquainted.greatest else self._acquainted
        return self._sources[ranking.get_heaviest()] if ranking.greatest else None

    def _make_room(self, source: _Source | None) -> bool:
        """End one connection of *source*, and return whether there was one that may have to go."""
        if source is None or not source.expendable:
            return False
        place = source.choose()
        place.leave()
        place.end()
        return True

    def _note_refused(self, source: str) -> None:
        left_out = self._rate.find_room(datetime.now(UTC))
        if left_out is not None:
            _log.warning("connection refused", source=source, open=self._count, left_out=left_out)
