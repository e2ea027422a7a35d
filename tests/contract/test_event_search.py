"""Searches of the history find what is about somebody or something, in order, page by page."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from certwright.adapters.sql.event_look import WALKED_EVENTS
from certwright.adapters.sql.store import SqlStore
from certwright.adapters.sql.tables import events
from certwright.domain.certificates import SerialNumber, format_serial_number
from certwright.domain.event_search import EventSearch
from certwright.domain.events import Event, EventType
from certwright.domain.requests import RequestId
from certwright.domain.sealing import ABOVE_ALL
from worlds.contoso import NOW, TEMPLATE
from worlds.holdings import ALICE, BOB, make_certificate, make_event, make_profile, make_request


def find(store: SqlStore, search: EventSearch, after: int = 0, most: int = 100) -> list[str]:
    with store.reading() as session:
        return [each.comment for each in session.history.list_found(search, after=after, most=most).events]


def append(store: SqlStore, *events: Event) -> None:
    with store.writing() as session:
        session.history.append(events)


@pytest.fixture
def told(store: SqlStore) -> SqlStore:
    """Events of several people, types and hours."""
    append(
        store,
        make_event("one", actor_id=ALICE, subject_id=ALICE, type=EventType.REQUEST_CREATED, at=NOW),
        make_event("two", actor="root", subject_id=ALICE, type=EventType.USER_CHANGED, at=NOW + timedelta(hours=1)),
        make_event("three", actor="CORP\\bob", actor_id=BOB, type=EventType.RIGHT_GRANTED, at=NOW + timedelta(hours=2)),
        make_event("four", actor="root", subject_id=BOB, type=EventType.RIGHT_REVOKED, at=NOW + timedelta(hours=3)),
    )
    return store


def test_everything_is_found_page_by_page(told: SqlStore) -> None:
    assert find(told, EventSearch()) == ["one", "two", "three", "four"]
    with told.reading() as session:
        first = session.history.list_found(EventSearch(), after=0, most=3)
        assert first.following is not None
        rest = session.history.list_found(EventSearch(), after=first.following, most=3)
        newest = session.history.list_newest_found(EventSearch(), before=ABOVE_ALL, most=2)
        assert newest.following is not None
        oldest = session.history.list_newest_found(EventSearch(), before=newest.following, most=3)
    assert [each.comment for each in (*first.events, *rest.events)] == ["one", "two", "three", "four"]
    assert [each.comment for each in (*oldest.events, *newest.events)] == ["one", "two", "three", "four"]
    assert (rest.following, oldest.following) == (None, None)


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (EventSearch(user_id=ALICE), ["one", "two"]),
        (EventSearch(user="root"), ["two", "four"]),
        (EventSearch(user="CORP\\bob", user_id=BOB), ["three", "four"]),
        (EventSearch(user="CORP\\bob"), ["three"]),
        (EventSearch(user="root", user_id=ALICE), ["one", "two", "four"]),
        (EventSearch(user="nobody"), []),
        (EventSearch(types=frozenset({EventType.RIGHT_GRANTED})), ["three"]),
        (EventSearch(types=frozenset({EventType.RIGHT_GRANTED, EventType.RIGHT_REVOKED})), ["three", "four"]),
        (EventSearch(types=frozenset({EventType.SERVICE_STARTED})), []),
        (EventSearch(since=NOW + timedelta(hours=1)), ["two", "three", "four"]),
        (EventSearch(until=NOW + timedelta(hours=1)), ["one"]),
        (EventSearch(since=NOW + timedelta(hours=1), until=NOW + timedelta(hours=3)), ["two", "three"]),
        (EventSearch(user="root", types=frozenset({EventType.RIGHT_REVOKED}), since=NOW), ["four"]),
    ],
)
def test_all_that_is_asked_for_has_to_be_so(told: SqlStore, search: EventSearch, expected: list[str]) -> None:
    assert find(told, search) == expected


def test_what_is_about_an_object_says_so_or_belongs_to_a_request_that_is(store: SqlStore) -> None:
    profile, other = make_profile(), make_profile()
    request = make_request(profile_id=profile.id)
    renewal = make_request(old_profile_id=profile.id)
    unrelated = make_request(profile_id=other.id)
    certificate = make_certificate(request, profile)
    with store.writing() as session:
        session.templates.save(TEMPLATE)
        for each in (profile, other):
            session.profiles.add(each)
        for each in (request, renewal, unrelated):
            session.requests.add(each)
        session.certificates.add([certificate])
    append(
        store,
        make_event("issued", request_id=request.id, details={"serial": format_serial_number(certificate.serial)}),
        make_event("renewal", request_id=renewal.id),
        make_event(
            "revoked",
            request_id=unrelated.id,
            subject_id=certificate.subject_id,
            details={"serial": format_serial_number(certificate.serial)},
        ),
        make_event("changed", subject_id=profile.owner_id, details={"profile": str(profile.id)}),
        make_event("loaded", details={"templates": f"{uuid4()}/1 {TEMPLATE.id}/2"}),
        make_event("nothing"),
    )
    assert find(store, EventSearch(request_id=request.id)) == ["issued"]
    assert find(store, EventSearch(profile_id=profile.id)) == ["issued", "renewal", "changed"]
    assert find(store, EventSearch(serial=certificate.serial)) == ["issued", "revoked"]
    assert find(store, EventSearch(serial=SerialNumber(7))) == []
    assert find(store, EventSearch(template_id=TEMPLATE.id)) == ["issued", "renewal", "revoked", "loaded"]
    assert find(store, EventSearch(request_id=RequestId(UUID(int=9)))) == []


def test_what_is_about_something_is_found_among_its_owners_events_however_far_they_are_apart(store: SqlStore) -> None:
    profile = make_profile()
    request = make_request(profile_id=profile.id)
    certificate = make_certificate(request, profile)
    with store.writing() as session:
        session.templates.save(TEMPLATE)
        session.profiles.add(profile)
        session.requests.add(request)
        session.certificates.add([certificate])
    told = {"profile": str(profile.id), "serial": format_serial_number(certificate.serial)}
    append(
        store,
        make_event("made", request_id=request.id),
        make_event("between", subject_id=profile.owner_id),
        make_event("changed", subject_id=profile.owner_id, details=told),
    )
    move(store, "changed", 3 * WALKED_EVENTS)
    for search in (EventSearch(profile_id=profile.id), EventSearch(serial=certificate.serial)):
        with store.reading() as session:
            found = session.history.list_found(search, after=0, most=10)
            newest = session.history.list_newest_found(search, before=ABOVE_ALL, most=10)
        assert [each.comment for each in found.events] == ["made", "changed"]
        assert newest == found


def move(store: SqlStore, comment: str, by: int) -> None:
    """Give an event a later number, as if others had been written before it."""
    with store.engines[1].begin() as connection:
        changed = update(events).where(events.c.comment == comment)
        connection.execute(changed.values(sequence=events.c.sequence + by))


@pytest.mark.parametrize(
    "search",
    [
        EventSearch(types=frozenset({EventType.REQUEST_CREATED})),
        EventSearch(since=NOW),
        EventSearch(profile_id=UUID(int=5)),
    ],
    ids=["type", "since", "profile"],
)
def test_a_look_ends_after_so_many_events_and_says_where_to_go_on(store: SqlStore, search: EventSearch) -> None:
    wanted = {"details": {"profile": str(UUID(int=5))}, "type": EventType.REQUEST_CREATED, "at": NOW}
    append(store, make_event("early", **wanted), make_event("late", **wanted))
    move(store, "late", 3 * WALKED_EVENTS)
    with store.reading() as session:
        first = session.history.list_found(search, after=0, most=10)
        assert first.following is not None
        second = session.history.list_found(search, after=first.following, most=10)
        newest = session.history.list_newest_found(search, before=ABOVE_ALL, most=10)
        assert newest.following is not None
        oldest = session.history.list_newest_found(search, before=newest.following, most=10)
    assert [[each.comment for each in found.events] for found in (first, second, newest, oldest)] == [
        ["early"],
        ["late"],
        ["late"],
        ["early"],
    ]
    assert (second.following, oldest.following) == (None, None)


def test_nothing_is_left_where_no_later_event_is_of_the_time(store: SqlStore) -> None:
    append(store, make_event("early", at=NOW), make_event("late", at=NOW + timedelta(days=2)))
    move(store, "late", 3 * WALKED_EVENTS)
    with store.reading() as session:
        found = session.history.list_found(EventSearch(until=NOW + timedelta(days=1)), after=0, most=10)
    assert ([each.comment for each in found.events], found.following) == (["early"], None)


def test_a_search_says_in_the_history_what_it_was_for() -> None:
    assert EventSearch().describe() == "everything"
    search = EventSearch(user="root", serial=SerialNumber(0x1F), types=frozenset({EventType.USER_CHANGED}), since=NOW)
    assert search.describe() == "user root, serial 1F, types user.changed, since 2026-11-23T12:30:15.250000+00:00"
