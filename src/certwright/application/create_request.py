"""Open an Enroll request."""

from dataclasses import dataclass
from uuid import UUID

from certwright.application.profile_room import check_room
from certwright.application.request_parties import get_principal
from certwright.application.world import World
from certwright.domain.access import check_allowed, decide_enrolling
from certwright.domain.errors import KeyMadeByServer, SubjectDisabled, check_none_broken
from certwright.domain.events import EventType, tell
from certwright.domain.identities import Caller, UserId
from certwright.domain.policies import Answers, DataItemOriginator, Policy, list_broken_by_answers
from certwright.domain.ports import Session
from certwright.domain.profile_templates import KeyOrigin, ProfileTemplate, ProfileTemplateId
from certwright.domain.request_types import RequestType
from certwright.domain.requests import DataCollectionFlags, Request, RequestFlags, RequestId, RequestStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentWish:
    """What a client asks for; no *target_id* means the caller himself."""

    template_id: ProfileTemplateId
    target_id: UserId | None = None
    answers: Answers = Answers()


def create_enroll_request(wish: EnrollmentWish, *, by: Caller, world: World) -> Request:
    """Return the new request, Approved at once where the policy needs no approvals, else Pending.

    Errors: ProfileTemplateNotFound; UserNotFound; AccessDenied; PolicyMissing; SubjectDisabled; ProfilesExhausted;
            KeyMadeByServer; everything that `list_broken_by_answers` lists.
    Source: domain.md 4.1.
    """
    with world.store.writing() as session:
        template = session.templates.get(wish.template_id)
        request = _plan_request(wish, template, by=by, world=world, session=session)
        session.requests.add(request)
        created = tell(
            EventType.REQUEST_CREATED,
            by,
            request.submitted,
            request_id=request.id,
            subject_id=request.target_id,
            comment=request.comment,
            template=template.name,
            type=request.type.name,
        )
        session.history.append([created])
    return request


def _plan_request(wish: EnrollmentWish, template: ProfileTemplate, *, by: Caller, world: World, session: Session) -> Request:
    target = by if wish.target_id in (None, by.user.id) else get_principal(wish.target_id, session)
    policy = template.get_policy(RequestType.ENROLL)
    check_allowed(decide_enrolling(by, target, template, session.directory.load_grants()))
    if not target.user.enabled:
        raise SubjectDisabled(target.user.nt4_name)
    givers = _list_givers(by.user.id, target.user.id)
    check_none_broken(list_broken_by_answers(policy, wish.answers, template.name, required_of=givers))
    check_room(template, RequestType.ENROLL, target.user.id, session)
    if any(each.key.origin is KeyOrigin.SERVER for each in template.certificate_templates):
        raise KeyMadeByServer(template.name)
    answers = wish.answers
    return Request(
        id=RequestId(UUID(int=world.entropy.bits(128), version=4)),
        type=RequestType.ENROLL,
        status=RequestStatus.PENDING if policy.approvals_needed else RequestStatus.APPROVED,
        flags=_find_flags(template, policy),
        template_id=template.id,
        template_version=template.version,
        originator_id=by.user.id,
        target_id=target.user.id,
        submitted=world.clock.now(),
        priority=policy.default_priority if answers.priority is None else answers.priority,
        comment=answers.comment,
        data=answers.data,
        data_flags=_find_data_flags(policy, answers, givers),
    )


def _list_givers(originator: UserId, target: UserId) -> frozenset[DataItemOriginator]:
    """Return whose items the caller must give: in self service he is both sides."""
    return frozenset(DataItemOriginator) if originator == target else frozenset({DataItemOriginator.MANAGER})


def _find_flags(template: ProfileTemplate, policy: Policy) -> RequestFlags:
    smartcard = RequestFlags.SMARTCARD if template.is_smartcard else RequestFlags.NONE
    agent = RequestFlags.ENROLLMENT_AGENT if policy.enrollment_agent_required else RequestFlags.NONE
    return smartcard | agent


def _find_data_flags(policy: Policy, answers: Answers, givers: frozenset[DataItemOriginator]) -> DataCollectionFlags:
    """Return whose items are in.

    Source: domain.md 1.4. The documented requests without any item carry the manager's bit alone, also when they are
    completed; so the subscriber's bit stands for items that were given, not for a policy that asks for none.
    """
    names = {each.name for each in policy.data_items if each.originator is DataItemOriginator.SUBSCRIBER}
    from_subscriber = DataItemOriginator.SUBSCRIBER in givers and any(each.name in names for each in answers.data)
    subscriber = DataCollectionFlags.SUBSCRIBER_PROVIDED if from_subscriber else DataCollectionFlags.NONE
    return DataCollectionFlags.CERTIFICATE_MANAGER_PROVIDED | subscriber
