"""List requests as whoever runs the server sees them: all of them."""

from certwright.application.world import World
from certwright.domain.requests import Request, RequestStatus


def list_all_requests(*, world: World, statuses: frozenset[RequestStatus] | None = None) -> tuple[Request, ...]:
    """Return everybody's requests, newest first."""
    with world.store.reading() as session:
        return session.requests.list_all(statuses=statuses)
