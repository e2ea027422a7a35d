"""Enrollments as the event loop takes them: it does them itself, unless private keys are made, opened or protected."""

import asyncio
import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from certwright.adapters.sql.store import open_store
from certwright.adapters.turns import SingleTurn, ThreadCrew
from certwright.domain.identities import Caller
from certwright.domain.requests import RequestId
from certwright.wire.rest.asgi import Message, Response
from certwright.wire.rest.certificate_data import ROUTES
from certwright.wire.rest.desk import Desk
from certwright.wire.rest.sign_in import Reception
from worlds.authorities import KEK
from worlds.contoso import SUBSCRIBER
from worlds.house import PFX_PASSWORD, House, InterruptedAuthority, csr, found_house, signed_in

(ROUTE,) = [each for each in ROUTES if each.method == "POST"]

LOOP, THREAD = "the event loop", "a thread"


class Subscribers:
    """A way to sign in for one person only."""

    challenge = "Name"

    def recall(self, scheme: str, credentials: str, source: str) -> Caller | None:
        return signed_in(SUBSCRIBER)

    authenticate = recall


def post(house: House, turns: SingleTurn, request_id: RequestId, **properties: object) -> tuple[Response, list[str]]:
    """Return the answer to a post of certificate data, and the threads that had something signed for it."""
    signers: list[str] = []

    def note() -> None:
        signers.append(LOOP if threading.current_thread() is threading.main_thread() else THREAD)

    authority = InterruptedAuthority(house.world.authority, "before sign", note)
    world = replace(house.world, authority=authority, workshop=ThreadCrew(turns, 2))
    body = json.dumps({"certificaterequests": [csr("brief")], **properties}).encode()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def run() -> Response:
        desk = Desk(world, Reception([Subscribers()]), turns)
        headers = [
            (b"authorization", b"Name x"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        scope = {"headers": headers, "query_string": b"", "client": None}
        try:
            return await desk.take(ROUTE, {"request_id": str(request_id)}, scope, receive)
        finally:
            desk.close()

    return asyncio.run(run()), signers


@pytest.mark.parametrize(
    ("properties", "by"),
    [
        ({}, LOOP),
        ({"pfxpassword": PFX_PASSWORD}, THREAD),
    ],
)
def test_whoever_brings_a_password_for_keys_is_served_by_a_thread_and_anybody_else_by_the_event_loop(
    properties: dict, by: str, founded: Path, tmp_path: Path
) -> None:
    path, turns = tmp_path / "store.db", SingleTurn()
    shutil.copy(founded, path)
    store = open_store(f"sqlite:///{path}", turns, KEK)
    try:
        house = found_house(store)
        request_id = house.open()
        answer, signers = post(house, turns, request_id, **properties)
        assert answer.status == 200, answer.body
        assert signers == [by]
        assert len(house.certificates(request_id)) == 1
        assert house.events(request_id).count("certificate.issued") == 1
    finally:
        store.close()
