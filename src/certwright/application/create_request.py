"""Open a request of any kind."""

from dataclasses import dataclass, replace

from certwright.application.one_time_passwords import distribute_when_approved
from certwright.application.request_parties import get_principal
from certwright.application.startable import Start, look_at, plan_start
from certwright.application.world import World
from certwright.domain.data_items import DataItemOriginator, list_broken_by_items, merge_items
from certwright.domain.errors import MalformedValue, OpenRequestsExhausted, Refused, SmartcardNotFound, check_none_broken
from certwright.domain.events import EventType, tell
from certwright.domain.identities import Caller, UserId
from certwright.domain.policies import Answers, list_broken_by_answers
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplate, ProfileTemplateId
from certwright.domain.profiles import Profile, ProfileId
from certwright.domain.requests import Request, find_data_flags
from certwright.domain.separation import count_needed_approvals, takes_several_people
from certwright.domain.smartcards import SmartcardId
from certwright.domain.workflows import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWish:
    """What a client asks for.

    Shape: an Enroll request, and one for a temporary card that stands for no other, names the *template_id* and, unless it
    is for the caller himself, the *target_id*. Every other
    one names the *profile_id* that it is about, or the *smartcard_id* that this is on; the template and the owner, where given,
    have to be those of the profile.
    """

    operation: Operation
    template_id: ProfileTemplateId | None = None
    profile_id: ProfileId | None = None
    smartcard_id: SmartcardId | None = None
    target_id: UserId | None = None
    answers: Answers = Answers()


def create_request(wish: RequestWish, *, by: Caller, world: World) -> Request:
    """Return the new request, Approved at once where the policy needs no approvals, else Pending.

    Errors: ProfileTemplateNotFound; ProfileNotFound; SmartcardNotFound; UserNotFound; MalformedValue where the
            wish contradicts itself;
            everything that `plan_start` refuses, OpenRequestsExhausted, and everything wrong with the answers.
    Source: domain.md 4.1.
    """
    with world.store.writing() as session:
        start = _find_start(wish, by=by, session=session)
        return start_request(start, wish.answers, by=by, session=session, world=world)


def start_request(start: Start, answers: Answers, *, by: Caller, session: Session, world: World) -> Request:
    """Return the new request, stored with the event that tells of it.

    Errors: as `create_request`, but for what a wish names; OpenRequestsExhausted.
    """
    started = plan_start(start, by=by, session=session, world=world)
    _check_open(started, start.template, session, world.open_requests_limit)
    request = _answer(started, start.template, answers, by=by, world=world)
    session.requests.add(request)
    created = tell(
        EventType.REQUEST_CREATED,
        by,
        request.submitted,
        request_id=request.id,
        subject_id=request.target_id,
        comment=request.comment,
        template=start.template.name,
        type=request.type.name,
        operation=request.operation,
    )
    session.history.append([created])
    distribute_when_approved(request, by=by, session=session, world=world)
    return request


def list_initiator_sides(approvals_needed: int, *, is_own: bool) -> frozenset[DataItemOriginator]:
    """Return whose items the initiator gives: in self service without approvers he is both sides."""
    own = frozenset({DataItemOriginator.SUBSCRIBER}) if is_own else frozenset[DataItemOriginator]()
    manages = not is_own or approvals_needed == 0
    return own | (frozenset({DataItemOriginator.MANAGER}) if manages else frozenset())


def _check_open(request: Request, template: ProfileTemplate, session: Session, limit: int) -> None:
    """Raise when the originator has opened as many as *limit* for this target already.

    Requests about a profile are bounded by themselves: there is one at a time for each operation. Posts at the same moment
    may each be let in as the last one, where the database lets them write at the same moment.
    """
    if request.old_profile_id is None and session.requests.has_open(
        limit, request.originator_id, request.target_id, request.template_id
    ):
        raise OpenRequestsExhausted(template.name, limit)


def _find_start(wish: RequestWish, *, by: Caller, session: Session) -> Start:
    is_about_nothing = wish.profile_id is None and wish.smartcard_id is None
    if wish.operation is Operation.ENROLL or (wish.operation is Operation.TEMPORARY_CARD_ENROLL and is_about_nothing):
        if wish.template_id is None:
            raise MalformedValue("profiletemplateuuid", "the GUID of a profile template is wanted")
        target = by if wish.target_id in (None, by.user.id) else get_principal(wish.target_id, session)
        template = session.templates.get(wish.template_id)
        return Start(operation=wish.operation, template=template, target=target, choices=wish.answers.choices)
    profile = _find_profile(wish, session)
    if wish.target_id not in (None, profile.owner_id):
        raise MalformedValue("target", "the profile is another person's")
    if wish.template_id not in (None, profile.template_id):
        raise MalformedValue("profiletemplateuuid", "the profile is of another profile template")
    return look_at(profile, wish.operation, session, wish.answers.choices)


def _find_profile(wish: RequestWish, session: Session) -> Profile:
    profile_id = wish.profile_id
    if wish.smartcard_id is not None:
        on_card = session.smartcards.get(wish.smartcard_id).profile_id
        if on_card is None:
            raise SmartcardNotFound(wish.smartcard_id)
        if profile_id not in (None, on_card):
            raise MalformedValue("profile", "another profile is on the smart card")
        profile_id = on_card
    if profile_id is None:
        raise MalformedValue("profile", "the GUID of the profile, or of the smart card, is wanted that the request is about")
    return session.profiles.get(profile_id)


def _answer(request: Request, template: ProfileTemplate, answers: Answers, *, by: Caller, world: World) -> Request:
    """Return *request* with the answers in it. Errors: every way in which they do not fit the policy, all at once."""
    policy = template.policies[request.type]
    needed = count_needed_approvals(policy, takes_several=takes_several_people(template, request.operation))
    sides = list_initiator_sides(needed, is_own=by.user.id == request.target_id)
    data = merge_items(policy.data_items, (), answers.data, sides=frozenset(DataItemOriginator))
    # Required items may still be open: they are asked for when the request is executed (create-request: "an empty collection").
    check_none_broken(
        [
            *list_broken_by_answers(policy, answers, template.name),
            *_list_broken_by_choice(template, answers),
            *list_broken_by_items(policy.data_items, answers.data, sides=sides, patterns=world.patterns),
        ]
    )
    return replace(
        request,
        priority=policy.default_priority if answers.priority is None else answers.priority,
        comment=answers.comment,
        data=data,
        data_flags=find_data_flags(policy.data_items, data),
    )


def _list_broken_by_choice(template: ProfileTemplate, answers: Answers) -> list[Refused]:
    chosen = answers.choices.certificate_template
    if not chosen or chosen in {each.common_name for each in template.certificate_templates}:
        return []
    return [MalformedValue("certificatetemplate", f"{template.name} issues no such certificate")]
