"""Threads that do the synchronous work of calls."""

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from certwright.domain.ports import Turns

Result = TypeVar("Result")


class Workers:
    """A fixed number of threads at one queue, which take turns where they are given *turns*.

    The standard library's pool takes several locks and wakes an idle thread for each call; here a thread that is busy simply
    takes the next call when it is done.
    """

    def __init__(self, count: int, name: str, turns: Turns | None = None) -> None:
        self._turns = turns
        self._queue: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None] = SimpleQueue()
        self._threads = [Thread(target=self._work, name=f"{name}-{number}", daemon=True) for number in range(count)]
        for each in self._threads:
            each.start()

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return what *work* returns, done in one of the threads; what it raises is raised here."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.put((work, future))
        try:
            return await future
        finally:
            # An exception leads to this frame, and this frame would lead back to it: until the collector of garbage came,
            # everything that the call had would stay.
            del future, work

    def close(self) -> None:
        """End the threads once they have done what they were given."""
        for _ in self._threads:
            self._queue.put(None)
        for each in self._threads:
            each.join()

    def _do(self, work: Callable[[], Result]) -> Result:
        if self._turns is None:
            return work()
        with self._turns.held():
            return work()

    def _work(self) -> None:
        while (errand := self._queue.get()) is not None:
            work, future = errand
            try:
                result = self._do(work)
            except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the call that waits for it
                _settle(future, future.set_exception, error)
            else:
                _settle(future, future.set_result, result)


def _settle(future: asyncio.Future[Any], settle: Callable[[Any], None], outcome: Any) -> None:
    """Give the future its outcome in its own loop, unless nobody waits any more."""
    future.get_loop().call_soon_threadsafe(lambda: None if future.done() else settle(outcome))
