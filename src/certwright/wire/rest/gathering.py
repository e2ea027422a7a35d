"""Calls of one route that come at the same time are answered together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

LIMIT = 32
"""Calls at a time; more would keep the first one waiting without being much cheaper."""
GATHERING_SECONDS = 0.0007
"""How long others are waited for where there were some last time; an enrollment alone takes several times as long."""


class Gathering(Generic[Item, Result]):
    """Callers bring an item each; while some are served, the next gather. Who comes alone is served alone and at once.

    So several enrollments share transactions, signatures on all processors, and one thread instead of one each.
    """

    def __init__(self, serve: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]]) -> None:
        self._serve_items = serve
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._serving: asyncio.Task[None] | None = None
        self._has_company = False

    async def join(self, item: Item) -> Result:
        """Return what *item* got; an exception that it got is raised.

        What goes wrong with several items at once is tried with each alone, so that whoever caused it bears it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, future))
        if self._serving is None:
            self._serving = loop.create_task(self._serve_all())
        return await future

    async def _serve_all(self) -> None:
        while self._waiting:
            if self._has_company:
                # Those who were served together come again together, a little apart.
                await asyncio.sleep(GATHERING_SECONDS)
            batch, self._waiting = self._waiting[:LIMIT], self._waiting[LIMIT:]
            self._has_company = len(batch) > 1
            await self._serve(batch)
        self._serving = None

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
