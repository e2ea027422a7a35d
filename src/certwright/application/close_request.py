"""Complete, cancel or abandon a request."""

from dataclasses import replace
from datetime import datetime

from certwright.application.request_parties import SeenRequest, get_request
from certwright.application.world import World
from certwright.domain.certificates import Certificate, format_serial_number
from certwright.domain.errors import CertificatesMissing
from certwright.domain.events import Event, EventType, tell
from certwright.domain.identities import Caller
from certwright.domain.policies import check_comment
from certwright.domain.ports import Session
from certwright.domain.profiles import ProfileStatus
from certwright.domain.requests import RequestAction, RequestId, advance
from certwright.domain.revocation import RevocationReason
from certwright.domain.security_descriptors import RequestPermission


def complete_request(request_id: RequestId, *, by: Caller, world: World, comment: str = "") -> SeenRequest:
    """Return the request, completed, its profile active.

    Errors: RequestNotFound; AccessDenied unless *by* may execute it; TransitionRefused; CertificatesMissing while a planned
            certificate is not delivered; TextTooLong and MalformedValue for the comment; ChangedMeanwhile.
    Source: domain.md 4.1 and the decision "Completed".
    """
    check_comment("comment", comment)
    with world.store.writing() as session:
        seen = get_request(request_id, RequestPermission.EXECUTE, by=by, session=session)
        now = world.clock.now()
        closed = replace(advance(seen.request, RequestAction.COMPLETE), completed=now)
        issued = [each for each in session.certificates.list_of_request(request_id) if each.encoded is not None]
        planned = len(seen.template.certificate_templates)
        if len(issued) < planned:
            raise CertificatesMissing(len(issued), planned)
        session.requests.change(closed, from_status=seen.request.status)
        _set_profile_status(seen, ProfileStatus.ACTIVE, session)
        session.history.append(
            [
                tell(
                    EventType.REQUEST_COMPLETED,
                    by,
                    now,
                    request_id=request_id,
                    subject_id=closed.target_id,
                    comment=comment,
                )
            ]
        )
    return replace(seen, request=closed)


def cancel_request(request_id: RequestId, *, by: Caller, world: World, comment: str = "") -> SeenRequest:
    """Return the request, canceled, certificates that it had issued revoked.

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
        _set_profile_status(seen, ProfileStatus.DISABLED, session)
        revoked = session.certificates.list_of_request(request_id)
        for each in revoked:
            session.certificates.revoke(each.serial, RevocationReason.CESSATION_OF_OPERATION, now)
        ending = tell(event_type, by, now, request_id=request_id, subject_id=ended.target_id, comment=comment)
        session.history.append([ending, *(_tell_revocation(each, by, now) for each in revoked)])
    return replace(seen, request=ended)


def _tell_revocation(certificate: Certificate, by: Caller, at: datetime) -> Event:
    return tell(
        EventType.CERTIFICATE_REVOKED,
        by,
        at,
        request_id=certificate.request_id,
        subject_id=certificate.subject_id,
        serial=format_serial_number(certificate.serial),
        reason=RevocationReason.CESSATION_OF_OPERATION.name,
    )


def _set_profile_status(seen: SeenRequest, status: ProfileStatus, session: Session) -> None:
    if seen.request.profile_id is not None:
        profile = session.profiles.get(seen.request.profile_id)
        session.profiles.change(replace(profile, status=status), from_status=profile.status)
