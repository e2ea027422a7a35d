"""One value has one spelling: what says the same in other words is not used, and the proof names it.

SQLite keeps GUIDs, times, serial numbers and truth values as text and numbers, and compares these; PostgreSQL has types for
most of them, and both keep details of events as text.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from structlog.testing import capture_logs

from certwright.adapters.sql.marked_rows import ANSWERS
from certwright.adapters.sql.tables import approvals, events, users
from certwright.application.prune_history import prune_history
from certwright.application.request_parties import list_counting_approvals, see_request
from certwright.application.seal_history import seal_history
from certwright.domain.errors import StoredRowAltered
from certwright.domain.events import ROWS
from certwright.domain.ports import Session
from certwright.domain.requests import Approval
from worlds.contoso import NOW, SUBSCRIBER
from worlds.estate import KEY, Estate
from worlds.holdings import list_requests_of


def list_approvals(session: Session) -> list[tuple[Approval, ...]]:
    return [session.requests.list_approvals(each.id) for each in list_requests_of(session)]


def list_certificates(session: Session) -> object:
    return session.certificates.list_of_subject(SUBSCRIBER.user.id)


def find_user(session: Session) -> object:
    return session.directory.find_principal(SUBSCRIBER.user.id)


BRACES = "'{' || substr({0}, 1, 8) || '-' || substr({0}, 9, 4) || '-' || substr({0}, 13) || '}'"
COPIED = tuple(each.name for each in approvals.c if each.name != "number")
COPIED_APPROVAL = f"INSERT INTO approvals ({', '.join(COPIED)}) SELECT " + ", ".join(
    BRACES.replace("{0}", each) if each == "approver_id" else each for each in COPIED
)
COPIED_APPROVAL += " FROM approvals"
RESPELLED: dict[str, tuple[str, str, Callable[[Session], object] | None]] = {
    "a withdrawal in capitals": ("UPDATE withdrawn_templates SET template_id = upper(template_id)", "withdrawal ", None),
    "a template in capitals": ("UPDATE profile_templates SET id = upper(id)", "template ", None),
    "a user in braces": (f"UPDATE users SET id = {BRACES.replace('{0}', 'id')}", "user ", None),
    "a profile of certificates in capitals": (
        "UPDATE certificates SET profile_id = upper(profile_id)",
        "certificate ",
        list_certificates,
    ),
    "a serial number in small letters": (
        "UPDATE certificates SET serial = 'abcdef' WHERE place = 0",
        "certificate ",
        list_certificates,
    ),
    "a serial number after a nought": ("UPDATE certificates SET serial = '0x' || serial", "certificate ", list_certificates),
    "a serial number after blanks": ("UPDATE certificates SET serial = '  ' || serial", "certificate ", list_certificates),
    "an approval that was copied": (COPIED_APPROVAL, "approval ", list_approvals),
    "a time of another form": ("UPDATE approvals SET at = replace(at, ' ', 'T')", "approval ", list_approvals),
    "a time of another zone": ("UPDATE approvals SET at = at || '+00:00'", "approval ", list_approvals),
    "an account that is on otherwise": ("UPDATE users SET enabled = 2", "user ", find_user),
}


@pytest.mark.parametrize("name", RESPELLED)
def test_a_row_in_another_spelling_is_named_and_not_used(sqlite_estate: Estate, name: str) -> None:
    statement, called, use = RESPELLED[name]
    sqlite_estate.run(text("PRAGMA foreign_keys = off"), text(statement.replace(":", "\\:")))
    faults = sqlite_estate.verify().faults
    assert [each for each in faults if each.startswith(called) and each.endswith("cannot be read")], faults
    if use is not None:
        with capture_logs() as logs, pytest.raises(StoredRowAltered):
            sqlite_estate.read_fresh(use)
        assert "critical" in [each["log_level"] for each in logs]


def list_cards(session: Session) -> object:
    return session.smartcards.list_page(limit=9)


def test_json_of_a_card_that_says_the_same_in_other_words_is_named_and_not_used(estate: Estate) -> None:
    estate.read_fresh(list_cards)
    estate.run(text("UPDATE smartcards SET admin_keys = replace(admin_keys, '{', '{ ')"))
    assert [each for each in estate.verify().faults if each.startswith("smart-card ")]
    with pytest.raises(StoredRowAltered):
        estate.read_fresh(list_cards)


def test_sensitive_answers_have_no_mark_in_other_words() -> None:
    written = '[{"name":"PIN","value":"sealed","is_sensitive":true}]'
    values = {"id": uuid4(), "data": written, "data_flags": 0}
    assert ANSWERS.from_values(values)
    for each in ("[ {", '[{"name":"PIN",'):
        with pytest.raises(ValueError, match="in other words"):
            ANSWERS.from_values(values | {"data": written.replace("[{", each)})


def find_event_of_rows(estate: Estate) -> int:
    """Return the number of the last event that tells of a request's rows."""
    told = events.c.details.like(f'%"{ROWS}"%')
    number: int = estate.list_rows(
        select(events.c.sequence).where(told, events.c.request_id.is_not(None)).order_by(events.c.sequence.desc())
    )[0]["sequence"]
    return number


DETAILS = {
    "a blank": """replace(details, '"rows":"', '"rows": "')""",
    "an escape": """replace(details, '"rows"', '"\\u0072ows"')""",
    "a word twice": """replace(details, '{', '{"rows":"",')""",
    "a line at the end": "details || '\n'",
}


@pytest.mark.parametrize("is_sealed", [False, True])
@pytest.mark.parametrize("name", DETAILS)
def test_an_event_that_says_the_same_in_other_words_is_named(estate: Estate, name: str, is_sealed: bool) -> None:
    number = find_event_of_rows(estate)
    if is_sealed:
        seal_history(world=estate.house.world, key=KEY)
    assert estate.verify().faults == ()
    estate.run(text(f"UPDATE events SET details = {DETAILS[name].replace(':', chr(92) + ':')} WHERE sequence = {number}"))
    # What it tells of rows is read all the same: no row is a fault for it.
    assert estate.verify().faults == (f"event {number} cannot be read",)


COLUMNS = {
    "a GUID in capitals": "request_id = upper(request_id)",
    "a GUID with hyphens": "request_id = substr(request_id, 1, 8) || '-' || substr(request_id, 9)",
    "a time of another form": "at = replace(at, ' ', 'T')",
    "a time without its end": "at = substr(at, 1, 19)",
    "details as octets": "details = CAST(details AS BLOB)",
}


@pytest.mark.parametrize("is_sealed", [False, True])
@pytest.mark.parametrize("name", COLUMNS)
def test_an_event_with_a_column_in_another_spelling_is_named(sqlite_estate: Estate, name: str, is_sealed: bool) -> None:
    number = find_event_of_rows(sqlite_estate)
    if is_sealed:
        seal_history(world=sqlite_estate.house.world, key=KEY)
    sqlite_estate.run(text(f"UPDATE events SET {COLUMNS[name]} WHERE sequence = {number}"))
    assert sqlite_estate.verify().faults == (f"event {number} cannot be read",)


def test_an_older_row_is_named_although_the_event_about_it_was_respelled(estate: Estate) -> None:
    before = estate.list_rows(select(users.c.enabled, users.c.mark).where(users.c.id == SUBSCRIBER.user.id))[0]
    with estate.house.store.writing() as session:
        session.directory.save_user(replace(SUBSCRIBER.user, enabled=False))
    number = estate.list_rows(select(events.c.sequence).order_by(events.c.sequence.desc()).limit(1))[0]["sequence"]
    assert estate.verify().faults == ()
    estate.run(
        users.update().where(users.c.id == SUBSCRIBER.user.id).values(before),
        text(f"UPDATE events SET details = {DETAILS['a blank'].replace(':', chr(92) + ':')} WHERE sequence = {number}"),
    )
    unreadable, older = estate.verify().faults
    assert unreadable == f"event {number} cannot be read"
    assert older.endswith(f"is not what event {number} tells last of it: an older state was put back")


def test_events_whose_request_is_hidden_are_not_removed(sqlite_estate: Estate) -> None:
    world = sqlite_estate.house.world
    sqlite_estate.house.clock.step(timedelta(days=1))
    seal_history(world=world, key=KEY)
    there = sqlite_estate.list_rows(select(events.c.sequence))
    sqlite_estate.run(text("UPDATE events SET request_id = upper(request_id)"))
    with pytest.raises(StoredRowAltered):
        prune_history(NOW + timedelta(hours=1), operator="root", world=world, key=KEY)
    assert sqlite_estate.list_rows(select(events.c.sequence)) == there


@contextmanager
def doubled_approvals(estate: Estate) -> Iterator[None]:
    """Put each approval in once more, past the constraint that there is one of each person."""
    columns, constraint = ", ".join(COPIED), "uq_approvals_request_id_approver_id"
    copied = f"INSERT INTO approvals ({columns}) SELECT {columns} FROM approvals"
    if estate.url.startswith("sqlite"):
        renamed = ("ALTER TABLE approvals RENAME TO kept", "CREATE TABLE approvals AS SELECT * FROM kept")
        estate.run(*map(text, (*renamed, copied)))
        yield
        return
    estate.run(text(f"ALTER TABLE approvals DROP CONSTRAINT {constraint}"), text(copied))
    try:
        yield
    finally:
        # Other tests have the same database, whose rows alone are removed between them.
        restored = f"ALTER TABLE approvals ADD CONSTRAINT {constraint} UNIQUE (request_id, approver_id)"
        estate.run(text("DELETE FROM approvals"), text(restored))


def test_a_row_that_is_there_twice_is_named_and_counts_once(estate: Estate) -> None:
    with doubled_approvals(estate):
        check_that_it_counts_once(estate)


def check_that_it_counts_once(estate: Estate) -> None:
    (one, other) = estate.list_rows(select(approvals.c.request_id, approvals.c.approver_id))
    assert one == other
    assert estate.verify().faults == (f"approval {one['request_id']}/{one['approver_id']} is there more than once",)

    def count(session: Session) -> tuple[int, int]:
        seen = see_request(session.requests.get(one["request_id"]), session)
        return len(session.requests.list_approvals(one["request_id"])), len(list_counting_approvals(seen, session))

    assert estate.read_fresh(count) == (2, 1)
