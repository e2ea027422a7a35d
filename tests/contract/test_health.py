"""What is found out about the store and the history, on a database that works, that is full, and that is gone."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from certwright.adapters.checkpoints.file import CheckpointFile
from certwright.adapters.keys.sealing_key import HistorySealingKey
from certwright.adapters.sql.schema import migrate
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.application.find_health import find_health
from certwright.application.note_settings import note_settings
from certwright.application.seal_history import seal_history
from certwright.domain.events import Event
from certwright.domain.health import GIVEN_UP_SHOWN, LATE, UNSENT_AFTER, WARNED_BEFORE, Health, OwnCertificate
from certwright.domain.outbox import OutboxState
from postgresql import PACKAGE, find_programs, run_postgresql
from worlds.authorities import make_key
from worlds.clocks import SteppingClock
from worlds.holdings import make_event, make_message
from worlds.house import found_house

KEY = HistorySealingKey(make_key(name="sealing-key"))
INTERVAL = timedelta(seconds=1)


class Watched:
    """A store and a clock, and how they are found to be."""

    def __init__(self, store: SqlStore, folder: Path) -> None:
        house = found_house(store)
        self.clock: SteppingClock = house.clock
        self.file = CheckpointFile(folder / "history.checkpoints")
        self.world = replace(house.world, checkpoints=(self.file,))

    def append(self, comment: str) -> None:
        with self.world.store.writing() as session:
            session.history.append([make_event(comment, at=self.clock.now())])

    def look(self) -> Health:
        return find_health(world=self.world, sealing_interval=INTERVAL, find_checkpoint=self.file.read_last)


@pytest.fixture
def watched(store: SqlStore, tmp_path: Path) -> Watched:
    return Watched(store, tmp_path)


def test_an_empty_history_is_well(watched: Watched) -> None:
    assert watched.look() == Health(faults=(), is_writable=True)


def test_it_says_how_far_the_history_is_sealed_and_told_of(watched: Watched) -> None:
    watched.append("a")
    seal_history(world=watched.world, key=KEY)
    watched.append("b")
    watched.clock.step(timedelta(seconds=5))
    health = watched.look()
    assert health.is_well
    assert (health.sealed_until, health.checkpointed_until, health.unsealed) == (1, 1, 1)
    assert health.oldest_unsealed == timedelta(seconds=5)


def test_messages_that_do_not_go_out_are_a_warning_and_no_fault(watched: Watched) -> None:
    now = watched.clock.now()
    waiting = make_message(created=now)
    with watched.world.store.writing() as session:
        session.outbox.add([waiting])
        claimed = session.outbox.claim(session.outbox.get(waiting.id), until=now)
        assert claimed is not None
        assert session.outbox.record(replace(claimed, error="the server refused"))
    watched.clock.step(UNSENT_AFTER)
    assert watched.look().warnings == ()
    watched.clock.step(timedelta(seconds=1))
    health = watched.look()
    assert health.is_well
    assert health.warnings == (f"outbox: messages to mail have waited since {now:%Y-%m-%d %H:%M} UTC: the server refused",)
    with watched.world.store.writing() as session:
        assert session.outbox.record(replace(session.outbox.get(waiting.id), state=OutboxState.DEAD, error="no such mailbox"))
    assert watched.look().warnings == (f"outbox: a message to mail of {now:%Y-%m-%d %H:%M} UTC was given up: no such mailbox",)
    watched.clock.step(GIVEN_UP_SHOWN)
    assert watched.look().warnings == ()


def test_certificates_of_its_own_that_end_are_warnings(watched: Watched) -> None:
    now = watched.clock.now()
    own = (
        OwnCertificate("one that has ended", now),
        OwnCertificate("one that ends soon", now + WARNED_BEFORE - timedelta(seconds=1)),
        OwnCertificate("one that lasts", now + WARNED_BEFORE),
    )
    health = find_health(
        world=watched.world,
        sealing_interval=INTERVAL,
        find_checkpoint=watched.file.read_last,
        list_certificates=lambda: own,
    )
    assert health.is_well
    assert health.warnings == (
        f"certificates: that of one that has ended has ended at {now:%Y-%m-%d %H:%M} UTC",
        f"certificates: that of one that ends soon ends at {own[1].ends:%Y-%m-%d %H:%M} UTC",
    )


def test_events_that_nobody_seals_are_a_fault_after_a_while(watched: Watched) -> None:
    watched.append("a")
    watched.clock.step(LATE + 2 * INTERVAL)
    assert watched.look().is_well
    watched.clock.step(timedelta(seconds=1))
    assert watched.look().faults == ("history: events above 0 are not sealed",)


def test_checkpoints_that_stay_behind_are_a_fault_after_a_while(watched: Watched) -> None:
    watched.append("a")
    seal_history(world=watched.world, key=KEY)
    watched.append("b")
    seal_history(world=replace(watched.world, checkpoints=()), key=KEY)
    assert watched.look().is_well
    watched.clock.step(LATE + 3 * INTERVAL)
    assert watched.look().faults == ("checkpoints: there is none for the events above 1",)


def test_a_database_that_is_full_is_not_writable_and_readable_all_the_same(sqlite_url: str, tmp_path: Path) -> None:
    with closing(open_store(sqlite_url)) as store:
        watched = Watched(store, tmp_path)
        watched.append("a")
        with store.engines[1].connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        health = watched.look()
        assert not health.is_writable
        assert health.faults == ("store: The database cannot be used: the disk is full: make room on it.",)
        assert health.unsealed == 1
        with store.engines[1].connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        assert watched.look().is_well


@pytest.fixture
def own_postgresql() -> Path:
    programs = find_programs()
    if programs is None:
        pytest.skip(f"no PostgreSQL here: apt-get install {PACKAGE}")
    return programs


def test_a_database_server_that_was_stopped_is_told_and_no_crash(own_postgresql: Path, tmp_path: Path) -> None:
    with run_postgresql(own_postgresql) as server:
        url = server.create_database()
        migrate(url)
        store = open_store(url)
        watched = Watched(store, tmp_path)
        assert watched.look().is_well
    health = watched.look()
    assert not health.is_writable
    assert [each.partition(":")[0] for each in health.faults] == ["store", "history"]
    assert "postgres@" not in " ".join(health.faults)
    store.close()


# -- settings ----------------------------------------------------------------------------------------------------------


def test_settings_are_an_event_when_they_are_others_than_at_the_last_start(watched: Watched) -> None:
    defaults = {"server.port": "8443", "server.host": '"::"'}
    chosen = defaults | {"server.port": "9443"}
    assert note_settings(defaults, defaults, world=watched.world)
    assert not note_settings(defaults, defaults, world=watched.world)
    watched.append("something else")
    assert note_settings(chosen, defaults, world=watched.world)
    assert not note_settings(chosen, defaults, world=watched.world)
    with watched.world.store.reading() as session:
        told = session.history.find_last_settings()
    assert isinstance(told, Event)
    assert {name: value for name, value in told.details.items() if name != "digest"} == {"server.port": "9443"}


def test_the_last_event_of_a_rare_type_is_found_by_its_index(sqlite_url: str) -> None:
    with closing(open_store(sqlite_url)) as store:
        asked: list[str] = []
        with store.watched(asked.append), store.reading() as session:
            assert session.history.find_last_settings() is None
        with store.engines[0].connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0]}", (1, 0)).all()
    assert "ix_events_of_settings" in str(plan)
