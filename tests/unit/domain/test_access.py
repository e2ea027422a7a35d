"""Who may do what, and the reasons that a refusal names."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from certwright.domain.access import (
    ActOnRequest,
    Decision,
    ReadProfile,
    ReadTemplate,
    StartRequest,
    check_allowed,
    decide,
)
from certwright.domain.errors import AccessDenied, PolicyMissing
from certwright.domain.grants import Grant, Grants, ObjectKind, Right
from certwright.domain.identities import Principal
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.profiles import Profile, ProfileFlags, ProfileId, ProfileStatus
from certwright.domain.security_descriptors import (
    SERVICE_SID,
    RequestPermission,
)
from certwright.domain.workflows import Operation
from worlds.contoso import (
    ADMINISTRATOR,
    AGENT,
    AGENTS,
    APPROVER,
    APPROVERS,
    GRANTS,
    MANAGER,
    MANAGERS,
    OUTSIDER,
    POLICY,
    SUBSCRIBER,
    SUBSCRIBER2,
    SUBSCRIBERS,
    TEMPLATE,
    describe_security,
    make_user,
    principal,
    sid,
    with_policy,
)

ALL = Grants(GRANTS)


def grants_without(unwanted: Callable[[Grant], bool]) -> Grants:
    return Grants(each for each in GRANTS if not unwanted(each))


def decide_enrolling(by: Principal, target: Principal, template: ProfileTemplate, grants: Grants) -> Decision:
    asked = StartRequest(
        operation=Operation.ENROLL, target=target, template=template, certificates=template.certificate_templates
    )
    return decide(by, asked, grants)


def may(
    by: Principal,
    permission: RequestPermission,
    *,
    policy: Policy = POLICY,
    originator: Principal = SUBSCRIBER,
    target: Principal = SUBSCRIBER,
    grants: Grants = ALL,
) -> bool:
    security = describe_security(originator=originator, target=target, policy=policy, grants=grants)
    return decide(by, ActOnRequest(permission, security), grants).is_allowed


# -- reading templates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [SUBSCRIBER, ADMINISTRATOR])
def test_a_template_is_read_by_whom_it_is_for_and_by_administrators(who: Principal) -> None:
    assert decide(who, ReadTemplate(TEMPLATE), ALL).is_allowed


def test_a_template_is_hidden_from_others_and_both_ways_in_are_named() -> None:
    decision = decide(OUTSIDER, ReadTemplate(TEMPLATE), ALL)
    assert not decision.is_allowed
    assert decision.reasons == (
        f"CORP\\outsider has no read on profile-template {TEMPLATE.id}.",
        "CORP\\outsider has no administer on service.",
    )


# -- starting a request --------------------------------------------------------------------------------------------------


def test_a_subscriber_enrolls_for_himself_where_the_policy_has_self_service() -> None:
    decision = decide_enrolling(SUBSCRIBER, SUBSCRIBER, TEMPLATE, ALL)
    assert decision.is_allowed
    assert decision.reasons == ()


def test_nobody_enrolls_for_himself_where_self_service_is_off() -> None:
    template = with_policy(TEMPLATE, replace(POLICY, self_service=False))
    decision = decide_enrolling(SUBSCRIBER, SUBSCRIBER, template, ALL)
    assert decision.reasons == ("The policy has no self service.",)


def test_an_initiator_starts_nothing_for_himself_where_self_service_is_off() -> None:
    both = principal(make_user("chief", 1200), MANAGERS, SUBSCRIBERS)
    template = with_policy(TEMPLATE, replace(POLICY, self_service=False))
    assert not decide_enrolling(both, both, template, ALL).is_allowed


def test_self_service_is_for_oneself_alone() -> None:
    decision = decide_enrolling(SUBSCRIBER, SUBSCRIBER2, TEMPLATE, ALL)
    assert decision.reasons == (
        "The policy does not name you as initiator.",
        "No request-enroll over CORP\\subscriber2.",
    )


def test_an_initiator_with_the_right_over_the_target_enrolls_for_him() -> None:
    assert decide_enrolling(MANAGER, SUBSCRIBER, TEMPLATE, ALL).is_allowed


def test_an_initiator_without_the_right_over_the_target_is_refused() -> None:
    grants = grants_without(lambda each: each.right is Right.REQUEST_ENROLL)
    assert decide_enrolling(MANAGER, SUBSCRIBER, TEMPLATE, grants).reasons == ("No request-enroll over CORP\\subscriber.",)


def test_the_right_over_the_target_alone_makes_no_initiator() -> None:
    template = with_policy(TEMPLATE, replace(POLICY, initiators=frozenset()))
    assert decide_enrolling(MANAGER, SUBSCRIBER, template, ALL).reasons == ("The policy does not name you as initiator.",)


@pytest.mark.parametrize("kind", [ObjectKind.PROFILE_TEMPLATE, ObjectKind.CERTIFICATE_TEMPLATE])
@pytest.mark.parametrize("starter", [SUBSCRIBER, MANAGER])
def test_the_target_needs_enroll_on_the_profile_template_and_on_each_certificate_template(
    kind: ObjectKind, starter: Principal
) -> None:
    grants = grants_without(lambda each: each.right is Right.ENROLL and each.object_kind is kind)
    (reason,) = decide_enrolling(starter, SUBSCRIBER, TEMPLATE, grants).reasons
    assert reason.startswith(f"CORP\\subscriber has no enroll on {kind} ")


def test_every_missing_right_is_named_at_once() -> None:
    assert len(decide_enrolling(OUTSIDER, OUTSIDER, TEMPLATE, Grants([])).reasons) == 3
    assert len(decide_enrolling(OUTSIDER, SUBSCRIBER, TEMPLATE, Grants([])).reasons) == 5


def test_a_policy_that_is_switched_off_takes_no_requests() -> None:
    with pytest.raises(PolicyMissing):
        decide_enrolling(SUBSCRIBER, SUBSCRIBER, with_policy(TEMPLATE, replace(POLICY, enabled=False)), ALL)


def test_a_refusal_carries_its_reasons() -> None:
    decision = decide_enrolling(OUTSIDER, OUTSIDER, TEMPLATE, ALL)
    with pytest.raises(AccessDenied) as denied:
        check_allowed(decision)
    assert denied.value.reasons == decision.reasons
    assert denied.value.text.startswith("You may not start this request. CORP\\outsider has no read on profile-template")


def test_a_yes_is_not_refused() -> None:
    check_allowed(decide_enrolling(SUBSCRIBER, SUBSCRIBER, TEMPLATE, ALL))


# -- what may be done to a request -----------------------------------------------------------------------------------------

# Who may do what to a request that the manager started for the subscriber: e execute, c cancel, a approve, r read, w write.
WITHOUT_AGENT = {"subscriber": "ecrw", "manager": "crw", "approver": "ar", "helpdesk": "", "administrator": "r", "outsider": ""}
WITH_AGENT = {"subscriber": "crw", "manager": "crw", "approver": "ar", "helpdesk": "er", "administrator": "r", "outsider": ""}
LETTERS = {
    "e": RequestPermission.EXECUTE,
    "c": RequestPermission.CANCEL,
    "a": RequestPermission.APPROVE,
    "r": RequestPermission.READ,
    "w": RequestPermission.WRITE,
}


@pytest.mark.parametrize(
    "who", [SUBSCRIBER, MANAGER, APPROVER, AGENT, ADMINISTRATOR, OUTSIDER], ids=lambda p: p.user.account_name
)
@pytest.mark.parametrize("needs_agent", [False, True])
def test_each_role_has_its_permissions_and_no_others(who: Principal, needs_agent: bool) -> None:
    wanted = (WITH_AGENT if needs_agent else WITHOUT_AGENT)[who.user.account_name]
    policy = replace(POLICY, enrollment_agent_required=needs_agent)
    given = {letter for letter, permission in LETTERS.items() if may(who, permission, policy=policy, originator=MANAGER)}
    assert given == set(wanted)


def test_an_approver_who_may_not_read_the_template_approves_nothing() -> None:
    unread = grants_without(lambda each: each.right is Right.READ and each.trustee == APPROVERS)
    assert may(APPROVER, RequestPermission.APPROVE)
    assert not may(APPROVER, RequestPermission.APPROVE, grants=unread)


@pytest.mark.parametrize("permission", LETTERS.values())
def test_another_subscriber_has_no_part_in_the_request(permission: RequestPermission) -> None:
    assert not may(SUBSCRIBER2, permission)


def test_an_agent_whom_the_policy_does_not_name_may_not_execute() -> None:
    policy = replace(POLICY, enrollment_agent_required=True, enrollment_agents=frozenset({sid(2999)}))
    assert not may(AGENT, RequestPermission.EXECUTE, policy=policy)


def test_an_agent_without_the_right_over_the_target_may_not_execute() -> None:
    policy = replace(POLICY, enrollment_agent_required=True)
    grants = grants_without(lambda each: each.right is Right.ENROLLMENT_AGENT)
    assert not may(AGENT, RequestPermission.EXECUTE, policy=policy, grants=grants)


def test_an_agent_over_others_may_not_execute_for_this_target() -> None:
    policy = replace(POLICY, enrollment_agent_required=True)
    grants = Grants([Grant(ObjectKind.PRINCIPAL, SUBSCRIBER2.user.sid, Right.ENROLLMENT_AGENT, AGENTS)])
    assert may(AGENT, RequestPermission.EXECUTE, policy=policy, grants=grants, target=SUBSCRIBER2)
    assert not may(AGENT, RequestPermission.EXECUTE, policy=policy, grants=grants)


def test_the_policy_may_name_an_agent_by_one_group_and_the_right_by_another() -> None:
    policy = replace(POLICY, enrollment_agent_required=True, enrollment_agents=frozenset({AGENTS}))
    grants = Grants([Grant(ObjectKind.PRINCIPAL, SUBSCRIBERS, Right.ENROLLMENT_AGENT, sid(2500))])
    in_both = principal(make_user("agent", 1300), AGENTS, sid(2500))
    assert may(in_both, RequestPermission.EXECUTE, policy=policy, grants=grants)
    assert not may(AGENT, RequestPermission.EXECUTE, policy=policy, grants=grants)
    assert not may(principal(make_user("clerk", 1301), sid(2500)), RequestPermission.EXECUTE, policy=policy, grants=grants)


@pytest.mark.parametrize("needs_agent", [False, True])
def test_originator_and_subject_never_approve_though_the_policy_names_them(needs_agent: bool) -> None:
    everybody = frozenset({APPROVERS, MANAGER.user.sid, SUBSCRIBER.user.sid, SUBSCRIBERS, MANAGERS})
    policy = replace(POLICY, approvers=everybody, enrollment_agent_required=needs_agent)
    for who in (MANAGER, SUBSCRIBER):
        assert not may(who, RequestPermission.APPROVE, policy=policy, originator=MANAGER)
    assert may(SUBSCRIBER2, RequestPermission.APPROVE, policy=policy, originator=MANAGER)


def test_a_refusal_of_ones_own_approval_says_so() -> None:
    security = describe_security(originator=APPROVER, policy=POLICY)
    decision = decide(APPROVER, ActOnRequest(RequestPermission.APPROVE, security), ALL)
    assert decision.reasons == ("Refused: nobody approves a request of his own.",)


def test_a_refusal_does_not_deny_what_somebody_is_by_another_of_his_groups() -> None:
    policy = replace(POLICY, approvers=frozenset({APPROVERS, sid(3000)}))
    security = describe_security(originator=APPROVER, policy=policy)
    decision = decide(APPROVER, ActOnRequest(RequestPermission.APPROVE, security), ALL)
    assert decision.reasons == ("Refused: nobody approves a request of his own.",)


def test_nobody_is_the_server_by_having_its_sid_among_his_groups() -> None:
    assert not may(principal(make_user("impostor", 1302), SERVICE_SID), RequestPermission.EXECUTE)


def test_a_refusal_names_everybody_whom_the_act_is_for_once_and_not_the_server_itself() -> None:
    policy = replace(POLICY, initiators=frozenset({sid(number) for number in range(3000, 3010)}))
    security = describe_security(originator=SUBSCRIBER, policy=policy)
    decision = decide(OUTSIDER, ActOnRequest(RequestPermission.CANCEL, security), ALL)
    assert decision.act == "end this request"
    assert decision.reasons == (
        "You are not one of the policy's initiators.",
        "You are not the originator of the request.",
        "You are not the subject of the request.",
    )


def test_a_refusal_of_what_the_policy_lets_nobody_do_says_so() -> None:
    security = describe_security(originator=SUBSCRIBER, policy=replace(POLICY, approvers=frozenset()))
    decision = decide(APPROVER, ActOnRequest(RequestPermission.APPROVE, security), ALL)
    assert decision.reasons == ("The policy lets nobody do this.",)


# -- reading profiles ------------------------------------------------------------------------------------------------------

PROFILE = Profile(
    id=ProfileId(UUID(int=9)),
    status=ProfileStatus.ACTIVE,
    flags=ProfileFlags.PRIMARY,
    owner_id=SUBSCRIBER.user.id,
    template_id=TEMPLATE.id,
    template_version=1,
)
REQUEST_RIGHTS = [each for each in Right if each.startswith("request-")]


@pytest.mark.parametrize(
    ("who", "wanted"), [(SUBSCRIBER, True), (ADMINISTRATOR, True), (MANAGER, True), (SUBSCRIBER2, False), (OUTSIDER, False)]
)
def test_a_profile_is_read_by_its_owner_by_who_may_start_requests_for_him_and_by_administrators(
    who: Principal, wanted: bool
) -> None:
    assert decide(who, ReadProfile(PROFILE, SUBSCRIBER), ALL).is_allowed is wanted


@pytest.mark.parametrize("right", REQUEST_RIGHTS)
def test_any_request_right_over_the_owner_shows_his_profiles(right: Right) -> None:
    grants = Grants([Grant(ObjectKind.PRINCIPAL, SUBSCRIBER.user.sid, right, AGENTS)])
    assert decide(AGENT, ReadProfile(PROFILE, SUBSCRIBER), grants).is_allowed
    assert not decide(AGENT, ReadProfile(replace(PROFILE, owner_id=SUBSCRIBER2.user.id), SUBSCRIBER2), grants).is_allowed


def test_a_refused_reader_of_a_profile_learns_all_that_would_have_done() -> None:
    reasons = decide(OUTSIDER, ReadProfile(PROFILE, SUBSCRIBER), ALL).reasons
    assert len(reasons) == len(REQUEST_RIGHTS) + 2
