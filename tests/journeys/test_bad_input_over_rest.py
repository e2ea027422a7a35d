"""Whatever clients send, they get an answer that tells them what to mend."""

import base64
import http.client
import json
import ssl
from typing import Any
from uuid import uuid4

import httpx
import pytest

from worlds.openssl import as_base64, der_of, make_request, request_of
from worlds.rest_steps import SOFTWARE, VPN, close, open_request, refusal_of, responses_of, submit
from worlds.served import PASSWORD, ROOT, Served, SignedIn

JSON = {"content-type": "application/json"}


@pytest.fixture
def request_id(subscriber: httpx.Client) -> str:
    return open_request(subscriber)


def error_of(answer: httpx.Response) -> str:
    """Return the code of the error of the only certificate of an answer."""
    assert answer.status_code == 200, answer.text
    (entry,) = answer.json()
    assert (entry["Pkcs7"], entry["isPkcs7"], entry["Flags"]) == (None, False, 0)
    return str(entry["Error"]["ErrorCode"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed-body"),
        (b"null", "malformed-body"),
        (b"[]", "malformed-body"),
        (b"not json", "malformed-body"),
        (b'{"certificaterequests": [', "malformed-body"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "malformed-body"),
        (b"{}", "certificate-request-count"),
        (b'{"certificaterequests": null}', "certificate-request-count"),
        (b'{"certificaterequests": []}', "certificate-request-count"),
        (b'{"certificaterequests": ["a", "b"]}', "certificate-request-count"),
        (b'{"certificaterequests": 7}', "malformed-value"),
        (b'{"certificaterequests": [7]}', "malformed-value"),
        (b'{"certificaterequests": ["a"], "comments": ["b"]}', "malformed-value"),
        (b'{"certificaterequests": ["a"], "pfxpassword": 1}', "malformed-value"),
    ],
)
def test_certificate_data_that_cannot_be_read_is_refused(
    subscriber: httpx.Client, request_id: str, body: bytes, code: str
) -> None:
    answer = subscriber.post(f"/requests/{request_id}/certificatedata", content=body, headers=JSON)
    assert refusal_of(answer) == (400, code)


def test_a_post_without_any_body_is_refused(subscriber: httpx.Client, request_id: str) -> None:
    assert refusal_of(subscriber.post(f"/requests/{request_id}/certificatedata")) == (400, "malformed-body")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_another_content_type_is_refused(subscriber: httpx.Client, content_type: str) -> None:
    answer = subscriber.post("/requests", content=b"{}", headers={"content-type": content_type})
    assert refusal_of(answer) == (415, "content-type-refused")


def corrupt_signature(pem: str) -> str:
    der = bytearray(der_of(pem))
    der[-1] ^= 1
    return base64.b64encode(der).decode()


def test_a_certificate_request_that_cannot_be_certified_says_why(subscriber: httpx.Client, request_id: str) -> None:
    good = request_of("subscriber")
    for bad, code in (
        ("!!!!", "malformed-certificate-request"),
        ("", "malformed-certificate-request"),
        (base64.b64encode(b"some octets").decode(), "malformed-certificate-request"),
        (base64.b64encode(der_of(good)[:-10]).decode(), "malformed-certificate-request"),
        (base64.b64encode(der_of(good) + b"\x00").decode(), "malformed-certificate-request"),
        (corrupt_signature(good), "signature-invalid"),
        (request_of("subscriber", "rsa:1024"), "key-too-small"),
        (request_of("subscriber", "p-256"), "key-algorithm-refused"),
        (request_of("subscriber", "rsa:2048", "sha1"), "hash-refused"),
    ):
        assert error_of(submit(subscriber, request_id, bad)) == code, bad
    responses_of(submit(subscriber, request_id, as_base64(good)))


def test_a_key_of_somebody_else_is_refused(sign_in: SignedIn) -> None:
    pem = make_request("rsa:2048")
    responses_of(submit(sign_in("subscriber2"), open_request(sign_in("subscriber2")), pem))
    answer = submit(sign_in("subscriber"), open_request(sign_in("subscriber")), pem)
    assert error_of(answer) == "key-of-somebody-else"


def test_a_place_that_is_taken_is_not_filled_again(subscriber: httpx.Client, request_id: str) -> None:
    responses_of(submit(subscriber, request_id, request_of("subscriber")))
    answer = submit(subscriber, request_id, request_of("subscriber", "rsa:4096"))
    assert refusal_of(answer) == (409, "place-taken")


def test_somebody_else_s_request_is_forbidden(sign_in: SignedIn, request_id: str) -> None:
    for client in (sign_in("subscriber2"), sign_in("outsider")):
        assert refusal_of(submit(client, request_id, "a")) == (403, "access-denied")
        assert refusal_of(client.get(f"/requests/{request_id}")) == (403, "access-denied")
        assert refusal_of(client.get(f"/requests/{request_id}/certificaterequestgenerationoptions")) == (403, "access-denied")
        assert refusal_of(close(client, request_id)) == (403, "access-denied")


def test_an_unknown_request_is_not_found(subscriber: httpx.Client) -> None:
    assert refusal_of(submit(subscriber, str(uuid4()), "a")) == (404, "request-not-found")
    assert refusal_of(close(subscriber, str(uuid4()))) == (404, "request-not-found")


def test_a_completed_request_takes_nothing_more(subscriber: httpx.Client, request_id: str) -> None:
    pem = request_of("subscriber")
    responses_of(submit(subscriber, request_id, pem))
    assert close(subscriber, request_id).status_code == 200
    assert refusal_of(submit(subscriber, request_id, pem)) == (409, "transition-refused")
    for status in ("Canceled", "Abandoned"):
        assert refusal_of(close(subscriber, request_id, status)) == (409, "transition-refused")
    # The answer of before, for a client that did not receive it.
    assert close(subscriber, request_id).json()["Status"] == 8


def test_a_request_without_its_certificates_cannot_be_completed(subscriber: httpx.Client, request_id: str) -> None:
    assert refusal_of(close(subscriber, request_id)) == (409, "certificates-missing")


@pytest.mark.parametrize("body", [{}, {"status": "Sleeping"}, {"status": 8}, {"status": None}])
def test_a_request_is_closed_in_known_ways_alone(subscriber: httpx.Client, request_id: str, body: dict[str, Any]) -> None:
    answer = subscriber.put(f"/requests/{request_id}", json=body)
    assert refusal_of(answer) == (400, "malformed-value")
    assert answer.json()["Errors"][0]["Field"] == "status"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "malformed-value"),
        ({"type": "Dance"}, 400, "malformed-value"),
        ({"type": "Enroll"}, 400, "malformed-value"),
        ({"type": "Enroll", "profiletemplateuuid": "12345"}, 400, "malformed-value"),
        ({"type": "Enroll", "profiletemplateuuid": str(uuid4())}, 404, "profile-template-not-found"),
        ({"type": "Enroll", "profiletemplateuuid": SOFTWARE, "target": str(uuid4())}, 404, "user-not-found"),
        ({"type": "Enroll", "profiletemplateuuid": SOFTWARE, "priority": 256}, 400, "malformed-value"),
        ({"type": "Enroll", "profiletemplateuuid": SOFTWARE, "comment": "x" * 4_001}, 400, "text-too-long"),
        ({"type": "Enroll", "profiletemplateuuid": SOFTWARE, "datacollection": [{"Unasked": "x"}]}, 400, "data-item-unknown"),
        ({"type": "Unblock", "smartcard": "17cf063d-e337-4aa9-a822-346554ddd3c9"}, 404, "smartcard-not-found"),
        ({"type": "Renew"}, 400, "malformed-value"),
    ],
)
def test_a_request_that_cannot_be_opened_says_why(
    subscriber: httpx.Client, body: dict[str, Any], status: int, code: str
) -> None:
    assert refusal_of(subscriber.post("/requests", json=body)) == (status, code)


def test_every_broken_property_and_rule_is_told(subscriber: httpx.Client) -> None:
    body = {"type": "Enroll", "profiletemplateuuid": "x", "target": 1, "priority": "high", "datacollection": 7}
    answer = subscriber.post("/requests", json=body)
    assert refusal_of(answer) == (400, "rules-broken")
    fields = {each["Field"] for each in answer.json()["Errors"]}
    assert fields == {"profiletemplateuuid", "target", "priority", "datacollection"}
    body = {"type": "Enroll", "profiletemplateuuid": VPN, "comment": "x" * 4_001, "datacollection": [{"Unasked": "x"}]}
    codes = {each["ErrorCode"] for each in subscriber.post("/requests", json=body).json()["Errors"]}
    assert codes == {"text-too-long", "data-item-unknown"}


def test_an_outsider_may_not_enroll(sign_in: SignedIn) -> None:
    answer = sign_in("outsider").post("/requests", json={"type": "Enroll", "profiletemplateuuid": SOFTWARE})
    assert refusal_of(answer) == (403, "access-denied")


@pytest.mark.parametrize("path", ["", "/", "/nonsense", "/requests/x/y/z/certificatedata"])
def test_an_unknown_address_is_not_found(subscriber: httpx.Client, path: str) -> None:
    assert refusal_of(subscriber.get(path)) == (404, "route-unknown")


def test_a_wrong_method_is_answered_with_the_right_ones(subscriber: httpx.Client, request_id: str) -> None:
    answer = subscriber.delete(f"/requests/{request_id}")
    assert refusal_of(answer) == (405, "method-not-allowed")
    assert {"GET", "PUT"} <= {each.strip() for each in answer.headers["allow"].split(",")}


# -- the size of bodies: the connection is watched by a plain client, which sends everything before it reads ------------


def connect(served: Served) -> http.client.HTTPSConnection:
    return http.client.HTTPSConnection("localhost", served.port, context=served.tls, timeout=120)


def credentials(user: str = "subscriber", password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode(), **JSON}


SIX_MEBIBYTES = b'{"certificaterequests": ["' + b"A" * (6 * 1024 * 1024) + b'"]}'


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_of_six_megabytes_is_answered_and_the_connection_goes_on(
    served: Served, request_id: str, *, is_chunked: bool
) -> None:
    connection = connect(served)
    path = f"{ROOT}/requests/{request_id}/certificatedata"
    pieces = (SIX_MEBIBYTES[start : start + 65_536] for start in range(0, len(SIX_MEBIBYTES), 65_536))
    connection.request("POST", path, pieces if is_chunked else SIX_MEBIBYTES, credentials(), encode_chunked=is_chunked)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["ErrorCode"]) == (413, "body-too-large")
    connection.request("GET", f"{ROOT}/profiletemplates", headers=credentials())
    assert connection.getresponse().status == 200
    connection.close()


def test_a_large_body_of_nobody_is_refused_with_an_answer(served: Served, request_id: str) -> None:
    connection = connect(served)
    connection.request("POST", f"{ROOT}/requests/{request_id}/certificatedata", SIX_MEBIBYTES, JSON)
    assert connection.getresponse().status == 401
    connection.close()


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(served: Served) -> None:
    body = json.dumps({"type": "Enroll", "profiletemplateuuid": SOFTWARE}).encode()
    connection = connect(served)
    connection.putrequest("POST", f"{ROOT}/requests")
    for name, value in {**credentials(), "Expect": "100-continue", "Content-Length": str(len(body))}.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert isinstance(connection.sock, ssl.SSLSocket)
    assert connection.sock.recv(1_000).startswith(b"HTTP/1.1 100 ")
    connection.send(body)
    assert connection.getresponse().status == 201
    connection.close()
