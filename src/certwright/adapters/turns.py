"""One thread computes at a time, so that threads do not fight for the interpreter; and hands for what needs none of it.

Python's lock is let go and asked for again around each step of an SQLite statement. With several threads that all want it, each
of these becomes a switch between threads, dozens an enrollment. So a thread takes a turn for the whole of its work, and
steps aside only while it waits for something long: a signature, the disk, another writer.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from certwright.domain.ports import Item, Result


class SingleTurn:
    """Keeps `ports.Turns`: one at a time."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._holder: int | None = None

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
        """Run the body while others may take their turn; a thread that holds none simply runs it."""
        if self._holder != threading.get_ident():
            yield
            return
        self._give()
        try:
            yield
        finally:
            self._take()

    def _take(self) -> None:
        self._turn.acquire()
        self._holder = threading.get_ident()

    def _give(self) -> None:
        self._holder = None
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


class ThreadCrew:
    """Keeps `ports.Crew` with a thread for each processor; others have their turn meanwhile."""

    def __init__(self, turns: SingleTurn | NoTurns, hands: int) -> None:
        self._turns = turns
        self._hands = hands
        self._others = ThreadPoolExecutor(max(1, hands - 1), thread_name_prefix="crew")

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
