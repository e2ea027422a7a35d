"""By whom a call is done: by the event loop, where it is brief and nobody else is at work, or else by a thread."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from uuid import NAMESPACE_DNS, uuid5

import structlog

from certwright.adapters.clock import SystemClock
from certwright.adapters.entropy import SystemEntropy
from certwright.adapters.patterns import Re2Patterns
from certwright.adapters.turns import NoTurns, SingleTurn, ThreadCrew
from certwright.application.world import World
from certwright.domain.errors import AccessDenied
from certwright.domain.identities import Caller, UserId
from certwright.wire.rest.asgi import Message, Response
from certwright.wire.rest.calls import Answer, Call, Route
from certwright.wire.rest.desk import Desk
from certwright.wire.rest.sign_in import Reception
from worlds.contoso import SUBSCRIBER
from worlds.turns import held_by_another

LOOP = "the event loop"


class Names:
    """A way to sign in that believes whatever name it is told, at once."""

    challenge = "Name"

    def recall(self, scheme: str, credentials: str, source: str) -> Caller | None:
        return Caller(SUBSCRIBER.user, SUBSCRIBER.sids, source)

    authenticate = recall


class Anybody:
    """A way to sign in that takes each name for another person."""

    challenge = "Name"

    def recall(self, scheme: str, credentials: str, source: str) -> Caller | None:
        identifier = UserId(uuid5(NAMESPACE_DNS, credentials))
        return Caller(replace(SUBSCRIBER.user, id=identifier, account_name=credentials), SUBSCRIBER.sids, source)

    authenticate = recall


def world_with(turns: SingleTurn | NoTurns) -> World:
    return World(
        store=None,
        authority=None,
        clock=SystemClock(),
        entropy=SystemEntropy(),
        workshop=ThreadCrew(turns, 2),
        key_maker=None,
        safe=None,
        card_keys=None,
        patterns=Re2Patterns(),
        own_passwords=None,
    )


def who_works() -> str:
    """Return the name of the thread, that of the event loop being known to all."""
    return LOOP if threading.current_thread() is threading.main_thread() else threading.current_thread().name


def answer_who_works(_call: Call) -> Answer:
    return Answer(200, who_works())


def ask(world: World, turns: SingleTurn | NoTurns, *routes: Route, body: bytes = b"") -> list[Response]:
    """Return the answers to one call of each route, one after another."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def run() -> list[Response]:
        desk = Desk(world, Reception([Names()]), turns)
        headers = [(b"authorization", b"Name x"), (b"content-length", str(len(body)).encode())]
        scope = {"headers": headers, "query_string": b"", "client": ("192.0.2.7", 1)}
        try:
            return [await desk.take(each, {"request_id": "x"}, scope, receive) for each in routes]
        finally:
            desk.close()

    return asyncio.run(run())


def text_of(response: Response) -> str:
    assert response.status == 200, response.body
    return response.body.decode().strip('"')


BRIEF = Route("GET", "/brief", answer_who_works, is_brief=True)
LONG = Route("GET", "/long", answer_who_works)


def test_a_brief_call_is_done_by_the_event_loop_and_any_other_by_a_thread() -> None:
    turns = SingleTurn()
    brief, long = ask(world_with(turns), turns, BRIEF, LONG)
    assert text_of(brief) == LOOP
    assert text_of(long).startswith("rest-")


def test_a_brief_call_is_done_by_a_thread_where_the_database_is_another_machines() -> None:
    turns = NoTurns()
    (answer,) = ask(world_with(turns), turns, BRIEF)
    assert text_of(answer).startswith("rest-")


def test_a_brief_call_is_handed_to_a_thread_while_another_thread_has_the_turn() -> None:
    turns = SingleTurn()
    world = world_with(turns)

    async def run() -> tuple[str, str]:
        desk = Desk(world, Reception([Names()]), turns)
        scope = {"headers": [(b"authorization", b"Name x")], "query_string": b"", "client": None}
        with held_by_another(turns) as let_go:
            waiting = asyncio.ensure_future(desk.take(BRIEF, {}, scope, asyncio.Queue().get))
            # The loop goes on meanwhile: it, and nobody else, lets the other thread go.
            await asyncio.sleep(0)
            let_go()
            handed = await waiting
        own = await desk.take(BRIEF, {}, scope, asyncio.Queue().get)
        desk.close()
        return text_of(handed), text_of(own)

    handed, own = asyncio.run(run())
    assert handed.startswith("rest-")
    assert own == LOOP


def test_a_brief_call_that_turns_out_to_take_long_is_done_once_by_a_thread() -> None:
    turns = SingleTurn()
    begun, done = [], []

    def work(call: Call) -> Answer:
        begun.append(who_works())
        call.world.workshop.announce()
        done.append(who_works())
        return Answer(200, who_works())

    (answer,) = ask(world_with(turns), turns, Route("GET", "/turns-out-long", work, is_brief=True))
    assert text_of(answer).startswith("rest-")
    assert begun == [LOOP, *done]
    assert len(done) == 1
    with turns.brief() as has_turn:
        assert has_turn


def test_what_a_brief_call_raises_is_its_answer_and_no_thread_tries_again() -> None:
    turns = SingleTurn()
    tried = []

    def work(_call: Call) -> Answer:
        tried.append(who_works())
        raise AccessDenied("nothing")

    refused, following = ask(world_with(turns), turns, Route("GET", "/refused", work, is_brief=True), BRIEF)
    assert refused.status == 403
    assert tried == [LOOP]
    assert text_of(following) == LOOP


def test_brief_calls_that_are_answered_together_are_done_by_the_event_loop_too() -> None:
    turns = SingleTurn()

    def together(calls: Sequence[Call]) -> list[Answer | Exception]:
        return [answer_who_works(each) for each in calls]

    (answer,) = ask(world_with(turns), turns, Route("GET", "/together", answer_who_works, together, is_brief=True))
    assert text_of(answer) == LOOP


def test_what_takes_long_holds_up_neither_those_it_came_with_nor_another_person() -> None:
    turns = NoTurns()
    goes_on, begun = threading.Event(), threading.Semaphore(0)
    running: list[str] = []

    def work(call: Call) -> Answer:
        running.append(call.caller.user.nt4_name)
        begun.release()
        assert goes_on.wait(120)
        return Answer(200, threading.current_thread().name)

    def together(calls: Sequence[Call]) -> list[Answer | Exception | None]:
        return [None if each.body else Answer(200, "together") for each in calls]

    route = Route("POST", "/mixed", work, together)

    async def run() -> list[Response]:
        desk = Desk(world_with(turns), Reception([Anybody()]), turns)

        def post(who: str, body: bytes) -> asyncio.Task[Response]:
            async def receive() -> Message:
                return {"type": "http.request", "body": body, "more_body": False}

            headers = [(b"authorization", f"Name {who}".encode()), (b"content-length", b"%d" % len(body))]
            scope = {"headers": headers, "query_string": b"", "client": ("192.0.2.7", 1)}
            return asyncio.ensure_future(desk.take(route, {}, scope, receive))

        try:
            slow = [post("greedy", b"slow") for _ in range(4)]
            assert await asyncio.to_thread(begun.acquire, timeout=120)
            quick = await post("greedy", b"")
            other = post("other", b"slow")
            assert await asyncio.to_thread(begun.acquire, timeout=120)
            assert running == ["CORP\\greedy", "CORP\\other"]
            goes_on.set()
            return [quick, *await asyncio.gather(*slow, other)]
        finally:
            goes_on.set()
            desk.close()

    quick, *slow = asyncio.run(run())
    assert text_of(quick) == "together"
    assert {text_of(each).rstrip("01") for each in slow} == {"slow-"}
    assert len(running) == 5


def test_a_brief_call_with_a_large_body_is_done_by_a_thread() -> None:
    turns = SingleTurn()
    brief = Route("POST", "/brief", answer_who_works, is_brief=True, body_limit=65_537)
    small, large = (ask(world_with(turns), turns, brief, body=b"x" * size)[0] for size in (65_536, 65_537))
    assert text_of(small) == LOOP
    assert text_of(large).startswith("rest-")


def test_a_refusal_leaves_who_asked_for_what_from_where_in_the_log() -> None:
    turns = NoTurns()

    def work(_call: Call) -> Answer:
        raise AccessDenied("nothing")

    with structlog.testing.capture_logs() as log:
        ask(world_with(turns), turns, Route("GET", "/requests/{request_id}", work))
    (line,) = log
    assert {name: line[name] for name in ("event", "code", "status", "account", "source", "method", "route", "object")} == {
        "event": "refused",
        "code": "access-denied",
        "status": 403,
        "account": SUBSCRIBER.user.nt4_name,
        "source": "192.0.2.7",
        "method": "GET",
        "route": "/requests/{request_id}",
        "object": "x",
    }
