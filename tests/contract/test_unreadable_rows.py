"""A row that was made unreadable is one difference, named by table and key, and the proof goes on behind it."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import create_engine, select, text, update
from structlog.testing import capture_logs

from certwright.adapters.sql.marked_rows import USERS
from certwright.adapters.sql.prepared import Connection
from certwright.adapters.sql.row_walk import walk_rows
from certwright.adapters.sql.tables import approvals, certificates, profiles, users
from certwright.application.accept_rows import accept_rows, prove_rows
from certwright.domain.errors import StoredRowAltered
from worlds.estate import Estate
from worlds.holdings import list_requests_of

NO_TEXT = "CAST(x'ff' AS TEXT)"


def list_faults(estate: Estate, spoiled: str) -> tuple[str, ...]:
    """Return the faults after *spoiled*, and after a change of what is looked at last, which has to be among them."""
    estate.run(text(spoiled))
    estate.run(update(certificates).values(revoked_at=certificates.c.not_after, revocation_reason=4))
    changed = len(estate.list_rows(select(certificates.c.number)))
    faults = estate.verify().faults
    others = [each for each in faults if each.startswith("revocation ")]
    assert len(others) == changed
    return tuple(each for each in faults if each not in others)


def test_answers_that_are_no_json_are_named_alone(estate: Estate) -> None:
    with estate.house.store.reading() as session:
        assert list_requests_of(session)
    spoiled = """UPDATE requests SET data = '[{"is_sensitive"\\:true'"""
    assert list_faults(estate, spoiled) == (f"answers {estate.open_id} cannot be read",)
    with capture_logs() as logs, pytest.raises(StoredRowAltered):
        estate.read_fresh(list_requests_of)
    assert [each["kind"] for each in logs if each["log_level"] == "critical"] == ["answers"]


def test_a_time_beyond_all_times_is_named_alone(estate: Estate) -> None:
    (approval,) = estate.list_rows(select(approvals.c.request_id, approvals.c.approver_id))
    said = "nonsense" if estate.url.startswith("sqlite") else "infinity"
    faults = list_faults(estate, f"UPDATE approvals SET at = '{said}'")
    assert faults == (f"approval {approval['request_id']}/{approval['approver_id']} cannot be read",)


def test_what_cannot_be_read_is_not_accepted_and_all_else_is(estate: Estate) -> None:
    said = "nonsense" if estate.url.startswith("sqlite") else "infinity"
    estate.run(text(f"UPDATE approvals SET at = '{said}'"), update(profiles).values(comment="mended"))
    before = prove_rows(world=estate.house.world)
    assert len(before.faults) == len(estate.list_rows(select(profiles.c.id)))
    accept_rows(operator="root", world=estate.house.world)
    after = prove_rows(world=estate.house.world)
    assert after.faults == ()
    assert after.lasting == before.lasting
    assert len(after.lasting) == 1


SPOILED = {
    "a GUID": ("UPDATE users SET sid = sid, id = 'no GUID' WHERE account_name = 'outsider'", "user no%20GUID"),
    "text": (f"UPDATE users SET email = {NO_TEXT} WHERE account_name = 'outsider'", "user "),
    "a key that is no text": (f"UPDATE withdrawn_templates SET template_id = {NO_TEXT}", "a withdrawal, its key included,"),
    "a number": ("UPDATE certificates SET not_before = 'one' WHERE place = 0", "certificate "),
    "a serial number": ("UPDATE certificates SET serial = 'nonsense' WHERE place = 0", "certificate nonsense"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_whatever_cannot_be_read_is_named_by_its_table_and_key(sqlite_estate: Estate, name: str) -> None:
    spoiled, called = SPOILED[name]
    sqlite_estate.run(text(spoiled))
    told = [each for each in sqlite_estate.verify().faults if "cannot be read" in each]
    assert told[0].startswith(called)


@pytest.mark.parametrize("change", ["status = 99", "flags = 16384", "type = 77, status = -1"])
def test_a_number_that_stands_for_nothing_is_named(sqlite_estate: Estate, change: str) -> None:
    sqlite_estate.run(text("PRAGMA ignore_check_constraints = on"), text(f"UPDATE requests SET {change}"))
    with pytest.raises(StoredRowAltered):
        sqlite_estate.read_fresh(list_requests_of)
    (fault,) = sqlite_estate.verify().faults
    assert fault == f"request {sqlite_estate.open_id} is not as this installation wrote it"


@pytest.mark.parametrize("at_once", [1, 2, 3, 2_000])
def test_a_walk_comes_to_every_row_whichever_cannot_be_read(sqlite_estate: Estate, at_once: int) -> None:
    keys = sorted(each["id"] for each in sqlite_estate.list_rows(select(users.c.id)))
    walked_keys = [str(each) for each in keys]
    for spoiled in (1, 2, len(keys)):
        for number in range(spoiled):
            sqlite_estate.run(text(f"UPDATE users SET email = {NO_TEXT} WHERE id = '{keys[number].hex}'"))
        found = list(walk(sqlite_estate, at_once))
        assert [key for key, _ in found] == walked_keys
        assert [is_read for _, is_read in found] == [False] * spoiled + [True] * (len(keys) - spoiled)
    # Nothing of the keys can be read any more either: rows are still counted.
    sqlite_estate.run(text(f"DELETE FROM users WHERE id <> '{keys[0].hex}'"))
    sqlite_estate.run(text(f"UPDATE users SET id = {NO_TEXT}"))
    assert list(walk(sqlite_estate, at_once)) == [("", False)]


def walk(estate: Estate, at_once: int) -> Iterator[tuple[str, bool]]:
    engine = create_engine(estate.url)
    with closing(engine.raw_connection()) as driver:
        for each in walk_rows(USERS, Connection(driver, engine.dialect), at_once=at_once):
            yield each.key, each.row is not None
    engine.dispose()
