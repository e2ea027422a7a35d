"""Everybody and everything that a request concerns, looked up, and the decisions that follow from it."""

from dataclasses import dataclass, replace

from certwright.application.world import World
from certwright.domain.access import ActOnRequest, check_allowed, decide, decide_receiving
from certwright.domain.certificates import Certificate
from certwright.domain.deliveries import GIVES_EXTERNAL, DeliveryPlan, plan_delivery
from certwright.domain.errors import AccessDenied, ApprovalsMissing, UserNotFound
from certwright.domain.grants import Grants
from certwright.domain.identities import Caller, Principal, Sid, UserId
from certwright.domain.policies import Policy
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.program import PROGRAM_ID, THE_PROGRAM
from certwright.domain.requests import Approval, Request, RequestId, RequestStatus
from certwright.domain.security_descriptors import (
    Parties,
    RequestPermission,
    SecurityDescriptor,
    describe_request_security,
)
from certwright.domain.separation import count_needed_approvals, takes_several_people

_APPROVED = frozenset({RequestStatus.APPROVED, RequestStatus.EXECUTING})
KEYS_OF_ANOTHER = "Only the subject is given archived keys by this request: recover them in a recover-on-behalf request."


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request with what one needs to speak about it: its template, its subject, and who may do what to it."""

    request: Request
    template: ProfileTemplate
    target: Principal
    security: SecurityDescriptor
    grants: Grants

    @property
    def policy(self) -> Policy:
        """Return the policy that the request is under."""
        return self.template.policies[self.request.type]

    @property
    def takes_several_people(self) -> bool:
        """Return whether different people start, approve and execute it: keys in its answer are another's."""
        return takes_several_people(self.template, self.request.operation)

    @property
    def approvals_needed(self) -> int:
        """Return how many approvals the request takes."""
        return count_needed_approvals(self.policy, takes_several=self.takes_several_people)


def see_request(request: Request, session: Session) -> SeenRequest:
    """Return *request* with its surroundings, under the template version of its creation."""
    template = session.templates.get(request.template_id, request.template_version)
    target = get_principal(request.target_id, session)
    takes_several = takes_several_people(template, request.operation)
    grants = session.directory.load_grants()
    parties = Parties(
        originator=THE_PROGRAM if request.originator_id == PROGRAM_ID else get_principal(request.originator_id, session),
        target=target,
        workflow=request.workflow,
        policy=template.policies[request.type],
        template_name=str(template.id),
        grants=grants,
        takes_several_people=takes_several,
        approved_by=_list_approved_by(request, session) if takes_several else frozenset(),
    )
    return SeenRequest(request, template, target, describe_request_security(parties), grants)


def get_request(
    request_id: RequestId, permission: RequestPermission, *, by: Caller, session: Session, is_locked: bool = False
) -> SeenRequest:
    """Return the request; where *is_locked*, nobody else changes it until the session has ended.

    Errors: RequestNotFound; AccessDenied unless *by* has *permission* on it; ApprovalsMissing for one that is to be executed
            after its approvals have ceased to count.
    """
    request = session.requests.get_locked(request_id) if is_locked else session.requests.get(request_id)
    seen = see_request(request, session)
    check_allowed(decide(by, ActOnRequest(permission, seen.security), seen.grants))
    if permission is RequestPermission.EXECUTE:
        check_approved(seen, session)
    return seen


def check_approved(seen: SeenRequest, session: Session) -> None:
    """Raise unless a request that is approved has as many approvals that count now. Errors: ApprovalsMissing."""
    if seen.approvals_needed and seen.request.status in _APPROVED:
        given = len(list_counting_approvals(seen, session))
        if given < seen.approvals_needed:
            raise ApprovalsMissing(given, seen.approvals_needed)


def check_approved_again(seen: SeenRequest, *, by: Caller, session: Session) -> None:
    """Raise unless *by* may still execute what was seen in another transaction, where approvals are needed.

    Nothing is asked of the store where none are, which is nearly always. Errors: AccessDenied; ApprovalsMissing.
    """
    if seen.approvals_needed:
        get_request(seen.request.id, RequestPermission.EXECUTE, by=by, session=session)


def list_counting_approvals(seen: SeenRequest, session: Session) -> tuple[Approval, ...]:
    """Return the approvals that count: of the answers that are there, one of each person who could give it now."""
    by_person = {each.approver_id: each for each in session.requests.list_standing_approvals(seen.request)}
    return tuple(each for each in by_person.values() if _counts(each, seen, session))


def _counts(approval: Approval, seen: SeenRequest, session: Session) -> bool:
    approver = session.directory.find_principal(approval.approver_id)
    asked = ActOnRequest(RequestPermission.APPROVE, seen.security)
    return approver is not None and approver.user.enabled and decide(approver, asked, seen.grants).is_allowed


def get_principal(user_id: UserId, session: Session) -> Principal:
    """Return the user with his groups. Errors: UserNotFound."""
    principal = session.directory.find_principal(user_id)
    if principal is None:
        raise UserNotFound(user_id)
    return principal


def _list_approved_by(request: Request, session: Session) -> frozenset[Sid]:
    return frozenset(get_principal(each.approver_id, session).user.sid for each in session.requests.list_approvals(request.id))


def list_held(request: Request, session: Session) -> tuple[Certificate, ...]:
    """Return what the profile that *request* is about holds, without what the request itself has issued."""
    if request.old_profile_id is None:
        return ()
    held = session.certificates.list_of_profile(request.old_profile_id)
    return tuple(each for each in held if each.request_id != request.id)


def plan_request(seen: SeenRequest, session: Session, world: World) -> DeliveryPlan:
    """Return what the request delivers."""
    now = world.clock.now()
    plan = plan_delivery(seen.request, seen.template, list_held(seen.request, session), now)
    if not seen.template.external_certificates or seen.request.operation not in GIVES_EXTERNAL:
        return plan
    attached = session.external.list_of(seen.request.target_id, seen.template.id)
    return replace(plan, external=tuple(each for each in attached if each.comes_back(now)))


def plan_execution(seen: SeenRequest, session: Session, world: World, *, by: Caller) -> DeliveryPlan:
    """Return what the request delivers now.

    Errors: AccessDenied when the subject may no longer enroll for what it issues, and when *by* is another person and would be
            given keys without that several people have had a part in it.
    """
    plan = plan_request(seen, session, world)
    if plan.delivers_keys and by.user.id != seen.request.target_id and not seen.takes_several_people:
        # The template makes no keys any more, and the profile still has archived ones from when it did.
        raise AccessDenied("get the private keys of somebody else", (KEYS_OF_ANOTHER,))
    if plan.issued and not seen.request.workflow.is_for_somebody_else:
        check_allowed(decide_receiving(seen.target, seen.template, plan.issued, seen.grants))
    return plan
