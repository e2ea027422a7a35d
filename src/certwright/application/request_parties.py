"""Everybody whom a request concerns, looked up, and the decision that follows from it."""

from dataclasses import dataclass

from certwright.domain.access import check_allowed, decide_on_request
from certwright.domain.errors import UserNotFound
from certwright.domain.identities import Caller, Principal, UserId
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.requests import Request, RequestId
from certwright.domain.security_descriptors import (
    Parties,
    RequestPermission,
    SecurityDescriptor,
    describe_request_security,
)


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request with what one needs to speak about it: its template, its subject, and who may do what to it."""

    request: Request
    template: ProfileTemplate
    target: Principal
    security: SecurityDescriptor


def see_request(request: Request, session: Session) -> SeenRequest:
    """Return *request* with its surroundings, under the template version of its creation."""
    template = session.templates.get(request.template_id, request.template_version)
    target = get_principal(request.target_id, session)
    parties = Parties(
        originator=get_principal(request.originator_id, session),
        target=target,
        policy=template.policies[request.type],
        grants=session.directory.load_grants(),
    )
    return SeenRequest(request, template, target, describe_request_security(parties))


def get_request(request_id: RequestId, permission: RequestPermission, *, by: Caller, session: Session) -> SeenRequest:
    """Return the request.

    Errors: RequestNotFound; AccessDenied unless *by* has *permission* on it.
    """
    seen = see_request(session.requests.get(request_id), session)
    check_allowed(decide_on_request(by, permission, seen.security))
    return seen


def get_principal(user_id: UserId, session: Session) -> Principal:
    """Return the user with his groups. Errors: UserNotFound."""
    principal = session.directory.find_principal(user_id)
    if principal is None:
        raise UserNotFound(user_id)
    return principal
