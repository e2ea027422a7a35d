"""Work that comes at the same time is done together, by one of those who bring it."""

from collections.abc import Callable, Sequence
from threading import Event, Lock
from time import sleep
from typing import Any, Generic

from certwright.domain.ports import Item, Result, Turns

GATHERING_SECONDS = 0.0007
"""How long a leader waits for others where the last one had some; an enrollment alone takes several times as long."""
Work = Callable[[Sequence[Any]], Sequence[Any]]

LIMIT = 32
"""Items at a time; more would keep the first one waiting without being much cheaper."""


class _Ticket(Generic[Item]):
    """One who waits: until his result is there, or until it is his turn to do the work for all who wait then."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.result: Any = None
        self.failure: BaseException | None = None
        self.is_done = False
        self.called = Event()


class FirstLeads:
    """Keeps `ports.Assembly`: the first who comes does the work for all that are there, the next for those who came meanwhile.

    So several enrollments share transactions and warm caches, and one that comes alone waits for nobody.
    """

    def __init__(self, turns: Turns, *, limit: int = LIMIT, pause: Callable[[float], None] = sleep) -> None:
        self._turns = turns
        self._limit = limit
        self._pause = pause
        self._has_company = False
        self._mutex = Lock()
        self._waiting: list[_Ticket[Any]] = []
        self._is_led = False

    def join(self, item: Item, work: Callable[[Sequence[Item]], Sequence[Result]]) -> Result:
        """Return what *work* returns for *item*, in the place of the list that *item* had; what it raises is raised here.

        Shape: *work* gives one result an item; all callers bring the same *work*. When it raises for several items, it is
        asked for each alone, so that whoever caused it bears it.
        """
        ticket: _Ticket[Item] = _Ticket(item)
        with self._mutex:
            self._waiting.append(ticket)
            leads, self._is_led = not self._is_led, True
        if not leads:
            with self._turns.aside():
                ticket.called.wait()
        if not ticket.is_done:
            self._lead(work)
        if ticket.failure is not None:
            raise ticket.failure
        result: Result = ticket.result
        return result

    def _lead(self, work: Work) -> None:
        if self._has_company:
            # Those who were served together come again together, a little apart.
            with self._turns.aside():
                self._pause(GATHERING_SECONDS)
        with self._mutex:
            tickets, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
        self._has_company = len(tickets) > 1
        try:
            _do(work, tickets)
        finally:
            with self._mutex:
                following = self._waiting[0] if self._waiting else None
                self._is_led = following is not None
            for each in tickets:
                each.is_done = True
                each.called.set()
            if following is not None:
                following.called.set()


def _do(work: Work, tickets: Sequence[_Ticket[Any]]) -> None:
    try:
        results = work([each.item for each in tickets])
    except BaseException as failure:  # noqa: BLE001 - whatever it is, each of those who wait must hear of his own
        if len(tickets) == 1:
            tickets[0].failure = failure
            return
        for each in tickets:
            _do(work, [each])
        return
    for each, result in zip(tickets, results, strict=True):
        each.result = result
