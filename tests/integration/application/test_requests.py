"""Opening, closing and reading requests."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

import pytest

from certwright.application.approve_request import approve_request, supply_data
from certwright.application.close_request import abandon_request, cancel_request, fail_request
from certwright.application.complete_request import complete_request
from certwright.application.create_request import RequestWish, create_request
from certwright.application.plan_certificate_requests import plan_certificate_requests
from certwright.application.read_holdings import list_own_certificates, list_profile_certificates, list_profiles, read_profile
from certwright.application.read_profile_templates import find_policy, list_profile_templates, read_profile_template
from certwright.application.read_requests import list_requests, read_request
from certwright.application.request_parties import SeenRequest
from certwright.application.world import World
from certwright.domain.certificates import CertificateStatus
from certwright.domain.data_items import DataItem, DataItemDefinition, DataItemOriginator
from certwright.domain.errors import (
    AccessDenied,
    AnswersApproved,
    CertificatesMissing,
    CertwrightError,
    DataIncomplete,
    DataItemUnknown,
    MalformedValue,
    OpenRequestsExhausted,
    PolicyMissing,
    ProfilesExhausted,
    ProfileTemplateNotFound,
    RulesBroken,
    SubjectDisabled,
    TextTooLong,
    TransitionRefused,
    UserNotFound,
)
from certwright.domain.identities import Principal, UserId
from certwright.domain.policies import Answers, Policy
from certwright.domain.profile_templates import ProfileTemplate, ProfileTemplateId
from certwright.domain.profiles import ProfileStatus
from certwright.domain.request_types import RequestType
from certwright.domain.requests import DataCollectionFlags, Request, RequestFlags, RequestId, RequestStatus
from certwright.domain.revocation import RevocationReason
from certwright.domain.smartcard_configuration import SmartcardConfiguration
from certwright.domain.workflows import Operation
from worlds.contoso import ADMINISTRATOR, AGENT, APPROVER, APPROVERS, GRANTS, MANAGER, OUTSIDER, SUBSCRIBER, SUBSCRIBER2
from worlds.house import ONE, TWO, House, csr, signed_in

Close = Callable[..., SeenRequest]
POLICY = ONE.policies[RequestType.ENROLL]


def open_with(house: House, answers: Answers, by: Principal = SUBSCRIBER, target: Principal | None = None) -> Request:
    wish = RequestWish(
        operation=Operation.ENROLL, template_id=ONE.id, target_id=target.user.id if target else None, answers=answers
    )
    return create_request(wish, by=signed_in(by), world=house.world)


def save_policy(house: House, policy: Policy) -> ProfileTemplate:
    return house.save(replace(ONE, policies={RequestType.ENROLL: policy}))


# -- opening ---------------------------------------------------------------------------------------------------------------


def test_a_request_of_ones_own_is_approved_at_once(house: House) -> None:
    request = open_with(house, Answers(comment="new laptop", priority=7))
    assert request.status is RequestStatus.APPROVED
    assert (request.originator_id, request.target_id) == (SUBSCRIBER.user.id, SUBSCRIBER.user.id)
    assert (request.comment, request.priority, request.submitted) == ("new laptop", 7, house.clock.now())
    assert read_request(request.id, by=signed_in(SUBSCRIBER), world=house.world).request == request
    (created,) = house.list_events(request.id)
    assert (created.actor, created.comment, created.source) == ("CORP\\subscriber", "new laptop", "192.0.2.7")


def test_naming_oneself_as_target_is_the_same_as_naming_nobody(house: House) -> None:
    request = open_with(house, Answers(), target=SUBSCRIBER)
    assert request.originator_id == request.target_id == SUBSCRIBER.user.id


def test_a_request_waits_where_the_policy_wants_approvals(house: House) -> None:
    save_policy(house, replace(POLICY, approvals_needed=2))
    assert open_with(house, Answers(), by=MANAGER, target=SUBSCRIBER).status is RequestStatus.PENDING


def test_the_priority_is_the_policys_where_none_is_given(house: House) -> None:
    save_policy(house, replace(POLICY, default_priority=3))
    assert open_with(house, Answers()).priority == 3
    assert open_with(house, Answers(priority=0)).priority == 0


def test_flags_say_what_the_template_is_for(house: House) -> None:
    card = replace(ONE, smartcard=SmartcardConfiguration())
    assert open_with(house, Answers()).flags is RequestFlags.NONE
    house.save(replace(card, policies={RequestType.ENROLL: replace(POLICY, enrollment_agent_required=True)}))
    assert open_with(house, Answers()).flags == RequestFlags.SMARTCARD | RequestFlags.ENROLLMENT_AGENT


ITEMS = (
    DataItemDefinition(name="Reason", required=True),
    DataItemDefinition(name="Cost Centre", required=True, originator=DataItemOriginator.MANAGER),
)
BOTH = (DataItem("Reason", "lost"), DataItem("Cost Centre", "4711"))


def test_who_asks_for_himself_gives_the_items_of_both_sides(house: House) -> None:
    save_policy(house, replace(POLICY, data_items=ITEMS))
    started = open_with(house, Answers(data=BOTH[:1]))
    assert (started.status, started.is_data_complete) == (RequestStatus.APPROVED, False)
    request = open_with(house, Answers(data=BOTH))
    assert request.is_data_complete
    assert request.data == BOTH


def test_who_asked_for_himself_answers_after_the_approval_what_is_required_and_still_open(house: House) -> None:
    items = (*ITEMS[:1], DataItemDefinition(name="Phone"))
    save_policy(house, replace(POLICY, approvals_needed=1, approvers=frozenset({APPROVERS}), data_items=items))
    request = open_with(house, Answers())
    approve_request(request.id, by=signed_in(APPROVER), world=house.world)
    with pytest.raises(AnswersApproved):
        supply_data(request.id, (DataItem("Phone", "1"),), by=signed_in(SUBSCRIBER), world=house.world)
    with pytest.raises(DataIncomplete):
        house.post(request.id, csr("s1"))
    supplied = supply_data(request.id, (DataItem("Reason", "lost"),), by=signed_in(SUBSCRIBER), world=house.world)
    assert supplied.request.is_data_complete
    with pytest.raises(AnswersApproved):
        supply_data(request.id, (DataItem("Reason", "found"),), by=signed_in(SUBSCRIBER), world=house.world)


def test_a_manager_gives_his_items_and_leaves_the_subjects_to_the_subject(house: House) -> None:
    save_policy(house, replace(POLICY, data_items=ITEMS))
    request = open_with(house, Answers(data=BOTH[1:]), by=MANAGER, target=SUBSCRIBER)
    assert request.data_flags is DataCollectionFlags.CERTIFICATE_MANAGER_PROVIDED


def test_every_wrong_answer_is_named_and_nothing_is_stored(house: House) -> None:
    save_policy(house, replace(POLICY, collect_comments=False, data_items=ITEMS))
    with pytest.raises(RulesBroken) as refused:
        open_with(house, Answers(comment="?" * 5_000, priority=300, data=(DataItem("Unasked", "?"),)))
    assert [type(each) for each in refused.value.broken] == [
        TextTooLong,
        MalformedValue,
        DataItemUnknown,
    ]
    assert list_seen(by=signed_in(SUBSCRIBER), world=house.world) == ()


@pytest.mark.parametrize(
    ("wish", "by", "error"),
    [
        (
            RequestWish(operation=Operation.ENROLL, template_id=ProfileTemplateId(UUID(int=0))),
            SUBSCRIBER,
            ProfileTemplateNotFound,
        ),
        (RequestWish(operation=Operation.ENROLL, template_id=ONE.id, target_id=UserId(UUID(int=0))), MANAGER, UserNotFound),
        (RequestWish(operation=Operation.ENROLL, template_id=ONE.id, target_id=SUBSCRIBER2.user.id), SUBSCRIBER, AccessDenied),
        (RequestWish(operation=Operation.ENROLL, template_id=ONE.id), OUTSIDER, AccessDenied),
        (RequestWish(operation=Operation.ENROLL, template_id=ONE.id, target_id=OUTSIDER.user.id), MANAGER, AccessDenied),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_request_is_not_opened(house: House, wish: RequestWish, by: Principal, error: type[CertwrightError]) -> None:
    with pytest.raises(error):
        create_request(wish, by=signed_in(by), world=house.world)


def test_a_policy_that_is_switched_off_opens_nothing(house: House) -> None:
    save_policy(house, replace(POLICY, enabled=False))
    with pytest.raises(PolicyMissing):
        open_with(house, Answers())


def test_nothing_is_opened_for_somebody_who_is_disabled(house: House) -> None:
    with house.store.writing() as session:
        session.directory.save_user(replace(SUBSCRIBER.user, enabled=False))
    with pytest.raises(SubjectDisabled):
        open_with(house, Answers(), by=MANAGER, target=SUBSCRIBER)


def test_the_limit_of_profiles_counts_those_of_the_same_template_that_live(house: House) -> None:
    save_policy(house, replace(POLICY, maximum_active_profiles=1))
    house.post(house.open(TWO), csr("a"), csr("b"))
    first = house.open()
    house.post(first, csr("c"))
    with pytest.raises(ProfilesExhausted):
        house.open()
    cancel_request(first, by=signed_in(SUBSCRIBER), world=house.world)
    assert house.open()


# -- planning --------------------------------------------------------------------------------------------------------------


def test_the_client_is_told_which_keys_to_make(house: House) -> None:
    planned = plan_certificate_requests(house.open(TWO), by=signed_in(SUBSCRIBER), world=house.world)
    assert [each.common_name for each in planned] == ["SigningUser", "SecondUser"]


def test_only_who_executes_a_request_is_told_its_keys(house: House) -> None:
    with pytest.raises(AccessDenied):
        plan_certificate_requests(house.open(), by=signed_in(MANAGER), world=house.world)


# -- closing ---------------------------------------------------------------------------------------------------------------


def test_a_request_is_complete_when_all_its_certificates_are_delivered(house: House) -> None:
    request_id = house.open(TWO)
    house.post(request_id, csr("a"), csr("b"))
    completed = complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world, comment="thanks")
    assert completed.request.status is RequestStatus.COMPLETED
    assert completed.request.completed == house.clock.now()
    (held,) = list_profiles(by=signed_in(SUBSCRIBER), world=house.world)
    profile = held.profile
    assert profile.status is ProfileStatus.ACTIVE
    completing, activating = house.list_events(request_id)[-2:]
    assert completing.comment == "thanks"
    assert (activating.type, activating.details["status"]) == ("profile.changed", "NEW to ACTIVE")


def test_a_request_without_all_its_certificates_is_not_complete(house: House) -> None:
    request_id = house.open(TWO)
    with pytest.raises(CertificatesMissing):
        complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    house.post(request_id, csr("a"), "no request")
    with pytest.raises(CertificatesMissing) as refused:
        complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    assert (refused.value.delivered, refused.value.planned) == (1, 2)


@pytest.mark.parametrize(
    ("end", "event"), [(cancel_request, "request.canceled"), (abandon_request, "request.abandoned")], ids=["cancel", "abandon"]
)
def test_ending_a_request_revokes_what_it_issued(house: House, end: Close, event: str) -> None:
    request_id = house.open(TWO)
    house.post(request_id, csr("a"), csr("b"))
    ended = end(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    assert ended.request.status is RequestStatus.CANCELED
    certificates = house.certificates(request_id)
    assert [each.status(house.clock.now()) for each in certificates] == [CertificateStatus.REVOKED] * 2
    assert {each.revocation_reason for each in certificates} == {RevocationReason.CESSATION_OF_OPERATION}
    assert house.events(request_id)[-4:] == [event, "profile.changed", "certificate.revoked", "certificate.revoked"]
    (held,) = list_profiles(by=signed_in(SUBSCRIBER), world=house.world)
    profile = held.profile
    assert profile.status is ProfileStatus.DISABLED


def test_a_request_fails_while_it_is_executed_and_not_before(house: House) -> None:
    request_id = house.open(TWO)
    with pytest.raises(TransitionRefused):
        fail_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    house.post(request_id, csr("a"), csr("b"))
    failed = fail_request(request_id, by=signed_in(SUBSCRIBER), world=house.world, comment="the card broke")
    assert failed.request.status is RequestStatus.FAILED
    assert {each.status(house.clock.now()) for each in house.certificates(request_id)} == {CertificateStatus.REVOKED}
    assert house.events(request_id)[-4:] == ["request.failed", "profile.changed", "certificate.revoked", "certificate.revoked"]
    with pytest.raises(TransitionRefused):
        complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (complete_request, cancel_request),
        (complete_request, abandon_request),
        (cancel_request, complete_request),
        (cancel_request, cancel_request),
        (cancel_request, abandon_request),
    ],
    ids=lambda each: each.__name__,
)
def test_what_has_ended_stays_ended(house: House, first: Close, then: Close) -> None:
    request_id = house.open()
    house.post(request_id, csr("a"))
    first(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    before = house.certificates(request_id), house.events(request_id)
    with pytest.raises(TransitionRefused):
        then(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    assert (house.certificates(request_id), house.events(request_id)) == before


def test_repeated_completion_by_the_same_caller_answers_as_the_first(house: House) -> None:
    request_id = house.open(by=MANAGER, target=SUBSCRIBER)
    house.post(request_id, csr("a"))
    first = complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world)
    before = house.certificates(request_id), house.events(request_id)
    assert complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world).request == first.request
    assert (house.certificates(request_id), house.events(request_id)) == before
    with pytest.raises(AccessDenied):
        complete_request(request_id, by=signed_in(MANAGER), world=house.world)


def test_an_initiator_ends_a_request_that_its_subject_forgot(house: House) -> None:
    request_id = house.open(by=MANAGER, target=SUBSCRIBER)
    assert abandon_request(request_id, by=signed_in(MANAGER), world=house.world).request.status is RequestStatus.CANCELED


@pytest.mark.parametrize("close", [complete_request, cancel_request, abandon_request], ids=lambda each: each.__name__)
def test_a_stranger_closes_nothing_and_a_long_comment_neither(house: House, close: Close) -> None:
    request_id = house.open()
    house.post(request_id, csr("a"))
    with pytest.raises(AccessDenied):
        close(request_id, by=signed_in(SUBSCRIBER2), world=house.world)
    with pytest.raises(TextTooLong):
        close(request_id, by=signed_in(SUBSCRIBER), world=house.world, comment="x" * 4_001)
    assert read_request(request_id, by=signed_in(SUBSCRIBER), world=house.world).request.status is RequestStatus.EXECUTING


# -- reading ---------------------------------------------------------------------------------------------------------------


def list_seen(**asked) -> tuple[SeenRequest, ...]:
    """Return what is listed, in slices shorter than any list here."""
    return tuple(each for found in list_requests(slice_length=1, **asked) for each in found)


def ids(seen: tuple[SeenRequest, ...]) -> list[RequestId]:
    return [each.request.id for each in seen]


def test_requests_are_listed_for_those_who_may_read_them(house: House) -> None:
    mine, his, for_me = house.open(), house.open(by=SUBSCRIBER2), house.open(by=MANAGER, target=SUBSCRIBER)
    world = house.world
    assert ids(list_seen(by=signed_in(SUBSCRIBER), world=world)) == [for_me, mine]
    assert ids(list_seen(by=signed_in(SUBSCRIBER2), world=world)) == [his]
    for watcher in (MANAGER, APPROVER, ADMINISTRATOR):
        assert ids(list_seen(by=signed_in(watcher), world=world)) == [for_me, his, mine]
    assert list_seen(by=signed_in(OUTSIDER), world=world) == ()


@pytest.mark.parametrize(
    ("watcher", "party"),
    [(MANAGER, "initiators"), (APPROVER, "approvers"), (AGENT, "enrollment_agents")],
    ids=["initiator", "approver", "agent"],
)
def test_who_has_a_part_in_an_old_version_only_finds_the_requests_made_under_it(
    house: House, watcher: Principal, party: str
) -> None:
    nobody = replace(POLICY, initiators=frozenset(), approvers=frozenset(), enrollment_agents=frozenset())
    house.save(replace(TWO, policies={RequestType.ENROLL: nobody}))
    named = {party: getattr(POLICY, party)}
    save_policy(house, replace(nobody, enrollment_agent_required=party == "enrollment_agents", **named))
    old = house.open()
    save_policy(house, nobody)
    new = house.open()
    assert ids(list_seen(by=signed_in(SUBSCRIBER), world=house.world)) == [new, old]
    assert ids(list_seen(by=signed_in(watcher), world=house.world)) == [old]


def test_ones_own_requests_are_those_whose_subject_one_is(house: House) -> None:
    house.open(by=MANAGER, target=SUBSCRIBER)
    mine = house.open()
    assert ids(list_seen(by=signed_in(SUBSCRIBER), world=house.world, only_own=True))[0] == mine
    assert list_seen(by=signed_in(MANAGER), world=house.world, only_own=True) == ()


def test_requests_can_be_listed_by_status(house: House) -> None:
    approved, canceled = house.open(), house.open()
    cancel_request(canceled, by=signed_in(SUBSCRIBER), world=house.world)
    found = list_seen(by=signed_in(SUBSCRIBER), world=house.world, statuses=frozenset({RequestStatus.CANCELED}))
    assert ids(found) == [canceled]
    assert ids(list_seen(by=signed_in(SUBSCRIBER), world=house.world)) == [canceled, approved]


def test_templates_are_listed_by_name_for_those_who_may_read_them(house: House) -> None:
    names = [each.name for each in list_profile_templates(by=signed_in(ADMINISTRATOR), world=house.world)]
    assert names == ["One Certificate", "Two Certificates"]
    with house.store.writing() as session:
        session.directory.replace_grants(GRANTS)
    assert [each.name for each in list_profile_templates(by=signed_in(SUBSCRIBER), world=house.world)] == ["One Certificate"]
    assert list_profile_templates(by=signed_in(OUTSIDER), world=house.world) == ()


def test_templates_can_be_listed_by_the_requests_that_they_take(house: House) -> None:
    by, world = signed_in(ADMINISTRATOR), house.world
    assert len(list_profile_templates(by=by, world=world, workflow=RequestType.ENROLL)) == 2
    assert list_profile_templates(by=by, world=world, workflow=RequestType.RENEW) == ()


def test_a_template_is_read_in_its_newest_version(house: House) -> None:
    house.save(replace(ONE, description="newer"))
    template = read_profile_template(ONE.id, by=signed_in(SUBSCRIBER), world=house.world)
    assert (template.version, template.description) == (2, "newer")
    with pytest.raises(AccessDenied):
        read_profile_template(ONE.id, by=signed_in(OUTSIDER), world=house.world)


def test_a_policy_that_the_template_lacks_is_none(house: House) -> None:
    by, world = signed_in(SUBSCRIBER), house.world
    assert find_policy(ONE.id, RequestType.ENROLL, by=by, world=world) == POLICY
    assert find_policy(ONE.id, RequestType.RENEW, by=by, world=world) is None


def test_certificates_are_listed_from_the_moment_of_issue_newest_first(house: House) -> None:
    first, second = house.open(), house.open()
    house.post(first, csr("a"))
    house.post(second, csr("b"))
    listed = list_own_certificates(by=signed_in(SUBSCRIBER), world=house.world)
    assert [each.request_id for each in listed] == [second, first]
    assert list_own_certificates(by=signed_in(SUBSCRIBER2), world=house.world) == ()


def test_a_profile_and_its_certificates_are_read_by_those_who_may(house: House) -> None:
    request_id = house.open(TWO)
    house.post(request_id, csr("a"), csr("b"))
    (held,) = list_profiles(by=signed_in(SUBSCRIBER), world=house.world)
    profile = held.profile
    for reader in (SUBSCRIBER, MANAGER, ADMINISTRATOR):
        assert read_profile(profile.id, by=signed_in(reader), world=house.world).profile == profile
        assert len(list_profile_certificates(profile.id, by=signed_in(reader), world=house.world)) == 2
    for stranger in (SUBSCRIBER2, OUTSIDER):
        with pytest.raises(AccessDenied):
            read_profile(profile.id, by=signed_in(stranger), world=house.world)
        with pytest.raises(AccessDenied):
            list_profile_certificates(profile.id, by=signed_in(stranger), world=house.world)


def test_profiles_are_listed_by_status(house: House) -> None:
    house.post(house.open(), csr("a"))
    by, world = signed_in(SUBSCRIBER), house.world
    assert len(list_profiles(by=by, world=world, statuses=frozenset({ProfileStatus.NEW}))) == 1
    assert list_profiles(by=by, world=world, statuses=frozenset({ProfileStatus.ACTIVE})) == ()


# -- how many may be open ---------------------------------------------------------------------------------------------------


def open_many(house: House, world: World, by: Principal, target: Principal, template: ProfileTemplate = ONE) -> list[Request]:
    """Return the requests that *by* could open for *target* before being refused."""
    wish = RequestWish(operation=Operation.ENROLL, template_id=template.id, target_id=target.user.id)
    opened = []
    with suppress(OpenRequestsExhausted):
        for _ in range(10):
            opened.append(create_request(wish, by=signed_in(by), world=world))
    return opened


def test_one_person_has_a_bounded_number_of_open_requests_for_each_template_and_target(house: House) -> None:
    world = replace(house.world, open_requests_limit=3)
    mine = open_many(house, world, SUBSCRIBER, SUBSCRIBER)
    assert len(mine) == 3
    assert len(open_many(house, world, SUBSCRIBER, SUBSCRIBER, TWO)) == 3
    assert len(open_many(house, world, SUBSCRIBER2, SUBSCRIBER2)) == 3
    assert len(open_many(house, world, MANAGER, SUBSCRIBER)) == 3
    assert len(open_many(house, world, MANAGER, SUBSCRIBER2)) == 3
    cancel_request(mine[1].id, by=signed_in(SUBSCRIBER), world=world)
    assert len(open_many(house, world, SUBSCRIBER, SUBSCRIBER)) == 1


def test_a_hundred_open_requests_are_allowed_and_the_refusal_says_what_to_do(house: House) -> None:
    wish = RequestWish(operation=Operation.ENROLL, template_id=ONE.id)
    for _ in range(100):
        create_request(wish, by=signed_in(SUBSCRIBER), world=house.world)
    with pytest.raises(OpenRequestsExhausted) as refused:
        create_request(wish, by=signed_in(SUBSCRIBER), world=house.world)
    assert refused.value.text == (
        f"You have 100 open requests of {ONE.name} for this person, as many as are allowed: complete or cancel some."
    )
