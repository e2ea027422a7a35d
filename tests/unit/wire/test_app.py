"""The application around its routes, asked without a network and without a database."""

import asyncio
from collections.abc import Awaitable, Callable
from threading import Event
from typing import Any

import httpx
import pytest
import structlog

from certwright.adapters.clock import SystemClock
from certwright.adapters.entropy import SystemEntropy
from certwright.adapters.patterns import Re2Patterns
from certwright.adapters.turns import NoTurns
from certwright.application.world import World
from certwright.domain.health import Health
from certwright.domain.identities import Caller
from certwright.wire.rest.admission import WAITING_LIMIT
from certwright.wire.rest.app import create_app
from certwright.wire.rest.desk import THREADS
from worlds.contoso import SUBSCRIBER

HEALTH = Health(faults=(), is_writable=True)
WORLD = World(
    store=None,
    authority=None,
    clock=SystemClock(),
    entropy=SystemEntropy(),
    workshop=None,
    key_maker=None,
    safe=None,
    card_keys=None,
    patterns=Re2Patterns(),
    own_passwords=None,
)
ROOT = "/certificatemanagement/api/v1.0"
READ_NOTHING = f"{ROOT}/profiles/malformed"
"""An address that answers 400 to whoever has signed in, before any store is asked."""


class Names:
    """A way to sign in that believes whatever name it is told, at once."""

    challenge = "Name"

    def recall(self, scheme: str, credentials: str, source: str) -> Caller | None:
        """Return the subscriber, whoever it is."""
        return Caller(SUBSCRIBER.user, SUBSCRIBER.sids, source) if scheme == "Name" else None

    authenticate = recall


class SlowNames:
    """Believes too, but thinks about it until it is told to go on."""

    challenge = "Slow"

    def __init__(self) -> None:
        self.go_on = Event()

    def recall(self, scheme: str, credentials: str, source: str) -> Caller | None:
        """Return nobody: it takes a while."""
        return None

    def authenticate(self, scheme: str, credentials: str, source: str) -> Caller | None:
        """Return the subscriber in the end."""
        if scheme != "Slow":
            return None
        self.go_on.wait(timeout=120)
        return Caller(SUBSCRIBER.user, SUBSCRIBER.sids, source)


class Broken(Names):
    """Has a bug."""

    def recall(self, scheme: str, credentials: str, source: str) -> Caller | None:
        """Fail."""
        raise ZeroDivisionError("the secret cause")


def ask(sign_ins: list[Names | SlowNames], work: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
    """Return what *work* returns, given a client of an application with these ways to sign in."""

    async def run() -> Any:
        transport = httpx.ASGITransport(create_app(WORLD, sign_ins, NoTurns(), lambda: HEALTH))
        async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as client:
            return await work(client)

    return asyncio.run(run())


def get(client: httpx.AsyncClient, scheme: str) -> Awaitable[httpx.Response]:
    return client.get(READ_NOTHING, headers={"authorization": f"{scheme} x"})


def test_each_way_to_sign_in_is_offered_in_a_header_of_its_own() -> None:
    answer = ask([Names(), SlowNames()], lambda client: client.get(READ_NOTHING))
    assert answer.status_code == 401
    assert answer.headers.get_list("www-authenticate") == ["Name", "Slow"]


@pytest.mark.parametrize("scheme", ["Negotiate", "NTLM", "Bearer", "Other"])
def test_a_scheme_that_is_not_offered_is_answered_with_those_that_are(scheme: str) -> None:
    answer = ask([Names(), SlowNames()], lambda client: get(client, scheme))
    assert (answer.status_code, answer.json()["ErrorCode"]) == (401, "scheme-not-offered")
    assert answer.json()["Message"] == (
        f"This server does not take credentials of the scheme {scheme}: sign in with Name or Slow."
    )
    assert answer.headers.get_list("www-authenticate") == ["Name", "Slow"]


def test_every_answer_with_a_body_states_its_charset() -> None:
    answer = ask([Names()], lambda client: get(client, "Name"))
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_a_compressed_body_is_refused_before_anybody_signs_in() -> None:
    headers = {"content-encoding": "gzip", "authorization": "Name x"}
    answer = ask([Broken()], lambda client: client.post(f"{ROOT}/requests", content=b"\x1f\x8b", headers=headers))
    assert (answer.status_code, answer.json()["ErrorCode"]) == (415, "content-encoding-refused")
    assert answer.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
def test_a_body_that_is_said_not_to_be_encoded_is_read(encoding: str) -> None:
    headers = {"content-encoding": encoding, "authorization": "Name x"}
    answer = ask([Names()], lambda client: client.post(f"{ROOT}/requests", content=b"{", headers=headers))
    assert answer.status_code == 415
    assert answer.json()["ErrorCode"] == "content-type-refused"


def test_the_second_way_to_sign_in_is_tried_too() -> None:
    slow = SlowNames()
    slow.go_on.set()
    assert ask([Names(), slow], lambda client: get(client, "Slow")).status_code == 400


def test_a_bug_shows_a_correlation_identifier_and_nothing_of_its_cause() -> None:
    with structlog.testing.capture_logs() as log:
        answer = ask([Broken()], lambda client: get(client, "Name"))
    assert answer.status_code == 500
    assert "secret" not in answer.text
    (entry,) = log
    assert entry["correlation_id"] == answer.json()["CorrelationId"]
    assert isinstance(entry["exc_info"], ZeroDivisionError)


def test_people_who_take_long_to_sign_in_hold_up_nobody_who_is_known() -> None:
    slow = SlowNames()

    async def work(client: httpx.AsyncClient) -> list[httpx.Response]:
        waiting = [asyncio.ensure_future(get(client, "Slow")) for _ in range(3 * THREADS)]
        await asyncio.sleep(0.05)
        known = await get(client, "Name")
        slow.go_on.set()
        return [known, *await asyncio.gather(*waiting)]

    assert {each.status_code for each in ask([Names(), slow], work)} == {400}


def test_a_crowd_before_the_door_is_asked_to_come_again() -> None:
    slow = SlowNames()

    async def work(client: httpx.AsyncClient) -> list[httpx.Response]:
        waiting = [asyncio.ensure_future(get(client, "Slow")) for _ in range(WAITING_LIMIT + 5)]
        while sum(each.done() for each in waiting) < 5:
            await asyncio.sleep(0.005)
        slow.go_on.set()
        return await asyncio.gather(*waiting)

    answers = ask([slow], work)
    assert [each.status_code for each in answers].count(401) == 5
