"""What an installation was made for, as its history says."""

from certwright.application.world import World
from certwright.domain.event_search import EventSearch
from certwright.domain.events import Event, EventType


def find_purpose(*, world: World) -> str | None:
    """Return the purpose that the installation was made for; None where its first event was pruned or is older."""
    search = EventSearch(types=frozenset({EventType.SERVICE_INITIALIZED}))
    with world.store.reading() as session:
        for each in session.history.list_found(search, after=0, most=1).events:
            return each.details.get("purpose") if isinstance(each, Event) else None
    return None
