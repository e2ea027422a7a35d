"""Cards from the client's side: bound to a request, in use, followed by what happens to their profile."""

from uuid import UUID, uuid4

import httpx
import pytest

from certwright.domain.events import Event
from certwright.domain.requests import RequestId
from worlds.card_steps import (
    ACTIVE,
    ASSIGNED,
    ATR,
    DISABLED,
    DUPLICATE,
    NOBODY,
    PRIMARY,
    RETIRED,
    SUPERSEDED,
    SUSPENDED,
    enroll_card,
    fulfil,
    new_card_id,
    read_card,
    request_of,
    start,
    state_of,
)
from worlds.rest_steps import DOCUMENTED, SOFTWARE, bind_card, close, open_request, refusal_of, submit
from worlds.served import Served, SignedIn
from worlds.workflow_steps import rsa_request


def present(client: httpx.Client, request: str, card: str, **properties: str) -> httpx.Response:
    return client.post("/smartcards", json={"requestid": request, "cardid": card, **properties})


def test_a_card_is_bound_and_comes_into_use_when_its_request_is_completed(subscriber: httpx.Client, served: Served) -> None:
    request, card_id = open_request(subscriber, DOCUMENTED), new_card_id()
    assert subscriber.get(f"/requests/{request}").json()["NewSmartcardUuid"] == NOBODY
    assert refusal_of(submit(subscriber, request, rsa_request())) == (409, "card-missing")
    assert refusal_of(close(subscriber, request)) == (409, "card-missing")

    answer = present(subscriber, request, card_id.upper(), atr=ATR.upper())
    assert answer.status_code == 201
    card = str(answer.json()).rpartition("/")[2]
    assert answer.json() == f"api/v1.0/smartcards/{card}"
    assert answer.headers["location"] == f"/CertificateManagement/api/v1.0/smartcards/{card}"

    body = subscriber.get(f"/requests/{request}").json()
    assert (body["Status"], body["NewSmartcardUuid"], body["OldSmartcardUuid"]) == (18, card, NOBODY)
    bound = read_card(subscriber, card)
    assert (bound["Status"], bound["Flags"], bound["SerialNumber"], bound["Atr"]) == (ASSIGNED, PRIMARY, f"{{{card_id}}}", ATR)
    assert bound["Middleware"] == "MSBaseCSP"
    assert subscriber.get(f"/requests/{request}/smartcards/{card}").json() == bound
    (profile,) = subscriber.get(f"/requests/{request}/profiles").json()
    assert (profile["Uuid"], profile["Status"]) == (body["NewProfileUuid"], 0)

    fulfil(subscriber, request)
    assert state_of(subscriber, card) == (ACTIVE, PRIMARY)
    (held,) = subscriber.get(f"/smartcards/{card}/certificates").json()
    assert subscriber.get(f"/profiles/{profile['Uuid']}/certificates").json() == [held]
    assert read_card(subscriber, card) == subscriber.get(f"/smartcards?cardid={{{card_id}}}").json()
    assert read_card(subscriber, card) == subscriber.get(f"/smartcards?CardId={card}").json()
    assert card in [each["Uuid"] for each in subscriber.get("/smartcards").json()]
    with served.installation.world.store.reading() as session:
        told = session.history.list_of_request(RequestId(UUID(request)))
    changes = [(each.type, each.details.get("status")) for each in told if isinstance(each, Event)]
    assert ("smartcard.assigned", None) in changes
    assert ("smartcard.changed", "ASSIGNED to ACTIVE") in changes


def test_presenting_the_same_card_again_resumes_and_another_one_is_refused(subscriber: httpx.Client) -> None:
    request, card_id = open_request(subscriber, DOCUMENTED), new_card_id()
    card = bind_card(subscriber, request, card_id, atr=ATR)
    assert bind_card(subscriber, request, card_id) == card
    assert refusal_of(present(subscriber, request, new_card_id())) == (409, "card-bound-already")
    assert refusal_of(present(subscriber, request, card_id, atr="3b00")) == (409, "atr-differs")
    fulfil(subscriber, request)
    assert refusal_of(present(subscriber, request, card_id)) == (409, "transition-refused")


def test_a_card_of_another_request_or_another_person_is_refused(subscriber: httpx.Client, sign_in: SignedIn) -> None:
    card_id, other = new_card_id(), sign_in("subscriber2")
    bind_card(subscriber, open_request(subscriber, DOCUMENTED), card_id)
    assert refusal_of(present(subscriber, open_request(subscriber, DOCUMENTED), card_id)) == (409, "card-in-use")
    request = open_request(other, DOCUMENTED)
    assert refusal_of(present(other, request, card_id)) == (409, "card-in-use")
    assert refusal_of(other.get(f"/smartcards?cardid={card_id}")) == (403, "access-denied")
    assert refusal_of(present(subscriber, request, new_card_id())) == (403, "access-denied")
    assert other.get(f"/requests/{request}").json()["NewSmartcardUuid"] == NOBODY


@pytest.mark.parametrize("status", ["Canceled", "Abandoned"])
@pytest.mark.parametrize("issues", [True, False])
def test_a_request_that_is_given_up_releases_its_card(subscriber: httpx.Client, status: str, *, issues: bool) -> None:
    request, card_id = open_request(subscriber, DOCUMENTED), new_card_id()
    card = bind_card(subscriber, request, card_id)
    if issues:
        submit(subscriber, request, rsa_request())
    assert close(subscriber, request, status).status_code == 200
    assert state_of(subscriber, card) == (RETIRED, PRIMARY)
    again = enroll_card(subscriber, card=card_id)
    assert again != card
    assert read_card(subscriber, again)["SerialNumber"] == f"{{{card_id}}}"


def test_a_card_that_was_in_use_is_not_taken_again_once_it_is_retired(subscriber: httpx.Client, sign_in: SignedIn) -> None:
    card_id = new_card_id()
    card = enroll_card(subscriber, card=card_id)
    close(sign_in("helpdesk"), request_of(start(sign_in("helpdesk"), "Retire", card)))
    assert state_of(subscriber, card) == (RETIRED, PRIMARY)
    assert subscriber.get(f"/smartcards/{card}/operations").status_code == 204
    assert refusal_of(present(subscriber, open_request(subscriber, DOCUMENTED), card_id)) == (409, "card-retired")


def test_a_card_is_suspended_reinstated_and_disabled_with_its_profile(subscriber: httpx.Client, sign_in: SignedIn) -> None:
    helpdesk, card = sign_in("helpdesk"), enroll_card(subscriber)
    for kind, status in (("Suspend", SUSPENDED), ("Reinstate", ACTIVE), ("Revoke", DISABLED)):
        request = request_of(start(helpdesk, kind, card, comment=f"{kind}: lost and found"))
        body = subscriber.get(f"/requests/{request}").json()
        assert (body["NewSmartcardUuid"], body["OldSmartcardUuid"]) == (card, card)
        assert close(helpdesk, request).status_code == 200
        assert state_of(subscriber, card) == (status, PRIMARY)
        assert read_card(subscriber, card)["Comment"] == f"{kind}: lost and found"


def test_a_renewal_goes_to_a_new_card_and_a_duplicate_to_another_one(subscriber: httpx.Client) -> None:
    old = enroll_card(subscriber)
    duplicate_request = request_of(start(subscriber, "Duplicate", old))
    duplicate = bind_card(subscriber, duplicate_request)
    fulfil(subscriber, duplicate_request)
    assert state_of(subscriber, duplicate) == (ACTIVE, DUPLICATE)
    assert read_card(subscriber, duplicate)["PrimarySmartcardUuid"] == old

    request = request_of(start(subscriber, "Renew", old))
    old_card_id = read_card(subscriber, old)["SerialNumber"]
    assert refusal_of(present(subscriber, request, old_card_id)) == (409, "card-in-use")
    new = bind_card(subscriber, request)
    body = fulfil(subscriber, request)
    assert (body["NewSmartcardUuid"], body["OldSmartcardUuid"]) == (new, old)
    assert (state_of(subscriber, old), state_of(subscriber, new)) == ((ACTIVE, SUPERSEDED), (ACTIVE, PRIMARY))
    assert read_card(subscriber, new)["ParentSmartcardUuid"] == old


def test_an_update_in_place_stays_on_its_card(subscriber: httpx.Client) -> None:
    card = enroll_card(subscriber)
    name = "ContosoVirtualSmartCardLimitedRelease-KSP"
    request = request_of(start(subscriber, "OnlineUpdate", card, certificatetemplate=name))
    assert refusal_of(present(subscriber, request, new_card_id())) == (409, "card-bound-already")
    fulfil(subscriber, request)
    assert state_of(subscriber, card) == (ACTIVE, PRIMARY)
    assert len(subscriber.get(f"/smartcards/{card}/certificates").json()) == 2


def test_a_template_without_cards_takes_none(subscriber: httpx.Client) -> None:
    request = open_request(subscriber, SOFTWARE)
    assert refusal_of(present(subscriber, request, new_card_id())) == (409, "card-not-taken")


def test_cards_are_listed_by_status(subscriber: httpx.Client) -> None:
    card = enroll_card(subscriber)
    for status in ("active", "Completed"):
        listed = subscriber.get(f"/smartcards?status={status}").json()
        assert card in [each["Uuid"] for each in listed]
        assert {each["Status"] for each in listed} == {ACTIVE}
    assert subscriber.get("/smartcards?status=nonsense").status_code == 204


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"cardid": str(uuid4())}, "malformed-value"),
        ({"requestid": str(uuid4())}, "malformed-value"),
        ({"requestid": "1", "cardid": "2"}, "rules-broken"),
        ({"requestid": str(uuid4()), "cardid": str(uuid4()), "atr": "3b8"}, "malformed-value"),
        ({"requestid": str(uuid4()), "cardid": str(uuid4()), "atr": "3b" * 34}, "malformed-value"),
    ],
)
def test_a_binding_that_cannot_be_read_is_refused(subscriber: httpx.Client, body: dict[str, str], code: str) -> None:
    assert refusal_of(subscriber.post("/smartcards", json=body)) == (400, code)


def test_the_printed_body_is_taken_with_its_blank_and_its_comma(subscriber: httpx.Client) -> None:
    request, card_id = open_request(subscriber, DOCUMENTED), new_card_id()
    printed = f'{{\n    "requestid":" {request.upper()}",\n    "cardid":"{card_id.upper()}",\n}}'
    json = {"Content-Type": "application/json"}
    assert subscriber.post("/smartcards", content=printed, headers=json).status_code == 201
    assert refusal_of(subscriber.post("/requests", content=printed, headers=json)) == (400, "malformed-body")


def test_unknown_cards_are_not_found(subscriber: httpx.Client) -> None:
    request = open_request(subscriber, DOCUMENTED)
    for path in (
        f"/smartcards/{uuid4()}",
        f"/smartcards/{uuid4()}/operations",
        f"/smartcards/{uuid4()}/certificates",
        f"/requests/{request}/smartcards/{uuid4()}",
    ):
        assert refusal_of(subscriber.get(path)) == (404, "smartcard-not-found")
    assert subscriber.get(f"/smartcards?cardid={uuid4()}").status_code == 204
    assert refusal_of(subscriber.get("/smartcards?cardid=12345")) == (400, "malformed-value")
    assert refusal_of(start(subscriber, "Renew", str(uuid4()))) == (404, "smartcard-not-found")
    assert refusal_of(present(subscriber, str(uuid4()), new_card_id())) == (404, "request-not-found")
