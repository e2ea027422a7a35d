"""One-time passwords from their distribution to their end, on a real database with a real outbox."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from certwright.application.approve_request import approve_request
from certwright.application.complete_request import complete_request
from certwright.application.create_request import RequestWish, create_request
from certwright.application.enroll import Submission, enroll
from certwright.application.one_time_passwords import (
    HandedOut,
    distribute_passwords,
    list_expired_passwords,
    present_passwords,
)
from certwright.application.open_renewals import list_due_renewals
from certwright.domain.certificates import Certificate
from certwright.domain.errors import (
    AccessDenied,
    NoOneTimePasswords,
    OneTimePasswordsMissing,
    OneTimePasswordsOver,
    OneTimePasswordsRejected,
    OneTimePasswordsUndeliverable,
    TransitionRefused,
)
from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.identities import Principal
from certwright.domain.one_time_passwords import Distribution, OneTimePasswordRules
from certwright.domain.outbox import MAIL, OutboxMessage
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId
from certwright.domain.workflows import Operation
from worlds.contoso import ADMINISTRATOR, APPROVER, APPROVERS, MANAGER, MANAGERS, OUTSIDER, SUBSCRIBER, SUBSCRIBER2
from worlds.holdings import list_requests_of
from worlds.house import ONE, TWO, House, csr, signed_in

SCREEN, TARGET, ORIGINATOR = Distribution.DISPLAY_ON_SCREEN, Distribution.EMAIL_TO_TARGET, Distribution.EMAIL_TO_ORIGINATOR
RULES = OneTimePasswordRules(distributions=(SCREEN, SCREEN), tries=3, checked_over_rest=True)
DAY = timedelta(days=1)


def save(house: House, rules: OneTimePasswordRules, **changed) -> ProfileTemplate:
    policy = Policy(
        self_service=True,
        initiators=frozenset({MANAGERS}),
        approvers=frozenset({APPROVERS}),
        one_time_passwords=rules,
        **changed,
    )
    return house.save(replace(ONE, policies={RequestType.ENROLL: policy}))


def mailing(house: House) -> House:
    """Return the house with a mail server."""
    return replace(house, world=replace(house.world, sends_mail=True))


def open_for_subscriber(house: House, rules: OneTimePasswordRules = RULES, **changed) -> RequestId:
    save(house, rules, **changed)
    return house.open(by=MANAGER, target=SUBSCRIBER)


def distribute(house: House, request_id: RequestId, by: Principal = MANAGER) -> HandedOut:
    return distribute_passwords(request_id, by=signed_in(by), world=house.world)


def post(house: House, request_id: RequestId, *passwords: str, by: Principal = SUBSCRIBER) -> list[str | None]:
    submission = Submission(certificate_requests=(csr("key"),), one_time_passwords=passwords)
    delivered = enroll(request_id, submission, by=signed_in(by), world=house.world)
    return [None if each.error is None else str(each.error) for each in delivered]


def claim_mails(house: House) -> list[OutboxMessage]:
    """Return what a sender of mails is given."""
    with house.store.writing() as session:
        now = house.clock.now()
        due = session.outbox.list_due(MAIL, now=now, latest=now + DAY, limit=100)
        claimed = [session.outbox.claim(each, until=now + DAY) for each in due]
    return [each for each in claimed if each is not None]


def certificate_count(house: House, request_id: RequestId) -> int:
    found: tuple[Certificate, ...] = house.certificates(request_id)
    return len(found)


# -- who is asked ------------------------------------------------------------------------------------------------------------


def test_a_request_that_somebody_else_has_started_is_executed_with_its_passwords(house: House) -> None:
    request_id = open_for_subscriber(house)
    handed_out = distribute(house, request_id)
    assert len(handed_out.shown) == 2
    assert handed_out.expires == house.clock.now() + RULES.validity
    assert post(house, request_id, *handed_out.shown) == [None]
    complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    told = house.events(request_id)
    assert told[:3] == ["request.created", "one-time-passwords.distributed", "one-time-passwords.accepted"]


def test_without_passwords_nothing_is_issued_and_no_try_is_lost(house: House) -> None:
    request_id = open_for_subscriber(house)
    handed_out = distribute(house, request_id)
    for _ in range(RULES.tries + 1):
        with pytest.raises(OneTimePasswordsMissing) as missing:
            post(house, request_id)
        assert missing.value.count == 2
    with pytest.raises(OneTimePasswordsMissing):
        complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    assert certificate_count(house, request_id) == 0
    assert post(house, request_id, *handed_out.shown) == [None]


def test_who_starts_a_request_for_himself_is_asked_for_nothing(house: House) -> None:
    save(house, RULES)
    request_id = house.open()
    assert post(house, request_id) == [None]
    with pytest.raises(NoOneTimePasswords):
        distribute(house, request_id)


def test_where_the_policy_does_not_check_over_rest_only_passwords_that_are_given_are_looked_at(house: House) -> None:
    request_id = open_for_subscriber(house, replace(RULES, checked_over_rest=False))
    handed_out = distribute(house, request_id)
    with pytest.raises(OneTimePasswordsRejected):
        post(house, request_id, "AAAA-AAAA-AAAA", handed_out.shown[0])
    assert certificate_count(house, request_id) == 0
    assert post(house, request_id) == [None]


def test_passwords_are_asked_for_once_so_that_a_post_can_be_repeated(house: House) -> None:
    request_id = open_for_subscriber(house)
    handed_out = distribute(house, request_id)
    for given in (handed_out.shown, handed_out.shown, ()):
        assert post(house, request_id, *given) == [None]
    assert certificate_count(house, request_id) == 1
    assert house.events(request_id).count("one-time-passwords.accepted") == 1
    with pytest.raises(OneTimePasswordsOver, match="used"):
        distribute(house, request_id)


# -- guessing ----------------------------------------------------------------------------------------------------------------


def test_wrong_passwords_are_counted_until_the_right_ones_are_worth_nothing(house: House) -> None:
    request_id = open_for_subscriber(house)
    handed_out = distribute(house, request_id)
    for left in (2, 1, 0):
        with pytest.raises(OneTimePasswordsRejected) as rejected:
            post(house, request_id, handed_out.shown[0], handed_out.shown[0])
        assert rejected.value.tries_left == left
    with pytest.raises(OneTimePasswordsOver, match="exhausted"):
        post(house, request_id, *handed_out.shown)
    assert house.events(request_id).count("one-time-passwords.rejected") == 3
    assert certificate_count(house, request_id) == 0
    again = distribute(house, request_id, by=MANAGER)
    assert post(house, request_id, *again.shown) == [None]


def test_nobody_who_may_not_execute_takes_tries_away(house: House) -> None:
    request_id = open_for_subscriber(house)
    handed_out = distribute(house, request_id)
    for who in (OUTSIDER, MANAGER, SUBSCRIBER2, ADMINISTRATOR):
        for _ in range(RULES.tries):
            with pytest.raises(AccessDenied):
                present_passwords(request_id, ("A", "B"), by=signed_in(who), world=house.world)
    assert post(house, request_id, *handed_out.shown) == [None]


def test_passwords_that_were_never_handed_out_cannot_be_guessed(house: House) -> None:
    request_id = open_for_subscriber(house)
    with pytest.raises(OneTimePasswordsOver, match="not distributed"):
        post(house, request_id, "AAAA-AAAA-AAAA", "AAAA-AAAA-AAAA")


def test_a_new_distribution_makes_the_old_passwords_void(house: House) -> None:
    request_id = open_for_subscriber(house)
    old, new = distribute(house, request_id), distribute(house, request_id)
    with pytest.raises(OneTimePasswordsRejected):
        post(house, request_id, *old.shown)
    assert post(house, request_id, *new.shown) == [None]


def test_passwords_of_one_request_are_worth_nothing_for_another(house: House) -> None:
    first = open_for_subscriber(house)
    second = house.open(by=MANAGER, target=SUBSCRIBER)
    handed_out = distribute(house, first)
    distribute(house, second)
    with pytest.raises(OneTimePasswordsRejected):
        post(house, second, *handed_out.shown)


# -- time --------------------------------------------------------------------------------------------------------------------


def test_passwords_expire_and_that_is_told_once(house: House) -> None:
    request_id = open_for_subscriber(house)
    handed_out = distribute(house, request_id)
    house.clock.step(RULES.validity - timedelta(seconds=1))
    assert list_expired_passwords(10, world=house.world) == []
    house.clock.step(timedelta(seconds=1))
    with pytest.raises(OneTimePasswordsOver, match="expired"):
        post(house, request_id, *handed_out.shown)
    twice = [*list_expired_passwords(10, world=house.world), *list_expired_passwords(10, world=house.world)]
    assert [each.carry_out() for each in twice] == [True, False]
    assert list_expired_passwords(10, world=house.world) == []
    assert house.events(request_id)[-1] == "one-time-passwords.expired"
    assert post(house, request_id, *distribute(house, request_id).shown) == [None]


def test_a_clock_that_jumps_a_day_forward_and_back_does_not_make_passwords_void(house: House) -> None:
    request_id = open_for_subscriber(house, replace(RULES, validity=DAY / 2))
    handed_out = distribute(house, request_id)
    house.clock.step(DAY)
    assert [each.carry_out() for each in list_expired_passwords(10, world=house.world)] == [True]
    house.clock.step(-DAY)
    assert post(house, request_id, *handed_out.shown) == [None]


# -- who hands them out ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [MANAGER, APPROVER], ids=["initiator", "approver"])
def test_initiators_and_approvers_distribute(house: House, who: Principal) -> None:
    request_id = open_for_subscriber(house)
    assert len(distribute(house, request_id, by=who).shown) == 2


@pytest.mark.parametrize("who", [SUBSCRIBER, SUBSCRIBER2, OUTSIDER, ADMINISTRATOR], ids=lambda each: each.user.account_name)
def test_nobody_else_does_least_of_all_the_subject(house: House, who: Principal) -> None:
    request_id = open_for_subscriber(house)
    with pytest.raises(AccessDenied):
        distribute(house, request_id, by=who)


def test_nothing_is_distributed_before_the_last_approval(house: House) -> None:
    request_id = open_for_subscriber(house, approvals_needed=1)
    with pytest.raises(TransitionRefused, match="pending"):
        distribute(house, request_id)
    approve_request(request_id, by=signed_in(APPROVER), world=house.world)
    assert len(distribute(house, request_id, by=APPROVER).shown) == 2


# -- mail --------------------------------------------------------------------------------------------------------------------


def secrets_in(message: OutboxMessage) -> list[str]:
    secrets: list[str] = json.loads(message.payload)["facts"]["secrets"]
    return secrets


def test_passwords_that_go_by_mail_are_handed_out_with_the_last_approval(house: House) -> None:
    house = mailing(house)
    request_id = open_for_subscriber(house, replace(RULES, distributions=(TARGET, ORIGINATOR)), approvals_needed=1)
    assert claim_mails(house) == []
    approve_request(request_id, by=signed_in(APPROVER), world=house.world)
    first = claim_mails(house)
    # Messages about one person go out in their order: the second waits for the first.
    assert [each.recipient for each in first] == [SUBSCRIBER.user.email]
    assert all(each.has_secret for each in first)
    with house.store.reading() as session:
        stored = session.outbox.list_all(None, 10)
    assert {each.recipient for each in stored} == {SUBSCRIBER.user.email, MANAGER.user.email}
    assert {each.payload for each in stored} == {b""}, "secrets are shown to nobody but the sender"
    assert len(secrets_in(first[0])) == 1


def test_one_on_the_screen_and_one_by_mail_are_both_needed(house: House) -> None:
    house = mailing(house)
    request_id = open_for_subscriber(house, replace(RULES, distributions=(SCREEN, TARGET)))
    assert claim_mails(house) == [], "somebody has to sit before the screen"
    handed_out = distribute(house, request_id)
    (mail,) = claim_mails(house)
    (shown,), (mailed,) = handed_out.shown, secrets_in(mail)
    assert shown != mailed
    with pytest.raises(OneTimePasswordsRejected):
        post(house, request_id, shown, shown)
    assert post(house, request_id, mailed, shown) == [None]


def test_no_password_is_in_an_event_or_in_the_database(house: House, tmp_path) -> None:
    house = mailing(house)
    request_id = open_for_subscriber(house, replace(RULES, distributions=(SCREEN, TARGET)))
    handed_out = distribute(house, request_id)
    (mail,) = claim_mails(house)
    secrets = [*handed_out.shown, *secrets_in(mail)]
    with pytest.raises(OneTimePasswordsRejected) as rejected:
        post(house, request_id, secrets[0], "wrong")
    told = repr(house.list_events(request_id)) + str(rejected.value) + repr(handed_out) + repr(mail)
    files = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    for secret in secrets:
        assert secret not in told
        assert secret.encode() not in files
        assert secret.replace("-", "").encode() not in files


def test_without_a_mail_server_a_request_is_approved_and_the_history_says_what_could_not_be_delivered(house: House) -> None:
    request_id = open_for_subscriber(house, replace(RULES, distributions=(TARGET,)))
    assert house.events(request_id) == ["request.created", "one-time-passwords.undelivered"]
    with pytest.raises(OneTimePasswordsUndeliverable, match="no mail server"):
        distribute(house, request_id)
    assert len(distribute_later(house, request_id)) == 1


def distribute_later(house: House, request_id: RequestId) -> list[OutboxMessage]:
    able = mailing(house)
    distribute(able, request_id)
    return claim_mails(able)


def test_a_subject_without_an_address_gets_nothing_and_nothing_is_changed(house: House) -> None:
    house = mailing(house)
    request_id = open_for_subscriber(house, replace(RULES, distributions=(SCREEN, TARGET)))
    with house.store.writing() as session:
        session.directory.save_user(replace(SUBSCRIBER.user, email=""))
    with pytest.raises(OneTimePasswordsUndeliverable, match="no mail address"):
        distribute(house, request_id)
    with house.store.reading() as session:
        assert session.passwords.find(request_id) is None
    assert house.events(request_id) == ["request.created"]


def test_the_passwords_of_a_renewal_that_the_program_opens_are_mailed_to_its_subject(house: House) -> None:
    house = mailing(house)
    own = Policy(self_service=True, initiators=frozenset({MANAGERS}))
    renewal = replace(own, renewal_period=60 * DAY, one_time_passwords=replace(RULES, distributions=(TARGET, TARGET)))
    house.save(replace(TWO, policies={RequestType.ENROLL: own, RequestType.RENEW: renewal}))
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.clock.step(timedelta(days=365 - 60))
    assert [each.carry_out() for each in list_due_renewals(10, world=house.world)] == [True]
    with house.store.reading() as session:
        (request,) = [each for each in list_requests_of(session) if each.old_profile_id == profile_id]
        mails = session.outbox.list_all(None, 10)
    assert [each.recipient for each in mails] == [SUBSCRIBER.user.email] * 2
    with pytest.raises(OneTimePasswordsMissing):
        post(house, request.id)


def test_a_renewal_of_the_program_shows_passwords_to_an_initiator_of_the_policy(house: House) -> None:
    own = Policy(self_service=True, initiators=frozenset({MANAGERS}))
    renewal = replace(own, renewal_period=60 * DAY, one_time_passwords=RULES)
    house.save(replace(TWO, policies={RequestType.ENROLL: own, RequestType.RENEW: renewal}))
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.clock.step(timedelta(days=365 - 60))
    assert [each.carry_out() for each in list_due_renewals(10, world=house.world)] == [True]
    with house.store.reading() as session:
        (request,) = [each for each in list_requests_of(session) if each.old_profile_id == profile_id]
    with pytest.raises(AccessDenied, match="as initiator with request-renew over the subject"):
        distribute(house, request.id)
    with house.store.writing() as session:
        renewing = Grant(ObjectKind.PRINCIPAL, SUBSCRIBER.user.sid, Right.REQUEST_RENEW, MANAGERS)
        session.directory.replace_grants([*session.directory.load_grants(), renewing])
    handed_out = distribute(house, request.id)
    submission = Submission(certificate_requests=(csr("s2"), csr("e2")), one_time_passwords=handed_out.shown)
    delivered = enroll(request.id, submission, by=signed_in(SUBSCRIBER), world=house.world)
    assert [each.error for each in delivered] == [None, None]


def test_a_request_can_be_asked_for_without_any_of_it(house: House) -> None:
    wish = RequestWish(operation=Operation.ENROLL, template_id=ONE.id, target_id=SUBSCRIBER.user.id)
    request = create_request(wish, by=signed_in(MANAGER), world=house.world)
    assert post(house, request.id) == [None]
    with pytest.raises(NoOneTimePasswords):
        distribute(house, request.id)
