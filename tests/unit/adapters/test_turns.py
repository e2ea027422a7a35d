from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest

from certwright.adapters.turns import NoTurns, SingleTurn, ThreadCrew
from certwright.domain.ports import TakesLong
from worlds.turns import held_by_another

PATIENCE_SECONDS = 120


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


# -- brief turns -----------------------------------------------------------------------------------------------------------


def is_free(turns: SingleTurn) -> bool:
    """Return whether another thread would get the turn now."""

    def look() -> bool:
        with turns.brief() as has_turn:
            return has_turn

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(look).result(PATIENCE_SECONDS)


def test_a_brief_turn_is_had_where_nobody_else_has_one_and_ends_with_its_block() -> None:
    turns = SingleTurn()
    with turns.brief() as has_turn:
        assert has_turn
        assert turns.is_brief
        assert not is_free(turns)
    assert not turns.is_brief
    assert is_free(turns)


def test_a_brief_turn_is_not_waited_for() -> None:
    turns = SingleTurn()
    with held_by_another(turns):
        with turns.brief() as has_turn:
            assert not has_turn
            assert not turns.is_brief
        assert not is_free(turns)
    assert is_free(turns)


def test_whoever_has_a_turn_gets_no_brief_one_within_it() -> None:
    turns = SingleTurn()
    with turns.held():
        with turns.brief() as has_turn:
            assert not has_turn
        assert not is_free(turns)


def test_only_the_thread_that_has_the_brief_turn_must_be_back_soon() -> None:
    turns = SingleTurn()
    with turns.brief(), ThreadPoolExecutor(1) as threads:
        assert not threads.submit(lambda: turns.is_brief).result(PATIENCE_SECONDS)
    with turns.held():
        assert not turns.is_brief


def test_a_brief_turn_ends_when_its_block_raises() -> None:
    turns = SingleTurn()
    with pytest.raises(ZeroDivisionError), turns.brief():
        raise ZeroDivisionError
    assert not turns.is_brief
    assert is_free(turns)


def test_a_brief_turn_is_not_given_up_while_its_thread_steps_aside() -> None:
    turns = SingleTurn()
    with turns.brief():
        with turns.aside():
            assert turns.is_brief
            assert not is_free(turns)
        assert not is_free(turns)
    assert is_free(turns)


def test_a_brief_turn_gives_way_to_whom_it_waits_for_and_is_brief_again_afterwards() -> None:
    turns = SingleTurn()
    with turns.brief():
        with turns.giving_way():
            assert not turns.is_brief
            with held_by_another(turns):
                assert not turns.is_brief
        assert turns.is_brief
        assert not is_free(turns)
    assert is_free(turns)


def test_without_turns_nothing_is_brief() -> None:
    turns = NoTurns()
    with turns.brief() as has_turn, turns.giving_way():
        assert not has_turn
        assert not turns.is_brief


@pytest.mark.parametrize("turns", [SingleTurn(), NoTurns()])
def test_a_crew_goes_on_after_an_announcement_unless_the_turn_is_brief(turns: SingleTurn | NoTurns) -> None:
    crew = ThreadCrew(turns, 2)
    crew.announce()
    with turns.held():
        crew.announce()
    with turns.brief() as has_turn:
        if has_turn:
            with pytest.raises(TakesLong):
                crew.announce()
        else:
            crew.announce()
    assert crew.each(lambda each: each, [1]) == [1]


def test_a_crew_works_in_a_brief_turn_too_and_keeps_it() -> None:
    turns = SingleTurn()
    crew = ThreadCrew(turns, 2)
    with turns.brief():
        assert crew.each(lambda each: (each, is_free(turns)), [1, 2, 3]) == [(1, False), (2, False), (3, False)]
