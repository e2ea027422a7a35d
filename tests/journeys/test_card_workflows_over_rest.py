"""Every kind of request on cards: replaced, used again, unblocked, lent for a day, ended at the reader."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from certwright.domain.certificates import SerialNumber
from certwright.domain.events import Event
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import ProfileTemplate, ProfileTemplateId
from certwright.domain.request_types import RequestType
from certwright.domain.smartcard_configuration import PinPolicy, PinRecipient, UserPinOption
from worlds.card_steps import (
    ACTIVE,
    DISABLED,
    PRIMARY,
    RETIRED,
    REUSED,
    SUPERSEDED,
    SUSPENDED,
    TEMPORARY,
    enroll_card,
    fulfil,
    new_card_id,
    read_card,
    request_of,
    start,
    state_of,
)
from worlds.rest_steps import CARD_LOGON, DOCUMENTED, bind_card, close, open_request, refusal_of, submit
from worlds.served import Served, SignedIn
from worlds.software_card import CardSession, SoftwareCard
from worlds.workflow_steps import rsa_request

GOOD, REVOKED, ON_HOLD = 0, 1, 3
ROLES = ["subscriber", "subscriber2", "manager", "approver", "helpdesk", "administrator", "outsider"]
KINDS = [
    "renew",
    "recover",
    "recoveronbehalf",
    "disable",
    "suspend",
    "reinstate",
    "duplicate",
    "onlineupdate",
    "retire",
    "unblock",
    "offlineunblock",
    "temporarycardenroll",
    "temporarycardretire",
    "temporarycarddisable",
]


@pytest.fixture
def usual(served: Served) -> Any:
    """The template of the documented cards, which the test may change."""
    store = served.installation.world.store
    with store.reading() as session:
        template = session.templates.get(ProfileTemplateId(UUID(DOCUMENTED)))
    yield template
    with store.writing() as session:
        session.templates.save(template)


def change(served: Served, template: ProfileTemplate, policy: tuple[RequestType, Policy] | None = None, **card: Any) -> None:
    assert template.smartcard is not None
    policies = {**template.policies, **dict([policy] if policy else [])}
    with served.installation.world.store.writing() as session:
        session.templates.save(replace(template, smartcard=replace(template.smartcard, **card), policies=policies))


def serials_on(client: httpx.Client, card: str) -> list[str]:
    return [each["SerialNumber"] for each in client.get(f"/smartcards/{card}/certificates").json()]


def own_serials(client: httpx.Client) -> set[str]:
    return {each["SerialNumber"] for each in client.get("/certificates").json()}


def certificate_statuses(served: Served, client: httpx.Client, card: str) -> list[int]:
    """Return the status of each certificate that is listed for the card, also of one that has left all other lists."""
    with served.installation.world.store.reading() as session:
        found = [session.certificates.find(SerialNumber(int(each, 16))) for each in serials_on(client, card)]
    now = served.installation.world.clock.now()
    return [each.status(now) for each in found if each is not None]


def lend(manager: httpx.Client, subscriber: httpx.Client, card: str | None = None, **properties: Any) -> str:
    """Return a temporary card of the subscriber."""
    body = {"type": "TemporaryCards", **({"smartcard": card} if card else {}), **properties}
    request = request_of(manager.post("/requests", json=body))
    bound = bind_card(subscriber, request)
    fulfil(subscriber, request)
    return bound


def test_a_lost_card_is_replaced_by_another_one(subscriber: httpx.Client, served: Served) -> None:
    lost = enroll_card(subscriber)
    request = request_of(start(subscriber, "Recover", lost, comment="Lost in the tram"))
    new = bind_card(subscriber, request)
    body = fulfil(subscriber, request)
    assert (body["RequestType"], body["OldSmartcardUuid"], body["NewSmartcardUuid"]) == (2, lost, new)
    assert (state_of(subscriber, lost), state_of(subscriber, new)) == ((DISABLED, SUPERSEDED), (ACTIVE, PRIMARY))
    assert read_card(subscriber, lost)["Comment"] == "Lost in the tram"
    assert (certificate_statuses(served, subscriber, lost), certificate_statuses(served, subscriber, new)) == ([1], [0])


def test_a_renewal_uses_its_card_again_where_the_policy_says_so(
    subscriber: httpx.Client, served: Served, usual: ProfileTemplate
) -> None:
    change(served, usual, (RequestType.RENEW, replace(usual.policies[RequestType.RENEW], reuse_smartcard=True)))
    card_id = new_card_id()
    card = enroll_card(subscriber, card=card_id)
    request = request_of(start(subscriber, "Renew", card))
    body = subscriber.get(f"/requests/{request}").json()
    assert (body["NewSmartcardUuid"], body["OldSmartcardUuid"]) == (card, card)
    assert bind_card(subscriber, request, card_id) == card
    done = fulfil(subscriber, request)
    assert state_of(subscriber, card) == (ACTIVE, PRIMARY)
    assert done["NewProfileUuid"] != done["OldProfileUuid"]
    held = subscriber.get(f"/smartcards/{card}/certificates").json()
    profiles = (done["NewProfileUuid"], done["OldProfileUuid"])
    assert held == [one for each in profiles for one in subscriber.get(f"/profiles/{each}/certificates").json()]
    assert len(held) == 2
    assert subscriber.get(f"/profiles/{done['OldProfileUuid']}").json()["Flags"] == SUPERSEDED

    request = request_of(start(subscriber, "Renew", card))
    other = bind_card(subscriber, request)
    fulfil(subscriber, request)
    assert (state_of(subscriber, card), state_of(subscriber, other)) == ((ACTIVE, SUPERSEDED), (ACTIVE, PRIMARY))

    request = request_of(start(subscriber, "Renew", other))
    assert close(subscriber, request, "Abandoned").status_code == 200
    assert state_of(subscriber, other) == (ACTIVE, PRIMARY), "a renewal that came to nothing leaves the card alone"


@pytest.mark.parametrize(
    ("kinds", "card_status", "certificate_status"),
    [
        (["Revoke"], DISABLED, REVOKED),
        (["Retire"], RETIRED, REVOKED),
        (["Revoke", "Retire"], RETIRED, REVOKED),
        (["Suspend"], SUSPENDED, ON_HOLD),
        (["Suspend", "Reinstate"], ACTIVE, GOOD),
        (["Suspend", "Revoke"], DISABLED, REVOKED),
    ],
)
def test_a_card_that_was_renewed_in_place_ends_with_every_certificate_on_it(
    subscriber: httpx.Client,
    sign_in: SignedIn,
    served: Served,
    usual: ProfileTemplate,
    kinds: list[str],
    card_status: int,
    certificate_status: int,
) -> None:
    change(served, usual, (RequestType.RENEW, replace(usual.policies[RequestType.RENEW], reuse_smartcard=True)))
    helpdesk, card = sign_in("helpdesk"), enroll_card(subscriber)
    profiles = [fulfil(subscriber, request_of(start(subscriber, "Renew", card)))["OldProfileUuid"] for _ in range(2)]
    serials = serials_on(subscriber, card)
    assert len(serials) == 3
    assert certificate_statuses(served, subscriber, card) == [GOOD] * 3
    assert set(serials) <= own_serials(subscriber)
    for kind in kinds:
        assert close(helpdesk, request_of(start(helpdesk, kind, card))).status_code == 200
    assert state_of(subscriber, card) == (card_status, PRIMARY)
    assert serials_on(subscriber, card) == serials
    assert certificate_statuses(served, subscriber, card) == [certificate_status] * 3
    assert [subscriber.get(f"/profiles/{each}").json()["Status"] for each in profiles] == [card_status] * 2
    assert set(serials) & own_serials(subscriber) == (set() if card_status == RETIRED else set(serials))


def test_a_card_ends_with_the_certificate_that_a_renewal_in_place_has_just_put_on_it(
    subscriber: httpx.Client, sign_in: SignedIn, served: Served, usual: ProfileTemplate
) -> None:
    change(served, usual, (RequestType.RENEW, replace(usual.policies[RequestType.RENEW], reuse_smartcard=True)))
    helpdesk, card = sign_in("helpdesk"), enroll_card(subscriber)
    renewal = request_of(start(subscriber, "Renew", card))
    assert submit(subscriber, renewal, rsa_request(renewal)).status_code == 200
    assert len(serials_on(subscriber, card)) == 2
    assert close(helpdesk, request_of(start(helpdesk, "Revoke", card))).status_code == 200
    assert certificate_statuses(served, subscriber, card) == [REVOKED] * 2
    assert refusal_of(close(subscriber, renewal)) == (409, "profile-state-refused")
    assert close(subscriber, renewal, "Canceled").status_code == 200


def test_a_card_that_is_replaced_takes_with_it_what_was_renewed_in_place(
    subscriber: httpx.Client, served: Served, usual: ProfileTemplate
) -> None:
    change(served, usual, (RequestType.RENEW, replace(usual.policies[RequestType.RENEW], reuse_smartcard=True)))
    lost = enroll_card(subscriber)
    fulfil(subscriber, request_of(start(subscriber, "Renew", lost)))
    request = request_of(start(subscriber, "Recover", lost))
    new = bind_card(subscriber, request)
    fulfil(subscriber, request)
    assert certificate_statuses(served, subscriber, lost) == [REVOKED] * 2
    assert (state_of(subscriber, lost), certificate_statuses(served, subscriber, new)) == ((DISABLED, SUPERSEDED), [GOOD])


def test_cards_are_found_under_smartcards_and_not_under_profiles(subscriber: httpx.Client) -> None:
    request = open_request(subscriber, DOCUMENTED)
    card = bind_card(subscriber, request)
    on_card = fulfil(subscriber, request)["NewProfileUuid"]
    software = fulfil(subscriber, open_request(subscriber))["NewProfileUuid"]
    listed = {each["Uuid"] for each in subscriber.get("/profiles").json()}
    assert (software in listed, on_card in listed) == (True, False)
    assert card in {each["Uuid"] for each in subscriber.get("/smartcards").json()}
    assert subscriber.get(f"/profiles/{on_card}").json()["Uuid"] == on_card
    assert [each["Uuid"] for each in subscriber.get(f"/requests/{request}/profiles").json()] == [on_card]


def test_a_retired_card_goes_to_somebody_else_where_the_template_says_so(
    subscriber: httpx.Client, sign_in: SignedIn, served: Served, usual: ProfileTemplate
) -> None:
    change(served, usual, allow_reuse=True)
    card_id = new_card_id()
    first = enroll_card(subscriber, card=card_id)
    close(sign_in("helpdesk"), request_of(start(sign_in("helpdesk"), "Retire", first)))
    request = open_request(sign_in("subscriber2"), DOCUMENTED)
    second = bind_card(sign_in("subscriber2"), request, card_id)
    assert second != first
    assert state_of(sign_in("subscriber2"), second) == (1, PRIMARY | REUSED)
    assert state_of(subscriber, first) == (RETIRED, PRIMARY)


def test_a_blocked_pin_is_reset_with_the_cards_own_key(subscriber: httpx.Client, sign_in: SignedIn) -> None:
    card = SoftwareCard()
    request = open_request(subscriber, DOCUMENTED)
    smartcard = bind_card(subscriber, request, card.card_id)
    CardSession(subscriber, request, smartcard, card).diversify()
    fulfil(subscriber, request)
    for who in (subscriber, sign_in("helpdesk")):
        request = request_of(start(who, "Unblock", smartcard))
        body = who.get(f"/requests/{request}").json()
        assert (body["RequestType"], body["NewSmartcardUuid"], body["OldSmartcardUuid"]) == (5, smartcard, smartcard)
        assert (body["NewProfileUuid"], body["IsSmartcard"]) == (body["OldProfileUuid"], True)
        assert CardSession(subscriber, request, smartcard, card).open_card(diversified=True)
        card.set_pin("471100")
        assert close(subscriber, request).status_code == 200
        assert state_of(subscriber, smartcard) == (ACTIVE, PRIMARY)
    assert refusal_of(start(sign_in("manager"), "Unblock", smartcard))[0] == 403


def test_nobody_unblocks_the_card_of_an_account_that_is_switched_off(
    subscriber: httpx.Client, sign_in: SignedIn, served: Served
) -> None:
    helpdesk, card = sign_in("helpdesk"), SoftwareCard()
    smartcard = enroll_card(subscriber, card=card.card_id)
    request = request_of(start(helpdesk, "OfflineUnblock", smartcard))
    store = served.installation.world.store
    with store.reading() as session:
        found = session.directory.find_account("CORP", "subscriber")
    assert found is not None
    with store.writing() as session:
        session.directory.save_user(replace(found.user, enabled=False))
    try:
        answer = CardSession(helpdesk, request, smartcard, card).ask_answer("0102030405060708", diversified="false")
        assert refusal_of(answer) == (403, "subject-disabled")
        assert refusal_of(start(helpdesk, "Unblock", smartcard)) == (403, "subject-disabled")
        request = request_of(start(helpdesk, "Retire", smartcard))
        assert close(helpdesk, request).status_code == 200
    finally:
        with store.writing() as session:
            session.directory.save_user(found.user)


def test_a_temporary_card_stands_for_another_for_a_day(subscriber: httpx.Client, sign_in: SignedIn, served: Served) -> None:
    manager, helpdesk = sign_in("manager"), sign_in("helpdesk")
    permanent = enroll_card(subscriber)
    temporary = lend(manager, subscriber, permanent)
    body = read_card(subscriber, temporary)
    assert (body["Flags"], body["PermanentSmartcardUuid"]) == (TEMPORARY, permanent)
    assert state_of(subscriber, permanent) == (ACTIVE, PRIMARY)
    (serial,) = [each["SerialNumber"] for each in subscriber.get(f"/smartcards/{temporary}/certificates").json()]
    (short,) = [each for each in subscriber.get("/certificates").json() if each["SerialNumber"] == serial]
    assert short["NotAfter"][:10] > short["NotBefore"][:10]
    assert int(short["NotAfter"][:4]) - int(short["NotBefore"][:4]) <= 1
    again = manager.post("/requests", json={"type": "TemporaryCards", "smartcard": permanent})
    assert refusal_of(again) == (409, "temporary-cards-exhausted")
    for kind in ("Renew", "Duplicate", "Retire", "Revoke", "Suspend", "TemporaryEnroll"):
        assert start(helpdesk, kind, temporary).status_code in (403, 409)
    assert close(helpdesk, request_of(start(helpdesk, "TemporaryCardRetire", temporary))).status_code == 200
    assert state_of(subscriber, temporary) == (RETIRED, TEMPORARY)
    assert (certificate_statuses(served, subscriber, temporary), certificate_statuses(served, subscriber, permanent)) == (
        [1],
        [0],
    )


def test_a_temporary_card_may_stand_for_no_other_and_is_disabled_when_it_is_lost(
    subscriber: httpx.Client, sign_in: SignedIn, served: Served
) -> None:
    owner = read_card(subscriber, enroll_card(subscriber))["AssignedUserUuid"]
    card = lend(sign_in("manager"), subscriber, profiletemplateuuid=DOCUMENTED, target=owner)
    assert read_card(subscriber, card)["PermanentSmartcardUuid"] == "00000000-0000-0000-0000-000000000000"
    assert state_of(subscriber, card) == (ACTIVE, TEMPORARY)
    helpdesk = sign_in("helpdesk")
    assert close(helpdesk, request_of(start(helpdesk, "TemporaryCardDisable", card, comment="lost"))).status_code == 200
    assert state_of(subscriber, card) == (DISABLED, TEMPORARY)
    assert certificate_statuses(served, subscriber, card) == [1]
    assert close(helpdesk, request_of(start(helpdesk, "TemporaryCardRetire", card))).status_code == 200


def test_what_is_told_of_a_card_takes_effect_before_the_request_is_completed(
    subscriber: httpx.Client, sign_in: SignedIn, served: Served
) -> None:
    helpdesk, card = sign_in("helpdesk"), enroll_card(subscriber)
    request = request_of(start(helpdesk, "Retire", card))
    path = f"/requests/{request}/smartcards/{card}"
    assert refusal_of(helpdesk.put(path, json={"status": "Active"})) == (409, "card-state-refused")
    assert refusal_of(helpdesk.put(path, json={"status": "Broken"})) == (400, "malformed-value")
    assert refusal_of(sign_in("manager").put(path, json={"status": "Retired"})) == (403, "access-denied")
    told = helpdesk.put(path)
    assert (told.status_code, told.json()["Status"], list(told.json())[:3]) == (200, RETIRED, ["Uuid", "Status", "Flags"])
    assert helpdesk.put(path, json={"status": "retired"}).json() == told.json()
    assert helpdesk.get(f"/requests/{request}").json()["Status"] == 18
    assert certificate_statuses(served, subscriber, card) == [1]
    assert close(helpdesk, request).json()["Status"] == 8
    assert refusal_of(helpdesk.put(path)) == (409, "transition-refused")


def test_a_request_of_another_kind_ends_no_card(subscriber: httpx.Client, sign_in: SignedIn) -> None:
    card = enroll_card(subscriber)
    request = request_of(start(subscriber, "Unblock", card))
    assert refusal_of(subscriber.put(f"/requests/{request}/smartcards/{card}")) == (409, "card-state-refused")
    assert refusal_of(subscriber.put(f"/requests/{request}/smartcards/{uuid4()}")) == (404, "smartcard-not-found")
    enrolling = open_request(subscriber, DOCUMENTED)
    bound = bind_card(subscriber, enrolling)
    assert refusal_of(subscriber.put(f"/requests/{enrolling}/smartcards/{bound}", json={"status": "Active"})) == (
        409,
        "card-state-refused",
    )
    assert refusal_of(subscriber.put(f"/requests/{enrolling}/smartcards/{bound}")) == (409, "card-state-refused")
    assert state_of(subscriber, card) == (ACTIVE, PRIMARY)


@pytest.mark.parametrize("template", [DOCUMENTED])
@pytest.mark.parametrize("kind", ["permanent", "temporary", "suspended"])
def test_what_is_listed_for_a_card_is_what_is_accepted(
    template: str, kind: str, subscriber: httpx.Client, sign_in: SignedIn
) -> None:
    card = enroll_card(subscriber, template)
    if kind == "temporary":
        card = lend(sign_in("manager"), subscriber, card)
    if kind == "suspended":
        close(sign_in("helpdesk"), request_of(start(sign_in("helpdesk"), "Suspend", card)))
    seen: dict[str, list[str]] = {}
    for role in ROLES:
        client = sign_in(role)
        answer = client.get(f"/smartcards/{card}/operations")
        listed = answer.json() if answer.status_code == 200 else []
        accepted = []
        for each in KINDS:
            started = start(client, each, card)
            if started.status_code == 201:
                accepted.append(each)
                assert close(client, request_of(started), "Canceled").status_code == 200
            else:
                assert started.status_code in (403, 409), started.text
        assert listed == accepted, role
        seen |= {role: listed} if listed else {}
    assert (
        seen
        == {
            "permanent": {
                "subscriber": ["renew", "recover", "disable", "duplicate", "onlineupdate", "unblock"],
                "manager": ["renew", "recover", "duplicate", "onlineupdate", "temporarycardenroll"],
                "helpdesk": ["disable", "suspend", "retire", "unblock", "offlineunblock"],
            },
            "temporary": {
                "subscriber": ["unblock", "temporarycardretire"],
                "helpdesk": ["unblock", "offlineunblock", "temporarycardretire", "temporarycarddisable"],
            },
            "suspended": {
                "subscriber": ["recover", "disable"],
                "manager": ["recover", "temporarycardenroll"],
                "helpdesk": ["disable", "reinstate", "retire"],
            },
        }[kind]
    )
    if kind == "temporary":
        close(sign_in("helpdesk"), request_of(start(sign_in("helpdesk"), "TemporaryCardRetire", card)))


# -- PINs --------------------------------------------------------------------------------------------------------------


def ask_pin(client: httpx.Client, request: str, card: str) -> httpx.Response:
    return client.get(f"/requests/{request}/smartcards/{card}/serverproposedpin")


def test_a_pin_that_the_user_chooses_is_not_proposed(subscriber: httpx.Client) -> None:
    request = open_request(subscriber, DOCUMENTED)
    card = bind_card(subscriber, request)
    assert ask_pin(subscriber, request, card).status_code == 204
    fulfil(subscriber, request)
    assert subscriber.get(f"/smartcards/{card}/serverproposedpin").status_code == 204


def test_a_randomized_pin_is_new_each_time_and_kept_nowhere(
    subscriber: httpx.Client, served: Served, usual: ProfileTemplate
) -> None:
    change(served, usual, user_pin_option=UserPinOption.RANDOMIZED, user_pin=PinPolicy(min_length=8, max_length=12))
    request = open_request(subscriber, DOCUMENTED)
    card = bind_card(subscriber, request)
    pins = {ask_pin(subscriber, request, card).json() for _ in range(3)}
    assert len(pins) == 3
    assert {(len(each), each.isdigit()) for each in pins} == {(12, True)}
    assert subscriber.get(f"/smartcards/{card}/serverproposedpin").json() not in pins
    fulfil(subscriber, request)
    assert subscriber.get(f"/smartcards/{card}/serverproposedpin").status_code == 204


@pytest.mark.parametrize("recipient", PinRecipient)
def test_a_distributed_pin_is_shown_once_to_whom_the_policy_says(
    recipient: PinRecipient, subscriber: httpx.Client, sign_in: SignedIn, served: Served, usual: ProfileTemplate
) -> None:
    change(served, usual, user_pin_option=UserPinOption.SERVER_DISTRIBUTED, pin_shown_to=recipient)
    with served.installation.world.store.reading() as session:
        owner = session.directory.find_account("CORP", "subscriber")
    assert owner is not None
    request = open_request(sign_in("manager"), DOCUMENTED, target=str(owner.user.id))
    card = bind_card(subscriber, request)
    pin = ask_pin(subscriber, request, card).json()
    assert ask_pin(subscriber, request, card).json() == pin
    assert ask_pin(sign_in("manager"), request, card).status_code == 403
    fulfil(subscriber, request)
    assert refusal_of(ask_pin(subscriber, request, card)) == (409, "transition-refused")

    path = f"/smartcards/{card}/serverproposedpin"
    told, other = ("subscriber", "manager") if recipient is PinRecipient.SUBJECT else ("manager", "subscriber")
    for stranger in (other, "helpdesk", "administrator"):
        assert refusal_of(sign_in(stranger).get(path)) == (403, "access-denied")
    assert sign_in(told).get(path).json() == pin
    assert sign_in(told).get(path).status_code == 204
    with served.installation.world.store.reading() as session:
        events = [each for each in session.history.list_between(1, 10**9) if isinstance(each, Event)]
        assert session.smartcards.find_last(UUID(read_card(subscriber, card)["SerialNumber"])).sealed_pin is None
    ours = [each for each in events if each.details.get("smartcard") == card]
    assert [each.type.value for each in ours if "pin" in each.type] == ["smartcard.pin-proposed"] * 2 + ["smartcard.pin-shown"]
    assert pin not in repr(ours)


def test_a_card_of_the_help_desk_is_made_by_its_agent(subscriber: httpx.Client, sign_in: SignedIn) -> None:
    helpdesk = sign_in("helpdesk")
    request = open_request(subscriber, CARD_LOGON)
    card = bind_card(helpdesk, request)
    fulfil(helpdesk, request)
    assert state_of(subscriber, card) == (ACTIVE, PRIMARY)
