"""The soak in its short form, and that its auditor finds what was lost, doubled, changed and left undone."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.soak import Left, Outcome, prepared, soak
from benchmarks.soak_audit import Findings

SEED = 14
CLIENTS = 4
DISK_MIB = 96
PACE_SECONDS = 0.2


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Outcome, Left]]:
    with prepared(tmp_path_factory.mktemp("soak"), disk_mib=DISK_MIB) as site:
        yield soak(site, 0, SEED, CLIENTS, print, pace_seconds=PACE_SECONDS)


@pytest.fixture
def audit_after(soaked: tuple[Outcome, Left], tmp_path: Path) -> Callable[..., Findings]:
    """Gives what the auditor finds in a copy of the database that was changed."""
    left = soaked[1]
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(left.site.database)) as database, closing(sqlite3.connect(copy)) as target:
        database.backup(target)

    def look(*statements: str) -> Findings:
        with closing(sqlite3.connect(copy, isolation_level=None)) as database:
            for each in statements:
                database.execute(each)
        return replace(left, site=replace(left.site, database=str(copy))).audit()

    return look


def test_a_server_that_was_killed_stopped_frozen_and_filled_has_lost_nothing(soaked: tuple[Outcome, Left]) -> None:
    outcome, _ = soaked
    found = outcome.findings
    assert (found.lost, found.doubled, found.differing, found.stuck, found.faults) == ([], [], [], [], [])
    assert outcome.missing == []
    assert found.certificates > 0
    assert outcome.is_clean
    assert str(found).startswith("0 lost, 0 doubled, 0 differing, 0 stuck; 0 other faults; ")


def test_the_auditor_finds_a_certificate_that_was_lost(audit_after: Callable[..., Findings]) -> None:
    found = audit_after("DELETE FROM certificates WHERE number = 2")
    assert len(found.lost) == 1
    assert f"{found.lost[0]}: an event tells of a certificate that is not there" in found.faults
    assert not found.is_clean


def test_the_auditor_finds_a_request_with_two_certificates(audit_after: Callable[..., Findings]) -> None:
    first = "(SELECT request_id FROM certificates WHERE number = 1)"
    found = audit_after(f"UPDATE certificates SET request_id = {first}, place = 1 WHERE number = 2")
    assert len(found.doubled) == len(found.lost) == 1
    assert not found.is_clean


def test_the_auditor_finds_a_certificate_that_is_not_the_one_which_was_answered(audit_after: Callable[..., Findings]) -> None:
    found = audit_after(
        "UPDATE certificates SET encoded = (SELECT encoded FROM certificates AS other WHERE other.number = 1) WHERE number = 2"
    )
    assert len(found.differing) == 1
    assert any("was given 2 times" in each for each in found.faults)


def test_the_auditor_finds_a_request_that_was_never_finished(audit_after: Callable[..., Findings]) -> None:
    found = audit_after("UPDATE requests SET status = 3 WHERE id = (SELECT request_id FROM certificates WHERE number = 1)")
    assert len(found.stuck) == 1


def test_the_auditor_finds_a_changed_event_and_a_broken_reference(
    soaked: tuple[Outcome, Left], audit_after: Callable[..., Findings]
) -> None:
    events = soaked[1].history / "events.jsonl"
    before = events.read_text()
    events.write_text(before.replace('"actor":"certwright"', '"actor":"another"', 1))
    found = audit_after("PRAGMA foreign_keys = OFF", "UPDATE certificates SET profile_id = request_id WHERE number = 1")
    events.write_text(before)
    assert [each.split(":")[0] for each in found.faults] == ["foreign keys", "history"]
