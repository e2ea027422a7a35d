"""No statement walks a table that grows, unless it is said here why it may; looks that matter use the index made for them."""

import importlib
import pkgutil
from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import Delete, Select, Update
from sqlalchemy.sql.base import Executable

import certwright.adapters.sql as adapter
from certwright.adapters.sql import (
    certificates,
    directory,
    directory_names,
    event_search,
    external_certificates,
    outbox,
    passwords,
    profiles,
    renewals,
    requests,
)
from certwright.adapters.sql.event_look import EVENT_COLUMNS
from certwright.adapters.sql.request_pages import page_statement
from certwright.domain.identities import UserId
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.requests import RequestFilter, RequestStatus
from query_plans import Planner, planning

SHORT = frozenset(
    {
        "authorities",
        "card_master_keys",
        "directory_revision",
        "key_versions",
        "leases",
        "profile_templates",
        "recovery_agents",
        "retention_records",
        "withdrawn_templates",
    }
)
"""Tables that do not grow with what people do."""
NOT_OF_ROWS = frozenset({"CONSTANT", "anon_1", "below", "reached", "subjects"})
"""What SQLite lists among the tables, what parts of a statement give, and what recursive statements have found so far."""
PARTS = frozenset(
    {
        "certificates._ISSUED",
        "external_certificates._ALL",
        "history._IN_ORDER",
        "history._WITH_MARKS",
        "requests._IDLE",
    }
)
"""Statements that are run only with further conditions."""
WALKS = {
    "key_claims._REVOCATIONS": "the proof, where a compromised key has no certificate that says so: once, through the events",
    "archive._COUNT": "an empty PostgreSQL looks once where two looks would be led",
    "archive._OUTDATED": "the first rows by their key, as a command goes through all of them",
    "directory._EMPTY_GRANTS": "loading a world replaces all rights",
    "directory._GRANTS": "a process reads all rights once, and again when rights change",
    "directory._GROUPS": "loading a world and listing groups read all of them",
    "directory._MEMBERS": "the same",
    "directory._USERS": "the same, of people",
    "external_certificates._REMIND": "an empty PostgreSQL takes the smaller of two indexes that both lead to the row",
    "history._COPIED": "proving the history reads all of it",
    "history._FIRST": "the beginning of the key",
    "history._LAST_NUMBER": "the end of the key",
    "history._LAST_SEAL": "the end of the key",
    "history._LAST_SETTINGS": "the end of an index that has nothing else",
    "history._REPEATED": "a part of *history._COPIED*",
    "outbox._DUE_BY_SUBJECT": "an empty PostgreSQL begins with the messages",
    "outbox._NEWEST": "the end of the key",
    "profiles._LAST_NUMBER": "the end of the key",
    "requests._OPEN_ABOUT_OF": "an empty PostgreSQL begins with the open requests",
}


def list_statements() -> Iterator[tuple[str, Executable]]:
    """Return every statement that is a constant of a module, by its name there."""
    for module in pkgutil.iter_modules(adapter.__path__):
        if module.name in ("migrations", "postgresql"):
            continue
        for name, value in vars(importlib.import_module(f"{adapter.__name__}.{module.name}")).items():
            for each in value if isinstance(value, tuple) else (value,):
                if isinstance(each, Select | Update | Delete) and name != "_LOCK_ROOM":
                    yield f"{module.name}.{name}", each


@pytest.fixture
def planner(url: str) -> Iterator[Planner]:
    with planning(url) as found:
        yield found


def test_no_statement_walks_a_table_that_grows(planner: Planner) -> None:
    walked = {
        f"{name}: {each.table}"
        for name, statement in list_statements()
        for each in planner.list_looks(statement)
        if not each.is_led and name not in PARTS | WALKS.keys() and each.table not in SHORT | NOT_OF_ROWS
    }
    assert walked == set()


def test_what_may_walk_is_there() -> None:
    names = {name for name, _ in list_statements()}
    assert PARTS | WALKS.keys() <= names


@pytest.mark.parametrize(
    ("statement", "table", "index"),
    [
        (renewals.list_due_statements(2)[0], "certificates", "ix_certificates_not_after"),
        (renewals.list_due_statements(2)[0], "requests", "uq_requests_open_operation"),
        (renewals.list_due_statements(2)[1], "certificates", "ix_certificates_not_after"),
        (renewals.list_due_statements(2)[1], "certificate_copies", "ix_certificate_copies_serial"),
        (renewals.list_due_statements(2)[1], "requests", "uq_requests_open_operation"),
        (renewals._SLICE_END, "certificates", "ix_certificates_not_after"),
        (renewals._FIND_DUE[0], "requests", "uq_requests_open_operation"),
        (renewals._FIND_DUE[1], "requests", "uq_requests_open_operation"),
        (certificates._NEWEST_OF_SUBJECT, "certificates", "ix_certificates_subject_id"),
        (certificates._OLDER_OF_SUBJECT, "certificates", "ix_certificates_subject_id"),
        (certificates._IN_OWN_ROWS, "profiles", "ix_profiles_owner_id"),
        (profiles._OLDER_OF, "profiles", "ix_profiles_owner_id"),
        (requests._LIST_IDLE, "requests", "ix_requests_open"),
        (passwords._EXPIRED, "one_time_passwords", "ix_one_time_passwords_untold"),
        (external_certificates._ENDING, "external_certificates", "ix_external_certificates_ending"),
        (outbox._DUE, "outbox", "ix_outbox_due"),
        (outbox._PUT_BACK, "outbox", "ix_outbox_due"),
        (outbox._COUNT_WINDOW, "outbox", "ix_outbox_due"),
        (outbox._COUNT_SENT, "outbox", "ix_outbox_sent"),
        (outbox._OF_REQUEST, "outbox", "ix_outbox_request_id"),
        (requests._NEWEST_FOR, "requests", "ix_requests_target_id"),
        (directory._GROUP_NAMED, "user_groups", "ix_user_groups_name_key"),
        (directory_names._GROUPS_FROM, "user_groups", "ix_user_groups_name_key"),
        (directory_names._GROUPS_OF, "group_members", "ix_group_members_member_sid"),
        (directory._GRANTS_OF, "grants", "ix_grants_trustee"),
        (directory._USER_BY_PRINCIPAL_NAME, "users", "uq_users_principal_key"),
        (directory._CLASHING_USER, "users", "uq_users_principal_key"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_look_is_led_by_the_index_that_was_made_for_it(
    planner: Planner, statement: Executable, table: str, index: str
) -> None:
    looks = [each for each in planner.list_looks(statement) if each.table == table]
    assert index in {each.index for each in looks if each.is_led}
    assert all(each.is_led for each in looks)


OF_OWNER = {"ix_events_request_id", "ix_events_subject_id", "ix_events_actor_id"}


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize(
    ("asked", "rare_types", "indexes"),
    [
        ({"user"}, 0, {"ix_events_actor", "ix_events_actor_id", "ix_events_subject_id"}),
        ({"user", "types", "since", "profile"}, 1, {"ix_events_actor", "ix_events_actor_id", "ix_events_subject_id"}),
        ({"actor", "program"}, 0, {"ix_events_actor"}),
        ({"request", "until"}, 0, {"ix_events_request_id"}),
        ({"profile", "owner"}, 0, OF_OWNER),
        ({"certificate", "owner", "since", "types"}, 1, OF_OWNER),
        ({"profile", "certificate", "owner"}, 0, OF_OWNER),
        ({"types"}, 2, {"ix_events_rare"}),
        ({"types", "template"}, 1, {"ix_events_rare"}),
    ],
)
def test_a_search_of_events_is_led_by_what_is_asked_for(
    planner: Planner, asked: set[str], rare_types: int, indexes: set[str], newest_first: bool
) -> None:
    statement = event_search.search_statement(EVENT_COLUMNS, frozenset(asked), rare_types, newest_first=newest_first)
    looks = [each for each in planner.list_looks(statement) if each.table == "events"]
    assert {each.index for each in looks} - {"PRIMARY KEY", "pk_events"} == indexes
    # Where there are no events, PostgreSQL goes along their numbers to what the indexes have led to.
    assert [each for each in looks if not each.is_led and each.index != "pk_events"] == []


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize(
    "asked",
    ["", "types", "since", "since until", "profile", "certificate", "template until", "actor"],
)
def test_any_other_search_reads_a_piece_of_the_history_by_its_numbers(planner: Planner, asked: str, newest_first: bool) -> None:
    statement = event_search.search_statement(EVENT_COLUMNS, frozenset(asked.split()), 0, newest_first=newest_first)
    looks = [each for each in planner.list_looks(statement) if each.table not in NOT_OF_ROWS]
    assert {each.index for each in looks if each.table == "events"} <= {"PRIMARY KEY", "pk_events"}
    assert all(each.is_led for each in looks)


@pytest.mark.parametrize("newest_first", [False, True])
def test_the_times_of_events_are_found_in_their_index(planner: Planner, newest_first: bool) -> None:
    statement = event_search.nearest_statement(frozenset({"since", "until"}), newest_first=newest_first)
    (look,) = planner.list_looks(statement)
    assert (look.index, look.is_led) == ("ix_events_at", True)


APPROVED = frozenset({RequestStatus.APPROVED})
SOMEBODY = UserId(UUID(int=1))


@pytest.mark.parametrize("has_after", [False, True])
@pytest.mark.parametrize(
    ("wanted", "indexes"),
    [
        (RequestFilter(), set()),
        (RequestFilter(statuses=APPROVED), {"ix_requests_status"}),
        (RequestFilter(statuses=APPROVED | {RequestStatus.PENDING}), {"ix_requests_status"}),
        (RequestFilter(target=SOMEBODY, statuses=APPROVED), {"ix_requests_target_id"}),
        (RequestFilter(concerning=SOMEBODY, statuses=APPROVED), {"ix_requests_target_id", "ix_requests_originator_id"}),
        (
            RequestFilter(concerning=SOMEBODY, templates=frozenset({ProfileTemplateId(UUID(int=2))}), statuses=APPROVED),
            {"ix_requests_target_id", "ix_requests_originator_id", "ix_requests_template_id"},
        ),
    ],
    ids=["all", "status", "statuses", "target", "concerning", "templates"],
)
def test_a_page_of_requests_is_led_by_whose_they_are(
    planner: Planner, wanted: RequestFilter, indexes: set[str], has_after: bool
) -> None:
    statement, _ = page_statement(requests._REQUEST, wanted, has_after=has_after)
    looks = [each for each in planner.list_looks(statement) if each.table in ("requests", "earlier")]
    ends = {"", "PRIMARY KEY", "pk_requests", "uq_requests_id", "sqlite_autoindex_requests_1"}
    assert {each.index for each in looks} - ends == indexes
    # Everybody's newest are at the end of the key; an empty PostgreSQL puts the looks together along the key, too.
    assert all(each.is_led for each in looks if each.index not in ("", "pk_requests"))
