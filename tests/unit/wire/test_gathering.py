import asyncio
from collections.abc import Sequence

import pytest

from certwright.wire.rest.gathering import LIMIT, Gathering


class Doubling:
    """Doubles numbers, in rounds that wait until the gate is open; refuses 0, and breaks on 13."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.gate = asyncio.Event()

    async def serve(self, items: Sequence[int]) -> list[int | Exception]:
        self.rounds.append(list(items))
        await self.gate.wait()
        if 13 in items:
            raise ArithmeticError("13 is not doubled here")
        return [2 * each if each else ValueError("nothing to double") for each in items]


async def join_all(gathering: Gathering[int, int], doubling: Doubling, items: Sequence[int]) -> list[int | BaseException]:
    """Return what each item got: the first is being served when all others come."""
    joining = [asyncio.create_task(gathering.join(each)) for each in items[:1]]
    while not doubling.rounds:
        await asyncio.sleep(0)
    joining += [asyncio.create_task(gathering.join(each)) for each in items[1:]]
    await asyncio.sleep(0)
    doubling.gate.set()
    return await asyncio.gather(*joining, return_exceptions=True)


def test_who_comes_alone_is_served_alone_and_at_once() -> None:
    async def story() -> None:
        doubling = Doubling()
        doubling.gate.set()
        gathering = Gathering(doubling.serve)
        assert [await gathering.join(each) for each in (1, 2)] == [2, 4]
        assert doubling.rounds == [[1], [2]]

    asyncio.run(story())


def test_those_who_come_meanwhile_are_served_together_and_each_gets_his_own() -> None:
    async def story() -> None:
        doubling = Doubling()
        assert await join_all(Gathering(doubling.serve), doubling, range(1, 9)) == [2 * each for each in range(1, 9)]
        assert doubling.rounds == [[1], [2, 3, 4, 5, 6, 7, 8]]

    asyncio.run(story())


def test_those_who_were_served_together_are_waited_for_when_they_come_again_a_little_apart() -> None:
    async def story() -> None:
        doubling = Doubling()
        gathering = Gathering(doubling.serve)
        await join_all(gathering, doubling, range(1, 9))
        doubling.rounds.clear()
        again = []
        for each in range(2, 9):
            again.append(asyncio.create_task(gathering.join(each)))
            await asyncio.sleep(0)
        assert await asyncio.gather(*again) == [2 * each for each in range(2, 9)]
        assert doubling.rounds == [[2, 3, 4, 5, 6, 7, 8]]

    asyncio.run(story())


def test_who_does_not_come_again_is_not_waited_for_for_ever() -> None:
    async def story() -> None:
        doubling = Doubling()
        gathering = Gathering(doubling.serve)
        await join_all(gathering, doubling, range(1, 5))
        doubling.rounds.clear()
        assert [await gathering.join(each) for each in (1, 2, 3, 4, 5)] == [2, 4, 6, 8, 10]
        assert doubling.rounds == [[1], [2], [3], [4], [5]]

    asyncio.run(story())


def test_no_more_than_the_limit_are_served_together() -> None:
    async def story() -> None:
        doubling = Doubling()
        items = range(20, 20 + LIMIT + 3)
        assert await join_all(Gathering(doubling.serve), doubling, items) == [2 * each for each in items]
        assert [len(each) for each in doubling.rounds] == [1, LIMIT, 2]

    asyncio.run(story())


def test_who_is_refused_leaves_the_others_alone() -> None:
    async def story() -> None:
        doubling = Doubling()
        outcomes = await join_all(Gathering(doubling.serve), doubling, [1, 2, 0, 4])
        assert isinstance(outcomes.pop(2), ValueError)
        assert outcomes == [2, 4, 8]

    asyncio.run(story())


def test_who_makes_the_service_fail_bears_it_alone_and_the_next_is_served() -> None:
    async def story() -> None:
        doubling = Doubling()
        gathering = Gathering(doubling.serve)
        outcomes = await join_all(gathering, doubling, [1, 2, 13, 4])
        assert isinstance(outcomes.pop(2), ArithmeticError)
        assert outcomes == [2, 4, 8]
        assert await gathering.join(5) == 10

    asyncio.run(story())


def test_one_who_goes_away_keeps_nobody_else_from_his_answer() -> None:
    async def story() -> None:
        doubling = Doubling()
        gathering = Gathering(doubling.serve)
        first = asyncio.create_task(gathering.join(1))
        second = asyncio.create_task(gathering.join(2))
        await asyncio.sleep(0)
        first.cancel()
        doubling.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await second == 4

    asyncio.run(story())
