"""The steps of an enrollment as a client takes them."""

import base64
from typing import Any
from uuid import uuid4

import httpx

SOFTWARE = "12bd5120-86a2-4ee1-8d05-131066871578"
VPN = "97cd65fa-af4b-4587-9309-0dd6bfd8b4e1"
CARD_LOGON = "2b7044cf-aa96-4911-b886-177947e9271b"
DOCUMENTED = "a039b4d0-5ce8-4eff-8651-181c6576fda3"
ARCHIVED = "8f31803f-8afc-49bb-911d-402ec264b589"


def open_request(client: httpx.Client, template: str = SOFTWARE, **properties: Any) -> str:
    """Open an Enroll request and return its GUID."""
    body = {"type": "Enroll", "profiletemplateuuid": template, "datacollection": [], "comment": "", **properties}
    answer = client.post("/requests", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()).rpartition("/")[2]


def bind_card(client: httpx.Client, request: str, card: str | None = None, **properties: Any) -> str:
    """Bind a card, of a new identifier unless one is given, to the request and return the GUID of the assignment."""
    answer = client.post("/smartcards", json={"requestid": request, "cardid": card or str(uuid4()), **properties})
    assert answer.status_code == 201, answer.text
    return str(answer.json()).rpartition("/")[2]


def submit(client: httpx.Client, request: str, *certificate_requests: str, **properties: Any) -> httpx.Response:
    """Post certificate requests and return the answer."""
    body = {"pfxpassword": "", "certificaterequests": list(certificate_requests), **properties}
    return client.post(f"/requests/{request}/certificatedata", json=body)


def close(client: httpx.Client, request: str, status: str = "Completed") -> httpx.Response:
    """Close a request and return the answer."""
    return client.put(f"/requests/{request}", json={"status": status})


def responses_of(answer: httpx.Response) -> list[bytes]:
    """Return the blobs of an answer in which every certificate was delivered."""
    assert answer.status_code == 200, answer.text
    assert [each["Error"] for each in answer.json()] == [None] * len(answer.json())
    return [base64.b64decode(each["Pkcs7"]) for each in answer.json()]


def refusal_of(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of an answer that says no, in the form in which all are given."""
    body = answer.json()
    assert list(body)[:3] == ["Message", "ErrorCode", "CorrelationId"]
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    return answer.status_code, body["ErrorCode"]
