"""Whether an operation can be started: asked by who starts it, and by who lists what can be started."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from certwright.application.profile_room import check_duplicates, check_room, check_temporary
from certwright.application.request_parties import get_principal
from certwright.application.world import World
from certwright.domain.access import StartRequest, check_allowed, decide
from certwright.domain.certificates import Certificate
from certwright.domain.deliveries import check_archived, plan_delivery
from certwright.domain.errors import (
    CardMissing,
    CardNotTaken,
    ProfileTemplateNotFound,
    Refused,
    RequestAlreadyOpen,
    SubjectDisabled,
)
from certwright.domain.identities import Caller, Principal
from certwright.domain.policies import NO_CHOICES, Choices, Policy
from certwright.domain.ports import Item, Session
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.profiles import Profile, ProfileId
from certwright.domain.requests import Request, RequestFlags, RequestId, RequestStatus
from certwright.domain.separation import count_needed_approvals, takes_several_people
from certwright.domain.smartcards import Smartcard
from certwright.domain.workflows import WORKFLOWS, Operation, check_profile_fits


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What somebody wants to start, and what that depends on.

    Shape: *profile* is what it is about, None for Enroll, and *card* what that is on; *held* are its certificates,
    *open_about* the open requests about it,
    *duplicates* its duplicates, looked up for who wants another one.
    """

    operation: Operation
    template: ProfileTemplate
    target: Principal
    profile: Profile | None = None
    card: Smartcard | None = None
    held: tuple[Certificate, ...] = ()
    open_about: tuple[Request, ...] = ()
    duplicates: tuple[Profile, ...] = ()
    choices: Choices = NO_CHOICES


def look_at(profile: Profile, operation: Operation, session: Session, choices: Choices = NO_CHOICES) -> Start:
    """Return what starting *operation* with the profile depends on. Errors: ProfileTemplateNotFound for a withdrawn one."""
    template = session.templates.get(profile.template_id)
    return Start(
        operation=operation,
        template=template,
        target=get_principal(profile.owner_id, session),
        profile=profile,
        card=session.smartcards.find_of_profile(profile.id) if template.is_smartcard else None,
        held=session.certificates.list_of_profile(profile.id),
        open_about=session.requests.list_open_about(profile.id),
        duplicates=session.profiles.list_duplicates(profile.id) if operation is Operation.DUPLICATE else (),
        choices=choices,
    )


def plan_start(start: Start, *, by: Caller, session: Session, world: World) -> Request:
    """Return the request that *by* may start now, without what its initiator would answer.

    Errors: PolicyMissing; AccessDenied; ProfileStateRefused; RequestAlreadyOpen; SubjectDisabled where certificates come of
            it; NothingArchived; CardMissing; CardNotTaken; ProfilesExhausted; DuplicatesExhausted;
            TemporaryCardsExhausted.
    Source: domain.md 4.1 and 4.3.
    """
    policy = start.template.get_policy(WORKFLOWS[start.operation].request_type)
    request = _draft_request(start, policy, by=by, world=world)
    plan = plan_delivery(request, start.template, start.held, request.submitted)
    asked = StartRequest(operation=start.operation, target=start.target, template=start.template, certificates=plan.issued)
    check_allowed(decide(by, asked, session.directory.load_grants()))
    if start.profile is not None:
        check_profile_fits(start.operation, start.profile)
    _check_none_open(start)
    check_archived(request, start.held)
    _check_card(start, request)
    if request.workflow.serves_subject and not start.target.user.enabled:
        raise SubjectDisabled(start.target.user.nt4_name)
    if start.operation is Operation.ENROLL:
        check_room(start.template, request.type, start.target.user.id, session)
    if start.operation is Operation.TEMPORARY_CARD_ENROLL:
        check_temporary(start.template, policy, start.target.user.id, session)
    if start.operation is Operation.DUPLICATE and start.profile is not None:
        check_duplicates(policy, start.duplicates)
    return request


def list_operations(profile: Profile, *, by: Caller, session: Session, world: World) -> tuple[Operation, ...]:
    """Return what *by* may start with the profile now: exactly what `plan_start` would not refuse."""
    try:
        # Who wants another one asks for most.
        start = look_at(profile, Operation.DUPLICATE, session)
    except ProfileTemplateNotFound:
        # Profiles that have ended stay when their template is withdrawn.
        return ()
    return list_startable(start, by=by, session=session, world=world)


def look_at_own(owner: Principal, profiles: Sequence[Profile], session: Session) -> dict[ProfileId, Start]:
    """Return what `look_at` does for Duplicate, for *profiles*, a page of what *owner* has, in a fixed number of look-ups.

    Profiles whose template is withdrawn are left out.
    """
    if not profiles:
        return {}
    templates = {each.id: each for each in session.templates.list_newest()}
    held = session.certificates.list_by_profile(profiles)
    requests = _group(session.requests.list_open_about_profiles_of(profiles), lambda each: each.old_profile_id)
    duplicates = _group(session.profiles.list_duplicates_of(profiles), lambda each: each.primary_id)
    uses_cards = any(each.template_id in templates and templates[each.template_id].is_smartcard for each in profiles)
    cards = {each.profile_id: each for each in session.smartcards.list_of_profiles(profiles)} if uses_cards else {}
    return {
        profile.id: Start(
            operation=Operation.DUPLICATE,
            template=templates[profile.template_id],
            target=owner,
            profile=profile,
            card=cards.get(profile.id),
            held=held.get(profile.id, ()),
            open_about=tuple(requests.get(profile.id, ())),
            duplicates=tuple(duplicates.get(profile.id, ())),
        )
        for profile in profiles
        if profile.template_id in templates
    }


def _group(items: Iterable[Item], key: Callable[[Item], ProfileId | None]) -> dict[ProfileId | None, list[Item]]:
    """Return the items by their key, in their order."""
    grouped: dict[ProfileId | None, list[Item]] = {}
    for each in items:
        grouped.setdefault(key(each), []).append(each)
    return grouped


def list_startable(start: Start, *, by: Caller, session: Session, world: World) -> tuple[Operation, ...]:
    """Return what *by* may start with the profile that was looked at."""
    about = (each for each in Operation if each is not Operation.ENROLL)
    return tuple(each for each in about if _can_start(replace(start, operation=each), by, session, world))


def _can_start(start: Start, by: Caller, session: Session, world: World) -> bool:
    try:
        plan_start(start, by=by, session=session, world=world)
    except Refused:
        return False
    return True


def _draft_request(start: Start, policy: Policy, *, by: Caller, world: World) -> Request:
    profile_id = None if start.profile is None else start.profile.id
    takes_several = takes_several_people(start.template, start.operation)
    request = Request(
        id=RequestId(world.make_identifier()),
        operation=start.operation,
        status=RequestStatus.PENDING if count_needed_approvals(policy, takes_several=takes_several) else RequestStatus.APPROVED,
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
    card_id = None if start.card is None else start.card.id
    request = replace(request, old_smartcard_id=card_id)
    if request.makes_profile:
        return replace(request, smartcard_id=card_id) if policy.reuse_smartcard else request
    # As the documented Unblock request: what changes a profile in place names it, and its card, as new and as old.
    return replace(request, profile_id=profile_id, smartcard_id=card_id)


def _check_none_open(start: Start) -> None:
    for each in start.open_about:
        if each.operation is start.operation:
            raise RequestAlreadyOpen(start.operation.value, each.id)


def _check_card(start: Start, request: Request) -> None:
    if request.workflow.is_for_cards and not start.template.is_smartcard:
        raise CardNotTaken(start.operation.value, start.template.name)
    is_about_card = request.workflow.is_for_cards or (request.needs_card and not request.makes_profile)
    if is_about_card and start.profile is not None and start.card is None:
        raise CardMissing()


def _find_flags(template: ProfileTemplate, policy: Policy) -> RequestFlags:
    smartcard = RequestFlags.SMARTCARD if template.is_smartcard else RequestFlags.NONE
    agent = RequestFlags.ENROLLMENT_AGENT if policy.enrollment_agent_required else RequestFlags.NONE
    return smartcard | agent
