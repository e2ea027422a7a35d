"""From events to the outbox: whoever writes an event, what it is a notice of is written with it."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from certwright.adapters.entropy import SystemEntropy
from certwright.adapters.keys.key_encryption import KeyEncryptionKey
from certwright.adapters.sql.store import open_store
from certwright.application.approve_request import approve_request, deny_request
from certwright.application.close_request import abandon_request, cancel_request, fail_request
from certwright.application.create_request import RequestWish, create_request
from certwright.application.notify import Notifier
from certwright.application.notify_by_mail import MailContent, MailSink, send_secrets
from certwright.application.notify_by_webhook import Subscription, WebhookSink
from certwright.application.remind_of_external import remind
from certwright.application.world import World
from certwright.domain.certificates import SerialNumber
from certwright.domain.errors import DeliveryRejected, MailNotConfigured, MalformedValue, TextTooLong
from certwright.domain.events import EventType, tell, tell_of_program
from certwright.domain.external_certificates import ExternalCertificate
from certwright.domain.notifications import MailTemplate, NotificationRule, Recipient
from certwright.domain.notifications import NotificationType as N
from certwright.domain.outbox import MAIL, OutboxMessage, OutboxState, SecretMessage
from certwright.domain.policies import Answers
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.program import THE_PROGRAM
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId
from certwright.domain.workflows import Operation
from statements import recorded_statements
from worlds.contoso import APPROVER, APPROVERS, MANAGER, NOW, POLICY, SUBSCRIBER, SUBSCRIBER2, SUBSCRIBERS
from worlds.house import TWO, House, csr, found_house, signed_in

ALL = frozenset(N)
EVERY_RULE = tuple(NotificationRule(type=each, to=(Recipient.SUBJECT,)) for each in N)


@pytest.fixture
def house(founded: Path, tmp_path: Path) -> Iterator[House]:
    path = tmp_path / "store.db"
    shutil.copy(founded, path)
    entropy = SystemEntropy()
    listener = Notifier(
        (MailSink(entropy), WebhookSink((Subscription("siem", ALL), Subscription("none", frozenset())), entropy))
    )
    store = open_store(f"sqlite:///{path}", cipher=KeyEncryptionKey("passphrase"), listener=listener)
    yield found_house(store)
    store.close()


def under(house: House, *rules: NotificationRule, **changed) -> ProfileTemplate:
    """Return a stored template whose requests are under a policy with *rules*."""
    policy = replace(POLICY, notifications=rules, **changed)
    return house.save(replace(TWO, policies={**TWO.policies, RequestType.ENROLL: policy, RequestType.DISABLE: policy}))


def list_messages(house: House, sink: str = MAIL) -> list[OutboxMessage]:
    """Return what was put into the outbox, in that order."""
    with house.store.reading() as session:
        found = session.outbox.list_all(None, 1_000)
    return [each for each in reversed(found) if each.sink == sink]


def kinds(house: House, sink: str = MAIL) -> list[N]:
    return [each.notification for each in list_messages(house, sink)]


def read_body(message: OutboxMessage) -> dict:
    return msgspec.json.decode(message.payload)


def test_a_whole_enrollment_is_told_step_by_step(house: House) -> None:
    under(house, *EVERY_RULE)
    house.run(Operation.ENROLL, None, keys=("first", "second"))
    told = [N.CREATE_REQUEST, N.INSTALL_CERTIFICATE, N.INSTALL_CERTIFICATE, N.COMPLETE_REQUEST, N.CREATE_PROFILE]
    assert kinds(house) == told
    assert kinds(house, "webhook:siem") == told
    assert kinds(house, "webhook:none") == []
    assert {each.recipient for each in list_messages(house)} == {SUBSCRIBER.user.email}
    assert {each.subject_id for each in list_messages(house)} == {SUBSCRIBER.user.id}


def test_a_revocation_tells_that_the_profile_is_disabled(house: House) -> None:
    under(house, *EVERY_RULE)
    profile_id = house.run(Operation.ENROLL, None, keys=("first", "second"))
    before = len(kinds(house))
    house.run(Operation.DISABLE, profile_id)
    assert kinds(house)[before:] == [N.CREATE_REQUEST, N.COMPLETE_REQUEST, N.DISABLE_PROFILE]


@pytest.mark.parametrize(
    ("end", "told"),
    [(deny_request, N.DENY_REQUEST), (cancel_request, N.CANCEL_REQUEST), (abandon_request, N.CANCEL_REQUEST)],
)
def test_how_a_request_ends_is_told(house: House, end, told: N) -> None:
    template = under(house, *EVERY_RULE, approvals_needed=1)
    request_id = house.open(template)
    by = APPROVER if end is deny_request else SUBSCRIBER
    end(request_id, by=signed_in(by), world=house.world)
    assert kinds(house) == [N.CREATE_REQUEST, told]


def test_a_request_that_fails_while_it_is_executed_is_told(house: House) -> None:
    template = under(house, *EVERY_RULE)
    request_id = house.open(template)
    house.post(request_id, csr("first"), csr("second"))
    before = len(kinds(house))
    fail_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    assert kinds(house)[before:] == [N.MARK_REQUEST_AS_FAILED, N.DISABLE_PROFILE]


def test_the_end_of_a_certificate_from_elsewhere_is_told_by_the_policy_of_the_newest_request(house: House) -> None:
    template = under(house, *EVERY_RULE)
    attached = ExternalCertificate(
        thumbprint="00FF",
        serial=SerialNumber(42),
        subject_id=SUBSCRIBER.user.id,
        template_id=template.id,
        requester_name="CORP\\alice",
        authority_name="CN=Elsewhere",
        subject_name="CN=Alice",
        not_before=NOW,
        not_after=NOW + timedelta(days=10),
        public_key=b"public",
        encoded=b"encoded",
        imported_at=NOW,
    )
    with house.store.writing() as session:
        session.external.add([attached])
    house.open(template)
    assert remind(attached, world=house.world)
    told = list_messages(house)[-1]
    assert (told.notification, told.recipient) == (N.CERTIFICATE_ENDS, SUBSCRIBER.user.email)
    assert read_body(told)["facts"]["details"]["serial"] == "2A"


def test_each_approval_is_told(house: House) -> None:
    template = under(house, *EVERY_RULE, approvals_needed=1)
    request_id = house.open(template)
    approve_request(request_id, by=signed_in(APPROVER), world=house.world, comment="fine")
    assert kinds(house) == [N.CREATE_REQUEST, N.APPROVE_REQUEST]
    body = read_body(list_messages(house, "webhook:siem")[1])
    assert (body["type"], body["actor"], body["comment"]) == ("approve-request", "CORP\\approver", "fine")
    assert body["details"] == {"approvals": "1 of 1"}
    assert body["request"]["id"] == str(request_id)
    assert body["request"]["status"] == "approved"
    assert body["subject"]["account"] == body["originator"]["account"] == "CORP\\subscriber"
    assert body["id"] == str(list_messages(house, "webhook:siem")[1].id)


def test_rules_say_who_is_told(house: House) -> None:
    everybody = (Recipient.SUBJECT, Recipient.ORIGINATOR, Recipient.APPROVERS, "security@contoso.com", "subject")
    template = under(house, NotificationRule(type=N.CREATE_REQUEST, to=everybody), approvals_needed=1)
    house.open(template, by=MANAGER, target=SUBSCRIBER)
    names = [each.recipient for each in list_messages(house)]
    assert names == ["subscriber@contoso.com", "manager@contoso.com", "approver@contoso.com", "security@contoso.com"]


def test_nobody_who_cannot_approve_is_asked_to(house: House) -> None:
    both = POLICY.approvers | {SUBSCRIBERS, SUBSCRIBER.user.sid}
    template = under(house, NotificationRule(type=N.CREATE_REQUEST, to=(Recipient.APPROVERS,)), approvers=both)
    house.open(template)
    assert [each.recipient for each in list_messages(house)] == ["approver@contoso.com", "subscriber2@contoso.com"]
    with house.store.writing() as session:
        session.directory.save_user(replace(APPROVER.user, enabled=False))
    house.open(template)
    assert [each.recipient for each in list_messages(house)][2:] == ["subscriber2@contoso.com"]


def test_members_of_a_group_are_found_through_other_groups(house: House) -> None:
    with house.store.reading() as session:
        (group,) = (each for each in session.directory.list_groups() if each.sid == APPROVERS)
        found = session.directory.list_members(APPROVERS)
        assert [each.account_name for each in found] == ["approver"]
        assert [each.account_name for each in session.directory.list_members(MANAGER.user.sid)] == ["manager"]
    with house.store.writing() as session:
        session.directory.save_group(replace(group, members=frozenset({SUBSCRIBERS, APPROVERS})))
        assert [each.account_name for each in session.directory.list_members(APPROVERS)] == ["subscriber", "subscriber2"]


def test_what_would_reach_nobody_is_a_dead_letter(house: House) -> None:
    template = under(house, NotificationRule(type=N.CREATE_REQUEST, to=(Recipient.SUBJECT,)))
    with house.store.writing() as session:
        session.directory.save_user(replace(SUBSCRIBER.user, email=""))
    house.open(template)
    with house.store.writing() as session:
        session.directory.save_user(replace(SUBSCRIBER.user, email="x@contoso.com\r\nBcc: eve@example.com"))
    house.open(template)
    assert [each.state for each in list_messages(house)] == [OutboxState.DEAD] * 2
    assert all(each.error for each in list_messages(house))


def test_a_policy_that_says_nothing_tells_nobody_and_a_rule_of_another_kind_neither(house: House) -> None:
    house.open(under(house))
    house.open(under(house, NotificationRule(type=N.DENY_REQUEST, to=(Recipient.SUBJECT,))))
    assert kinds(house) == []


def test_a_use_case_that_is_refused_tells_nobody(house: House) -> None:
    template = under(house, *EVERY_RULE)
    wish = RequestWish(operation=Operation.ENROLL, template_id=template.id, answers=Answers(comment="x" * 5_000))
    with pytest.raises(TextTooLong):
        create_request(wish, by=signed_in(SUBSCRIBER), world=house.world)
    assert kinds(house) == []


def test_what_a_transaction_that_is_lost_would_have_told_is_lost_with_it(house: House) -> None:
    request_id = house.open(under(house, *EVERY_RULE))

    def lose(session: Session) -> None:
        session.history.append([tell(EventType.REQUEST_CANCELED, signed_in(SUBSCRIBER), NOW, request_id=request_id)])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), house.store.writing() as session:
        lose(session)
    assert kinds(house) == [N.CREATE_REQUEST]


def test_several_uses_in_one_transaction_tell_each_for_itself(house: House) -> None:
    template = under(house, *EVERY_RULE)
    first, second = house.open(template), house.open(template, by=SUBSCRIBER2)

    def cancel(request_id: RequestId, session: Session) -> None:
        session.history.append([tell(EventType.REQUEST_CANCELED, signed_in(SUBSCRIBER), NOW, request_id=request_id)])
        if request_id == second:
            raise MalformedValue("x", "refused after all")

    house.store.writing_each([partial(cancel, first), partial(cancel, second)])
    told = [(each.notification, each.request_id) for each in list_messages(house)]
    assert told == [(N.CREATE_REQUEST, first), (N.CREATE_REQUEST, second), (N.CANCEL_REQUEST, first)]


def test_an_event_about_a_request_that_nobody_knows_is_written_and_tells_nobody(house: House) -> None:
    unknown = RequestId(uuid4())
    with house.store.writing() as session:
        session.history.append([tell(EventType.REQUEST_CANCELED, signed_in(SUBSCRIBER), NOW, request_id=unknown)])
    assert kinds(house, "webhook:siem") == []
    assert house.events(unknown) == ["request.canceled"]


def test_a_notice_that_nobody_wants_costs_one_read(house: House) -> None:
    request_id = house.open(under(house))
    cancel = tell(EventType.REQUEST_CANCELED, signed_in(SUBSCRIBER), NOW, request_id=request_id)
    other = tell(EventType.PASSWORD_SET, signed_in(SUBSCRIBER), NOW, request_id=request_id)
    costs = []
    for events in ([other], [cancel], [cancel, cancel]):
        with recorded_statements(house.store) as statements, house.store.writing() as session:
            session.history.append(events)
        after = statements[[each.startswith("INSERT INTO events") for each in statements].index(True) + 1 :]
        costs.append([each for each in after if "INSERT INTO outbox" not in each and "directory_revision" not in each])
    assert [len(each) for each in costs] == [0, 1, 1]
    assert "FROM requests" in costs[1][0]


def test_a_renewal_notice_goes_to_the_subject_where_the_policy_wants_one(house: House) -> None:
    for wanted, told in ((False, []), (True, [N.DISTRIBUTE_SECRETS])):
        request_id = house.open(under(house, notify_of_renewal=wanted))
        renewed = tell(EventType.REQUEST_CREATED, THE_PROGRAM, NOW, request_id=request_id, operation="renew")
        with house.store.writing() as session:
            session.history.append([renewed])
        assert kinds(house) == told
    (message,) = list_messages(house)
    assert (message.recipient, message.has_secret) == (SUBSCRIBER.user.email, False)


# -- secrets ---------------------------------------------------------------------------------------------------------------


def send(house: House, secret: SecretMessage, world: World) -> None:
    told = tell_of_program(EventType.REQUEST_CREATED, NOW)
    with house.store.writing() as session:
        send_secrets(secret, told, session=session, world=world)


def test_secrets_go_into_the_outbox_encrypted_with_their_template(house: House) -> None:
    request_id = house.open(under(house))
    template = MailTemplate(subject="Passwords", text="{% for each in secrets %}{{ each }} {% endfor %}")
    secret = SecretMessage(
        request_id=request_id, recipient="subscriber@contoso.com", secrets=("4711", "4712"), template=template
    )
    send(house, secret, replace(house.world, sends_mail=True))
    (listed,) = list_messages(house)
    assert (listed.notification, listed.has_secret, listed.payload) == (N.DISTRIBUTE_SECRETS, True, b"")
    with house.store.writing() as session:
        claimed = session.outbox.claim(listed, until=NOW)
    assert claimed is not None
    content = msgspec.json.decode(claimed.payload, type=MailContent)
    assert content.facts["secrets"] == ["4711", "4712"]
    assert content.template == template


def test_the_policys_own_template_for_secrets_is_that_of_the_mail_with_them(house: House) -> None:
    own = MailTemplate(subject="Passwords", text="{{ secrets|join(' ') }}")
    rule = NotificationRule(type=N.DISTRIBUTE_SECRETS, to=(), template=own)
    request_id = house.open(under(house, rule))
    secret = SecretMessage(request_id=request_id, recipient="subscriber@contoso.com", secrets=("4711",))
    told = tell(EventType.PASSWORDS_DISTRIBUTED, signed_in(MANAGER), NOW, request_id=request_id)
    with house.store.writing() as session:
        session.history.append([told])
        send_secrets(secret, told, session=session, world=replace(house.world, sends_mail=True))
    (listed,) = list_messages(house)
    with house.store.writing() as session:
        claimed = session.outbox.claim(listed, until=NOW)
    assert claimed is not None
    assert msgspec.json.decode(claimed.payload, type=MailContent).template == own


def test_others_can_be_told_that_passwords_were_handed_out_without_any_in_it(house: House) -> None:
    request_id = house.open(under(house, NotificationRule(type=N.DISTRIBUTE_SECRETS, to=("security@contoso.com",))))
    told = tell(EventType.PASSWORDS_DISTRIBUTED, signed_in(MANAGER), NOW, request_id=request_id)
    with house.store.writing() as session:
        session.history.append([told])
    (message,) = list_messages(house)
    assert (message.recipient, message.has_secret, message.notification) == (
        "security@contoso.com",
        False,
        N.DISTRIBUTE_SECRETS,
    )
    assert "secrets" not in read_body(message)["facts"]


def test_secrets_are_refused_where_they_could_not_be_sent(house: House) -> None:
    request_id = house.open(under(house))
    secret = SecretMessage(request_id=request_id, recipient="subscriber@contoso.com", secrets=("4711",))
    with pytest.raises(MailNotConfigured):
        send(house, secret, house.world)
    with pytest.raises(DeliveryRejected):
        send(house, replace(secret, recipient="nobody"), replace(house.world, sends_mail=True))
    assert kinds(house) == []
