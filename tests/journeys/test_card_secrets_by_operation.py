"""Which of a card's secrets a request gives: those that its operation needs, and no others to whoever may start something."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from certwright.domain.profile_templates import ProfileTemplate, ProfileTemplateId
from certwright.domain.request_types import RequestType
from certwright.domain.smartcard_configuration import UserPinOption
from worlds.card_steps import ACTIVE, PRIMARY, RETIRED, fulfil, read_card, request_of, start, state_of
from worlds.rest_steps import DOCUMENTED, bind_card, close, open_request, refusal_of
from worlds.served import Served, SignedIn
from worlds.software_card import CardSession, SoftwareCard

NOT_NEEDED = (409, "card-secret-not-needed")
CHALLENGE = "0102030405060708"


@pytest.fixture
def distributing(served: Served) -> Iterator[ProfileTemplate]:
    """The template of the documented cards, with PINs that the server makes and keeps for the subject."""
    store = served.installation.world.store
    with store.writing() as session:
        usual = session.templates.get(ProfileTemplateId(UUID(DOCUMENTED)))
        assert usual.smartcard is not None
        smartcard = replace(usual.smartcard, user_pin_option=UserPinOption.SERVER_DISTRIBUTED)
        changed = session.templates.save(replace(usual, smartcard=smartcard))
    yield changed
    with store.writing() as session:
        session.templates.save(usual)


def ask_pin(client: httpx.Client, request: str, card: str) -> httpx.Response:
    return client.get(f"/requests/{request}/smartcards/{card}/serverproposedpin")


def set_up(client: httpx.Client, card: SoftwareCard) -> tuple[str, str]:
    """Return the GUID of the client's new card, with a key of its own, and the PIN that was proposed for it."""
    request = open_request(client, DOCUMENTED)
    smartcard = bind_card(client, request, card.card_id)
    CardSession(client, request, smartcard, card).diversify()
    pin = ask_pin(client, request, smartcard).json()
    fulfil(client, request)
    return smartcard, pin


@pytest.mark.parametrize("kind", ["Suspend", "Revoke"])
@pytest.mark.usefixtures("distributing")
def test_the_right_to_end_a_card_gives_none_of_its_secrets(kind: str, subscriber: httpx.Client, sign_in: SignedIn) -> None:
    card, helpdesk = SoftwareCard(), sign_in("helpdesk")
    smartcard, pin = set_up(subscriber, card)
    request = request_of(start(helpdesk, kind, smartcard))
    visit = CardSession(helpdesk, request, smartcard, card)
    assert refusal_of(ask_pin(helpdesk, request, smartcard)) == NOT_NEEDED
    assert refusal_of(visit.ask_key()) == NOT_NEEDED
    assert refusal_of(visit.ask_answer(CHALLENGE, diversified="true")) == NOT_NEEDED
    short = f"/smartcards/{smartcard}/serverproposedpin"
    assert refusal_of(helpdesk.get(short)) == (403, "access-denied")
    assert close(helpdesk, request, "Canceled").status_code == 200
    assert state_of(subscriber, smartcard) == (ACTIVE, PRIMARY)
    assert subscriber.get(short).json() == pin


@pytest.mark.usefixtures("distributing")
def test_a_card_that_is_to_be_retired_is_answered_when_it_is_and_not_before(
    subscriber: httpx.Client, sign_in: SignedIn
) -> None:
    card, helpdesk = SoftwareCard(), sign_in("helpdesk")
    smartcard, _ = set_up(subscriber, card)
    request = request_of(start(helpdesk, "Retire", smartcard))
    visit = CardSession(helpdesk, request, smartcard, card)
    assert refusal_of(visit.ask_answer(CHALLENGE, diversified="true")) == (409, "card-state-refused")
    assert helpdesk.put(f"/requests/{request}/smartcards/{smartcard}", json={"status": "Retired"}).status_code == 200
    assert refusal_of(ask_pin(helpdesk, request, smartcard)) == NOT_NEEDED
    assert refusal_of(visit.ask_key()) == NOT_NEEDED
    assert visit.open_card(diversified=True), "the client may erase the card"
    assert close(helpdesk, request, "Canceled").status_code == 200
    assert state_of(subscriber, smartcard) == (RETIRED, PRIMARY)


@pytest.mark.usefixtures("distributing")
def test_who_unblocks_a_card_is_given_another_pin_than_the_one_that_was_kept(
    subscriber: httpx.Client, sign_in: SignedIn
) -> None:
    card, helpdesk = SoftwareCard(), sign_in("helpdesk")
    smartcard, kept = set_up(subscriber, card)
    request = request_of(start(helpdesk, "Unblock", smartcard))
    visit = CardSession(helpdesk, request, smartcard, card)
    assert refusal_of(visit.ask_key()) == NOT_NEEDED
    assert visit.open_card(diversified=True)
    pin = ask_pin(helpdesk, request, smartcard).json()
    assert pin != kept
    assert close(helpdesk, request).status_code == 200
    short = f"/smartcards/{smartcard}/serverproposedpin"
    assert refusal_of(helpdesk.get(short)) == (403, "access-denied")
    assert subscriber.get(short).json() == pin


@pytest.mark.usefixtures("distributing")
def test_an_answer_over_the_telephone_comes_without_pin_and_key(subscriber: httpx.Client, sign_in: SignedIn) -> None:
    card, helpdesk = SoftwareCard(), sign_in("helpdesk")
    smartcard, _ = set_up(subscriber, card)
    request = request_of(start(helpdesk, "OfflineUnblock", smartcard))
    visit = CardSession(helpdesk, request, smartcard, card)
    assert refusal_of(ask_pin(helpdesk, request, smartcard)) == NOT_NEEDED
    assert refusal_of(visit.ask_key()) == NOT_NEEDED
    assert visit.open_card(diversified=True)


def test_a_renewal_in_place_is_proposed_no_pin(subscriber: httpx.Client, served: Served, distributing: ProfileTemplate) -> None:
    renewing = replace(distributing.policies[RequestType.RENEW], reuse_smartcard=True)
    policies = {**distributing.policies, RequestType.RENEW: renewing}
    with served.installation.world.store.writing() as session:
        session.templates.save(replace(distributing, policies=policies))
    card = SoftwareCard()
    smartcard, pin = set_up(subscriber, card)
    request = request_of(start(subscriber, "Renew", smartcard))
    assert read_card(subscriber, smartcard)["Status"] == ACTIVE
    assert ask_pin(subscriber, request, smartcard).status_code == 204
    assert CardSession(subscriber, request, smartcard, card).open_card(diversified=True)
    assert close(subscriber, request, "Canceled").status_code == 200
    assert subscriber.get(f"/smartcards/{smartcard}/serverproposedpin").json() == pin
