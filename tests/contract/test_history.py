"""`history_ports.History`."""

import threading
from contextlib import closing
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import create_engine

from certwright.adapters.keys.sealing_key import HistorySealingKey
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.application.seal_history import seal_history
from certwright.application.verify_history import HistoryReport, verify_history
from certwright.domain.errors import ChangedMeanwhile
from certwright.domain.events import EventType, UnreadableEvent
from certwright.domain.requests import RequestId
from worlds.authorities import make_key
from worlds.holdings import make_event, make_seal
from worlds.house import found_house


def append(store: SqlStore, *comments: str) -> None:
    with store.writing() as session:
        session.history.append([make_event(each) for each in comments])


def list_unsealed(store: SqlStore, limit: int = 100) -> list[str]:
    with store.reading() as session:
        return [each.comment for each in session.history.list_unsealed(limit)]


def test_an_event_comes_back_as_appended_in_every_field(store: SqlStore) -> None:
    event = make_event(
        "Grüße",
        type=EventType.CERTIFICATE_ISSUED,
        actor_id=uuid4(),
        request_id=uuid4(),
        subject_id=uuid4(),
        details={"b": "2", "a": "ü\n\0"},
    )
    with store.writing() as session:
        session.history.append([event])
    with store.reading() as session:
        (found,) = session.history.list_unsealed(10)
    assert found.sequence > 0
    assert replace(found, sequence=0) == event


def test_the_events_of_a_request_are_in_their_order(store: SqlStore) -> None:
    one, other = RequestId(UUID(int=1)), RequestId(UUID(int=2))
    with store.writing() as session:
        session.history.append([make_event("first", request_id=one), make_event("not this", request_id=other)])
        session.history.append([make_event("second", request_id=one)])
    append(store, "nor this")
    with store.writing() as session:
        session.history.append([make_event("third", request_id=one)])
    with store.reading() as session:
        assert [each.comment for each in session.history.list_of_request(one)] == ["first", "second", "third"]


def test_sequence_numbers_grow(store: SqlStore) -> None:
    append(store, "a", "b", "c")
    append(store, "d")
    with store.reading() as session:
        numbers = [each.sequence for each in session.history.list_unsealed(10)]
        between = session.history.list_between(numbers[1], numbers[2])
    assert numbers == sorted(set(numbers))
    assert [each.comment for each in between] == ["b", "c"]


def test_what_was_taken_back_did_not_happen(store: SqlStore) -> None:
    def fail() -> None:
        with store.writing() as session:
            session.history.append([make_event("never")])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    append(store, "once")
    assert list_unsealed(store) == ["once"]


def change_behind_our_back(url: str, change: str) -> None:
    """Do what somebody could who has the database's own tools."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        assert connection.exec_driver_sql(f"UPDATE events SET {change}").rowcount == 1
    engine.dispose()


UNREADABLE = ["type = 'certificate.forged'", "details = 'nonsense'", "details = '[]'", """details = '{"serial": 1}'"""]
UNREADABLE_SQLITE = [
    "at = 'yesterday'",
    "at = 7",
    "actor_id = 'nobody'",
    "request_id = x'00'",
    "details = 7",
    "comment = x'ff'",
    "comment = CAST(x'ff' AS TEXT)",
]
"""PostgreSQL's types do not let these in."""


@pytest.mark.parametrize("change", UNREADABLE)
def test_an_event_that_somebody_made_unreadable_is_listed_as_that_among_the_others(
    store: SqlStore, url: str, change: str
) -> None:
    check_unreadable(store, url, change)


@pytest.mark.parametrize("change", UNREADABLE_SQLITE)
def test_on_sqlite_columns_have_no_types_that_would_keep_an_event_readable(sqlite_url: str, change: str) -> None:
    with closing(open_store(sqlite_url)) as store:
        check_unreadable(store, sqlite_url, change)


def check_unreadable(store: SqlStore, url: str, change: str) -> None:
    append(store, "a", "b", "c")
    with store.reading() as session:
        events = session.history.list_unsealed(10)
    change_behind_our_back(url, f"{change} WHERE sequence = {events[1].sequence}")
    expected = (events[0], UnreadableEvent(events[1].sequence), events[2])
    with store.reading() as session:
        assert session.history.list_unsealed(10) == expected
        assert session.history.list_unsealed(2) == expected[:2]
        assert session.history.list_between(events[1].sequence, events[2].sequence) == expected[1:]


@pytest.mark.parametrize("moment", ["before sealing", "after sealing"])
@pytest.mark.parametrize("change", UNREADABLE[:2])
def test_an_unreadable_event_is_named_and_keeps_nothing_else_from_being_sealed_and_proven(
    store: SqlStore, url: str, change: str, moment: str
) -> None:
    key = HistorySealingKey(make_key(name="sealing-key"))
    world = found_house(store).world
    append(store, "a", "b", "c")
    if moment == "after sealing":
        assert seal_history(world=world, key=key) == 3
    with store.reading() as session:
        first, middle, last = (each.sequence for each in session.history.list_between(0, 1_000))
    change_behind_our_back(url, f"{change} WHERE sequence = {middle}")
    assert verify_history(world=world, key=key).faults == (f"event {middle} cannot be read",)
    assert seal_history(world=world, key=key) == (3 if moment == "before sealing" else 0)
    assert verify_history(world=world, key=key) == HistoryReport(3, 1, 0, (f"event {middle} cannot be read",))
    change_behind_our_back(url, f"comment = 'another' WHERE sequence = {last}")
    assert f"event {last} was changed" in verify_history(world=world, key=key).faults
    assert f"event {first} was changed" not in verify_history(world=world, key=key).faults


def test_only_events_above_the_last_seal_are_unsealed(store: SqlStore) -> None:
    append(store, "a", "b", "c")
    with store.reading() as session:
        first, second, _ = (each.sequence for each in session.history.list_unsealed(10))
    with store.writing() as session:
        session.history.add_seal(make_seal(1, first, second))
    assert list_unsealed(store) == ["c"]
    append(store, "d", "e")
    assert list_unsealed(store, 2) == ["c", "d"]


def test_a_seal_comes_back_as_added(store: SqlStore) -> None:
    seals = [make_seal(1, 1, 2, 7), make_seal(2, 8), make_seal(3, 2**40)]
    with store.reading() as session:
        assert session.history.find_last_seal() is None
    for each in seals:
        with store.writing() as session:
            session.history.add_seal(each)
    with store.reading() as session:
        assert session.history.find_last_seal() == seals[-1]
        assert session.history.list_seals(0, 2) == tuple(seals[:2])
        assert session.history.list_seals(2, 2) == (seals[2],)
        assert session.history.list_seals(3, 2) == ()


@pytest.mark.parametrize("second", [make_seal(1, 3, 4), make_seal(2, 1, 2)])
def test_a_second_seal_with_a_number_or_over_events_that_are_sealed_is_refused(store: SqlStore, second) -> None:
    with store.writing() as session:
        session.history.add_seal(make_seal(1, 1, 2))
    with pytest.raises(ChangedMeanwhile), store.writing() as session:
        session.history.add_seal(second)
    with store.reading() as session:
        assert session.history.list_seals(0, 10) == (make_seal(1, 1, 2),)


def test_events_of_a_writer_at_work_are_not_overtaken(postgresql_url: str) -> None:
    """On PostgreSQL numbers are given before they are committed; on SQLite there is one writer."""
    store = open_store(postgresql_url)
    wrote, go_on, found = threading.Event(), threading.Event(), []

    def write_slowly() -> None:
        with store.writing() as session:
            session.history.append([make_event("slow")])
            wrote.set()
            go_on.wait(120)

    slow = threading.Thread(target=write_slowly)
    sealer = threading.Thread(target=lambda: found.append(list_unsealed(store)))
    slow.start()
    assert wrote.wait(120)
    append(store, "fast")
    sealer.start()
    sealer.join(0.3)
    assert sealer.is_alive(), "the list was given although a lower number was still to come"
    go_on.set()
    slow.join()
    sealer.join(120)
    assert found == [["slow", "fast"]]
    store.close()


def test_a_view_older_than_an_event_does_not_see_past_it(postgresql_url: str) -> None:
    store = open_store(postgresql_url)
    wrote, go_on = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with store.writing() as session:
            session.history.append([make_event("slow")])
            wrote.set()
            go_on.wait(120)

    append(store, "before")
    slow = threading.Thread(target=write_slowly)
    slow.start()
    assert wrote.wait(120)
    append(store, "fast")
    with store.reading() as session:
        # The view is as of now: it has "fast" and will never have "slow".
        assert session.history.find_last_seal() is None
        go_on.set()
        slow.join()
        seen = [each.comment for each in session.history.list_unsealed(10)]
    assert seen == ["before"]
    assert list_unsealed(store) == ["before", "slow", "fast"]
    store.close()


def test_a_view_newer_than_the_settled_events_does_not_take_what_overtook_others(postgresql_url: str) -> None:
    store = open_store(postgresql_url)
    wrote, go_on = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with store.writing() as session:
            session.history.append([make_event("slow")])
            wrote.set()
            go_on.wait(120)

    slow = threading.Thread(target=write_slowly)

    def write_before(statement: str) -> None:
        """Let "fast" overtake "slow" when it is settled what there is, and the view is about to begin."""
        if "FROM seals" in statement and not slow.is_alive():
            slow.start()
            assert wrote.wait(120)
            append(store, "fast")

    append(store, "before")
    with store.watched(write_before):
        seen = list_unsealed(store)
    go_on.set()
    slow.join()
    assert seen == ["before"]
    assert list_unsealed(store) == ["before", "slow", "fast"]
    store.close()


def test_sealing_while_many_write_leaves_out_nothing(store: SqlStore) -> None:
    threads = [
        threading.Thread(target=lambda number=number: [append(store, f"{number} {each}") for each in range(25)])
        for number in range(4)
    ]
    for each in threads:
        each.start()
    sealed, number = [], 0
    while True:
        is_last = not any(each.is_alive() for each in threads)
        with store.reading() as session:
            events = session.history.list_unsealed(10)
        if events:
            number += 1
            with store.writing() as session:
                session.history.add_seal(make_seal(number, *(each.sequence for each in events)))
            sealed += [each.comment for each in events]
        elif is_last:
            break
    assert sorted(sealed) == sorted(f"{number} {each}" for number in range(4) for each in range(25))
