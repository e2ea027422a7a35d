"""Approve or deny a request."""

from dataclasses import replace

from certwright.application.create_request import list_initiator_sides
from certwright.application.one_time_passwords import EXECUTABLE, distribute_when_approved
from certwright.application.request_parties import SeenRequest, get_request, list_counting_approvals
from certwright.application.world import World
from certwright.domain.data_items import (
    DataItem,
    DataItemOriginator,
    Sides,
    list_broken_by_items,
    list_missing,
    merge_items,
)
from certwright.domain.errors import AlreadyApproved, AnswersApproved, check_none_broken
from certwright.domain.events import EventType, tell
from certwright.domain.identities import Caller
from certwright.domain.policies import check_comment
from certwright.domain.ports import Session
from certwright.domain.requests import (
    Approval,
    Request,
    RequestAction,
    RequestId,
    advance,
    find_data_flags,
)
from certwright.domain.rules.named_subjects import list_missing_subject
from certwright.domain.security_descriptors import RequestPermission

_MANAGER = frozenset({DataItemOriginator.MANAGER})


def approve_request(
    request_id: RequestId, *, by: Caller, world: World, comment: str = "", data: tuple[DataItem, ...] = ()
) -> SeenRequest:
    """Return the request with one approval more, Approved when it was the last that the policy asks for.

    Manager items come in with *data*; all that are required are in before the last approval, and the name that a client is to
    name before the first. What somebody approved stays: who approves later answers only what is still open. At each approval
    all of them are counted again, see `list_counting_approvals`; a request that was approved, and has too few since, can be
    approved again.

    Errors: RequestNotFound; AccessDenied for everyone but the policy's approvers, and for the originator and the subject;
            TransitionRefused unless it is Pending, or has lost approvals; AlreadyApproved; AnswersApproved; faults of the
            comment and of the data items; ChangedMeanwhile.
    Source: domain.md 3 (Approve) and 4.1.
    """
    check_comment("comment", comment)
    with world.store.writing() as session:
        seen = get_request(request_id, RequestPermission.APPROVE, by=by, session=session, is_locked=True)
        now = world.clock.now()
        needed = seen.approvals_needed
        is_again = seen.request.status in EXECUTABLE and len(list_counting_approvals(seen, session)) < needed
        if is_again and data:
            raise AnswersApproved()
        action = RequestAction.APPROVE_AGAIN if is_again else RequestAction.APPROVE
        approved = _take_items(advance(seen.request, action), seen, data, world)
        if data:
            _check_kept(seen.request, data, session)
            session.requests.answer(approved)
        check_none_broken(list_missing_subject(seen.template, approved.data))
        approval = Approval(request_id=request_id, approver_id=by.user.id, at=now, comment=comment)
        if not session.requests.add_approval(approval, approved.data):
            raise AlreadyApproved()
        given = len(list_counting_approvals(replace(seen, request=approved), session))
        if given >= needed and not is_again:
            check_none_broken(list_missing(seen.policy.data_items, approved.data, sides=_MANAGER))
            approved = advance(approved, RequestAction.APPROVE_FINALLY)
            session.requests.change(approved, from_status=seen.request.status)
        told = tell(
            EventType.REQUEST_APPROVED,
            by,
            now,
            request_id=request_id,
            subject_id=approved.target_id,
            comment=comment,
            approvals=f"{given} of {needed}",
        )
        session.history.append([told])
        if not is_again:
            distribute_when_approved(approved, by=by, session=session, world=world)
    return replace(seen, request=approved)


def deny_request(request_id: RequestId, *, by: Caller, world: World, comment: str = "") -> SeenRequest:
    """Return the request, denied for good.

    Errors: as `approve_request`.
    Source: domain.md 3 (Deny).
    """
    check_comment("comment", comment)
    with world.store.writing() as session:
        seen = get_request(request_id, RequestPermission.APPROVE, by=by, session=session)
        now = world.clock.now()
        denied = advance(seen.request, RequestAction.DENY)
        session.requests.change(denied, from_status=seen.request.status)
        told = tell(EventType.REQUEST_DENIED, by, now, request_id=request_id, subject_id=denied.target_id, comment=comment)
        session.history.append([told])
    return replace(seen, request=denied)


def supply_data(
    request_id: RequestId, data: tuple[DataItem, ...], *, by: Caller, world: World, comment: str = ""
) -> SeenRequest:
    """Return the request with the answers that its subject, or whoever manages it, gives before it is executed.

    Errors: RequestNotFound; AccessDenied unless *by* may change it; TransitionRefused once it is being executed or has ended;
            AnswersApproved once an approval was given, but for what its subject has left open; faults of the comment and of the
            data items; ChangedMeanwhile.
    Source: domain.md 4.2 (data collection).
    """
    check_comment("comment", comment)
    with world.store.writing() as session:
        seen = get_request(request_id, RequestPermission.WRITE, by=by, session=session, is_locked=True)
        advanced = advance(seen.request, RequestAction.SUPPLY_DATA)
        sides = _list_supplier_sides(seen, by)
        if session.requests.list_approvals(request_id):
            _check_only_open(seen, data, sides)
        supplied = _take_items(advanced, seen, data, world, sides=sides)
        session.requests.answer(supplied)
        told = tell(
            EventType.REQUEST_DATA_SUPPLIED,
            by,
            world.clock.now(),
            request_id=request_id,
            subject_id=supplied.target_id,
            comment=comment,
            items=" ".join(each.name for each in data),
        )
        session.history.append([told])
    return replace(seen, request=supplied)


def _check_only_open(seen: SeenRequest, data: tuple[DataItem, ...], sides: Sides) -> None:
    """Raise unless *data* answers only what the subject has left open: whatever was answered has been approved, on every side.

    Of their own requests, subjects left open what the policy lets them; only what is required can still be answered,
    without which the request could never be executed. The managers' items come in with approvals.

    Errors: AnswersApproved.
    """
    theirs = sides & frozenset({DataItemOriginator.SUBSCRIBER})
    answered = {each.name: each.value for each in seen.request.data if each.value}
    is_own = seen.request.originator_id == seen.request.target_id
    asked = [each for each in seen.policy.data_items if each.originator in theirs and (each.required or not is_own)]
    may_answer = {each.name for each in asked} - set(answered)
    if any(each.name not in may_answer and answered.get(each.name, "") != each.value for each in data):
        raise AnswersApproved()


def _check_kept(request: Request, data: tuple[DataItem, ...], session: Session) -> None:
    """Raise when *data* says something else than what was approved. Errors: AnswersApproved."""
    answered = {each.name: each.value for each in request.data if each.value}
    differ = any(answered.get(each.name, each.value) != each.value for each in data)
    if differ and session.requests.list_approvals(request.id):
        raise AnswersApproved()


def _list_supplier_sides(seen: SeenRequest, by: Caller) -> frozenset[DataItemOriginator]:
    """Return whose items *by* gives: the subject his own, anybody else the manager's, one who is both as when he started it."""
    if by.user.id != seen.request.target_id:
        return _MANAGER
    if by.user.id == seen.request.originator_id:
        return list_initiator_sides(seen.approvals_needed, is_own=True)
    return frozenset({DataItemOriginator.SUBSCRIBER})


def _take_items(
    request: Request,
    seen: SeenRequest,
    data: tuple[DataItem, ...],
    world: World,
    *,
    sides: frozenset[DataItemOriginator] = _MANAGER,
) -> Request:
    definitions = seen.policy.data_items
    check_none_broken(list_broken_by_items(definitions, data, sides=sides, patterns=world.patterns))
    merged = merge_items(definitions, request.data, data, sides=sides)
    return replace(request, data=merged, data_flags=find_data_flags(definitions, merged))
