"""Sealing the history and proving it, against somebody who can write to the database file."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from certwright.adapters.keys.sealing_key import HistorySealingKey
from certwright.application.seal_history import seal_history
from certwright.application.verify_history import HistoryReport, verify_history
from worlds.authorities import make_key
from worlds.house import House, csr

KEY = HistorySealingKey(make_key(name="sealing-key"))
OTHER_KEY = HistorySealingKey(make_key(name="another-key"))


def verify(house: House) -> HistoryReport:
    return verify_history(world=house.world, key=KEY)


def tamper(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "store.db")) as database, database:
        for statement in statements:
            assert database.execute(statement).rowcount > 0


@pytest.fixture
def sealed(house: House) -> House:
    """Three seals over nine events: one request each."""
    for name in "abc":
        house.post(house.open(), csr(name))
        assert seal_history(world=house.world, key=KEY) == 3
    return house


def test_an_empty_history_has_nothing_to_prove(house: House) -> None:
    assert verify(house) == HistoryReport(events=0, seals=0, unsealed=0)


def test_a_sealed_history_has_no_fault_and_no_open_end(sealed: House) -> None:
    assert verify(sealed) == HistoryReport(events=9, seals=3, unsealed=0)


def test_what_is_sealed_is_not_sealed_again(sealed: House) -> None:
    assert seal_history(world=sealed.world, key=KEY) == 0


def test_events_after_the_last_seal_are_reported_as_open(sealed: House) -> None:
    sealed.open()
    assert verify(sealed) == HistoryReport(events=9, seals=3, unsealed=1)


@pytest.mark.parametrize(
    "change",
    [
        "comment = 'nothing'",
        "actor = 'CORP\\approver'",
        "details = '{}'",
        "at = '2020-01-01 00:00:00.000000'",
        "subject_id = NULL",
    ],
)
def test_a_changed_event_is_named(sealed: House, tmp_path: Path, change: str) -> None:
    tamper(tmp_path, f"UPDATE events SET {change} WHERE sequence = 6")
    assert verify(sealed).faults == ("event 6 was changed",)


@pytest.mark.parametrize("number", [1, 3, 5, 7])
def test_a_removed_event_is_named(sealed: House, tmp_path: Path, number: int) -> None:
    tamper(tmp_path, f"DELETE FROM events WHERE sequence = {number}")
    assert verify(sealed).faults == (f"event {number} is missing",)


def test_events_that_changed_places_are_named(sealed: House, tmp_path: Path) -> None:
    tamper(
        tmp_path,
        "UPDATE events SET sequence = 100 WHERE sequence = 2",
        "UPDATE events SET sequence = 2 WHERE sequence = 5",
        "UPDATE events SET sequence = 5 WHERE sequence = 100",
    )
    assert verify(sealed).faults == ("event 2 was changed", "event 5 was changed")


def test_an_event_that_was_added_below_the_first_is_named(sealed: House, tmp_path: Path) -> None:
    columns = "type, at, actor, actor_id, source, request_id, subject_id, comment, details"
    tamper(tmp_path, f"INSERT INTO events (sequence, {columns}) SELECT 0, {columns} FROM events WHERE sequence = 1")
    assert verify(sealed).faults == ("event 0 was added",)


@pytest.mark.parametrize("number", [1, 2])
def test_a_removed_seal_is_named(sealed: House, tmp_path: Path, number: int) -> None:
    tamper(tmp_path, f"DELETE FROM seals WHERE number = {number}")
    faults = verify(sealed).faults
    assert f"seal {number + 1} does not follow the one before: seals are missing" in faults
    events = f"events {3 * number + 1} to {3 * number + 3}"
    assert f"seal {number + 1} over {events} does not continue the chain" in faults


def test_a_seal_whose_chain_was_made_to_fit_again_lacks_the_signature(sealed: House, tmp_path: Path) -> None:
    tamper(tmp_path, "UPDATE seals SET chain = zeroblob(32) WHERE number = 3")
    assert verify(sealed).faults == (
        "seal 3 over events 7 to 9 does not continue the chain",
        "seal 3 over events 7 to 9 is not signed by the sealing key",
    )


def test_a_seal_that_lost_its_digests_is_a_fault_and_no_crash(sealed: House, tmp_path: Path) -> None:
    tamper(tmp_path, "UPDATE seals SET digests = zeroblob(0) WHERE number = 2")
    faults = verify(sealed).faults
    assert "seal 2 over nothing does not continue the chain" in faults
    assert "events 4 to 6 are not proven" in faults


def test_another_key_proves_nothing(sealed: House) -> None:
    faults = verify_history(world=sealed.world, key=OTHER_KEY).faults
    ranges = ("1 to 3", "4 to 6", "7 to 9")
    assert faults == tuple(
        f"seal {number} over events {each} is not signed by the sealing key" for number, each in enumerate(ranges, start=1)
    )
