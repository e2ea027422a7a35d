"""Which events are notices, drawn by hand."""

from uuid import uuid4

import pytest

from certwright.domain.events import Event, EventType, tell
from certwright.domain.identities import Caller
from certwright.domain.notifications import NotificationType as N
from certwright.domain.notified_events import TELLING, list_notification_types
from certwright.domain.program import THE_PROGRAM
from worlds.contoso import NOW, SUBSCRIBER, caller

ALICE = caller(SUBSCRIBER)

DRAWN = {
    #  event                           details                     told as
    EventType.REQUEST_CREATED: [({"operation": "enroll"}, [N.CREATE_REQUEST])],
    EventType.REQUEST_APPROVED: [({"approvals": "1 of 2"}, [N.APPROVE_REQUEST])],
    EventType.REQUEST_DENIED: [({}, [N.DENY_REQUEST])],
    EventType.REQUEST_CANCELED: [({}, [N.CANCEL_REQUEST])],
    EventType.REQUEST_EXPIRED: [({}, [N.CANCEL_REQUEST])],
    EventType.REQUEST_ABANDONED: [({}, [N.CANCEL_REQUEST])],
    EventType.REQUEST_FAILED: [({}, [N.MARK_REQUEST_AS_FAILED])],
    EventType.EXTERNAL_CERTIFICATE_ENDS: [({"serial": "2A"}, [N.CERTIFICATE_ENDS])],
    EventType.REQUEST_COMPLETED: [({}, [N.COMPLETE_REQUEST])],
    EventType.CERTIFICATE_ISSUED: [({}, [N.INSTALL_CERTIFICATE])],
    EventType.PASSWORDS_DISTRIBUTED: [({"distributions": "email-to-target"}, [N.DISTRIBUTE_SECRETS])],
    EventType.KEY_DELIVERED: [({}, [N.DOWNLOAD_PFX])],
    EventType.SMARTCARD_ASSIGNED: [({"card": "1"}, [N.CREATE_SMARTCARD])],
    EventType.SMARTCARD_CHANGED: [
        ({"status": "ACTIVE to DISABLED"}, [N.DISABLE_SMARTCARD]),
        ({"status": "NEW to ACTIVE"}, []),
        ({"status": "DISABLED to DISABLED"}, []),
    ],
    EventType.PROFILE_CHANGED: [
        ({"status": "NEW to ACTIVE"}, [N.CREATE_PROFILE]),
        ({"status": "ACTIVE to DISABLED"}, [N.DISABLE_PROFILE]),
        ({"status": "SUSPENDED to DISABLED"}, [N.DISABLE_PROFILE]),
        ({"status": "DISABLED to DISABLED"}, []),
        ({"status": "SUSPENDED to ACTIVE"}, []),
        ({"status": "ACTIVE to ACTIVE"}, []),
        ({"status": "ACTIVE to RETIRED"}, []),
        ({}, []),
    ],
}
ROWS = [(event, *row) for event, rows in DRAWN.items() for row in rows]


def make_event(kind: EventType, details: dict[str, str], by: Caller = ALICE) -> Event:
    return tell(kind, by, NOW, request_id=uuid4(), **details)


@pytest.mark.parametrize(("kind", "details", "told"), ROWS)
def test_each_event_is_the_notice_that_was_drawn(kind: EventType, details: dict[str, str], told: list[N]) -> None:
    assert list(list_notification_types(make_event(kind, details))) == told


@pytest.mark.parametrize("kind", sorted(set(EventType) - set(DRAWN)))
def test_other_events_are_no_notices(kind: EventType) -> None:
    assert list_notification_types(make_event(kind, {"status": "NEW to ACTIVE"})) == ()
    assert kind not in TELLING


def test_what_is_drawn_is_what_is_listened_to() -> None:
    assert set(DRAWN) == TELLING


@pytest.mark.parametrize(
    ("by", "operation", "told"),
    [
        (THE_PROGRAM, "renew", [N.CREATE_REQUEST, N.DISTRIBUTE_SECRETS]),
        (THE_PROGRAM, "enroll", [N.CREATE_REQUEST]),
        (ALICE, "renew", [N.CREATE_REQUEST]),
    ],
)
def test_a_renewal_that_opens_by_itself_is_a_renewal_notice_too(by: Caller, operation: str, told: list[N]) -> None:
    event = make_event(EventType.REQUEST_CREATED, {"operation": operation}, by)
    assert list(list_notification_types(event)) == told


def test_every_notice_there_is_comes_of_some_event() -> None:
    drawn = {each for _, _, told in ROWS for each in told}
    assert drawn == set(N)
