"""What each operation delivers: what is issued anew, what goes over, and what is kept as key history."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from certwright.domain.certificates import Certificate
from certwright.domain.deliveries import DeliveryPlan, check_archived, list_outdated, plan_delivery
from certwright.domain.errors import NothingArchived
from certwright.domain.policies import Choices, Policy
from certwright.domain.profile_templates import KeyOrigin, KeySpecification, ProfileTemplate
from certwright.domain.profiles import ProfileId
from certwright.domain.requests import Request
from certwright.domain.revocation import RevocationReason
from certwright.domain.workflows import WORKFLOWS, Operation
from worlds.contoso import CERTIFICATE_TEMPLATE, NOW, SUBSCRIBER, TEMPLATE
from worlds.holdings import make_certificate, make_profile, make_request

SIGNING = replace(CERTIFICATE_TEMPLATE, common_name="Signing")
ENCRYPTION = replace(CERTIFICATE_TEMPLATE, common_name="Encryption")
PROFILE = make_profile(SUBSCRIBER.user.id)
FIRST = make_request(SUBSCRIBER.user.id)
S1 = make_certificate(FIRST, PROFILE, 0, template_common_name="Signing")
E1 = make_certificate(FIRST, PROFILE, 1, template_common_name="Encryption", is_archived=True)
REPLACING = [Operation.RENEW, Operation.RECOVER, Operation.DUPLICATE]
ENDING = [
    Operation.DISABLE,
    Operation.SUSPEND,
    Operation.REINSTATE,
    Operation.RETIRE,
    Operation.UNBLOCK,
    Operation.OFFLINE_UNBLOCK,
    Operation.TEMPORARY_CARD_RETIRE,
    Operation.TEMPORARY_CARD_DISABLE,
]
DAY = timedelta(days=1)


def template_that(*, reissues: bool = False) -> ProfileTemplate:
    """Return a template of two certificates that says of archived ones whether they are issued again."""
    policy = Policy(reissue_archived_certificates=reissues)
    policies = {each.request_type: policy for each in WORKFLOWS.values()}
    return replace(TEMPLATE, certificate_templates=(SIGNING, ENCRYPTION), policies=policies)


def request_for(operation: Operation, chosen: str = "") -> Request:
    return make_request(operation=operation, old_profile_id=PROFILE.id, choices=Choices(certificate_template=chosen))


def plan(operation: Operation, *held: Certificate, reissues: bool = False, chosen: str = "") -> DeliveryPlan:
    return plan_delivery(request_for(operation, chosen), template_that(reissues=reissues), held, NOW)


def test_enroll_issues_everything() -> None:
    assert plan(Operation.ENROLL) == DeliveryPlan(issued=(SIGNING, ENCRYPTION))


def test_the_client_is_asked_for_the_keys_that_it_makes_in_their_order() -> None:
    server = replace(SIGNING, common_name="made by the server", key=KeySpecification(origin=KeyOrigin.SERVER))
    assert DeliveryPlan(issued=(ENCRYPTION, server, SIGNING)).client_generated == (ENCRYPTION, SIGNING)


@pytest.mark.parametrize("operation", ENDING)
def test_what_ends_or_holds_a_profile_delivers_nothing(operation: Operation) -> None:
    assert plan(operation, S1, E1) == DeliveryPlan()


def test_every_operation_delivers_as_its_workflow_says() -> None:
    delivering = {each for each in Operation if plan(each, E1) != DeliveryPlan()}
    assert delivering == {each for each, workflow in WORKFLOWS.items() if workflow.delivers}
    assert delivering == set(Operation) - set(ENDING)


@pytest.mark.parametrize(
    ("operation", "reissues"),
    [
        (Operation.RECOVER, False),
        (Operation.DUPLICATE, False),
        (Operation.DUPLICATE, True),
        (Operation.TEMPORARY_CARD_ENROLL, False),
        (Operation.TEMPORARY_CARD_ENROLL, True),
    ],
)
def test_an_archived_certificate_goes_over_and_the_others_are_issued(operation: Operation, reissues: bool) -> None:
    planned = plan(operation, S1, E1, reissues=reissues)
    assert [each.common_name for each in planned.issued] == ["Signing"]
    assert (planned.carried, planned.history) == ((E1,), ())


@pytest.mark.parametrize(
    ("operation", "reissues"), [(Operation.RENEW, False), (Operation.RENEW, True), (Operation.RECOVER, True)]
)
def test_where_every_certificate_is_issued_anew_archived_ones_become_key_history(operation: Operation, reissues: bool) -> None:
    assert plan(operation, S1, E1, reissues=reissues) == DeliveryPlan(issued=(SIGNING, ENCRYPTION), history=(E1,))


@pytest.mark.parametrize("operation", REPLACING)
@pytest.mark.parametrize("reissues", [False, True])
def test_where_nothing_is_archived_everything_is_issued(operation: Operation, reissues: bool) -> None:
    plain = replace(E1, is_archived=False)
    assert plan(operation, S1, plain, reissues=reissues) == DeliveryPlan(issued=(SIGNING, ENCRYPTION))


UNUSABLE = {
    "revoked": replace(E1, revoked_at=NOW, revocation_reason=RevocationReason.KEY_COMPROMISE),
    "on hold": replace(E1, revoked_at=NOW, revocation_reason=RevocationReason.CERTIFICATE_HOLD),
    "expired": replace(E1, not_before=NOW - 2 * DAY, not_after=NOW - DAY),
    "key history": replace(E1, is_key_history=True),
}


@pytest.mark.parametrize("operation", REPLACING)
@pytest.mark.parametrize("archived", UNUSABLE.values(), ids=list(UNUSABLE))
def test_an_archived_certificate_that_is_out_of_use_is_kept_as_history_and_issued_anew(
    operation: Operation, archived: Certificate
) -> None:
    assert plan(operation, S1, archived) == DeliveryPlan(issued=(SIGNING, ENCRYPTION), history=(archived,))


def test_a_revocation_that_is_still_to_come_keeps_nothing_from_going_over() -> None:
    later = replace(E1, revoked_at=NOW + DAY, revocation_reason=RevocationReason.SUPERSEDED)
    assert plan(Operation.RECOVER, S1, later) == DeliveryPlan(issued=(SIGNING,), carried=(later,))


def test_older_key_history_goes_over_with_the_newest() -> None:
    older = replace(
        make_certificate(FIRST, PROFILE, 2, template_common_name="Encryption"), is_archived=True, is_key_history=True
    )
    assert plan(Operation.RECOVER, older, S1, E1) == DeliveryPlan(issued=(SIGNING,), carried=(E1,), history=(older,))
    assert plan(Operation.RECOVER, older, S1, E1, reissues=True).history == (older, E1)


@pytest.mark.parametrize("reissues", [False, True])
def test_who_recovers_for_somebody_else_gets_archived_keys_alone(reissues: bool) -> None:
    assert plan(Operation.RECOVER_ON_BEHALF, S1, E1, reissues=reissues) == DeliveryPlan(history=(E1,))


@pytest.mark.parametrize("operation", Operation)
def test_only_recovering_needs_something_archived(operation: Operation) -> None:
    request = request_for(operation)
    check_archived(request, [S1, E1])
    if operation in (Operation.RECOVER, Operation.RECOVER_ON_BEHALF):
        with pytest.raises(NothingArchived):
            check_archived(request, [S1])
    else:
        check_archived(request, [S1])


# -- updates in place --------------------------------------------------------------------------------------------------------


def test_an_update_issues_what_the_profile_lacks() -> None:
    assert plan(Operation.ONLINE_UPDATE, S1, E1) == DeliveryPlan()
    assert plan(Operation.ONLINE_UPDATE, S1) == DeliveryPlan(issued=(ENCRYPTION,))
    assert plan(Operation.ONLINE_UPDATE) == DeliveryPlan(issued=(SIGNING, ENCRYPTION))


@pytest.mark.parametrize("out_of_use", UNUSABLE.values(), ids=list(UNUSABLE))
def test_an_update_issues_anew_what_is_out_of_use(out_of_use: Certificate) -> None:
    assert plan(Operation.ONLINE_UPDATE, S1, out_of_use) == DeliveryPlan(issued=(ENCRYPTION,))


def test_an_update_issues_the_one_that_was_asked_for() -> None:
    assert plan(Operation.ONLINE_UPDATE, S1, E1, chosen="Signing") == DeliveryPlan(issued=(SIGNING,))


def test_an_update_takes_out_of_use_what_was_renewed_and_what_the_template_has_no_more() -> None:
    gone = make_certificate(FIRST, make_profile(id=ProfileId(UUID(int=1))), template_common_name="Withdrawn")
    template = template_that()
    assert list_outdated(request_for(Operation.ONLINE_UPDATE), template, [S1, E1]) == ()
    assert list_outdated(request_for(Operation.ONLINE_UPDATE), template, [S1, E1, gone]) == (gone,)
    assert list_outdated(request_for(Operation.ONLINE_UPDATE, "Signing"), template, [S1, E1, gone]) == (S1, gone)


def test_an_update_leaves_key_history_alone_which_another_profile_may_still_use() -> None:
    history = replace(E1, is_key_history=True)
    assert list_outdated(request_for(Operation.ONLINE_UPDATE, "Encryption"), template_that(), [S1, history]) == ()
