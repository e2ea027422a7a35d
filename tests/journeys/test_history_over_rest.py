"""The event history over the API: for auditors alone, and each reading is in it."""

import httpx
import pytest

from worlds.served import Served, SignedIn

EVENTS = "/CertificateManagement/api/v1.1/events"


def read(sign_in: SignedIn, query: str = "", user: str = "auditor") -> dict[str, object]:
    answer = ask(sign_in, query, user)
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    return body


def ask(sign_in: SignedIn, query: str, user: str) -> httpx.Response:
    client = sign_in(user)
    return client.get(client.base_url.copy_with(raw_path=f"{EVENTS}?{query}".encode()))


def test_an_auditor_reads_what_happened_page_by_page(sign_in: SignedIn) -> None:
    first = read(sign_in, "limit=2")
    assert [each["sequence"] for each in first["events"]] == [1, 2]
    assert first["events"][0]["type"] == "service.initialized"
    assert list(first["events"][0]) == [
        "sequence", "type", "at", "actor", "actor_id", "source", "request_id", "subject_id", "comment", "details",
    ]  # fmt: skip
    assert first["next"] == 2
    following = read(sign_in, f"limit=1&after={first['next']}")
    assert following["events"][0]["sequence"] == 3
    numbers, after = [1, 2], first["next"]
    while after is not None:
        page = read(sign_in, f"limit=1000&after={after}")
        numbers += [each["sequence"] for each in page["events"]]
        after = page["next"]
    assert numbers == list(range(1, len(numbers) + 1))


def test_each_reading_is_an_event_that_says_what_was_read(sign_in: SignedIn) -> None:
    read(sign_in, "type=service.initialized&after=0")
    newest = read(sign_in, "type=history.read&limit=1000")["events"][-2]
    assert newest["actor"] == "CORP\\auditor"
    assert newest["details"] == {"after": "0", "most": "100", "search": "types service.initialized"}


@pytest.mark.parametrize("user", ["subscriber", "manager", "approver", "helpdesk", "administrator", "caoperator", "outsider"])
def test_nobody_but_an_auditor_reads_it(sign_in: SignedIn, user: str) -> None:
    before = read(sign_in, "type=history.read&limit=1000")["events"]
    refused = ask(sign_in, "", user)
    assert refused.status_code == 403
    assert "audit" in refused.json()["Message"]
    assert len(read(sign_in, "type=history.read&limit=1000")["events"]) == len(before) + 1


def test_nobody_reads_it_without_signing_in(served: Served) -> None:
    with served.client() as nobody:
        answer = nobody.get(nobody.base_url.copy_with(raw_path=EVENTS.encode()))
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", 400),
        ("limit=1001", 400),
        ("limit=ten", 400),
        ("after=-1", 400),
        ("after=99999999999999999999", 400),
        ("type=nonsense", 400),
        ("since=yesterday", 400),
        ("until=0001-01-01T00:00:00%2B23:59", 400),
        ("request=nonsense", 400),
        ("certificate=xyz", 400),
        ("certificate=" + "F" * 65, 400),
        ("template=No%20Such", 404),
    ],
)
def test_what_cannot_be_meant_is_refused(sign_in: SignedIn, query: str, code: int) -> None:
    assert ask(sign_in, query, "auditor").status_code == code


def test_the_documented_version_has_no_such_address(sign_in: SignedIn) -> None:
    assert sign_in("auditor").get("/events").status_code == 404


def test_what_somebody_did_is_found_by_user_request_and_type(sign_in: SignedIn) -> None:
    template = "e179f773-a6e0-43c0-9514-b7dde2ad0478"
    answer = sign_in("subscriber").post("/requests", json={"type": "Enroll", "profiletemplateuuid": template, "comment": ""})
    assert answer.status_code == 201
    request = answer.json().rpartition("/")[2]
    (told,) = read(sign_in, f"request={request}")["events"]
    assert (told["type"], told["actor"], told["request_id"]) == ("request.created", "CORP\\subscriber", request)
    for query in (f"template={template}", "user=subscriber", "user=CORP%5CSUBSCRIBER", "type=request.created"):
        numbers = [each["sequence"] for each in read(sign_in, f"{query}&limit=1000&after={told['sequence'] - 1}")["events"]]
        assert told["sequence"] in numbers
    assert read(sign_in, f"request={request}&user=auditor")["events"] == []
