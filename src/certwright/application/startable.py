"""Whether an operation can be started: asked by who starts it, and by who lists what can be started."""

from dataclasses import dataclass, replace
from uuid import UUID

from certwright.application.profile_room import check_duplicates, check_room
from certwright.application.request_parties import get_principal, list_held
from certwright.application.world import World
from certwright.domain.access import StartRequest, check_allowed, decide
from certwright.domain.deliveries import check_archived, plan_delivery
from certwright.domain.errors import KeyMadeByServer, Refused, RequestAlreadyOpen, SubjectDisabled
from certwright.domain.identities import Caller, Principal
from certwright.domain.policies import Choices, Policy
from certwright.domain.ports import Session
from certwright.domain.profile_templates import KeyOrigin, ProfileTemplate
from certwright.domain.profiles import Profile
from certwright.domain.requests import Request, RequestFlags, RequestId, RequestStatus
from certwright.domain.workflows import WORKFLOWS, Operation, check_profile_fits


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What somebody wants to start. Shape: *profile* is what it is about; None for Enroll."""

    operation: Operation
    template: ProfileTemplate
    target: Principal
    profile: Profile | None = None
    choices: Choices = Choices()


def plan_start(start: Start, *, by: Caller, session: Session, world: World) -> Request:
    """Return the request that *by* may start now, without what its initiator would answer.

    Errors: PolicyMissing; AccessDenied; ProfileStateRefused; RequestAlreadyOpen; SubjectDisabled where certificates come of
            it; NothingArchived; KeyMadeByServer; ProfilesExhausted; DuplicatesExhausted.
    Source: domain.md 4.1 and 4.3.
    """
    policy = start.template.get_policy(WORKFLOWS[start.operation].request_type)
    request = _draft_request(start, policy, by=by, world=world)
    held = list_held(request, session)
    plan = plan_delivery(request, start.template, held, request.submitted)
    asked = StartRequest(operation=start.operation, target=start.target, template=start.template, certificates=plan.issued)
    check_allowed(decide(by, asked, session.directory.load_grants()))
    if start.profile is not None:
        check_profile_fits(start.operation, start.profile)
        _check_none_open(start.operation, start.profile, session)
    check_archived(request, held)
    if request.workflow.delivers and not start.target.user.enabled and not request.workflow.is_for_somebody_else:
        raise SubjectDisabled(start.target.user.nt4_name)
    if start.operation is Operation.ENROLL:
        check_room(start.template, request.type, start.target.user.id, session)
    if start.operation is Operation.DUPLICATE and start.profile is not None:
        check_duplicates(policy, start.profile.id, session)
    if any(each.key.origin is KeyOrigin.SERVER for each in plan.issued):
        raise KeyMadeByServer(start.template.name)
    return request


def list_operations(profile: Profile, *, by: Caller, session: Session, world: World) -> tuple[Operation, ...]:
    """Return what *by* may start with the profile now: exactly what `plan_start` would not refuse."""
    template = session.templates.get(profile.template_id)
    target = get_principal(profile.owner_id, session)
    return tuple(
        operation
        for operation in Operation
        if operation is not Operation.ENROLL
        and _can_start(Start(operation=operation, template=template, target=target, profile=profile), by, session, world)
    )


def _can_start(start: Start, by: Caller, session: Session, world: World) -> bool:
    try:
        plan_start(start, by=by, session=session, world=world)
    except Refused:
        return False
    return True


def _draft_request(start: Start, policy: Policy, *, by: Caller, world: World) -> Request:
    profile_id = None if start.profile is None else start.profile.id
    request = Request(
        id=RequestId(UUID(int=world.entropy.bits(128), version=4)),
        operation=start.operation,
        status=RequestStatus.PENDING if policy.approvals_needed else RequestStatus.APPROVED,
        flags=_find_flags(start.template, policy),
        template_id=start.template.id,
        template_version=start.template.version,
        originator_id=by.user.id,
        target_id=start.target.user.id,
        submitted=world.clock.now(),
        priority=policy.default_priority,
        old_profile_id=profile_id,
        choices=start.choices,
    )
    # As the documented Unblock request: what changes a profile in place names it as new and as old.
    return request if request.makes_profile else replace(request, profile_id=profile_id)


def _check_none_open(operation: Operation, profile: Profile, session: Session) -> None:
    for each in session.requests.list_open_about(profile.id):
        if each.operation is operation:
            raise RequestAlreadyOpen(operation.value, each.id)


def _find_flags(template: ProfileTemplate, policy: Policy) -> RequestFlags:
    smartcard = RequestFlags.SMARTCARD if template.is_smartcard else RequestFlags.NONE
    agent = RequestFlags.ENROLLMENT_AGENT if policy.enrollment_agent_required else RequestFlags.NONE
    return smartcard | agent
