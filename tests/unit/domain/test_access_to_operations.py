"""Who may start and execute each operation, right by right."""

from dataclasses import replace

import pytest

from certwright.domain.access import ActOnRequest, Decision, StartRequest, decide
from certwright.domain.grants import Grant, Grants, ObjectKind, Right
from certwright.domain.identities import Principal
from certwright.domain.policies import Policy
from certwright.domain.security_descriptors import RequestPermission
from certwright.domain.workflows import WORKFLOWS, Operation
from worlds.contoso import (
    ADMINISTRATOR,
    AGENT,
    APPROVER,
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
)

# What an initiator needs over the subject, and whether the subject must be allowed to enroll.
NEEDED = {
    Operation.ENROLL: (Right.REQUEST_ENROLL, True),
    Operation.RENEW: (Right.REQUEST_RENEW, True),
    Operation.RECOVER: (Right.REQUEST_RECOVER, True),
    Operation.RECOVER_ON_BEHALF: (Right.REQUEST_RECOVER, False),
    Operation.DISABLE: (Right.REQUEST_REVOKE, False),
    Operation.SUSPEND: (Right.REQUEST_REVOKE, False),
    Operation.REINSTATE: (Right.REQUEST_REVOKE, False),
    Operation.DUPLICATE: (Right.REQUEST_ENROLL, True),
    Operation.ONLINE_UPDATE: (Right.REQUEST_RENEW, True),
    Operation.RETIRE: (Right.REQUEST_REVOKE, False),
    Operation.UNBLOCK: (Right.REQUEST_UNBLOCK, False),
    Operation.OFFLINE_UNBLOCK: (Right.REQUEST_UNBLOCK, False),
    Operation.TEMPORARY_CARD_ENROLL: (Right.REQUEST_ENROLL, True),
    Operation.TEMPORARY_CARD_RETIRE: (Right.REQUEST_REVOKE, False),
    Operation.TEMPORARY_CARD_DISABLE: (Right.REQUEST_REVOKE, False),
}
EVERYTHING = replace(TEMPLATE, policies={each.request_type: POLICY for each in WORKFLOWS.values()})
PLACES = (ObjectKind.PROFILE_TEMPLATE, ObjectKind.CERTIFICATE_TEMPLATE)


def rights_over_subscribers(*rights: Right) -> Grants:
    """Return the grants of the company, but with these rights alone of its managers over its subscribers."""
    others = [each for each in GRANTS if each.object_kind is not ObjectKind.PRINCIPAL]
    return Grants([*others, *(Grant(ObjectKind.PRINCIPAL, SUBSCRIBERS, each, MANAGERS) for each in rights)])


def decide_starting(
    operation: Operation,
    by: Principal,
    grants: Grants,
    *,
    target: Principal = SUBSCRIBER,
    policy: Policy = POLICY,
) -> Decision:
    template = replace(EVERYTHING, policies=dict.fromkeys(EVERYTHING.policies, policy))
    asked = StartRequest(operation=operation, target=target, template=template, certificates=template.certificate_templates)
    return decide(by, asked, grants)


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("operation", Operation)
def test_one_right_over_the_subject_starts_an_operation_and_no_other_does(operation: Operation, right: Right) -> None:
    needed, _ = NEEDED[operation]
    decision = decide_starting(operation, MANAGER, rights_over_subscribers(right))
    assert decision.is_allowed is (right is needed)
    assert decision.reasons == (() if right is needed else (f"No {needed} over CORP\\subscriber.",))


@pytest.mark.parametrize("operation", Operation)
def test_all_rights_but_the_one_that_is_needed_start_nothing(operation: Operation) -> None:
    needed, _ = NEEDED[operation]
    others = [each for each in Right if each is not needed]
    assert not decide_starting(operation, MANAGER, rights_over_subscribers(*others)).is_allowed


@pytest.mark.parametrize("operation", Operation)
def test_a_right_over_somebody_else_starts_nothing_here(operation: Operation) -> None:
    needed, _ = NEEDED[operation]
    others = [each for each in GRANTS if each.object_kind is not ObjectKind.PRINCIPAL]
    grants = Grants([*others, Grant(ObjectKind.PRINCIPAL, SUBSCRIBER2.user.sid, needed, MANAGERS)])
    assert decide_starting(operation, MANAGER, grants, target=SUBSCRIBER2).is_allowed
    assert not decide_starting(operation, MANAGER, grants, target=SUBSCRIBER).is_allowed


@pytest.mark.parametrize("operation", Operation)
def test_nobody_starts_what_he_may_not_read_the_template_of(operation: Operation) -> None:
    unread = [each for each in rights_over_subscribers(*Right) if not (each.right is Right.READ and each.trustee == MANAGERS)]
    (reason,) = decide_starting(operation, MANAGER, Grants(unread)).reasons
    assert reason == f"CORP\\manager has no read on profile-template {TEMPLATE.id}."


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("operation", Operation)
def test_the_subject_must_be_allowed_to_enroll_where_certificates_come_of_it(operation: Operation, kind: ObjectKind) -> None:
    _, enrolls = NEEDED[operation]
    kept = [each for each in rights_over_subscribers(*Right) if not (each.right is Right.ENROLL and each.object_kind is kind)]
    assert decide_starting(operation, MANAGER, Grants(kept)).is_allowed is not enrolls


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("self_service", [False, True])
def test_one_starts_for_oneself_what_has_self_service_but_never_the_recovery_for_somebody_else(
    operation: Operation, self_service: bool
) -> None:
    policy = replace(POLICY, self_service=self_service)
    wanted = self_service and operation is not Operation.RECOVER_ON_BEHALF
    assert decide_starting(operation, SUBSCRIBER, rights_over_subscribers(), policy=policy).is_allowed is wanted


def test_nobody_recovers_his_own_keys_as_if_they_were_somebody_elses() -> None:
    both = principal(make_user("chief", 1200), MANAGERS, SUBSCRIBERS)
    decision = decide_starting(Operation.RECOVER_ON_BEHALF, both, rights_over_subscribers(*Right), target=both)
    assert decision.reasons == ("It is for keys of somebody else.",)


# What delivers nothing is executed by its originator too; what delivers, by its subject alone.
@pytest.mark.parametrize("operation", Operation)
def test_an_originator_executes_what_delivers_nothing(operation: Operation) -> None:
    security = describe_security(originator=MANAGER, operation=operation)
    executes = {
        who.user.account_name
        for who in (SUBSCRIBER, MANAGER, APPROVER, AGENT, ADMINISTRATOR, OUTSIDER)
        if decide(who, ActOnRequest(RequestPermission.EXECUTE, security), Grants(GRANTS)).is_allowed
    }
    assert executes == ({"subscriber"} if WORKFLOWS[operation].delivers else {"subscriber", "manager"})
