"""Whatever is changed past the server is not used, and the proof names it: rows of every kind, on each database."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, text, update
from structlog.testing import capture_logs

from certwright.adapters.sql.archive_tables import recovery_agents
from certwright.adapters.sql.card_tables import smartcards
from certwright.adapters.sql.external_tables import external_certificates
from certwright.adapters.sql.key_tables import authorities
from certwright.adapters.sql.marked_rows import APPROVALS, MARKED_ROWS
from certwright.adapters.sql.row_marks import MarkedRows, RowLedger
from certwright.adapters.sql.tables import (
    approvals,
    certificate_copies,
    certificates,
    events,
    grants,
    group_members,
    metadata,
    password_hashes,
    profile_templates,
    profiles,
    requests,
    user_groups,
    users,
    withdrawn_templates,
)
from certwright.adapters.sql.work_tables import delayed_revocations, one_time_passwords
from certwright.application.accept_rows import accept_rows
from certwright.application.approve_request import approve_request
from certwright.application.enroll import Submission, enroll
from certwright.application.prune_history import prune_history
from certwright.application.seal_history import seal_history
from certwright.domain.errors import AccessDenied, StoredRowAltered
from certwright.domain.event_search import EventSearch
from certwright.domain.events import Event, EventType
from certwright.domain.ports import Session
from certwright.domain.requests import RequestStatus
from worlds.contoso import ADMINISTRATOR, APPROVERS, NOW, SUBSCRIBER, SUBSCRIBER2, SUBSCRIBERS
from worlds.estate import KEY, Estate, open_marked
from worlds.holdings import list_requests_of
from worlds.house import TWO, csr, signed_in


def test_what_was_written_by_the_server_alone_fits_the_history(estate: Estate) -> None:
    report = estate.verify()
    assert (report.faults, report.remarks) == ((), ())
    for kind in MARKED_ROWS:
        assert estate.list_rows(select(kind.table.c[kind.mark])), kind.name
    assert report.rows == sum(len(estate.list_rows(select(kind.table.c[kind.mark]))) for kind in MARKED_ROWS)


def first_user(session: Session) -> object:
    return session.directory.find_principal(SUBSCRIBER.user.id)


def list_approvals(session: Session) -> object:
    return [session.requests.list_approvals(each.id) for each in list_requests_of(session)]


def list_certificates(session: Session) -> object:
    return session.certificates.list_of_subject(SUBSCRIBER.user.id)


def find_passwords(session: Session) -> object:
    return [session.passwords.find(each.id) for each in list_requests_of(session)]


IS_SUBSCRIBER = users.c.id == SUBSCRIBER.user.id
CHANGES: dict[str, tuple[Any, Callable[[Session], object], str]] = {
    "names of another": (
        update(users).where(IS_SUBSCRIBER).values(principal_name="administrator@contoso.com", distinguished_name="CN=admin"),
        first_user,
        "user ",
    ),
    "an account that is on again": (update(users).where(IS_SUBSCRIBER).values(enabled=False), first_user, "user "),
    "a name that leads to another": (
        update(users).where(IS_SUBSCRIBER).values(account_key="outsider2"),
        lambda session: session.directory.find_account(SUBSCRIBER.user.domain, "outsider2"),
        "user ",
    ),
    "a password": (
        update(password_hashes).values(password_hash="another"),
        lambda session: session.directory.find_password_hash(SUBSCRIBER.user.id),
        "password ",
    ),
    "the SID of a group": (update(user_groups).values(name="another"), first_user, "group "),
    "a membership": (
        insert(group_members).from_select(
            ["group_id", "member_sid", "mark"],
            select(user_groups.c.id, text(f"'{SUBSCRIBER2.user.sid}-9'"), user_groups.c.mark).limit(1),
        ),
        lambda session: session.directory.list_groups(),
        "member ",
    ),
    "a right": (
        insert(grants).values(
            object_kind="service", object_name="", access_right="administer", trustee=SUBSCRIBER.user.sid, mark=bytes(16)
        ),
        lambda session: session.directory.load_grants(),
        "right service//administer/",
    ),
    "a right without a mark": (
        insert(grants).values(
            object_kind="service", object_name="", access_right="administer", trustee=SUBSCRIBER.user.sid, mark=None
        ),
        lambda session: session.directory.load_grants(),
        "right service//administer/",
    ),
    "a template": (
        update(profile_templates).values(document=profile_templates.c.document + " "),
        lambda session: session.templates.get(TWO.id),
        "template ",
    ),
    "the state of a request": (
        update(requests).values(status=int(RequestStatus.APPROVED)),
        list_requests_of,
        "request ",
    ),
    "the subject of a request": (
        update(requests).values(target_id=ADMINISTRATOR.user.id),
        list_requests_of,
        "request ",
    ),
    "answers": (update(requests).values(data=requests.c.data + " "), list_requests_of, "answers "),
    "an approval": (update(approvals).values(approver_id=ADMINISTRATOR.user.id), list_approvals, "approval "),
    "the answers that were approved": (update(approvals).values(answers=None), list_approvals, "approval "),
    "the owner of a profile": (
        update(profiles).values(owner_id=SUBSCRIBER2.user.id),
        lambda session: session.profiles.list_of(SUBSCRIBER2.user.id),
        "profile ",
    ),
    "a certificate": (update(certificates).values(encoded=b"another"), list_certificates, "certificate "),
    "a revocation": (
        update(certificates).values(revoked_at=NOW, revocation_reason=1),
        list_certificates,
        "revocation ",
    ),
    "the owner of a card": (
        update(smartcards).values(owner_id=SUBSCRIBER2.user.id),
        lambda session: session.smartcards.list_page(limit=9),
        "smart-card ",
    ),
    "the key that a card is said to have": (
        update(smartcards).values(admin_keys='{"held":{"scheme":"initial"}}'),
        lambda session: session.smartcards.list_page(limit=9),
        "smart-card ",
    ),
    "a PIN that is not there any more": (
        update(smartcards).values(sealed_pin=None),
        lambda session: session.smartcards.list_page(limit=9),
        "smart-card ",
    ),
    "tries at one-time passwords": (
        update(one_time_passwords).values(tries_left=1000),
        find_passwords,
        "one-time-passwords ",
    ),
    "one-time passwords that were used": (
        update(one_time_passwords).values(used=NOW),
        find_passwords,
        "one-time-passwords ",
    ),
    "when a revocation takes effect": (
        update(delayed_revocations).values(effective=NOW),
        lambda session: session.delayed_revocations.list_due(NOW + timedelta(days=9), 9),
        "delayed-revocation ",
    ),
    "the subject of an external certificate": (
        update(external_certificates).values(subject_id=SUBSCRIBER2.user.id),
        lambda session: [session.external.list_of(each.user.id) for each in (SUBSCRIBER, SUBSCRIBER2)],
        "external-certificate ",
    ),
    "a certificate in the profile of another": (
        update(certificate_copies).values(is_key_history=False),
        lambda session: session.certificates.list_by_profile(session.profiles.list_of(SUBSCRIBER2.user.id)),
        "certificate-copy ",
    ),
    "a recovery agent": (
        insert(recovery_agents).values(name="mallory", certificate=b"another", key_name=None, added=NOW, mark=bytes(16)),
        lambda session: session.archive.list_agents(),
        "recovery-agent mallory ",
    ),
    "the certificate of a recovery agent": (
        update(recovery_agents).where(recovery_agents.c.name == "vault").values(certificate=b"another"),
        lambda session: session.archive.list_agents(),
        "recovery-agent ",
    ),
    "a membership on the way down": (
        update(group_members).values(mark=None),
        lambda session: [session.directory.list_members(each) for each in (SUBSCRIBERS, APPROVERS)],
        "member ",
    ),
    "a membership on the way up": (
        update(group_members).values(mark=None),
        lambda session: session.directory.list_sids_above(SUBSCRIBER.user.sid),
        "member ",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_row_that_was_changed_or_added_is_refused_with_an_alarm_and_named(estate: Estate, name: str) -> None:
    statement, use, called = CHANGES[name]
    estate.read_fresh(use)
    estate.run(statement)
    with capture_logs() as logs, pytest.raises(StoredRowAltered) as refused:
        estate.read_fresh(use)
    assert refused.value.code == "stored-row-altered"
    alarms = [each for each in logs if each["log_level"] == "critical"]
    assert [(each["kind"], each["key"]) for each in alarms] == [(refused.value.kind, refused.value.key)]
    faults = estate.verify().faults
    assert any(each.startswith(called) and "is not as this installation wrote it" in each for each in faults), faults


def test_nobody_gets_a_certificate_in_the_name_of_another_by_changing_a_row(estate: Estate) -> None:
    request_id = estate.house.open(TWO)
    estate.run(update(users).where(IS_SUBSCRIBER).values(principal_name="administrator@contoso.com"))
    with closing(open_marked(estate.url)) as store:
        world = replace(estate.house.world, store=store)
        submission = Submission(certificate_requests=(csr("one"), csr("two")))
        with pytest.raises(StoredRowAltered):
            enroll(request_id, submission, by=signed_in(SUBSCRIBER), world=world)
    assert estate.house.certificates(request_id) == ()


GONE: dict[str, tuple[Any, str]] = {
    "a right": (delete(grants), "right "),
    "a membership": (delete(group_members), "member "),
    "a password": (delete(password_hashes), "password "),
    "an approval": (delete(approvals), "approval "),
    "one-time passwords": (delete(one_time_passwords), "one-time-passwords "),
    "a card": (delete(smartcards), "smart-card "),
    "a delayed revocation": (delete(delayed_revocations), "delayed-revocation "),
    "a copy of a certificate": (delete(certificate_copies), "certificate-copy "),
    "a recovery agent": (delete(recovery_agents), "recovery-agent "),
    "a withdrawal": (delete(withdrawn_templates), "withdrawal "),
}


@pytest.mark.parametrize("name", GONE)
def test_a_row_that_is_gone_is_named(estate: Estate, name: str) -> None:
    statement, called = GONE[name]
    estate.run(statement)
    faults = estate.verify().faults
    assert faults
    assert all(each.startswith(called) and " is gone: event " in each for each in faults), faults


@pytest.mark.parametrize("column", ["certificate", "config_name", "key_name", "issuer_name"])
def test_an_authority_that_was_changed_is_named(estate: Estate, column: str) -> None:
    estate.run(update(authorities).values({column: b"another" if column == "certificate" else "another"}))
    assert estate.verify().faults == ("authority issuing is not as this installation wrote it",)


def test_an_earlier_state_that_was_put_back_is_named(estate: Estate) -> None:
    before = estate.list_rows(select(users).where(IS_SUBSCRIBER))
    with estate.house.store.writing() as session:
        session.directory.save_user(replace(SUBSCRIBER.user, enabled=False))
    estate.run(update(users).where(IS_SUBSCRIBER).values(before[0]))
    (fault,) = estate.verify().faults
    assert fault.startswith(f"user {SUBSCRIBER.user.id} (")
    assert "an older state was put back" in fault


def test_a_right_that_was_taken_away_and_is_there_again_is_named(estate: Estate) -> None:
    (taken, *_) = estate.list_rows(select(grants))
    with estate.house.store.writing() as session:
        kept = [each for each in session.directory.load_grants() if each.trustee != taken["trustee"]]
        session.directory.replace_grants(kept)
    assert estate.verify().faults == ()
    estate.run(insert(grants).values(taken))
    (fault,) = estate.verify().faults
    assert fault.startswith("right ")
    assert "is there again: event " in fault


def test_a_row_that_is_marked_and_in_no_event_is_named(estate: Estate) -> None:
    estate.run(delete(events))
    faults = estate.verify().faults
    assert f"request {estate.open_id} is in no event" in faults


def test_what_a_refused_change_would_have_been_is_in_no_event(estate: Estate) -> None:
    with pytest.raises(AccessDenied):
        approve_request(estate.open_id, by=signed_in(SUBSCRIBER2), world=estate.house.world)

    def change_and_refuse(session: Session) -> None:
        session.directory.save_user(replace(SUBSCRIBER.user, enabled=False))
        raise AccessDenied(SUBSCRIBER.user.nt4_name)

    (refused,) = estate.house.store.writing_each([change_and_refuse])
    assert isinstance(refused, AccessDenied)
    assert estate.verify().faults == ()


def test_events_carry_what_their_transaction_changed(estate: Estate) -> None:
    with estate.house.store.reading() as session:
        told = {
            each.type: each.details.get("rows", "")
            for each in session.history.list_of_request(estate.open_id)
            if isinstance(each, Event)
        }
        alone = session.history.list_found(EventSearch(types=frozenset({EventType.STATE_NOTED})), after=0, most=9)
    assert [each.split(" ")[0] for each in told[EventType.REQUEST_CREATED].split("; ")] == ["request", "answers"]
    assert sorted({each.split(" ")[0] for each in told[EventType.CERTIFICATE_ISSUED].split("; ")}) == ["certificate"]
    assert "profile " in "".join(told.values())
    assert "a hash" not in str(told)
    # Those of the arrangements of this test: use cases tell first-hand.
    assert len(alone.events) == 3


def test_pruned_events_leave_what_they_told_of_rows(estate: Estate) -> None:
    assert seal_history(world=estate.house.world, key=KEY) > 0
    estate.house.clock.step(timedelta(days=7_000))
    before = estate.house.clock.now() - timedelta(days=1)
    assert prune_history(before, operator="root", world=estate.house.world, key=KEY).events > 0
    assert estate.verify().faults == ()
    estate.run(delete(approvals))
    (fault,) = estate.verify().faults
    assert "is gone: event " in fault


def test_an_operator_can_accept_rows_as_they_are_and_that_is_told(estate: Estate) -> None:
    estate.run(
        update(users).where(IS_SUBSCRIBER).values(email="mended@contoso.com"),
        delete(password_hashes),
        insert(withdrawn_templates).values(template_id=TWO.id),
    )
    assert len(estate.verify().faults) == 3
    assert accept_rows(operator="root", world=estate.house.world) == 1
    report = estate.verify()
    assert report.faults == ()
    assert any(each.startswith("root accepted rows as they were: event ") for each in report.remarks)
    found = estate.read_fresh(lambda session: session.directory.find_principal(SUBSCRIBER.user.id))
    assert found is not None


def test_every_column_of_a_marked_row_is_under_its_mark_or_decides_nothing() -> None:
    left_out = {
        "profile_templates.created",
        "withdrawn_templates.withdrawn",
        "requests.number",
        "requests.type",
        "approvals.number",
        "profiles.number",
        "certificates.number",
        "certificates.is_key_history",
        "smartcards.number",
        # It is sealed, and opens for its request alone.
        "one_time_passwords.sealed_key",
        "one_time_passwords.is_expiry_told",
        "external_certificates.number",
        "external_certificates.reminded_at",
    }
    covered: dict[str, set[str]] = {}
    marks = {f"{each.table.name}.{each.mark}" for each in MARKED_ROWS}
    for kind in MARKED_ROWS:
        covered.setdefault(kind.table.name, set()).update(f"{kind.table.name}.{each}" for each in kind.columns)
    for name, columns in covered.items():
        assert {f"{name}.{each.name}" for each in metadata.tables[name].columns} - columns - marks <= left_out, name


def test_approval_from_before_it_kept_answers_has_the_mark_that_it_was_given() -> None:
    before = replace(APPROVALS, columns=APPROVALS.columns[:-1], has_newer=False)
    ledger = RowLedger(bytes(range(32)))
    row = {"request_id": UUID(int=1), "approver_id": UUID(int=2), "at": NOW, "comment": "fine"}
    assert ledger.mark(APPROVALS, row | {"answers": None}) == ledger.mark(before, row)
    assert ledger.mark(APPROVALS, row | {"answers": "{}"}) != ledger.mark(before, row)


def test_marks_of_one_kind_are_none_of_another() -> None:
    kinds = [(each.name, each.mark) for each in MARKED_ROWS]
    assert len({name for name, _ in kinds}) == len(kinds)
    assert all(isinstance(each, MarkedRows) for each in MARKED_ROWS)


def test_an_authority_that_was_altered_is_refused_where_it_is_to_be_used(estate: Estate) -> None:
    estate.read_fresh(lambda session: session.keys.check_authorities())
    estate.run(update(authorities).values(config_name="another"))
    with pytest.raises(StoredRowAltered):
        estate.read_fresh(lambda session: session.keys.check_authorities())
    # What proves the rows has to open them.
    assert estate.read_fresh(lambda session: session.keys.list_authorities())
