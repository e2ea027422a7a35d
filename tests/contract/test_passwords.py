"""`ports.Passwords`."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import text

from certwright.adapters.sql.store import SqlStore, open_store
from certwright.application.one_time_passwords import distribute_passwords, present_passwords
from certwright.domain.distributed_passwords import DistributedPasswords
from certwright.domain.errors import KeyUnavailable, OneTimePasswordsOver, OneTimePasswordsRejected
from certwright.domain.one_time_passwords import KEY_OCTETS, Distribution, OneTimePasswordRules
from certwright.domain.policies import Policy
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestStatus
from worlds.authorities import KEK
from worlds.contoso import MANAGER, MANAGERS, NOW, SUBSCRIBER
from worlds.holdings import make_request, start
from worlds.house import ONE, found_house, signed_in

DAY = timedelta(days=1)


@pytest.fixture
def store(url: str):
    opened = open_store(url, cipher=KEK)
    yield opened
    opened.close()


def hand_out(store: SqlStore, **changed) -> DistributedPasswords:
    request, _ = start(store)
    plain = {
        "request_id": request.id,
        "key": bytes(range(KEY_OCTETS)),
        "digests": (bytes(32), b"\xff" * 32),
        "distributed": NOW,
        "expires": NOW + DAY,
        "tries_left": 5,
    }
    passwords = DistributedPasswords(**(plain | changed))
    with store.writing() as session:
        session.passwords.save(passwords)
    return passwords


def test_passwords_come_back_as_they_were_saved_and_can_be_saved_again(store: SqlStore) -> None:
    first = hand_out(store)
    second = replace(first, tries_left=4, used=NOW + DAY)
    with store.writing() as session:
        assert session.passwords.find(first.request_id) == first
        assert session.passwords.find_locked(first.request_id) == first
        session.passwords.save(second)
        assert session.passwords.find(first.request_id) == second


def test_a_request_without_passwords_has_none(store: SqlStore) -> None:
    request, _ = start(store)
    with store.writing() as session:
        assert session.passwords.find(request.id) is None
        assert session.passwords.find_locked(request.id) is None


def test_the_key_of_the_hashes_rests_encrypted_and_opens_for_its_request_alone(store: SqlStore) -> None:
    mine, others = hand_out(store), hand_out(store)
    engine = store.engines[-1]
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT sealed_key, request_id FROM one_time_passwords")).all()
        assert all(mine.key not in bytes(row[0]) for row in rows)
        moved = next(row[0] for row in rows if str(row[1]).replace("-", "") == others.request_id.hex)
        column = mine.request_id.hex if engine.dialect.name == "sqlite" else str(mine.request_id)
        changed = connection.execute(
            text("UPDATE one_time_passwords SET sealed_key = :moved WHERE request_id = :mine"), {"moved": moved, "mine": column}
        )
        assert changed.rowcount == 1
        connection.commit()
    with store.reading() as session, pytest.raises(KeyUnavailable):
        session.passwords.find(mine.request_id)


def test_what_has_expired_is_listed_until_it_is_marked_and_marked_once(store: SqlStore) -> None:
    late, soon = hand_out(store, expires=NOW + 2 * DAY), hand_out(store)
    hand_out(store, used=NOW)
    closed = hand_out(store)
    with store.writing() as session:
        request = session.requests.get(closed.request_id)
        session.requests.change(replace(request, status=RequestStatus.CANCELED), from_status=request.status)
        assert session.passwords.list_expired(NOW, 10) == ()
        assert session.passwords.list_expired(NOW + 2 * DAY, 10) == (soon, late)
        assert session.passwords.list_expired(NOW + 2 * DAY, 1) == (soon,)
        assert not session.passwords.mark_expired(late.request_id, NOW + DAY)
        assert session.passwords.mark_expired(soon.request_id, NOW + DAY)
        assert not session.passwords.mark_expired(soon.request_id, NOW + DAY)
        assert session.passwords.list_expired(NOW + 2 * DAY, 10) == (late,)
        session.passwords.save(replace(soon, expires=NOW + 2 * DAY))
        assert len(session.passwords.list_expired(NOW + 2 * DAY, 10)) == 2
        assert session.passwords.find(make_request().id) is None


def test_many_who_guess_at_once_have_no_more_tries_than_one(store: SqlStore) -> None:
    house = found_house(store)
    rules = OneTimePasswordRules(distributions=(Distribution.DISPLAY_ON_SCREEN,), tries=3)
    policy = Policy(initiators=frozenset({MANAGERS}), one_time_passwords=rules)
    house.save(replace(ONE, policies={RequestType.ENROLL: policy}))
    request_id = house.open(by=MANAGER, target=SUBSCRIBER)
    handed_out = distribute_passwords(request_id, by=signed_in(MANAGER), world=house.world)
    barrier = Barrier(8)

    def guess(_: int) -> str:
        barrier.wait()
        try:
            present_passwords(request_id, ("AAAA-AAAA-AAAA",), by=signed_in(SUBSCRIBER), world=house.world)
        except (OneTimePasswordsRejected, OneTimePasswordsOver) as refused:
            return refused.code
        return "accepted"

    with ThreadPoolExecutor(8) as threads:
        answers = Counter(threads.map(guess, range(8)))
    assert answers == {"one-time-passwords-rejected": 3, "one-time-passwords-over": 5}
    with pytest.raises(OneTimePasswordsOver, match="exhausted"):
        present_passwords(request_id, handed_out.shown, by=signed_in(SUBSCRIBER), world=house.world)
    assert house.events(request_id).count("one-time-passwords.rejected") == 3
