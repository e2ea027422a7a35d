from collections.abc import Sequence
from threading import Event, Lock, Thread

import pytest

from certwright.adapters.assembly import FirstLeads
from certwright.adapters.turns import LoneHand, NoTurns, SignerCrew, SingleTurn

PATIENCE_SECONDS = 10


class Gate:
    """Work that doubles numbers, and whose first round waits until somebody opens the gate."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.is_entered = Event()
        self.opened = Event()

    def double(self, items: Sequence[int]) -> list[int]:
        self.rounds.append(list(items))
        self.is_entered.set()
        self.opened.wait(PATIENCE_SECONDS)
        if 13 in items:
            raise ArithmeticError("13 is not doubled here")
        return [2 * each for each in items]


def join_in_threads(assembly: FirstLeads, gate: Gate, items: Sequence[int]) -> dict[int, object]:
    """Return what each item gave: the first one leads, and all others come while it works."""
    outcomes: dict[int, object] = {}
    lock = Lock()

    def join(item: int) -> None:
        try:
            outcome: object = assembly.join(item, gate.double)
        except ArithmeticError as error:
            outcome = error
        with lock:
            outcomes[item] = outcome

    threads = [Thread(target=join, args=(each,)) for each in items]
    threads[0].start()
    assert gate.is_entered.wait(PATIENCE_SECONDS)
    for each in threads[1:]:
        each.start()
    while len(assembly._waiting) < len(items) - 1:
        pass
    gate.opened.set()
    for each in threads:
        each.join(PATIENCE_SECONDS)
        assert not each.is_alive()
    return outcomes


def test_who_comes_alone_is_served_alone_and_at_once() -> None:
    gate = Gate()
    gate.opened.set()
    assembly = FirstLeads(NoTurns())
    assert [assembly.join(each, gate.double) for each in (1, 2)] == [2, 4]
    assert gate.rounds == [[1], [2]]


@pytest.mark.parametrize("turns", [NoTurns(), SingleTurn()])
def test_those_who_come_meanwhile_are_served_together_and_each_gets_his_own(turns: NoTurns | SingleTurn) -> None:
    gate = Gate()
    outcomes = join_in_threads(FirstLeads(turns), gate, range(1, 9))
    assert outcomes == {each: 2 * each for each in range(1, 9)}
    assert [len(each) for each in gate.rounds] == [1, 7]


def test_a_leader_waits_for_others_only_where_the_last_one_had_some() -> None:
    pauses: list[float] = []
    gate = Gate()
    assembly = FirstLeads(NoTurns(), pause=pauses.append)
    join_in_threads(assembly, gate, [1, 2, 3])
    assert pauses == []
    assert assembly.join(4, gate.double) == 8
    assert len(pauses) == 1
    assert assembly.join(5, gate.double) == 10
    assert len(pauses) == 1


def test_no_more_than_the_limit_are_served_together() -> None:
    gate = Gate()
    outcomes = join_in_threads(FirstLeads(NoTurns(), limit=3), gate, range(1, 9))
    assert outcomes == {each: 2 * each for each in range(1, 9)}
    assert [len(each) for each in gate.rounds] == [1, 3, 3, 1]


def test_who_makes_the_work_fail_bears_it_alone() -> None:
    outcomes = join_in_threads(FirstLeads(NoTurns()), Gate(), [1, 2, 13, 4])
    assert isinstance(outcomes.pop(13), ArithmeticError)
    assert outcomes == {1: 2, 2: 4, 4: 8}


def test_after_a_failure_the_next_is_served() -> None:
    gate = Gate()
    gate.opened.set()
    assembly = FirstLeads(NoTurns())
    with pytest.raises(ArithmeticError):
        assembly.join(13, gate.double)
    assert assembly.join(1, gate.double) == 2


@pytest.mark.parametrize("count", range(6))
@pytest.mark.parametrize("crew", [LoneHand(), SignerCrew(NoTurns(), 1), SignerCrew(NoTurns(), 2), SignerCrew(SingleTurn(), 3)])
def test_a_crew_gives_the_results_in_the_order_of_the_items(crew: LoneHand | SignerCrew, count: int) -> None:
    assert crew.each(lambda each: 2 * each, list(range(count))) == [2 * each for each in range(count)]


@pytest.mark.parametrize("place", range(4))
def test_what_a_hand_of_the_crew_raises_is_raised(place: int) -> None:
    with pytest.raises(ZeroDivisionError):
        SignerCrew(NoTurns(), 2).each(lambda each: 1 // each, [0 if place == each else 1 for each in range(4)])


def test_one_who_steps_aside_lets_others_have_their_turn_and_takes_it_again() -> None:
    turns = SingleTurn()
    order: list[str] = []

    def other() -> None:
        with turns.held():
            order.append("other")

    thread = Thread(target=other)
    with turns.held():
        thread.start()
        order.append("before")
        with turns.aside():
            thread.join(PATIENCE_SECONDS)
        order.append("after")
    assert order == ["before", "other", "after"]


def test_one_who_has_no_turn_steps_aside_from_nothing() -> None:
    turns = SingleTurn()
    with turns.aside(), turns.held():
        pass
    with turns.held():
        pass
