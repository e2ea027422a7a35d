"""Administrator keys from the client's side: a card that believes nothing decides whether an answer is right."""

import json
from base64 import b64decode, b64encode
from dataclasses import replace
from uuid import UUID, uuid4

import httpx
import pytest

from certwright.application.admin_keys import rotate_master
from certwright.domain.admin_keys import AdminKey, AdminKeyAlgorithm, AdminKeys, AdminKeyScheme, name_imported_key
from certwright.domain.events import Event
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.requests import RequestId
from certwright.domain.smartcards import SmartcardId
from worlds.card_steps import fulfil, request_of, start
from worlds.contoso import VECTORS
from worlds.rest_steps import CARD_LOGON, DOCUMENTED, bind_card, close, open_request, refusal_of
from worlds.served import Served, SignedIn
from worlds.software_card import CardSession, SoftwareCard

EXAMPLE = next(
    each
    for each in json.loads((VECTORS / "rest_examples.json").read_text())
    if each["page"] == "get-smartcard-authentication-response"
)


def begin(client: httpx.Client, card: SoftwareCard, template: str = DOCUMENTED) -> tuple[str, CardSession]:
    """Open a request for the card and return it with the session."""
    request = open_request(client, template)
    bound = bind_card(client, request, card.card_id, atr=card.atr)
    return request, CardSession(client, request, bound, card)


def renew_in_place(client: httpx.Client, card: SoftwareCard) -> tuple[str, CardSession]:
    """Open an update of the card, which is how a card comes back for a visit."""
    smartcard = client.get(f"/smartcards?cardid={card.card_id}").json()["Uuid"]
    name = "ContosoVirtualSmartCardLimitedRelease-KSP"
    request = request_of(start(client, "OnlineUpdate", smartcard, certificatetemplate=name))
    return request, CardSession(client, request, smartcard, card)


def test_the_documented_challenge_is_answered_as_documented(subscriber: httpx.Client) -> None:
    _, session = begin(subscriber, SoftwareCard())
    query = EXAMPLE["path"].partition("?")[2]
    assert "challenge=1hFD%2Bcz%2F0so%3D" in query
    answer = session.ask_answer("1hFD%2Bcz%2F0so%3D", diversified="False")
    assert answer.text == json.dumps(EXAMPLE["response"])
    for spelled in ("1hFD+cz/0so=", "d61143f9ccffd2ca", "D61143F9CCFFD2CA", "1hFD-cz_0so%3D"):
        assert session.ask_answer(spelled, diversified="").json() == EXAMPLE["response"]


def test_a_card_is_given_a_key_of_its_own_and_keeps_it(subscriber: httpx.Client) -> None:
    card, other = SoftwareCard(), SoftwareCard()
    request, session = begin(subscriber, card)
    assert refusal_of(session.ask_answer("0102030405060708", diversified="TRUE")) == (409, "key-not-diversified")
    assert session.open_card(diversified=False)
    key = session.diversify()
    assert (len(key), {each.bit_count() % 2 for each in key}) == (24, {1})
    assert b64decode(session.ask_key().json()) == key
    fulfil(subscriber, request)
    assert begin(subscriber, other)[1].diversify() != key

    again, visit = renew_in_place(subscriber, card)
    assert visit.open_card(diversified=True)
    assert not visit.open_card(diversified=False), "the initial key is not the card's any more"
    close(subscriber, again, "Canceled")


def test_nothing_is_answered_before_approval_after_the_end_or_to_others(subscriber: httpx.Client, sign_in: SignedIn) -> None:
    card = SoftwareCard()
    request, session = begin(subscriber, card)
    smartcard = subscriber.get(f"/requests/{request}").json()["NewSmartcardUuid"]
    for account, code in (("manager", 403), ("subscriber2", 403), ("helpdesk", 403), ("administrator", 403)):
        stranger = CardSession(sign_in(account), request, smartcard, card)
        assert stranger.ask_key().status_code == code
        assert stranger.ask_answer("0102030405060708", diversified="false").status_code == code
    fulfil(subscriber, request)
    assert refusal_of(session.ask_key()) == (409, "transition-refused")
    assert refusal_of(session.ask_answer("0102030405060708", diversified="false")) == (409, "transition-refused")


def test_an_enrollment_agent_speaks_to_the_card_where_the_policy_says_so(subscriber: httpx.Client, sign_in: SignedIn) -> None:
    card, helpdesk = SoftwareCard(), sign_in("helpdesk")
    request = open_request(subscriber, CARD_LOGON)
    bound = bind_card(helpdesk, request, card.card_id)
    assert CardSession(subscriber, request, bound, card).ask_key().status_code == 403
    CardSession(helpdesk, request, bound, card).diversify()


def test_only_the_bound_card_is_answered(subscriber: httpx.Client) -> None:
    card = SoftwareCard()
    request, session = begin(subscriber, card)
    wrong = session.ask_answer("0102030405060708", diversified="false", card_id=str(uuid4()))
    assert refusal_of(wrong) == (409, "card-differs")
    smartcard = subscriber.get(f"/requests/{request}").json()["NewSmartcardUuid"]
    path = f"/requests/{request}/smartcards/{smartcard}/diversifiedkey"
    assert refusal_of(subscriber.get(f"{path}?cardid={uuid4()}")) == (409, "card-differs")
    assert refusal_of(subscriber.get(f"{path}?atr=3b00")) == (409, "atr-differs")
    assert refusal_of(subscriber.get(f"{path}?cardid=1")) == (400, "malformed-value")
    _, elsewhere = begin(subscriber, SoftwareCard())
    del elsewhere
    other = open_request(subscriber, DOCUMENTED)
    assert refusal_of(CardSession(subscriber, other, smartcard, card).ask_key()) == (404, "smartcard-not-found")


@pytest.mark.parametrize(
    "challenge", ["", "CFAA62118BBD25", "0102030405060g08", "AQIDBAUGBwgJ", "%00", "00" * 17, "1hFD%2Bcz%2F0so"]
)
def test_a_challenge_of_another_form_is_refused(subscriber: httpx.Client, challenge: str) -> None:
    _, session = begin(subscriber, SoftwareCard())
    answer = session.ask_answer(challenge, diversified="false")
    assert refusal_of(answer) == (400, "malformed-value")
    assert not challenge or challenge not in answer.text


def test_a_challenge_of_the_other_algorithm_is_refused(subscriber: httpx.Client) -> None:
    _, session = begin(subscriber, SoftwareCard())
    assert refusal_of(session.ask_answer("00" * 16, diversified="false")) == (400, "malformed-value")
    assert refusal_of(session.ask_answer("00" * 8, diversified="perhaps")) == (400, "malformed-value")


def test_more_challenges_than_the_template_allows_are_refused(subscriber: httpx.Client) -> None:
    _, session = begin(subscriber, SoftwareCard())
    answers = [session.ask_answer(f"{number:016x}", diversified="false") for number in range(51)]
    assert {each.status_code for each in answers[:50]} == {200}
    assert refusal_of(answers[50]) == (409, "challenges-exhausted")
    assert begin(subscriber, SoftwareCard())[1].open_card(diversified=False)


def test_a_client_that_vanishes_before_the_key_was_changed_can_go_on(subscriber: httpx.Client) -> None:
    card = SoftwareCard()
    request, session = begin(subscriber, card)
    session.ask_key()
    assert session.open_card(diversified=False)
    close(subscriber, request, "Abandoned")
    request, session = begin(subscriber, card)
    assert session.open_card(diversified=False), "the card was never given the key that was handed out"
    session.diversify()
    close(subscriber, request, "Abandoned")
    request, session = begin(subscriber, card)
    assert session.open_card(diversified=True), "the card was given the key, and nobody told"
    fulfil(subscriber, request)


def test_a_card_follows_a_new_master_key_at_its_next_visit(subscriber: httpx.Client, served: Served) -> None:
    card = SoftwareCard()
    request, session = begin(subscriber, card)
    old = session.diversify()
    fulfil(subscriber, request)
    rotate_master(operator="root", world=served.installation.world)

    request, session = renew_in_place(subscriber, card)
    assert session.open_card(diversified=True), "the card still has the key of the old master key"
    new = session.diversify()
    assert new != old
    fulfil(subscriber, request)
    request, session = renew_in_place(subscriber, card)
    assert session.open_card(diversified=True)
    assert b64decode(session.ask_key().json()) == new


def test_a_card_with_an_imported_key_is_given_one_of_ours(subscriber: httpx.Client, served: Served) -> None:
    card = SoftwareCard(admin_key=bytes(range(24)))
    request, session = begin(subscriber, card)
    world = served.installation.world
    with world.store.writing() as store:
        smartcard = SmartcardId(UUID(subscriber.get(f"/requests/{request}").json()["NewSmartcardUuid"]))
        known = store.smartcards.get_locked(smartcard)
        sealed = world.card_keys.seal(card.admin_key, name_imported_key(known.card_id))
        keys = AdminKeys(held=AdminKey(scheme=AdminKeyScheme.IMPORTED, sealed=sealed))
        store.smartcards.change(replace(known, admin_keys=keys), from_status=known.status)
    assert session.open_card(diversified=True)
    session.diversify()


@pytest.mark.parametrize("algorithm", [AdminKeyAlgorithm.AES_128, AdminKeyAlgorithm.AES_256])
def test_cards_with_aes_keys_ask_with_sixteen_octets(
    subscriber: httpx.Client, served: Served, algorithm: AdminKeyAlgorithm
) -> None:
    store = served.installation.world.store
    with store.writing() as session:
        usual = session.templates.get(ProfileTemplateId(UUID(DOCUMENTED)))
        assert usual.smartcard is not None
        session.templates.save(replace(usual, smartcard=replace(usual.smartcard, admin_key_algorithm=algorithm)))
    try:
        card = SoftwareCard(octets=16, admin_key=bytes(algorithm.key_octets))
        request, visit = begin(subscriber, card)
        assert len(visit.diversify()) == algorithm.key_octets
        assert refusal_of(visit.ask_answer("00" * 8, diversified="true")) == (400, "malformed-value")
        close(subscriber, request, "Abandoned")
    finally:
        with store.writing() as session:
            session.templates.save(usual)


def test_a_template_may_leave_all_cards_their_initial_key(subscriber: httpx.Client, served: Served) -> None:
    store = served.installation.world.store
    with store.writing() as session:
        usual = session.templates.get(ProfileTemplateId(UUID(DOCUMENTED)))
        assert usual.smartcard is not None
        default = "010203040506070801020304050607080102030405060708"
        changed = replace(usual.smartcard, diversify_admin_key=False, default_admin_key_hex=default)
        session.templates.save(replace(usual, smartcard=changed))
    try:
        _, visit = begin(subscriber, SoftwareCard(admin_key=bytes.fromhex(default)))
        assert visit.open_card(diversified=False)
        assert refusal_of(visit.ask_key()) == (409, "key-shared")
    finally:
        with store.writing() as session:
            session.templates.save(usual)


def test_each_answer_is_in_the_history_without_its_secret(subscriber: httpx.Client, served: Served) -> None:
    card = SoftwareCard()
    request, session = begin(subscriber, card)
    key = session.diversify()
    challenge = bytes.fromhex("0102030405060708")
    answer = session.ask_answer(challenge.hex(), diversified="true").json()
    with served.installation.world.store.reading() as store:
        told = [each for each in store.history.list_of_request(RequestId(UUID(request))) if isinstance(each, Event)]
    types = [each.type.value for each in told]
    assert types.count("smartcard.admin-key-handed-out") == 1
    assert types.count("smartcard.challenge-answered") == 3
    last = told[-1]
    assert (last.details["card"], last.details["scheme"]) == (card.card_id, "derived-v1")
    secrets = [b64encode(each).decode() for each in (key, challenge)] + [key.hex(), challenge.hex(), answer]
    assert not [each for each in secrets if each in repr(told)]
