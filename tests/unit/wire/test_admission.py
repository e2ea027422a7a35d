"""Who waits for a password hash, whose turn it is, and who is refused."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from certwright.domain.errors import SignInThrottled
from certwright.wire.rest.admission import KnownSignIns, Lane, SignInQueue, share_of_connections
from certwright.wire.rest.asgi import ClientLeft, NoPlace


def run(work: Callable[[], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await work()

    return asyncio.run(main())


class Crowd:
    """Sign-ins at one queue: notes in which order they are looked at, one step of the event loop each."""

    def __init__(self, queue: SignInQueue) -> None:
        self.queue = queue
        self.looked_at: list[str] = []
        self.refused: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def come(self, name: str, source: str, lane: Lane = Lane.STRANGERS, place: NoPlace | None = None) -> None:
        self.tasks.append(asyncio.ensure_future(self._sign_in(name, source, lane, place)))
        await asyncio.sleep(0)

    async def _sign_in(self, name: str, source: str, lane: Lane, place: NoPlace | None) -> None:
        try:
            waiter = await self.queue.wait(lane, source, place)
        except SignInThrottled:
            self.refused.append(name)
            return
        self.looked_at.append(name)
        for _ in range(100):
            await asyncio.sleep(0)
        self.queue.leave(waiter)

    async def end(self) -> None:
        await asyncio.gather(*self.tasks, return_exceptions=True)


def test_sources_take_turns_however_many_one_of_them_sends() -> None:
    async def work() -> list[str]:
        crowd = Crowd(SignInQueue(1))
        for number in range(50):
            await crowd.come(f"guess{number}", "198.51.100.1")
        await crowd.come("right", "192.0.2.1")
        await crowd.end()
        return crowd.looked_at

    looked_at = run(work)
    assert len(looked_at) == 51
    assert looked_at.index("right") < len(looked_at) - 20


@pytest.mark.parametrize("lane", [Lane.KNOWN_CREDENTIALS, Lane.KNOWN_SOURCE])
def test_who_is_known_does_not_wait_behind_strangers(lane: Lane) -> None:
    async def work() -> list[str]:
        crowd = Crowd(SignInQueue(1))
        for number in range(50):
            await crowd.come(f"guess{number}", "192.0.2.1")
        waiting = len(crowd.looked_at)
        await crowd.come("known", "192.0.2.1", lane)
        await crowd.end()
        return crowd.looked_at[waiting:]

    assert run(work).index("known") <= 2


def test_strangers_have_turns_of_their_own_beside_those_who_are_known() -> None:
    async def work() -> list[str]:
        crowd = Crowd(SignInQueue(1))
        for number in range(30):
            await crowd.come(f"known{number}", "192.0.2.1", Lane.KNOWN_CREDENTIALS)
        waiting = len(crowd.looked_at)
        await crowd.come("stranger", "192.0.2.2")
        await crowd.end()
        return crowd.looked_at[waiting:]

    assert run(work).index("stranger") <= 2


def test_a_lane_that_is_full_gives_up_the_newest_of_its_greediest_source_for_another() -> None:
    async def work() -> Crowd:
        crowd = Crowd(SignInQueue(1, limit=10))
        for number in range(12):
            await crowd.come(f"guess{number}", "198.51.100.1")
        await crowd.come("right", "192.0.2.1")
        await crowd.end()
        return crowd

    crowd = run(work)
    assert crowd.refused[-1] == "guess9"
    assert crowd.refused[:-1] == ["guess10", "guess11"]
    assert "right" in crowd.looked_at


def test_a_lane_that_is_full_takes_no_place_of_another() -> None:
    async def work() -> Crowd:
        crowd = Crowd(SignInQueue(1, limit=4))
        for number in range(40):
            await crowd.come(f"guess{number}", f"198.51.100.{number}")
        await crowd.come("known", "192.0.2.1", Lane.KNOWN_CREDENTIALS)
        await crowd.end()
        return crowd

    crowd = run(work)
    assert "known" in crowd.looked_at
    assert len(crowd.refused) + len(crowd.looked_at) == 41


def test_who_goes_away_while_waiting_gives_its_place_back() -> None:
    async def work() -> list[str]:
        queue = SignInQueue(1, limit=3)
        crowd = Crowd(queue)
        for name in ("a", "b", "c"):
            await crowd.come(name, "192.0.2.1")
        for each in crowd.tasks[1:]:
            each.cancel()
        await asyncio.sleep(0)
        for name in ("d", "e"):
            await crowd.come(name, "192.0.2.1")
        await crowd.end()
        return crowd.looked_at + crowd.refused

    assert run(work) == ["a", "d", "e"]


def test_sign_ins_whose_clients_have_left_are_not_looked_at() -> None:
    async def work() -> tuple[Crowd, list[object]]:
        crowd = Crowd(SignInQueue(1, limit=3))
        places = [NoPlace() for _ in range(4)]
        for name, place in zip("abcd", places, strict=True):
            await crowd.come(name, "192.0.2.1", place=place)
        places[1].when_left()
        places[1].when_left()
        for name in ("e", "f"):
            await crowd.come(name, "192.0.2.1")
        return crowd, await asyncio.gather(*crowd.tasks, return_exceptions=True)

    crowd, outcomes = run(work)
    assert (crowd.looked_at, crowd.refused) == (["a", "c", "e"], ["d", "f"])
    assert [type(each) for each in outcomes if each is not None] == [ClientLeft]


@pytest.mark.parametrize(("connections", "waiting"), [(16, 4), (500, 125), (1, 1)])
def test_fewer_sign_ins_of_strangers_wait_than_there_may_be_connections(connections: int, waiting: int) -> None:
    assert share_of_connections(connections) == waiting


def test_credentials_are_known_when_they_were_right_and_their_source_with_them() -> None:
    known = KnownSignIns()
    assert known.find_lane("a:secret", "192.0.2.1") is Lane.STRANGERS
    known.note_success("a:secret", "192.0.2.1")
    assert known.find_lane("a:secret", "198.51.100.1") is Lane.KNOWN_CREDENTIALS
    assert known.find_lane("a:guess", "192.0.2.1") is Lane.KNOWN_SOURCE
    assert known.find_lane("a:guess", "198.51.100.1") is Lane.STRANGERS
    known.note_failure("a:secret")
    assert known.find_lane("a:secret", "198.51.100.1") is Lane.STRANGERS


def test_a_connection_on_which_somebody_failed_waits_behind_others_until_somebody_succeeds_on_it() -> None:
    known = KnownSignIns()
    known.note_failure("a:guess", "192.0.2.1 4711")
    assert known.find_lane("a:next", "192.0.2.1", "192.0.2.1 4711") is Lane.FAILED
    assert known.find_lane("a:next", "192.0.2.1", "192.0.2.1 4712") is Lane.STRANGERS
    known.note_success("a:secret", "192.0.2.1", "192.0.2.1 4711")
    assert known.find_lane("a:next", "192.0.2.1", "192.0.2.1 4711") is Lane.KNOWN_SOURCE


def test_what_is_known_is_bounded_and_the_oldest_goes_first() -> None:
    known = KnownSignIns(limit=2)
    for number in range(3):
        known.note_success(f"{number}", f"192.0.2.{number}")
    lanes = [known.find_lane(f"{number}", "198.51.100.1") for number in range(3)]
    assert lanes == [Lane.STRANGERS, Lane.KNOWN_CREDENTIALS, Lane.KNOWN_CREDENTIALS]
