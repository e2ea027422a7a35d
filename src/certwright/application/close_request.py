"""Cancel or abandon a request."""

from dataclasses import replace

from certwright.application.profile_changes import Changes
from certwright.application.request_parties import SeenRequest, get_request
from certwright.application.server_keys import forget_pending_keys
from certwright.application.world import World
from certwright.domain.events import EventType, tell
from certwright.domain.identities import Caller
from certwright.domain.policies import check_comment
from certwright.domain.profile_templates import KeyOrigin
from certwright.domain.profiles import ProfileStatus
from certwright.domain.requests import RequestAction, RequestId, advance
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


def _end(
    request_id: RequestId, action: RequestAction, event_type: EventType, *, by: Caller, world: World, comment: str
) -> SeenRequest:
    check_comment("comment", comment)
    with world.store.writing() as session:
        seen = get_request(request_id, RequestPermission.CANCEL, by=by, session=session)
        now = world.clock.now()
        ended = advance(seen.request, action)
        session.requests.change(ended, from_status=seen.request.status)
        changes = Changes(ended, by, now, session)
        if ended.makes_profile and ended.profile_id is not None:
            profile = session.profiles.get(ended.profile_id)
            changes.set_profile(profile, replace(profile, status=ProfileStatus.DISABLED))
        issued = session.certificates.list_of_request(request_id)
        changes.revoke(issued, RevocationReason.CESSATION_OF_OPERATION)
        if any(each.key.origin is KeyOrigin.SERVER for each in seen.template.certificate_templates):
            forget_pending_keys(issued, session)
        ending = tell(event_type, by, now, request_id=request_id, subject_id=ended.target_id, comment=comment)
        session.history.append([ending, *changes.events])
    return replace(seen, request=ended)
