"""The steps of a card's life as a client takes them."""

from typing import Any
from uuid import uuid4

import httpx

from worlds.rest_steps import DOCUMENTED, bind_card, close, open_request, submit
from worlds.workflow_steps import rsa_request

NOBODY = "00000000-0000-0000-0000-000000000000"
NEW, ASSIGNED, ACTIVE, DISABLED, SUSPENDED, RETIRED = 0, 1, 2, 3, 4, 6
PRIMARY, DUPLICATE, SUPERSEDED, TEMPORARY, REUSED = 1, 2, 4, 8, 32
ATR = "3b8d0180fba000000397425446590301c8"


def start(client: httpx.Client, kind: str, card: str, **properties: Any) -> httpx.Response:
    """Ask for something about a card."""
    return client.post("/requests", json={"type": kind, "smartcard": card, **properties})


def request_of(answer: httpx.Response) -> str:
    """Return the GUID of the request that was made."""
    assert answer.status_code == 201, answer.text
    return str(answer.json()).rpartition("/")[2]


def fulfil(client: httpx.Client, request: str) -> dict[str, Any]:
    """Have the certificate issued, complete the request and return it."""
    answer = submit(client, request, rsa_request(request))
    assert [each["Error"] for each in answer.json()] == [None], answer.text
    completed = close(client, request)
    assert completed.status_code == 200, completed.text
    return dict(completed.json())


def enroll_card(client: httpx.Client, template: str = DOCUMENTED, card: str | None = None, **properties: Any) -> str:
    """Return the GUID of a new, active card of the caller."""
    request = open_request(client, template, **properties)
    bound = bind_card(client, request, card, atr=ATR)
    fulfil(client, request)
    return bound


def read_card(client: httpx.Client, card: str) -> dict[str, Any]:
    """Return the card as the API answers it."""
    answer = client.get(f"/smartcards/{card}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def state_of(client: httpx.Client, card: str) -> tuple[int, int]:
    """Return status and flags."""
    body = read_card(client, card)
    return body["Status"], body["Flags"]


def new_card_id() -> str:
    """Return the identifier of a card that nobody has seen."""
    return str(uuid4())
