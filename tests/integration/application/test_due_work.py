"""What happens by itself, on a real database, under a clock that is told to go."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from certwright.application.approve_request import approve_request, supply_data
from certwright.application.close_request import cancel_request, list_stale_requests
from certwright.application.complete_request import complete_request
from certwright.application.delayed_revocations import list_due_revocations
from certwright.application.due_work import Due
from certwright.application.open_renewals import RenewalsInTurn, list_due_renewals
from certwright.domain.certificates import CertificateStatus
from certwright.domain.data_items import DataItem, DataItemDefinition, DataItemOriginator
from certwright.domain.errors import AccessDenied, DataIncomplete
from certwright.domain.events import PROGRAM, Event
from certwright.domain.policies import Choices, Policy
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.profiles import ProfileId, ProfileStatus
from certwright.domain.program import PROGRAM_ID, THE_PROGRAM
from certwright.domain.request_types import RequestType
from certwright.domain.requests import Request, RequestStatus
from certwright.domain.revocation import RevocationSettings
from certwright.domain.workflows import Operation
from worlds.contoso import APPROVER, APPROVERS, MANAGER, MANAGERS, SUBSCRIBER
from worlds.holdings import list_requests_of
from worlds.house import ONE, PFX_PASSWORD, SECOND, TWO, House, csr, signed_in

DAY = timedelta(days=1)
SELF = Policy(self_service=True, initiators=frozenset({MANAGERS}))
PUBLISHED = RevocationSettings(allow_specify_delay=True, publish_base_crl=True, publish_delta_crl=True)
POLICIES = {
    RequestType.ENROLL: SELF,
    RequestType.RENEW: replace(SELF, renewal_period=timedelta(days=60)),
    RequestType.DISABLE: replace(SELF, revocation=PUBLISHED),
    RequestType.SUSPEND_OR_REINSTATE: SELF,
}
UNTIL_RENEWAL = timedelta(days=365 - 60)


def save(house: House, renewal: Policy | None) -> ProfileTemplate:
    policies = {kind: policy for kind, policy in POLICIES.items() if kind is not RequestType.RENEW}
    return house.save(replace(TWO, policies=policies | ({RequestType.RENEW: renewal} if renewal else {})))


@pytest.fixture
def template(house: House) -> ProfileTemplate:
    return save(house, POLICIES[RequestType.RENEW])


def switch_account(house: House, *, enabled: bool) -> None:
    with house.store.writing() as session:
        session.directory.save_user(replace(SUBSCRIBER.user, enabled=enabled))


def carry_out(due: Sequence[Due]) -> list[bool]:
    return [each.carry_out() for each in due]


def renew_all(house: House) -> list[bool]:
    return carry_out(list_due_renewals(100, world=house.world))


def requests_about(house: House, profile_id: ProfileId) -> list[Request]:
    with house.store.reading() as session:
        return [each for each in list_requests_of(session) if each.old_profile_id == profile_id]


def events_of_program(house: House) -> list[Event]:
    with house.store.reading() as session:
        events = [each for each in session.history.list_unsealed(1_000) if isinstance(each, Event)]
    return [each for each in events if each.actor == PROGRAM]


# -- renewals --------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("template")
def test_a_renewal_is_opened_when_its_period_begins_and_not_before(house: House) -> None:
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.clock.step(UNTIL_RENEWAL - DAY)
    assert renew_all(house) == []
    house.clock.step(DAY)
    (due,) = list_due_renewals(100, world=house.world)
    assert due.since == house.clock.now().replace(microsecond=0), "certificates end at a whole second"
    assert str(profile_id) in due.what
    assert requests_about(house, profile_id) == [], "looking changes nothing"
    assert renew_all(house) == [True]
    (request,) = requests_about(house, profile_id)
    assert (request.operation, request.status) == (Operation.RENEW, RequestStatus.APPROVED)
    assert (request.originator_id, request.target_id) == (PROGRAM_ID, SUBSCRIBER.user.id)
    (event,) = events_of_program(house)
    assert (event.type, event.request_id, event.details["operation"]) == ("request.created", request.id, "renew")


@pytest.mark.usefixtures("template")
def test_looks_in_turn_come_to_every_renewal_and_leave_none_out(house: House) -> None:
    made = []
    for number in range(3):
        made.append(house.run(Operation.ENROLL, None, (f"s{number}", f"e{number}")))
        house.clock.step(timedelta(seconds=2))
    house.clock.step(UNTIL_RENEWAL)
    assert len(list_due_renewals(100, world=house.world, among=1)) == 3
    in_turn = RenewalsInTurn(house.world, among=1)
    for _ in range(20):
        # What is found is found again until it is done, so that a worker can look before it takes the lease.
        first = in_turn.list_due(1)
        again = in_turn.list_due(100) if first else ()
        assert [each.what for each in first] == [each.what for each in again][:1]
        carry_out(again)
    assert [len(requests_about(house, each)) for each in made] == [1, 1, 1]
    assert list_due_renewals(100, world=house.world) == []


@pytest.mark.usefixtures("template")
def test_the_subject_brings_the_renewal_to_its_end_and_its_new_profile_is_not_due(house: House) -> None:
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.clock.step(UNTIL_RENEWAL)
    renew_all(house)
    (request,) = requests_about(house, profile_id)
    house.post(request.id, csr("s2"), csr("e2"))
    complete_request(request.id, by=signed_in(SUBSCRIBER), world=house.world)
    assert renew_all(house) == []


@pytest.mark.usefixtures("template")
def test_archived_certificates_are_renewed_again_and_again(house: House) -> None:
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    for turn in range(2, 4):
        old = house.archive(profile_id, SECOND.common_name)
        house.clock.step(UNTIL_RENEWAL)
        assert renew_all(house) == [True]
        (request,) = requests_about(house, profile_id)
        house.post(request.id, csr(f"s{turn}"), csr(f"e{turn}"), pfx_password=PFX_PASSWORD)
        completed = complete_request(request.id, by=signed_in(SUBSCRIBER), world=house.world).request
        assert completed.profile_id is not None
        profile_id = completed.profile_id
        ends = {each.serial: each.not_after for each in house.held(profile_id) if not each.is_key_history}
        assert len(ends) == 2
        assert old not in ends
        assert min(ends.values()) > house.clock.now() + UNTIL_RENEWAL


@pytest.mark.usefixtures("template")
def test_a_renewal_is_not_opened_twice_also_when_its_subject_does_not_want_it(house: House) -> None:
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.clock.step(UNTIL_RENEWAL)
    twice = [*list_due_renewals(100, world=house.world), *list_due_renewals(100, world=house.world)]
    assert carry_out(twice) == [True, False]
    (request,) = requests_about(house, profile_id)
    cancel_request(request.id, by=signed_in(SUBSCRIBER), world=house.world)
    for _ in range(3):
        house.clock.step(10 * DAY)
        assert renew_all(house) == []


@pytest.mark.usefixtures("template")
def test_what_somebody_renews_himself_is_left_to_him(house: House) -> None:
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.clock.step(UNTIL_RENEWAL)
    due = list_due_renewals(100, world=house.world)
    house.run(Operation.RENEW, profile_id, ("s2", "e2"))
    assert carry_out(due) == [False]
    assert renew_all(house) == []


@pytest.mark.parametrize("renewal", [None, replace(SELF, enabled=False)], ids=["no policy", "switched off"])
def test_profiles_that_may_not_be_renewed_are_left_alone(house: House, renewal: Policy | None) -> None:
    save(house, renewal)
    house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.clock.step(UNTIL_RENEWAL)
    assert renew_all(house) == []


@pytest.mark.usefixtures("template")
@pytest.mark.parametrize("ending", [Operation.SUSPEND, Operation.DISABLE])
def test_profiles_that_are_on_hold_or_ended_are_left_alone(house: House, ending: Operation) -> None:
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.run(ending, profile_id)
    house.clock.step(UNTIL_RENEWAL)
    assert renew_all(house) == []


@pytest.mark.usefixtures("template")
def test_what_has_expired_is_left_alone(house: House) -> None:
    house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.clock.step(timedelta(days=366))
    assert renew_all(house) == []


def test_the_approvals_of_the_policy_hold_for_the_program(house: House) -> None:
    asked = Policy(self_service=True, approvals_needed=1, approvers=frozenset({APPROVERS}), renewal_period=60 * DAY)
    save(house, asked)
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.clock.step(UNTIL_RENEWAL)
    assert renew_all(house) == [True]
    (request,) = requests_about(house, profile_id)
    assert request.status is RequestStatus.PENDING
    with pytest.raises(AccessDenied):
        approve_request(request.id, by=signed_in(SUBSCRIBER), world=house.world)
    with pytest.raises(AccessDenied):
        approve_request(request.id, by=THE_PROGRAM, world=house.world)
    seen = approve_request(request.id, by=signed_in(APPROVER), world=house.world)
    assert seen.request.status is RequestStatus.APPROVED


def test_a_renewal_is_opened_with_required_items_missing_and_waits_for_them(house: House) -> None:
    asked = DataItemDefinition(name="Reason", required=True, originator=DataItemOriginator.MANAGER)
    save(house, replace(POLICIES[RequestType.RENEW], data_items=(asked,)))
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.clock.step(UNTIL_RENEWAL)
    assert renew_all(house) == [True]
    (request,) = requests_about(house, profile_id)
    assert (request.status, request.is_data_complete) == (RequestStatus.APPROVED, False)
    with pytest.raises(DataIncomplete):
        house.post(request.id, csr("s2"), csr("e2"))
    supply_data(request.id, (DataItem("Reason", "it ends"),), by=signed_in(MANAGER), world=house.world)
    house.post(request.id, csr("s2"), csr("e2"))
    complete_request(request.id, by=signed_in(SUBSCRIBER), world=house.world)


@pytest.mark.usefixtures("template")
def test_a_renewal_that_is_refused_is_recorded_once_and_tried_again_after_a_day(house: House) -> None:
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    switch_account(house, enabled=False)
    house.clock.step(UNTIL_RENEWAL)
    assert renew_all(house) == [True]
    (event,) = events_of_program(house)
    assert (event.type, event.subject_id) == ("renewal.refused", SUBSCRIBER.user.id)
    assert (event.details["profile"], event.details["error"]) == (str(profile_id), "subject-disabled")
    house.clock.step(timedelta(hours=23))
    assert renew_all(house) == []
    house.clock.step(timedelta(hours=1))
    assert renew_all(house) == [True]
    assert events_of_program(house) == [event], "the same refusal is told once"
    switch_account(house, enabled=True)
    house.clock.step(DAY)
    assert renew_all(house) == [True]
    assert [each.operation for each in requests_about(house, profile_id)] == [Operation.RENEW]


@pytest.mark.usefixtures("template")
def test_renewals_of_people_who_are_switched_off_are_refused(house: House) -> None:
    house.run(Operation.ENROLL, None, ("s1", "e1"))
    with house.store.writing() as session:
        session.directory.save_user(replace(SUBSCRIBER.user, enabled=False))
    house.clock.step(UNTIL_RENEWAL)
    assert renew_all(house) == [True]
    (event,) = events_of_program(house)
    assert event.details["error"] == "subject-disabled"


# -- revocations that were put off -------------------------------------------------------------------------------------------


def disable(house: House, profile_id: ProfileId, days: int) -> None:
    house.run(Operation.DISABLE, profile_id, choices=Choices(revocation_delay=days * DAY))


def let_revocations_take_effect(house: House) -> list[bool]:
    return carry_out(list_due_revocations(100, world=house.world))


@pytest.mark.usefixtures("template")
def test_a_delayed_revocation_is_told_with_the_lists_it_wants_when_its_time_has_come(house: House) -> None:
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    disable(house, profile_id, days=3)
    house.clock.step(3 * DAY - timedelta(seconds=1))
    assert let_revocations_take_effect(house) == []
    house.clock.step(timedelta(seconds=1))
    assert let_revocations_take_effect(house) == [True, True]
    assert let_revocations_take_effect(house) == []
    told = [(each.type.value, each.details.get("lists")) for each in events_of_program(house)]
    assert told == [("certificate.revocation-effective", None), ("crl.requested", "base delta")] * 2
    assert {each.status(house.clock.now()) for each in house.held(profile_id)} == {CertificateStatus.REVOKED}
    serials = {each.details["serial"] for each in events_of_program(house) if "serial" in each.details}
    assert len(serials) == 2


@pytest.mark.usefixtures("template")
def test_a_revocation_at_once_is_told_when_it_is_made_and_not_again(house: House) -> None:
    disable(house, house.run(Operation.ENROLL, None, ("s1", "e1")), days=0)
    house.clock.step(DAY)
    assert let_revocations_take_effect(house) == []


def test_a_revocation_that_another_was_faster_than_is_not_told(house: House, template: ProfileTemplate) -> None:
    ending = replace(PUBLISHED, revoke_old_certificates=True, delay=5 * DAY)
    house.save(replace(template, policies={**POLICIES, RequestType.RENEW: replace(SELF, revocation=ending)}))
    old = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.run(Operation.RENEW, old, ("s2", "e2"))
    disable(house, old, days=0)
    house.clock.step(5 * DAY)
    assert let_revocations_take_effect(house) == [False, False]
    assert events_of_program(house) == []
    assert let_revocations_take_effect(house) == []


# -- requests that nobody brings to an end -------------------------------------------------------------------------------------

STALE_AFTER = timedelta(days=30)


def cancel_stale(house: House, after: timedelta = STALE_AFTER) -> list[bool]:
    return carry_out(list_stale_requests(100, after, world=house.world))


def status_of(house: House, request_id) -> RequestStatus:
    with house.store.reading() as session:
        return session.requests.get(request_id).status


def test_a_request_that_nobody_touches_is_canceled_with_an_event_of_its_own(house: House) -> None:
    request_id = house.open()
    house.clock.step(STALE_AFTER - DAY)
    assert cancel_stale(house) == []
    house.clock.step(DAY)
    assert cancel_stale(house) == [True]
    assert status_of(house, request_id) is RequestStatus.CANCELED
    assert house.events(request_id) == ["request.created", "request.expired"]
    assert cancel_stale(house) == []


def test_what_a_stale_request_has_issued_is_revoked_and_its_profile_disabled(house: House) -> None:
    request_id = house.open()
    house.post(request_id, csr("a"))
    house.clock.step(STALE_AFTER)
    assert cancel_stale(house) == [True]
    (certificate,) = house.certificates(request_id)
    assert certificate.status(house.clock.now()) is CertificateStatus.REVOKED
    with house.store.reading() as session:
        assert session.profiles.get(certificate.profile_id).status is ProfileStatus.DISABLED
    assert house.events(request_id)[-3:] == ["request.expired", "profile.changed", "certificate.revoked"]


def test_whatever_somebody_does_with_a_request_keeps_it(house: House) -> None:
    request_id = house.open()
    house.clock.step(STALE_AFTER - DAY)
    due_before = list_stale_requests(100, timedelta(days=1), world=house.world)
    house.post(request_id, csr("a"))
    assert carry_out(due_before) == [False]
    house.clock.step(STALE_AFTER - DAY)
    assert cancel_stale(house) == []
    assert status_of(house, request_id) is RequestStatus.EXECUTING


def test_requests_rest_for_ever_where_the_settings_say_so(house: House) -> None:
    house.open()
    house.clock.step(timedelta(days=10_000))
    assert cancel_stale(house, timedelta()) == []


def test_a_completed_request_does_not_become_stale(house: House) -> None:
    house.save(replace(ONE, policies={RequestType.ENROLL: SELF}))
    house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.clock.step(STALE_AFTER)
    assert cancel_stale(house) == []


# -- clocks that jump --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("template")
def test_a_clock_that_jumps_a_day_forward_and_back_does_nothing_twice_and_forgets_nothing(house: House) -> None:
    renewed = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.clock.step(UNTIL_RENEWAL - DAY / 2)
    revoked = house.run(Operation.ENROLL, None, ("s3", "e3"))
    disable(house, revoked, days=1)
    request_id = house.open()

    def work() -> None:
        renew_all(house)
        let_revocations_take_effect(house)
        cancel_stale(house)

    work()
    before = house.clock.now()
    for step in (DAY, -DAY, timedelta(), DAY, -DAY):
        house.clock.step(step)
        work()
    assert house.clock.now() == before
    house.clock.step(DAY)
    work()
    kinds = [each.type.value for each in events_of_program(house)]
    assert kinds.count("request.created") == 1
    assert kinds.count("certificate.revocation-effective") == 2
    assert kinds.count("crl.requested") == 2
    assert len(requests_about(house, renewed)) == 1
    assert status_of(house, request_id) is RequestStatus.APPROVED


def test_a_refusal_under_a_clock_that_was_ahead_does_not_keep_a_renewal_from_being_tried(house: House) -> None:
    save(house, POLICIES[RequestType.RENEW])
    house.run(Operation.ENROLL, None, ("s1", "e1"))
    switch_account(house, enabled=False)
    house.clock.step(UNTIL_RENEWAL + 10 * DAY)
    assert renew_all(house) == [True]
    switch_account(house, enabled=True)
    house.clock.step(-10 * DAY)
    assert renew_all(house) == [True]


def test_managers_read_and_end_what_the_program_has_opened(house: House, template: ProfileTemplate) -> None:
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.clock.step(UNTIL_RENEWAL)
    renew_all(house)
    (request,) = requests_about(house, profile_id)
    assert cancel_request(request.id, by=signed_in(MANAGER), world=house.world).request.status is RequestStatus.CANCELED
    assert template.id == request.template_id
