"""Read one request or list them."""

from certwright.application.request_parties import SeenRequest, get_request, see_request
from certwright.application.world import World
from certwright.domain.access import ActOnRequest, decide
from certwright.domain.grants import ObjectKind, Right
from certwright.domain.identities import Caller
from certwright.domain.ports import Session
from certwright.domain.requests import RequestId, RequestStatus
from certwright.domain.security_descriptors import RequestPermission


def read_request(request_id: RequestId, *, by: Caller, world: World) -> SeenRequest:
    """Return the request. Errors: RequestNotFound; AccessDenied."""
    with world.store.reading() as session:
        return get_request(request_id, RequestPermission.READ, by=by, session=session)


def list_requests(
    *, by: Caller, world: World, only_own: bool = False, statuses: frozenset[RequestStatus] | None = None
) -> tuple[SeenRequest, ...]:
    """Return the requests that *by* may read, newest first; with *only_own*, those whose subject he is."""
    with world.store.reading() as session:
        concerning = by.user.id if only_own or not _sees_others(by, session) else None
        found = session.requests.list_all(concerning=concerning, statuses=statuses)
        seen = [see_request(each, session) for each in found if not only_own or each.target_id == by.user.id]
    readable = (
        each for each in seen if decide(by, ActOnRequest(RequestPermission.READ, each.security), each.grants).is_allowed
    )
    return tuple(readable)


def _sees_others(by: Caller, session: Session) -> bool:
    """Return whether *by* has any part that lets him read other people's requests, under whichever version of a template
    they were made; spares everyone else the search."""
    if session.directory.load_grants().is_held(by, Right.ADMINISTER, ObjectKind.SERVICE):
        return True
    policies = (policy for each in session.templates.list_versions() for policy in each.policies.values())
    return any((each.initiators | each.approvers | each.enrollment_agents) & by.sids for each in policies)
