"""Cancel or abandon a request, mark one as failed, or end one that has been left lying."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from certwright.application.due_work import Due
from certwright.application.key_history import forget_recovered_keys
from certwright.application.profile_changes import Changes
from certwright.application.request_parties import SeenRequest, get_request, list_held, see_request
from certwright.application.server_keys import forget_pending_keys
from certwright.application.world import World
from certwright.domain.errors import ChangedMeanwhile
from certwright.domain.events import EventType, tell
from certwright.domain.identities import Caller
from certwright.domain.policies import check_comment
from certwright.domain.ports import Session
from certwright.domain.profile_templates import KeyOrigin
from certwright.domain.profiles import ProfileStatus
from certwright.domain.program import THE_PROGRAM
from certwright.domain.requests import Request, RequestAction, RequestId, advance
from certwright.domain.revocation import RevocationReason
from certwright.domain.security_descriptors import RequestPermission


def cancel_request(request_id: RequestId, *, by: Caller, world: World, comment: str = "") -> SeenRequest:
    """Return the request, canceled, certificates that it had issued revoked and the profile that it had made disabled.

    Errors: RequestNotFound; AccessDenied; TransitionRefused; TextTooLong and MalformedValue for the comment;
            ChangedMeanwhile.
    """
    return _end(request_id, RequestAction.CANCEL, EventType.REQUEST_CANCELED, by=by, world=world, comment=comment)


def abandon_request(request_id: RequestId, *, by: Caller, world: World, comment: str = "") -> SeenRequest:
    """Return the request as `cancel_request` does; the product has no status of its own for it, only the event differs.

    Errors: as `cancel_request`.
    """
    return _end(request_id, RequestAction.ABANDON, EventType.REQUEST_ABANDONED, by=by, world=world, comment=comment)


def fail_request(request_id: RequestId, *, by: Caller, world: World, comment: str = "") -> SeenRequest:
    """Return the request, failed while it was being executed: a card broke, a client gave up. Otherwise as `cancel_request`.

    Errors: as `cancel_request`; TransitionRefused also for a request that nobody has begun to execute.
    Source: domain.md 4.1 (MarkRequestAsFailed).
    """
    return _end(request_id, RequestAction.FAIL, EventType.REQUEST_FAILED, by=by, world=world, comment=comment)


def list_stale_requests(limit: int, stale_after: timedelta, *, world: World) -> Sequence[Due]:
    """Return the canceling of each open request with which nobody has done anything for so long; a time of 0 is for ever."""
    if not stale_after:
        return ()
    idle_since = world.clock.now() - stale_after
    with world.store.reading() as session:
        found = session.requests.list_idle(idle_since, limit)
    return [
        Due(
            what=f"request {each.id}, {each.operation}, {each.status.name.lower()}, of {each.submitted:%Y-%m-%d}",
            carry_out=partial(expire_request, each.id, idle_since, world=world),
            since=each.submitted + stale_after,
        )
        for each in found
    ]


def expire_request(request_id: RequestId, idle_since: datetime, *, world: World) -> bool:
    """Cancel the request as `cancel_request` does if it is still open and nobody has done anything since; return whether."""
    try:
        with world.store.writing() as session:
            if not session.requests.is_idle(request_id, idle_since):
                return False
            seen = see_request(session.requests.get(request_id), session)
            _end_request(seen, RequestAction.CANCEL, EventType.REQUEST_EXPIRED, by=THE_PROGRAM, session=session, world=world)
    except ChangedMeanwhile:
        # Whoever came first did something with it: it is not stale any more.
        return False
    return True


def _end(
    request_id: RequestId, action: RequestAction, event_type: EventType, *, by: Caller, world: World, comment: str
) -> SeenRequest:
    check_comment("comment", comment)
    with world.store.writing() as session:
        seen = get_request(request_id, RequestPermission.CANCEL, by=by, session=session)
        ended = _end_request(seen, action, event_type, by=by, session=session, world=world, comment=comment)
    return replace(seen, request=ended)


def _end_request(
    seen: SeenRequest,
    action: RequestAction,
    event_type: EventType,
    *,
    by: Caller,
    session: Session,
    world: World,
    comment: str = "",
) -> Request:
    now = world.clock.now()
    ended = advance(seen.request, action)
    session.requests.change(ended, from_status=seen.request.status)
    changes = Changes(ended, by, now, session)
    if ended.makes_profile and ended.profile_id is not None:
        profile = session.profiles.get(ended.profile_id)
        changes.set_profile(profile, replace(profile, status=ProfileStatus.DISABLED))
    issued = session.certificates.list_of_request(ended.id)
    changes.revoke(issued, RevocationReason.CESSATION_OF_OPERATION)
    if any(each.key.origin is KeyOrigin.SERVER for each in seen.template.certificate_templates):
        forget_pending_keys(issued, session)
        forget_recovered_keys(ended.id, list_held(seen.request, session), session)
    ending = tell(event_type, by, now, request_id=ended.id, subject_id=ended.target_id, comment=comment)
    session.history.append([ending, *changes.events])
    return ended
