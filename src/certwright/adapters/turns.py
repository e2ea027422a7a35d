"""One thread computes at a time, so that threads do not fight for the interpreter; and hands for what needs none of it.

Python's lock is let go and asked for again around each step of an SQLite statement. With several threads that all want it, each
of these becomes a switch between threads, dozens an enrollment. So a thread takes a turn for the whole of its work, and
steps aside only while it waits for something long: a signature, the disk, another writer.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from certwright.domain.ports import Item, Result, TakesLong


class SingleTurn:
    """Keeps `ports.Turns`: one at a time."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._holder: int | None = None
        self._is_brief = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Run the body as this thread's turn, once nobody else has it."""
        self._take()
        try:
            yield
        finally:
            self._give()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Run the body while others may take their turn; a thread that holds none, or a brief one, simply runs it."""
        if self.is_brief:
            # Somebody else could be at it for long before a brief turn went on.
            yield
            return
        with self.giving_way():
            yield

    @contextmanager
    def giving_way(self) -> Iterator[None]:
        """Run the body while others may take their turn, a brief one included; a thread that holds none simply runs it."""
        if self._holder != threading.get_ident():
            yield
            return
        was_brief = self._is_brief
        self._give()
        try:
            yield
        finally:
            self._take(is_brief=was_brief)

    @contextmanager
    def brief(self) -> Iterator[bool]:
        """Run the body as this thread's turn, if nobody else has it."""
        if not self._turn.acquire(blocking=False):
            yield False
            return
        self._holder, self._is_brief = threading.get_ident(), True
        try:
            yield True
        finally:
            self._give()

    @property
    def is_brief(self) -> bool:
        """Return whether this thread has a turn and must be back soon."""
        return self._is_brief and self._holder == threading.get_ident()

    def _take(self, *, is_brief: bool = False) -> None:
        self._turn.acquire()
        self._holder, self._is_brief = threading.get_ident(), is_brief

    def _give(self) -> None:
        self._holder, self._is_brief = None, False
        self._turn.release()


class NoTurns:
    """Keeps `ports.Turns`: everybody at once, for a database whose statements are waits for another machine."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Run the body."""
        yield

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Run the body."""
        yield

    @contextmanager
    def giving_way(self) -> Iterator[None]:
        """Run the body."""
        yield

    @contextmanager
    def brief(self) -> Iterator[bool]:
        """Run the body, which has no turn: to wait for another machine is never brief."""
        yield False

    @property
    def is_brief(self) -> bool:
        """Return False."""
        return False


class ThreadCrew:
    """Keeps `ports.Crew` with a thread for each processor; others have their turn meanwhile."""

    def __init__(self, turns: SingleTurn | NoTurns, hands: int) -> None:
        self._turns = turns
        self._hands = hands
        self._others = ThreadPoolExecutor(max(1, hands - 1), thread_name_prefix="crew")

    def announce(self) -> None:
        """Go on, unless this is a brief turn. Errors: TakesLong."""
        if self._turns.is_brief:
            raise TakesLong

    def each(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Return what *work* makes of each item, in their order; the first thing that it raises is raised."""
        if not items:
            return []
        with self._turns.aside():
            shares = [items[start :: self._hands] for start in range(min(self._hands, len(items)))]
            waited_for = [self._others.submit(_do_all, work, share) for share in shares[1:]]
            done = [_do_all(work, shares[0]), *(each.result() for each in waited_for)]
        return [done[number % self._hands][number // self._hands] for number in range(len(items))]


def _do_all(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return [work(each) for each in items]
