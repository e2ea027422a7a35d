"""Writing blocks that share a transaction."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from threading import Event

import pytest

from certwright.adapters.sql.group_commit import GroupCommit, WaitedTooLong
from certwright.adapters.turns import SingleTurn
from certwright.domain.ports import TakesLong

PATIENCE_SECONDS = 120


class RecordedTransaction:
    """A transaction that writes down what is done with it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def begin(self, deadline: float) -> bool:
        self.done.append("begin")
        return True

    def open_block(self) -> None:
        self.done.append("open")

    def keep_block(self) -> None:
        self.done.append("keep")

    def undo_block(self) -> None:
        self.done.append("undo")

    def commit(self) -> None:
        self.done.append("commit")

    def rollback(self) -> None:
        self.done.append("rollback")


class SomebodyWasFirstError(Exception):
    """What a block raises that saw another one's work."""


def test_a_block_that_raises_is_heard_of_when_the_others_of_its_group_are_durable() -> None:
    transaction = RecordedTransaction()
    group = GroupCommit(transaction, on_lost=lambda: None, turns=SingleTurn())
    first_is_in, first_may_go, last_may_go = Event(), Event(), Event()

    def keep(is_in: Event, may_go: Event) -> None:
        with group.block():
            is_in.set()
            may_go.wait(120)

    def refuse() -> None:
        with group.block():
            threads.submit(keep, Event(), last_may_go)
            wait_until_somebody_waits(group)
            raise SomebodyWasFirstError

    def hear_of_refusal() -> list[str]:
        with pytest.raises(SomebodyWasFirstError):
            refuse()
        return list(transaction.done)

    with ThreadPoolExecutor(3) as threads:
        threads.submit(keep, first_is_in, first_may_go)
        first_is_in.wait(120)
        refused = threads.submit(hear_of_refusal)
        wait_until_somebody_waits(group)
        first_may_go.set()
        with pytest.raises(TimeoutError):
            refused.result(timeout=0.1)
        last_may_go.set()
        seen = refused.result(timeout=120)
    assert seen == ["begin", "open", "keep", "open", "undo", "open", "keep", "commit"]


class SlowTransaction(RecordedTransaction):
    """Commits when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.is_committing, self.may_commit = Event(), Event()

    def commit(self) -> None:
        self.is_committing.set()
        self.may_commit.wait(PATIENCE_SECONDS)
        super().commit()


def test_a_brief_turn_that_meets_a_thread_at_the_disk_waits_without_its_turn_so_that_both_go_on() -> None:
    transaction, turns = SlowTransaction(), SingleTurn()
    group = GroupCommit(transaction, on_lost=lambda: None, turns=turns, brief_wait_seconds=PATIENCE_SECONDS)

    def write() -> None:
        with turns.held(), group.block():
            pass

    def write_briefly() -> bool:
        with turns.brief() as has_turn, group.block():
            return has_turn

    threads = ThreadPoolExecutor(2)
    writing = threads.submit(write)
    assert transaction.is_committing.wait(PATIENCE_SECONDS)
    # The one at the disk has stepped aside: its turn is free.
    briefly = threads.submit(write_briefly)
    wait_until_somebody_waits(group)
    transaction.may_commit.set()
    writing.result(PATIENCE_SECONDS)
    assert briefly.result(PATIENCE_SECONDS)
    threads.shutdown()
    assert transaction.done == ["begin", "open", "keep", "commit"] * 2


class FrozenTransaction(RecordedTransaction):
    """Cannot begin: another process has the lock."""

    def begin(self, deadline: float) -> bool:
        super().begin(deadline)
        return False


@pytest.mark.parametrize("is_held", [True, False])
def test_block_is_refused_while_another_process_keeps_the_lock(is_held: bool) -> None:
    transaction, turns = FrozenTransaction(), SingleTurn()
    group = GroupCommit(transaction, on_lost=lambda: None, turns=turns)
    with turns.held() if is_held else nullcontext(), pytest.raises(WaitedTooLong), group.block():
        transaction.done.append("the body ran")
    assert transaction.done == ["begin", "begin"]
    with group.alone():
        assert not group.has_waiting


def test_brief_turn_leaves_a_wait_for_another_process_to_a_thread() -> None:
    transaction, turns = FrozenTransaction(), SingleTurn()
    group = GroupCommit(transaction, on_lost=lambda: None, turns=turns)
    with turns.brief() as has_turn:
        assert has_turn
        with pytest.raises(TakesLong), group.block():
            transaction.done.append("the body ran")
        assert turns.is_brief
    assert transaction.done == ["begin"]


@pytest.mark.parametrize(("is_brief", "refusal"), [(True, TakesLong), (False, WaitedTooLong)])
def test_wait_for_another_thread_has_an_end(*, is_brief: bool, refusal: type[Exception]) -> None:
    transaction, turns = SlowTransaction(), SingleTurn()
    group = GroupCommit(transaction, on_lost=lambda: None, turns=turns, wait_seconds=0.05, brief_wait_seconds=0.05)

    def write() -> None:
        with group.block():
            pass

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(write)
        assert transaction.is_committing.wait(PATIENCE_SECONDS)
        with turns.brief() if is_brief else turns.held(), pytest.raises(refusal), group.block():
            transaction.done.append("the body ran")
        transaction.may_commit.set()
        writing.result(PATIENCE_SECONDS)
    write()
    assert transaction.done == ["begin", "open", "keep", "commit"] * 2


def wait_until_somebody_waits(group: GroupCommit) -> None:
    pause = Event()
    while not group.has_waiting:
        pause.wait(0.001)
