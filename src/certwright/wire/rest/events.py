"""The route of the event history. Source: domain.md 8, number 38i: beside v1.0, which has none."""

from certwright.application.event_searches import Named
from certwright.application.read_history import read_events
from certwright.formats.event_lines import describe_event
from certwright.wire.rest.calls import Answer, Call, Route, found

EVENTS_LIMIT = 1_000
EVENTS_DEFAULT = 100


def get_events(call: Call) -> Answer:
    """Answer a page of the event history, to auditors only; each reading is an event itself."""
    asked = call.query
    page = read_events(
        Named(
            user=asked.get("user", ""),
            request=asked.get("request", ""),
            profile=asked.get("profile", ""),
            certificate=asked.get("certificate", ""),
            template=asked.get("template", ""),
            types=asked.get("type", ""),
            since=asked.get("since", ""),
            until=asked.get("until", ""),
        ),
        after=call.parse_number("after", 0, 0, 2**62),
        most=call.parse_number("limit", EVENTS_DEFAULT, 1, EVENTS_LIMIT),
        by=call.caller,
        world=call.world,
    )
    return found({"events": [describe_event(each) for each in page.events], "next": page.following})


ROUTES = (Route("GET", "/events", get_events, version="v1.1"),)
