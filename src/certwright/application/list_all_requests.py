"""List requests as whoever runs the server sees them: all of them."""

from collections.abc import Iterator

from certwright.application.world import World
from certwright.domain.requests import Request, RequestFilter, RequestId, RequestStatus

REQUESTS_A_READ = 1_000


def list_all_requests(*, world: World, statuses: frozenset[RequestStatus] | None = None) -> Iterator[Request]:
    """Return everybody's requests, newest first, as they are read: however many they are, few are held at a time."""
    wanted = RequestFilter(statuses=statuses)
    after: RequestId | None = None
    while True:
        with world.store.reading() as session:
            found = session.requests.list_page(wanted, after=after, limit=REQUESTS_A_READ)
        yield from found
        if len(found) < REQUESTS_A_READ:
            return
        after = found[-1].id
