"""Complete a request: what it was for takes effect."""

from collections.abc import Iterable
from dataclasses import replace

from certwright.application.card_changes import check_card_bound, confirm_admin_key
from certwright.application.key_history import forget_recovered_keys
from certwright.application.one_time_passwords import check_presented
from certwright.application.profile_changes import Changes, choose_revocation, make_profile
from certwright.application.request_parties import SeenRequest, get_request, list_held, plan_request
from certwright.application.server_keys import forget_pending_keys
from certwright.application.supplied_data import check_data_complete
from certwright.application.world import World
from certwright.domain.certificates import Certificate
from certwright.domain.deliveries import DeliveryPlan, list_outdated
from certwright.domain.errors import CertificatesMissing
from certwright.domain.events import Event, EventType, tell
from certwright.domain.identities import Caller
from certwright.domain.policies import check_comment
from certwright.domain.ports import Session
from certwright.domain.profiles import Profile, ProfileFlags, ProfileStatus
from certwright.domain.requests import Request, RequestAction, RequestId, RequestStatus, advance
from certwright.domain.security_descriptors import RequestPermission
from certwright.domain.workflows import Operation, check_profile_fits


def complete_request(request_id: RequestId, *, by: Caller, world: World, comment: str = "") -> SeenRequest:
    """Return the request, completed, and everything done that it was for.

    A caller who completed the request, and may not have received the answer, is given it again: nothing is changed.

    A new profile becomes active, and the one whose place it takes superseded, with its certificates and duplicates treated as
    the policy's revocation settings say. A revocation, a hold, its end and a retirement take effect.

    Errors: RequestNotFound; AccessDenied unless *by* may execute it; TransitionRefused; DataIncomplete; CardMissing;
            OneTimePasswordsMissing; CertificatesMissing while a planned certificate is not delivered; ProfileStateRefused when
            the profile that it is about was changed since; TextTooLong and MalformedValue for the comment; ChangedMeanwhile.
    Source: domain.md 4.1, 4.3 and the decision "Completed".
    """
    check_comment("comment", comment)
    with world.store.writing() as session:
        seen = get_request(request_id, RequestPermission.EXECUTE, by=by, session=session)
        if _has_completed(seen.request, by, session):
            return seen
        now = world.clock.now()
        closed = replace(advance(seen.request, RequestAction.COMPLETE), completed=now)
        check_data_complete(seen)
        check_card_bound(seen)
        changes = Changes(closed, by, now, session)
        old = None if closed.old_profile_id is None else session.profiles.get_locked(closed.old_profile_id)
        took_effect = seen.request.status is RequestStatus.EXECUTING and not closed.workflow.delivers
        if old is not None and not took_effect:
            check_profile_fits(closed.operation, old)
        if closed.workflow.delivers:
            check_presented(seen, session)
            plan = plan_request(seen, session, world)
            issued = [each for each in session.certificates.list_of_request(request_id) if each.encoded is not None]
            _check_delivered(seen.request, plan, len(issued))
            if plan.server_generated:
                forget_pending_keys(issued, session)
            if plan.given_back:
                forget_recovered_keys(request_id, plan.given_back, session)
            closed = _take_over(changes, seen, plan, old, world)
        elif old is not None and not took_effect:
            take_effect(changes, seen, old)
        confirm_admin_key(closed, session)
        session.requests.change(closed, from_status=seen.request.status)
        completed = tell(
            EventType.REQUEST_COMPLETED, by, now, request_id=request_id, subject_id=closed.target_id, comment=comment
        )
        session.history.append([completed, *changes.events])
    return replace(seen, request=closed)


def _has_completed(request: Request, by: Caller, session: Session) -> bool:
    """Return whether *by* has completed the request before, as far as the history goes back."""
    if request.status is not RequestStatus.COMPLETED:
        return False
    return any(
        isinstance(each, Event) and (each.type, each.actor_id) == (EventType.REQUEST_COMPLETED, by.user.id)
        for each in session.history.list_of_request(request.id)
    )


def _check_delivered(request: Request, plan: DeliveryPlan, issued: int) -> None:
    """Raise unless everything was delivered; an archived key that nobody can read any more does not hold the rest up."""
    has_answered = request.status is RequestStatus.EXECUTING
    given_back = len(plan.given_back) if has_answered else 0
    if issued < len(plan.issued) or given_back < len(plan.given_back):
        raise CertificatesMissing(issued + given_back, len(plan.issued) + len(plan.given_back))


def _take_over(changes: Changes, seen: SeenRequest, plan: DeliveryPlan, old: Profile | None, world: World) -> Request:
    """Make the new profile the one that counts, and return the request that names it."""
    request, session = changes.request, changes.session
    if not request.makes_profile:
        if old is not None:
            _update_in_place(changes, seen, old)
        return request
    if request.profile_id is None:
        new = make_profile(request, changes.by, None, world)
        session.profiles.add(new)
    else:
        new = session.profiles.get(request.profile_id)
    changes.set_profile(new, replace(new, status=ProfileStatus.ACTIVE))
    session.certificates.add_copies(new.id, [each.serial for each in plan.carried], is_key_history=False)
    session.certificates.add_copies(new.id, [each.serial for each in plan.history], is_key_history=True)
    if old is not None and request.workflow.supersedes:
        _supersede(changes, seen, old, frozenset(each.serial for each in plan.carried))
    return replace(request, profile_id=new.id)


def _supersede(changes: Changes, seen: SeenRequest, old: Profile, carried: frozenset[int]) -> None:
    policy = seen.policy
    superseded = replace(old, flags=(old.flags & ~ProfileFlags.PRIMARY) | ProfileFlags.SUPERSEDED)
    changes.set_profile(old, superseded)
    for each in (superseded, *changes.list_beside(old)):
        changes.end_profile(each, policy.revocation, choices=seen.request.choices, spared=carried)
    for duplicate in changes.session.profiles.list_duplicates(old.id):
        changes.end_profile(duplicate, policy.revocation_for_duplicates, spared=carried)
    changes.publish(policy.revocation)


def _update_in_place(changes: Changes, seen: SeenRequest, old: Profile) -> None:
    request, settings = changes.request, seen.policy.revocation
    outdated = list_outdated(request, seen.template, list_held(request, changes.session))
    changes.revoke(outdated, *choose_revocation(settings, request.choices), settings=settings)
    changes.set_profile(old, replace(old, template_version=request.template_version))
    changes.publish(settings)


def take_effect(changes: Changes, seen: SeenRequest, old: Profile) -> None:
    """Do what a request is for that delivers nothing: once, when it is completed or when its card is told to have ended."""
    request, settings = changes.request, seen.policy.revocation
    if request.workflow.unblocks:
        # The client has given the card another PIN; nothing of ours is different.
        return
    ending = [old, *changes.list_beside(old)]
    match request.operation:
        case Operation.SUSPEND:
            changes.hold(_list_once(changes.list_in_use(each) for each in ending))
        case Operation.REINSTATE:
            changes.release(_list_once(changes.list_in_use(each) for each in ending))
        case _:
            held = _list_once(changes.list_all_held(each) for each in ending)
            if request.operation is Operation.TEMPORARY_CARD_RETIRE:
                # What it shared with the card that it stood for stays good: the temporary card was given back.
                held = [each for each in held if each.profile_id == old.id]
            changes.revoke(held, *choose_revocation(settings, request.choices), settings=settings)
    status = request.workflow.leaves
    for each in ending:
        if status is not None and (each is old or each.status in request.workflow.from_statuses):
            changes.set_profile(each, replace(each, status=status))
    changes.publish(settings)


def _list_once(held: Iterable[Iterable[Certificate]]) -> list[Certificate]:
    """Return each certificate once: profiles on one card share some."""
    return list({each.serial: each for some in held for each in some}.values())
