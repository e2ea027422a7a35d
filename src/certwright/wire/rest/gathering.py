"""Calls of one route that come at the same time are answered together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

LIMIT = 32
"""Calls at a time; more would keep the first one waiting without being much cheaper."""
PATIENCE_SECONDS = 0.002
"""How long those are waited for who are expected; an enrollment alone takes longer."""


class Gathering(Generic[Item, Result]):
    """Callers bring an item each; while some are served, the next gather. Who comes alone is served alone and at once.

    So several enrollments share transactions, signatures on all processors, and one thread instead of one each. As many as were
    there at the same time before are expected again: those who were served together come back together, a little apart.
    """

    def __init__(self, serve: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]]) -> None:
        self._serve_items = serve
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._expected = 1
        self._serving: asyncio.Task[None] | None = None
        self._overdue: asyncio.TimerHandle | None = None

    async def join(self, item: Item) -> Result:
        """Return what *item* got; an exception that it got is raised.

        What goes wrong with several items at once is tried with each alone, so that whoever caused it bears it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, future))
        self._consider(loop)
        try:
            return await future
        finally:
            # As in `Workers.run`.
            del future, item

    def _consider(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin when everybody is there who is expected, or when they have been waited for."""
        if self._serving is not None or not self._waiting:
            return
        if len(self._waiting) >= min(self._expected, LIMIT):
            self._begin(loop)
        elif self._overdue is None:
            self._overdue = loop.call_later(PATIENCE_SECONDS, self._begin, loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
        # Who stays away is given up bit by bit: most often he is only late.
        self._expected = max(self._expected - 1, len(self._waiting))
        batch, self._waiting = self._waiting[:LIMIT], self._waiting[LIMIT:]
        self._serving = loop.create_task(self._serve_round(batch, loop))

    async def _serve_round(self, batch: Sequence[tuple[Item, asyncio.Future[Result]]], loop: asyncio.AbstractEventLoop) -> None:
        await self._serve(batch)
        self._expected = max(self._expected, len(batch) + len(self._waiting))
        self._serving = None
        self._consider(loop)

    async def _serve(self, batch: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        outcomes: Sequence[Result | Exception]
        try:
            outcomes = await self._serve_items([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, each of those who wait must hear of his own
            if len(batch) > 1:
                for each in batch:
                    await self._serve([each])
                return
            outcomes = [error]
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            _settle(future, outcome)


def _settle(future: asyncio.Future[Result], outcome: Result | Exception) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
