from threading import Thread

import pytest

from certwright.adapters.turns import NoTurns, SingleTurn, ThreadCrew

PATIENCE_SECONDS = 10


@pytest.mark.parametrize("count", range(6))
@pytest.mark.parametrize("crew", [ThreadCrew(NoTurns(), 1), ThreadCrew(NoTurns(), 2), ThreadCrew(SingleTurn(), 3)])
def test_a_crew_gives_the_results_in_the_order_of_the_items(crew: ThreadCrew, count: int) -> None:
    assert crew.each(lambda each: 2 * each, list(range(count))) == [2 * each for each in range(count)]


@pytest.mark.parametrize("place", range(4))
def test_what_a_hand_of_the_crew_raises_is_raised(place: int) -> None:
    with pytest.raises(ZeroDivisionError):
        ThreadCrew(NoTurns(), 2).each(lambda each: 1 // each, [0 if place == each else 1 for each in range(4)])


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
