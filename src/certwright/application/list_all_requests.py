"""Read requests as whoever runs the server sees them: all of them."""

from dataclasses import dataclass

from certwright.application.request_parties import see_request
from certwright.application.world import World
from certwright.domain.events import StoredEvent
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.requests import Approval, Request, RequestId, RequestStatus


@dataclass(frozen=True, slots=True)
class TracedRequest:
    """A request with its approvals and its history."""

    request: Request
    template: ProfileTemplate
    approvals: tuple[Approval, ...]
    events: tuple[StoredEvent, ...]


def list_all_requests(*, world: World, statuses: frozenset[RequestStatus] | None = None) -> tuple[Request, ...]:
    """Return everybody's requests, newest first."""
    with world.store.reading() as session:
        return session.requests.list_all(statuses=statuses)


def trace_request(request_id: RequestId, *, world: World) -> TracedRequest:
    """Return the request with everything that happened to it. Errors: RequestNotFound."""
    with world.store.reading() as session:
        seen = see_request(session.requests.get(request_id), session)
        approvals = session.requests.list_approvals(request_id)
        return TracedRequest(seen.request, seen.template, approvals, session.history.list_of_request(request_id))
