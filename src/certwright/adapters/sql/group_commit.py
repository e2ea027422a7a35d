"""Several writing blocks in one transaction, one after another, so that they share the wait for the disk."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic
from typing import Protocol

from certwright.domain.ports import TakesLong, Turns

GROUP_LIMIT = 32
"""Blocks in a transaction; more would keep the first one waiting for its answer without being much cheaper."""
WAIT_SECONDS = 10
"""How long a block waits for other threads and processes, all in all, before it is refused."""
BRIEF_WAIT_SECONDS = 0.25
"""How long the event loop waits for them before a thread has to; and how long a thread does so with its turn."""


class Transaction(Protocol):
    """The only writing connection of a process."""

    def begin(self, deadline: float) -> bool:
        """Return whether it could begin: not while another process has the lock until *deadline* of `time.monotonic`."""

    def open_block(self) -> None:
        """Mark the point to which `undo_block` goes back."""

    def keep_block(self) -> None: ...

    def undo_block(self) -> None: ...

    def commit(self) -> None:
        """Return when everything is durable."""

    def rollback(self) -> None:
        """End the transaction, also when it is broken."""


class _Group:
    """The blocks of one transaction."""

    def __init__(self) -> None:
        self.blocks = 0
        self.kept = 0
        self.ended = threading.Event()
        self.failure: BaseException | None = None


class GroupLost(Exception):
    """The transaction was lost with every block in it; the cause says why."""


class WaitedTooLong(Exception):
    """Others, threads or processes, did not finish within `WAIT_SECONDS`. The block did not begin."""


class GroupCommit:
    """Blocks that write take turns at one transaction, first come, first served.

    A block that ends while others wait hands the open transaction on; the last one, or the one that fills the group,
    commits. Nobody returns before the commit that contains his block. A block that raises takes back only its own part, and
    raises when the group has ended: what it saw of the others, and refused because of them, is by then in the database.
    """

    def __init__(
        self,
        transaction: Transaction,
        *,
        on_lost: Callable[[], None],
        turns: Turns,
        limit: int = GROUP_LIMIT,
        wait_seconds: float = WAIT_SECONDS,
        brief_wait_seconds: float = BRIEF_WAIT_SECONDS,
    ) -> None:
        self._transaction = transaction
        self._on_lost = on_lost
        self._limit = limit
        self._wait_seconds = wait_seconds
        self._brief_wait_seconds = brief_wait_seconds
        self._turns = turns
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._is_taken = False
        self._holder: int | None = None
        self._group: _Group | None = None

    @property
    def has_waiting(self) -> bool:
        """Return whether a block waits for its turn."""
        return bool(self._waiting)

    @contextmanager
    def block(self) -> Iterator[None]:
        """Run the body of a ``with`` as one block.

        Errors: GroupLost when the transaction failed, in this block or in another one of its group; WaitedTooLong, and
                TakesLong in a brief turn, before the block.
        """
        deadline = monotonic() + self._wait_seconds
        self._take_turn(deadline)
        group = self._enter(deadline)
        try:
            yield
        except BaseException:
            self._leave(group, keep=False)
            # Whoever is told that somebody was first looks again, and must find what that somebody did.
            self._wait_for(group)
            raise
        self._leave(group, keep=True)
        self._wait_for(group)
        if group.failure is not None:
            raise GroupLost from group.failure

    def _wait_for(self, group: _Group) -> None:
        if not group.ended.is_set():
            with self._turns.giving_way():
                group.ended.wait()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Run the body while there is no transaction."""
        self._take_turn(inf)
        while self._group is not None:
            # Others have left their blocks to us to commit.
            self._end(self._group)
            self._take_turn(inf)
        try:
            yield
        finally:
            self._give_turn()

    def _take_turn(self, deadline: float) -> None:
        with self._mutex:
            if self._holder == threading.get_ident():
                raise RuntimeError("a writing block inside a writing block would wait for itself")
            if not self._is_taken:
                self._is_taken = True
                self._holder = threading.get_ident()
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        is_brief = self._turns.is_brief
        try:
            has_turn = self._await(turn, min(deadline, monotonic() + self._brief_wait_seconds) if is_brief else deadline)
        except BaseException:
            self._give_up(turn)
            raise
        if not has_turn:
            raise TakesLong if is_brief else WaitedTooLong
        self._holder = threading.get_ident()

    def _await(self, turn: threading.Lock, deadline: float) -> bool:
        """Return whether the turn came before *deadline*."""
        with self._turns.giving_way():
            if turn.acquire(timeout=min(max(0.0, deadline - monotonic()), threading.TIMEOUT_MAX)):
                return True
        with self._mutex:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        # It came after the deadline, but before it was given up.
        return turn.acquire()

    def _give_up(self, turn: threading.Lock) -> None:
        """Stop waiting, because of a signal; if the turn came at the same moment, go on with what it brought."""
        with self._mutex:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return
        if self._group is not None:
            self._hand_on(self._group)
        else:
            self._give_turn()

    def _enter(self, deadline: float) -> _Group:
        try:
            if self._group is None:
                self._begin(deadline)
                self._group = _Group()
        except BaseException:
            self._give_turn()
            raise
        group = self._group
        try:
            self._transaction.open_block()
        except BaseException as error:
            self._end(group, error)
            raise
        group.blocks += 1
        return group

    def _begin(self, deadline: float) -> None:
        if self._transaction.begin(monotonic() + self._brief_wait_seconds):
            return
        if self._turns.is_brief:
            raise TakesLong
        with self._turns.giving_way():
            has_begun = self._transaction.begin(deadline)
        if not has_begun:
            raise WaitedTooLong

    def _leave(self, group: _Group, *, keep: bool) -> None:
        try:
            if keep:
                self._transaction.keep_block()
            else:
                self._transaction.undo_block()
        except BaseException as error:  # noqa: BLE001 - everyone who waits for the group must hear of it, whatever it is
            # The database has ended the transaction by itself: nothing of the group is left.
            self._end(group, error)
            return
        group.kept += keep
        self._hand_on(group)

    def _hand_on(self, group: _Group) -> None:
        self._holder = None
        with self._mutex:
            following = self._waiting.popleft() if self._waiting and group.blocks < self._limit else None
        if following is not None:
            following.release()
        else:
            self._end(group)

    def _end(self, group: _Group, failure: BaseException | None = None) -> None:
        self._group = None
        try:
            if failure is None and group.kept:
                with self._turns.aside():
                    self._transaction.commit()
            else:
                self._transaction.rollback()
        except BaseException as error:  # noqa: BLE001 - as above
            failure = failure or error
            self._transaction.rollback()
        finally:
            if failure is not None:
                self._on_lost()
            group.failure = failure
            group.ended.set()
            self._give_turn()

    def _give_turn(self) -> None:
        with self._mutex:
            self._holder = None
            following = self._waiting.popleft() if self._waiting else None
            self._is_taken = following is not None
        if following is not None:
            following.release()
