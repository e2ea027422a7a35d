"""Whatever somebody does with events before they are sealed, who can write to the database and has no keys, is found."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, delete, insert, select, text, update

from certwright.adapters.keys.keyring import Keyring
from certwright.adapters.keys.sealing_key import HistorySealingKey
from certwright.adapters.sql.event_marks import EventMarker
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.adapters.sql.tables import events, seals
from certwright.application.seal_history import seal_history
from certwright.application.verify_history import HistoryReport, verify_history
from certwright.application.world import World
from certwright.bootstrap_keys import keep_keys
from certwright.domain.errors import MalformedValue
from certwright.domain.events import Seal
from certwright.domain.keys import KeyVersion
from worlds.authorities import make_key
from worlds.contoso import NOW
from worlds.holdings import make_event
from worlds.house import found_house

KEY = HistorySealingKey(make_key(name="sealing-key"))
SECRET = bytes(range(32))
UNSEALED = (4, 5, 6)
"""Events 1 to 3 are sealed."""

thorough = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class History:
    """Six marked events, three of them sealed, and the database's own tools on them."""

    world: World
    engine: Engine
    events: list[dict[str, Any]]
    seals: list[dict[str, Any]]

    @contextmanager
    def tampered(self, *statements: Any) -> Iterator[None]:
        """Run *statements*; what follows is undone, too."""
        with self.engine.begin() as connection:
            for each in statements:
                connection.execute(each)
            if self.engine.dialect.name == "postgresql":
                # As somebody does who puts numbers of his own in; SQLite does it by itself.
                connection.execute(text("SELECT setval('events_sequence_seq', max(sequence)) FROM events"))
        try:
            yield
        finally:
            with self.engine.begin() as connection:
                connection.execute(delete(events))
                connection.execute(delete(seals))
                connection.execute(insert(events).values(self.events))
                connection.execute(insert(seals).values(self.seals))

    def list_faults(self) -> tuple[str, ...]:
        return verify_history(world=self.world, key=KEY).faults

    def list_faults_after_sealing(self) -> tuple[str, ...]:
        assert seal_history(world=self.world, key=KEY) > 0
        return self.list_faults()

    def list_versions(self) -> list[int]:
        with self.world.store.reading() as session:
            return [each.version for each in session.history.list_seals(0, 99) if isinstance(each, Seal)]


@contextmanager
def made_history(store: SqlStore, url: str) -> Iterator[History]:
    world = found_house(store).world
    store.mark_with(EventMarker(SECRET))
    append(world, 1, 2, 3)
    assert seal_history(world=world, key=KEY) == 3
    append(world, *UNSEALED)
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        kept = [[dict(each._mapping) for each in connection.execute(select(table))] for table in (events, seals)]
    yield History(world, engine, *kept)
    engine.dispose()


@pytest.fixture
def history(store: SqlStore, url: str) -> Iterator[History]:
    with made_history(store, url) as made:
        yield made


@pytest.fixture
def sqlite_history(sqlite_url: str) -> Iterator[History]:
    with closing(open_store(sqlite_url)) as store, made_history(store, sqlite_url) as made:
        yield made


def append(world: World, *numbers: int) -> None:
    with world.store.writing() as session:
        session.history.append(make_event(f"event {each}", details={"b": "Grüße", "a": "\x7f"}) for each in numbers)


def test_what_nobody_touched_has_no_fault_and_seals_say_that_it_was_marked(history: History) -> None:
    assert verify_history(world=history.world, key=KEY) == HistoryReport(events=3, seals=1, unsealed=3)
    assert history.list_faults_after_sealing() == ()
    assert history.list_versions() == [3, 3]


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
CHANGES = st.one_of(
    st.fixed_dictionaries({"comment": TEXT}),
    st.fixed_dictionaries({"actor": TEXT}),
    st.fixed_dictionaries({"source": TEXT}),
    st.fixed_dictionaries({"details": st.sampled_from(['{"a":"b"}', "{}", '{"x":""}'])}),
    st.fixed_dictionaries({"type": st.sampled_from(["service.started", "request.denied"])}),
    st.fixed_dictionaries({"at": st.datetimes(min_value=datetime(1990, 1, 1), timezones=st.just(UTC))}),
    st.fixed_dictionaries({"subject_id": st.uuids()}),
    st.fixed_dictionaries({"actor_id": st.uuids()}),
    st.fixed_dictionaries({"request_id": st.uuids()}),
    st.fixed_dictionaries({"mark": st.one_of(st.none(), st.binary(max_size=60))}),
)


@thorough
@given(number=st.sampled_from(UNSEALED), change=CHANGES)
def test_an_event_that_was_changed_before_it_was_sealed_is_named(history: History, number: int, change: dict[str, Any]) -> None:
    (before,) = [each for each in history.events if each["sequence"] == number]
    wanted = () if all(before[name] == value for name, value in change.items()) else (strange(number),)
    with history.tampered(update(events).where(events.c.sequence == number).values(change)):
        assert history.list_faults() == wanted
        assert history.list_faults_after_sealing() == wanted


def strange(number: int) -> str:
    return f"event {number} is not as this installation wrote it"


@pytest.mark.parametrize("mark", [None, b"", bytes(16), bytes(48)])
def test_an_event_that_was_added_before_sealing_is_named(history: History, mark: bytes | None) -> None:
    row = history.events[4] | {"sequence": 7, "comment": "invented", "mark": mark}
    with history.tampered(insert(events).values(row)):
        assert history.list_faults() == (strange(7),)
        assert history.list_faults_after_sealing() == (strange(7),)


@pytest.mark.parametrize("original", [1, 5])
def test_a_copy_of_an_event_is_named_with_its_original(history: History, original: int) -> None:
    row = history.events[original - 1] | {"sequence": 7}
    with history.tampered(insert(events).values(row)):
        for faults in (history.list_faults(), history.list_faults_after_sealing()):
            assert faults == tuple(f"event {each} has the mark of another event" for each in (original, 7))


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        ((4,), "event 4 is missing: no seal tells of it"),
        ((5,), "event 5 is missing: no seal tells of it"),
        ((4, 5), "events 4 to 5 are missing: no seal tells of them"),
    ],
)
def test_on_sqlite_an_event_that_was_removed_before_sealing_is_named(
    sqlite_history: History, gone: tuple[int, ...], told: str
) -> None:
    with sqlite_history.tampered(delete(events).where(events.c.sequence.in_(gone))):
        assert sqlite_history.list_faults() == (told,)
        assert sqlite_history.list_faults_after_sealing() == (told,)


def test_on_sqlite_the_newest_event_is_missed_once_another_was_written(sqlite_history: History) -> None:
    with sqlite_history.tampered(delete(events).where(events.c.sequence == 6)):
        append(sqlite_history.world, 7)
        assert sqlite_history.list_faults_after_sealing() == ("event 6 is missing: no seal tells of it",)


def test_changes_that_were_taken_back_are_no_fault(history: History) -> None:
    def refuse(session: Any) -> None:
        session.history.append([make_event("taken back")])
        raise MalformedValue("anything", "no")

    with pytest.raises(MalformedValue), history.world.store.writing() as session:
        refuse(session)
    history.world.store.writing_each([refuse, lambda session: session.history.append([make_event("kept")])])
    assert history.list_faults() == ()
    assert history.list_faults_after_sealing() == ()


def test_what_was_changed_or_added_after_sealing_is_told_once(history: History) -> None:
    with history.tampered(
        update(events).where(events.c.sequence == 2).values(comment="another"),
        insert(events).values(history.events[1] | {"sequence": 0, "mark": None}),
    ):
        assert history.list_faults() == ("event 2 was changed", "event 0 was added")


def test_a_seal_cannot_be_made_to_say_less(history: History) -> None:
    with history.tampered(update(seals).values(version=2)):
        assert "seal 1 over events 1 to 3 is not signed by the sealing key" in history.list_faults()


def test_a_seal_that_is_gone_makes_no_gap(sqlite_history: History) -> None:
    assert seal_history(world=sqlite_history.world, key=KEY) == 3
    append(sqlite_history.world, 7)
    assert seal_history(world=sqlite_history.world, key=KEY) == 1
    with sqlite_history.tampered(text("UPDATE seals SET chain = 7 WHERE number = 2")):
        assert not [each for each in sqlite_history.list_faults() if "no seal" in each]


def test_a_mark_that_cannot_be_read_is_a_wrong_one(sqlite_history: History) -> None:
    with sqlite_history.tampered(text("UPDATE events SET mark = CAST(x'ff' AS TEXT) WHERE sequence = 5")):
        assert sqlite_history.list_faults() == (strange(5),)
        assert sqlite_history.list_faults_after_sealing() == (strange(5),)


# -- an installation from before ---------------------------------------------------------------------------------------


@pytest.fixture
def old(store: SqlStore) -> World:
    """Five events without marks, two of them sealed; and then the key of the marks came, and one more event."""
    world = found_house(store).world
    append(world, 1, 2)
    assert seal_history(world=world, key=KEY) == 2
    append(world, 3, 4, 5)
    store.mark_with(EventMarker(SECRET, after=5))
    append(world, 6)
    return world


def test_events_from_before_marks_stay_fine_under_seals_of_their_own(old: World) -> None:
    assert verify_history(world=old, key=KEY) == HistoryReport(events=2, seals=1, unsealed=4)
    assert seal_history(world=old, key=KEY) == 4
    assert verify_history(world=old, key=KEY) == HistoryReport(events=6, seals=3, unsealed=0)
    with old.store.reading() as session:
        assert [each.version for each in session.history.list_seals(0, 9) if isinstance(each, Seal)] == [2, 2, 3]


def test_another_key_of_the_marks_excuses_nothing(old: World, store: SqlStore) -> None:
    assert seal_history(world=old, key=KEY) == 4
    append(old, 7)
    # As it would be made anew, after somebody removed it.
    store.mark_with(EventMarker(bytes(32), after=7))
    faults = ("event 6 is not as this installation wrote it", "event 7 is not as this installation wrote it")
    assert verify_history(world=old, key=KEY).faults == faults
    assert seal_history(world=old, key=KEY) == 1
    assert verify_history(world=old, key=KEY).faults == ("events 6 to 7 are not as this installation wrote them",)


def test_programs_that_open_an_old_installation_at_once_mark_with_one_key(url: str) -> None:
    stores = [open_store(url) for _ in range(4)]
    world, start = found_house(stores[0]).world, Barrier(len(stores))

    def find(number: int | None) -> KeyVersion | None:
        with stores[0].reading() as session:
            return session.keys.find_version(number)

    keyring = Keyring(lambda: "correct horse battery staple", find)
    append(world, 1, 2)
    with stores[0].writing() as session:
        session.keys.add_version(keyring.make_version(None, NOW))

    def start_one(store: SqlStore) -> None:
        start.wait()
        keep_keys(store, keyring)
        append(replace(world, store=store), 3)

    with ThreadPoolExecutor(len(stores)) as threads:
        list(threads.map(start_one, stores))
    # Two from before, that each of two keys was made, that rows were marked, and one of each program.
    written = 5 + len(stores)
    found = verify_history(world=world, key=KEY)
    assert (found.faults, found.events, found.seals, found.unsealed) == ((), 0, 0, written)
    assert seal_history(world=world, key=KEY) == written
    found = verify_history(world=world, key=KEY)
    assert (found.faults, found.events, found.seals, found.unsealed) == ((), written, 2, 0)
    assert len(found.remarks) == 1
    for each in stores:
        each.close()


def test_a_text_that_cannot_be_stored_is_refused_as_ever(history: History) -> None:
    for comment in ("\0", "\ud800"):
        with pytest.raises(MalformedValue), history.world.store.writing() as session:
            session.history.append([replace(make_event(), comment=comment, at=NOW)])
