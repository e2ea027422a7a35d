"""Which of the sign-ins that wait for a password hash is looked at next, and which are refused when too many wait.

The few threads that make password hashes are shared out fairly: sources take turns, and those who have proved before who they
are do not wait behind those who have not, nor those who try for the first time behind those who failed. So invented names, from
one address or from many, delay others but keep nobody out.
"""

import asyncio
import hmac
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import IntEnum
from secrets import token_bytes
from typing import Any

from certwright.domain.errors import SignInThrottled
from certwright.wire.rest.asgi import ClientLeft, NoPlace, Place

WAITING_LIMIT = 250
"""How many sign-ins of a lane wait or are looked at, where nothing else is said: see `share_of_connections`."""
RETRY_SECONDS = 5
KNOWN_LIMIT = 10_000


class Lane(IntEnum):
    """What is known of a sign-in before it is looked at. The lanes take turns; none takes the places of another."""

    KNOWN_CREDENTIALS = 0
    KNOWN_SOURCE = 1
    STRANGERS = 2
    FAILED = 3
    """On a connection on which others failed before: guessers would have to connect again for each guess."""


def share_of_connections(connections: int) -> int:
    """Return how many sign-ins of a lane may wait: those of strangers, in two lanes, take up to half of all connections."""
    return max(1, connections // len(Lane))


class KnownSignIns:
    """Credentials that were right once, sources from which somebody has signed in, and connections on which somebody failed.

    Shape: the newest of each. Credentials are kept as digests, keyed with a number that ends with the process.
    """

    def __init__(self, limit: int = KNOWN_LIMIT) -> None:
        self._limit = limit
        self._key = token_bytes(32)
        self._credentials: OrderedDict[bytes, None] = OrderedDict()
        self._sources: OrderedDict[str, None] = OrderedDict()
        self._failed: OrderedDict[str, None] = OrderedDict()

    def find_lane(self, credentials: str, source: str, connection: str = "") -> Lane:
        """Return the lane of a sign-in with *credentials* from *source* on *connection*."""
        if self._digest(credentials) in self._credentials:
            return Lane.KNOWN_CREDENTIALS
        if connection in self._failed:
            return Lane.FAILED
        return Lane.KNOWN_SOURCE if source in self._sources else Lane.STRANGERS

    def note_success(self, credentials: str, source: str, connection: str = "") -> None:
        """Remember that *credentials* from *source* were right."""
        self._failed.pop(connection, None)
        self._put(self._credentials, self._digest(credentials))
        self._put(self._sources, source)

    def note_failure(self, credentials: str, connection: str = "") -> None:
        """Forget *credentials* that are right no more, and remember where they were given."""
        self._credentials.pop(self._digest(credentials), None)
        if connection:
            self._put(self._failed, connection)

    def _put(self, known: "OrderedDict[Any, None]", key: bytes | str) -> None:
        known[key] = None
        known.move_to_end(key)
        if len(known) > self._limit:
            known.popitem(last=False)

    def _digest(self, credentials: str) -> bytes:
        return hmac.digest(self._key, credentials.encode(), "sha256")


@dataclass(slots=True, eq=False)
class _Waiter:
    lane: Lane
    source: str
    turn: "asyncio.Future[None]"


@dataclass(slots=True)
class _Queue:
    """One lane. Shape: *sources* are in the order of their turns; *count* has those that are looked at, too."""

    sources: OrderedDict[str, deque[_Waiter]] = field(default_factory=OrderedDict)
    count: int = 0

    def find_greediest(self) -> str:
        """Return the source with the most that wait."""
        return max(self.sources, key=lambda each: len(self.sources[each]), default="")

    def count_of(self, source: str) -> int:
        """Return how many of *source* wait."""
        return len(self.sources.get(source, ()))

    def add(self, waiter: _Waiter) -> None:
        """Let *waiter* wait."""
        self.sources.setdefault(waiter.source, deque()).append(waiter)

    def take_next(self) -> _Waiter | None:
        """Return who has waited longest of the source whose turn it is; its next turn comes after all others."""
        if not self.sources:
            return None
        source, waiting = next(iter(self.sources.items()))
        waiter = waiting.popleft()
        self.sources.move_to_end(source)
        self._drop_empty(source)
        return waiter

    def take_newest(self, source: str) -> _Waiter:
        """Return who of *source* came last."""
        waiter = self.sources[source].pop()
        self._drop_empty(source)
        return waiter

    def remove(self, waiter: _Waiter) -> bool:
        """Let *waiter* wait no more, and return whether it did."""
        waiting = self.sources.get(waiter.source, deque())
        if waiter not in waiting:
            return False
        waiting.remove(waiter)
        self._drop_empty(waiter.source)
        return True

    def _drop_empty(self, source: str) -> None:
        if not self.sources[source]:
            del self.sources[source]


class SignInQueue:
    """Lets *at_once* sign-ins be looked at, and *limit* of each lane wait."""

    def __init__(self, at_once: int, limit: int = WAITING_LIMIT) -> None:
        self._at_once = at_once
        self._limit = limit
        self._running = 0
        self._queues = {lane: _Queue() for lane in Lane}
        self._next_lane = 0

    async def wait(self, lane: Lane, source: str, place: Place | None = None) -> _Waiter:
        """Return when it is the turn of a sign-in; it is to be given to `leave` when it was looked at.

        Shape: *place* is that of the connection; it may have to go for another while a sign-in waits that was never right.
        Errors: SignInThrottled when its lane is full, and no other source has more that wait; ClientLeft.
        """
        queue = self._queues[lane]
        if queue.count >= self._limit:
            self._make_room(queue, source)
        waiter = _Waiter(lane, source, asyncio.get_running_loop().create_future())
        queue.count += 1
        queue.add(waiter)
        self._go_on()
        try:
            await self._await_turn(waiter, place or NoPlace())
        except BaseException:
            # Refused for the sake of another, or broken off.
            if queue.remove(waiter) or not waiter.turn.done() or waiter.turn.cancelled() or waiter.turn.exception():
                queue.count -= 1
            else:
                self.leave(waiter)
            # As in `Workers.run`.
            del waiter
            raise
        return waiter

    async def _await_turn(self, waiter: _Waiter, place: Place) -> None:
        place.when_left = lambda: self._drop(waiter)
        if waiter.lane is not Lane.KNOWN_CREDENTIALS:
            place.ask(waiter.source)
        try:
            await waiter.turn
        finally:
            place.when_left = bool
            place.stop_asking()

    def _drop(self, waiter: _Waiter) -> None:
        """Look at no sign-in whose client has left: its password hash would be for nobody."""
        if self._queues[waiter.lane].remove(waiter):
            waiter.turn.set_exception(ClientLeft())

    def leave(self, waiter: _Waiter) -> None:
        """Give the turn to the next."""
        self._running -= 1
        self._queues[waiter.lane].count -= 1
        self._go_on()

    def _make_room(self, queue: _Queue, source: str) -> None:
        greediest = queue.find_greediest()
        if queue.count_of(greediest) <= queue.count_of(source) + 1:
            raise SignInThrottled(RETRY_SECONDS)
        queue.take_newest(greediest).turn.set_exception(SignInThrottled(RETRY_SECONDS))

    def _go_on(self) -> None:
        while self._running < self._at_once:
            waiter = self._take_next()
            if waiter is None:
                return
            if not waiter.turn.done():
                self._running += 1
                waiter.turn.set_result(None)

    def _take_next(self) -> _Waiter | None:
        for _ in Lane:
            lane = Lane(self._next_lane)
            self._next_lane = (self._next_lane + 1) % len(Lane)
            waiter = self._queues[lane].take_next()
            if waiter is not None:
                return waiter
        return None
