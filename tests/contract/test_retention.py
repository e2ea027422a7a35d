"""Removal of what nobody needs any more: never of what belongs to a living certificate, and never without a signed record."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, create_engine, delete, insert, select, text, update

from certwright.adapters.keys.sealing_key import HistorySealingKey
from certwright.adapters.sql.retention_tables import retention_records
from certwright.adapters.sql.store import SqlStore
from certwright.adapters.sql.tables import events
from certwright.application.prune_history import EVENTS_AT_ONCE, NUMBERS_A_LOOK, Pruned, count_prunable, prune_history
from certwright.application.seal_history import seal_history
from certwright.application.verify_history import HistoryReport, verify_history
from certwright.domain.errors import MalformedValue
from certwright.domain.events import EventType
from certwright.domain.requests import RequestStatus
from certwright.domain.retention import encode_ranges, find_ranges
from worlds.authorities import make_key
from worlds.contoso import NOW, TEMPLATE
from worlds.holdings import make_certificate, make_event, make_profile, make_request
from worlds.house import House, found_house

KEY = HistorySealingKey(make_key(name="sealing-key"))
OTHER_KEY = HistorySealingKey(make_key(name="another-key"))
OLD = NOW - timedelta(days=1_000)
LIMIT = NOW - timedelta(days=1)


@pytest.fixture
def house(store: SqlStore) -> House:
    return found_house(store)


@contextmanager
def tools(url: str) -> Iterator[Engine]:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    yield engine
    engine.dispose()


def prune(house: House) -> Pruned:
    return prune_history(LIMIT, operator="root", world=house.world, key=KEY)


def verify(house: House) -> HistoryReport:
    return verify_history(world=house.world, key=KEY)


def list_comments(house: House) -> list[str]:
    with house.store.reading() as session:
        return [each.comment for each in session.history.list_between(0, 1_000) if each.comment]


def fill(house: House) -> None:
    """Write old events of requests of every fate, and events of no request, and seal them."""
    ended, living = {"not_after": NOW - timedelta(days=2)}, {"not_after": NOW + timedelta(days=2)}
    done = {"status": RequestStatus.COMPLETED}
    holding, empty, old = make_profile(), make_profile(), make_profile()
    made = {
        "open": make_request(),
        "of a living certificate": make_request(**done),
        "of a profile with a living one": make_request(profile_id=holding.id, **done),
        "about a profile with a living one": make_request(old_profile_id=holding.id, **done),
        "of an ended certificate": make_request(profile_id=old.id, **done),
        "of nothing": make_request(profile_id=empty.id, **done),
    }
    with house.store.writing() as session:
        session.templates.save(TEMPLATE)
        for profile in (holding, empty, old):
            session.profiles.add(profile)
        for request in made.values():
            session.requests.add(request)
        session.certificates.add(
            [
                make_certificate(made["of a living certificate"], holding, **living),
                make_certificate(made["of an ended certificate"], old, **ended),
            ]
        )
        session.history.append(make_event(name, request_id=each.id, at=OLD) for name, each in made.items())
        session.history.append(
            [
                make_event("right", type=EventType.RIGHT_GRANTED, at=OLD),
                make_event("failure", type=EventType.SIGN_IN_FAILED, at=OLD),
                make_event("new failure", type=EventType.SIGN_IN_FAILED, at=NOW),
            ]
        )
    seal_history(world=house.world, key=KEY)


STAYING = [
    "open",
    "of a living certificate",
    "of a profile with a living one",
    "about a profile with a living one",
    "right",
    "new failure",
]


def test_what_belongs_to_a_living_certificate_stays_and_what_passes_goes(house: House) -> None:
    fill(house)
    assert count_prunable(LIMIT, world=house.world) == 3
    assert prune(house) == Pruned(events=3, records=1)
    assert list_comments(house) == STAYING
    assert verify(house) == HistoryReport(events=9, seals=1, unsealed=1, removed=3)
    assert prune(house) == Pruned(events=0, records=0)


def test_more_is_removed_than_one_look_and_one_batch_have(house: House) -> None:
    many = EVENTS_AT_ONCE + NUMBERS_A_LOOK + 1
    kept = make_event("right", type=EventType.RIGHT_GRANTED, at=OLD)
    with house.store.writing() as session:
        session.history.append([kept, *(make_event("x", type=EventType.SIGN_IN_FAILED, at=OLD) for _ in range(many)), kept])
    seal_history(world=house.world, key=KEY)
    assert count_prunable(LIMIT, world=house.world) == many
    pruned = prune(house)
    assert (pruned.events, pruned.records) == (many, 3)
    assert list_comments(house) == ["right"]
    assert verify(house).faults == ()


def test_what_is_not_sealed_is_not_removed(house: House) -> None:
    with house.store.writing() as session:
        session.history.append([make_event("failure", type=EventType.SIGN_IN_FAILED, at=OLD)])
    assert prune(house) == Pruned(events=0, records=0)


def test_nobody_prunes_what_is_to_come(house: House) -> None:
    for work in (
        lambda: prune_history(NOW + timedelta(days=1), operator="root", world=house.world, key=KEY),
        lambda: count_prunable(NOW + timedelta(days=1), world=house.world),
    ):
        with pytest.raises(MalformedValue):
            work()


def test_that_something_was_removed_is_an_event(house: House) -> None:
    fill(house)
    prune(house)
    with house.store.reading() as session:
        (told,) = session.history.list_unsealed(10)
    assert (told.type, told.actor, told.details["events"]) == (EventType.HISTORY_PRUNED, "root", "3")


def test_an_event_that_is_missing_beyond_the_record_is_named(house: House, url: str) -> None:
    fill(house)
    prune(house)
    with tools(url) as engine, engine.begin() as connection:
        connection.execute(delete(events).where(events.c.sequence == 1))
    assert verify(house).faults == ("event 1 is missing",)


def test_an_event_that_is_there_again_is_named(house: House, url: str) -> None:
    fill(house)
    with tools(url) as engine:
        with engine.begin() as connection:
            row = dict(connection.execute(select(events).where(events.c.sequence == 5)).one()._mapping)
        prune(house)
        with engine.begin() as connection:
            connection.execute(insert(events).values(row))
    assert verify(house).faults == ("event 5 was removed and is there again",)


@pytest.mark.parametrize(
    "change", [{"numbers": "1-8"}, {"before": NOW}, {"operator": "somebody"}, {"events": 9}, {"removed_at": OLD}, {"number": 7}]
)
def test_a_record_that_was_changed_removes_nothing(house: House, url: str, change: dict[str, object]) -> None:
    fill(house)
    prune(house)
    with tools(url) as engine, engine.begin() as connection:
        connection.execute(update(retention_records).values(change))
    faults = verify(house).faults
    number = change.get("number", 1)
    assert faults[0] == f"retention record {number} is not signed by the sealing key"
    assert faults[1:] == ("events 5 to 6 are missing", "event 8 is missing")


def test_a_record_of_somebody_without_the_sealing_key_removes_nothing(house: House) -> None:
    fill(house)
    prune_history(LIMIT, operator="root", world=house.world, key=OTHER_KEY)
    assert "retention record 1 is not signed by the sealing key" in verify(house).faults
    assert "events 5 to 6 are missing" in verify(house).faults


def test_without_its_record_what_was_removed_is_missing(house: House, url: str) -> None:
    fill(house)
    prune(house)
    with tools(url) as engine, engine.begin() as connection:
        connection.execute(text("DELETE FROM retention_records"))
    assert verify(house).faults == ("events 5 to 6 are missing", "event 8 is missing")


@pytest.mark.parametrize(("numbers", "expected"), [([], ""), ([7], "7"), ([1, 2, 3], "1-3"), ([1, 3, 4, 9], "1,3-4,9")])
def test_numbers_that_follow_each_other_are_a_range(numbers: list[int], expected: str) -> None:
    assert encode_ranges(find_ranges(numbers)) == expected


def test_what_belongs_to_no_request_stays_also_where_no_request_is_needed(store: SqlStore) -> None:
    house = found_house(store)
    with house.store.writing() as session:
        kinds = (EventType.SERVICE_INITIALIZED, EventType.RIGHT_GRANTED, EventType.SERVICE_STARTED)
        session.history.append(make_event(each.value, type=each, at=OLD) for each in kinds)
    assert seal_history(world=house.world, key=KEY) == len(kinds)
    assert prune(house).events == 1
    assert list_comments(house) == ["service.initialized", "right.granted"]
