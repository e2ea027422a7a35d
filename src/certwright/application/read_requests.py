"""Read one request or list them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from certwright.application.request_parties import SeenRequest, get_request, see_request
from certwright.application.world import World
from certwright.domain.access import ActOnRequest, decide
from certwright.domain.grants import ObjectKind, Right
from certwright.domain.identities import Caller
from certwright.domain.ports import Session
from certwright.domain.requests import RequestFilter, RequestId, RequestStatus
from certwright.domain.security_descriptors import RequestPermission


@dataclass(frozen=True, slots=True)
class RequestPage:
    """Shape: *following* is after which request to go on; None at the end. A page may be empty and not be the last."""

    requests: tuple[SeenRequest, ...]
    following: RequestId | None


def read_request(request_id: RequestId, *, by: Caller, world: World) -> SeenRequest:
    """Return the request. Errors: RequestNotFound; AccessDenied."""
    with world.store.reading() as session:
        return get_request(request_id, RequestPermission.READ, by=by, session=session)


def list_requests(
    *, by: Caller, world: World, slice_length: int, only_own: bool = False, statuses: frozenset[RequestStatus] | None = None
) -> Iterator[tuple[SeenRequest, ...]]:
    """Return the requests that *by* may read, newest first; with *only_own*, those whose subject he is.

    Shape: in slices, each as of the moment at which it is asked for; of *slice_length* requests a slice has those that *by* may
    read. What is opened meanwhile is not among them.
    """
    page = read_request_page(by=by, world=world, length=slice_length, only_own=only_own, statuses=statuses)
    yield page.requests
    while page.following is not None:
        page = read_request_page(
            by=by, world=world, length=slice_length, only_own=only_own, statuses=statuses, after=page.following
        )
        yield page.requests


def read_request_page(
    *,
    by: Caller,
    world: World,
    length: int,
    only_own: bool = False,
    statuses: frozenset[RequestStatus] | None = None,
    after: RequestId | None = None,
) -> RequestPage:
    """Return what `list_requests` does of the first *length* requests that are older than *after*. Errors: RequestNotFound."""
    with world.store.reading() as session:
        if after is not None:
            session.requests.get(after)
        wanted = replace(_find_readable(by, session, only_own=only_own), statuses=statuses)
        found = session.requests.list_page(wanted, after=after, limit=length)
        seen = [see_request(each, session) for each in found]
    readable = (
        each for each in seen if decide(by, ActOnRequest(RequestPermission.READ, each.security), each.grants).is_allowed
    )
    return RequestPage(tuple(readable), found[-1].id if len(found) == length else None)


def _find_readable(by: Caller, session: Session, *, only_own: bool) -> RequestFilter:
    """Return among which requests those are that *by* may read: everybody's only for administrators, and other people's only
    under templates in which, in whichever version, he has a part.
    """
    if only_own:
        return RequestFilter(target=by.user.id)
    if session.directory.load_grants().is_held(by, Right.ADMINISTER, ObjectKind.SERVICE):
        return RequestFilter()
    parts = (
        each.id
        for each in session.templates.list_versions()
        for policy in each.policies.values()
        if (policy.initiators | policy.approvers | policy.enrollment_agents) & by.sids
    )
    return RequestFilter(concerning=by.user.id, templates=frozenset(parts))
