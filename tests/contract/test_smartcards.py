"""`ports.Smartcards`."""

from dataclasses import replace
from functools import partial
from uuid import UUID, uuid4

import pytest

from certwright.adapters.sql.store import SqlStore
from certwright.domain.admin_keys import AdminKey, AdminKeyAlgorithm, AdminKeys, AdminKeyScheme
from certwright.domain.errors import ChangedMeanwhile, SmartcardNotFound
from certwright.domain.profiles import Profile
from certwright.domain.smartcards import Smartcard, SmartcardFlags, SmartcardId, SmartcardStatus
from worlds.contoso import NOW, TEMPLATE
from worlds.holdings import ALICE, BOB, make_card, make_profile, make_request

KEYS = AdminKeys(
    held=AdminKey(scheme=AdminKeyScheme.IMPORTED, algorithm=AdminKeyAlgorithm.AES_256, sealed=b"\0sealed\xff"),
    offered=AdminKey(scheme=AdminKeyScheme.DERIVED_V1, version=3),
)


def add(store: SqlStore, *cards: Smartcard, profiles: tuple[Profile, ...] = ()) -> None:
    with store.writing() as session:
        session.templates.save(TEMPLATE)
        for profile in profiles:
            session.profiles.add(profile)
        for card in cards:
            session.smartcards.add(card)


def test_a_card_comes_back_as_added_in_every_field(store: SqlStore) -> None:
    profile = make_profile()
    full = make_card(
        profile,
        flags=SmartcardFlags.PRIMARY | SmartcardFlags.REUSED,
        parent_id=SmartcardId(uuid4()),
        primary_id=SmartcardId(uuid4()),
        permanent_id=SmartcardId(uuid4()),
        comment="Lost: in the tram",
        middleware="Other",
        atr="3b8d0180fba000000397425446590301c8",
        admin_keys=KEYS,
        sealed_pin=b"\0pin",
        activated=NOW,
    )
    stock = make_card()
    add(store, full, stock, profiles=(profile,))
    with store.reading() as session:
        assert session.smartcards.get(full.id) == full
        assert session.smartcards.get(stock.id) == stock
        assert session.smartcards.find_of_profile(profile.id) == full


def test_what_is_unknown_is_not_found(store: SqlStore) -> None:
    with store.reading() as session:
        with pytest.raises(SmartcardNotFound):
            session.smartcards.get(SmartcardId(UUID(int=404)))
        assert session.smartcards.find_last(make_card().card_id) is None
        assert session.smartcards.find_of_profile(make_profile().id) is None


def test_the_last_assignment_of_a_card_is_found_among_those_that_ended(store: SqlStore) -> None:
    first = make_card(status=SmartcardStatus.RETIRED)
    second = make_card(card_id=first.card_id)
    add(store, first, second)
    with store.reading() as session:
        assert session.smartcards.find_last(first.card_id) == second


@pytest.mark.parametrize("status", [each for each in SmartcardStatus if each is not SmartcardStatus.RETIRED])
def test_a_card_is_in_one_pair_of_hands_at_a_time(store: SqlStore, status: SmartcardStatus) -> None:
    first = make_card(status=status)
    add(store, first)
    with pytest.raises(ChangedMeanwhile):
        add(store, make_card(card_id=first.card_id, status=SmartcardStatus.ASSIGNED))


def test_cards_are_listed_newest_first_by_owner_and_status(store: SqlStore) -> None:
    profiles = (make_profile(ALICE), make_profile(BOB), make_profile(ALICE))
    cards = [make_card(each) for each in profiles]
    retired, stock = make_card(status=SmartcardStatus.RETIRED, owner_id=ALICE), make_card()
    add(store, *cards, retired, stock, profiles=profiles)
    with store.reading() as session:
        listed = partial(session.smartcards.list_page, limit=10)
        assert listed() == (stock, retired, *reversed(cards))
        assert listed(owner_id=ALICE) == (retired, cards[2], cards[0])
        assert listed(owner_id=BOB, statuses=frozenset({SmartcardStatus.ACTIVE})) == (cards[1],)
        assert listed(statuses=frozenset({SmartcardStatus.NEW, SmartcardStatus.RETIRED})) == (stock, retired)
        assert listed(statuses=frozenset()) == ()
        assert session.smartcards.list_page(limit=2) == (stock, retired)
        assert session.smartcards.list_page(after=retired.id, limit=2) == tuple(reversed(cards))[:2]
        assert listed(owner_id=ALICE, after=retired.id) == (cards[2], cards[0])
        assert listed(after=cards[0].id) == ()


def test_a_card_changes_from_the_status_it_has_and_from_no_other(store: SqlStore) -> None:
    profile = make_profile()
    stock = make_card()
    add(store, stock, profiles=(profile,))
    assigned = replace(
        make_card(profile), id=stock.id, card_id=stock.card_id, status=SmartcardStatus.ASSIGNED, admin_keys=KEYS, activated=NOW
    )
    with store.writing() as session:
        session.smartcards.change(assigned, from_status=SmartcardStatus.NEW)
    with pytest.raises(ChangedMeanwhile), store.writing() as session:
        session.smartcards.change(replace(assigned, status=SmartcardStatus.RETIRED), from_status=SmartcardStatus.NEW)
    with store.reading() as session:
        assert session.smartcards.get(stock.id) == assigned


def test_a_request_remembers_its_cards(store: SqlStore) -> None:
    request = make_request(old_smartcard_id=SmartcardId(uuid4()))
    with store.writing() as session:
        session.templates.save(TEMPLATE)
        session.requests.add(request)
        bound = replace(request, smartcard_id=SmartcardId(uuid4()))
        session.requests.change(bound, from_status=request.status)
    with store.reading() as session:
        assert session.requests.get(request.id) == bound
