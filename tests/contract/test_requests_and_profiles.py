"""`ports.Requests` and `ports.Profiles`."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from uuid import UUID, uuid4

import pytest

from certwright.adapters.sql.store import SqlStore
from certwright.domain.data_items import DataItem
from certwright.domain.errors import ChangedMeanwhile, MalformedValue, ProfileNotFound, RequestNotFound
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.profiles import ProfileFlags, ProfileId, ProfileStatus
from certwright.domain.requests import DataCollectionFlags, Request, RequestFilter, RequestFlags, RequestId, RequestStatus
from worlds.contoso import NOW, TEMPLATE
from worlds.holdings import ALICE, BOB, list_requests_of, make_profile, make_request, start


def add(store: SqlStore, *requests: Request) -> None:
    with store.writing() as session:
        session.templates.save(TEMPLATE)
        for each in requests:
            session.requests.add(each)


def test_a_request_comes_back_as_added_in_every_field(store: SqlStore) -> None:
    _, profile = start(store)
    full = make_request(
        ALICE,
        BOB,
        status=RequestStatus.COMPLETED,
        flags=RequestFlags.ENROLLMENT_AGENT | RequestFlags.SMARTCARD,
        completed=NOW + timedelta(microseconds=1),
        priority=255,
        comment="Grüße ‹3›\r\n",
        data=(DataItem("Why", "because"), DataItem("Why not", None)),
        data_flags=DataCollectionFlags.SUBSCRIBER_PROVIDED,
        profile_id=profile.id,
        old_profile_id=profile.id,
    )
    add(store, full)
    with store.reading() as session:
        found = session.requests.get(full.id)
    assert found == full
    assert found.submitted.tzinfo is UTC
    assert isinstance(found.data[0], DataItem)


def test_a_time_of_another_zone_comes_back_as_the_same_moment_in_utc(store: SqlStore) -> None:
    there = datetime(1999, 12, 31, 23, 30, 0, 1, tzinfo=timezone(timedelta(hours=-5)))
    request = make_request(submitted=there)
    add(store, request)
    with store.reading() as session:
        found = session.requests.get(request.id).submitted
    assert found == there
    assert found.isoformat() == "2000-01-01T04:30:00.000001+00:00"


def test_a_naive_time_is_a_bug(store: SqlStore) -> None:
    with pytest.raises(Exception, match="naive"):
        add(store, make_request(submitted=datetime(2026, 1, 1)))


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_no_database_can_store_is_refused_by_all(store: SqlStore, text: str) -> None:
    with pytest.raises(MalformedValue):
        add(store, make_request(comment=text))


def test_unknown_identifiers_are_not_found(store: SqlStore) -> None:
    with store.reading() as session:
        with pytest.raises(RequestNotFound):
            session.requests.get(RequestId(UUID(int=404)))
        with pytest.raises(ProfileNotFound):
            session.profiles.get(ProfileId(UUID(int=404)))


def test_requests_are_listed_newest_first(store: SqlStore) -> None:
    requests = [make_request() for _ in range(5)]
    add(store, *requests)
    with store.reading() as session:
        assert list_requests_of(session) == tuple(reversed(requests))


def test_requests_are_listed_for_originator_and_target_and_by_status(store: SqlStore) -> None:
    own = make_request(ALICE)
    for_bob = make_request(ALICE, BOB, status=RequestStatus.PENDING)
    of_bob = make_request(BOB, status=RequestStatus.DENIED)
    add(store, own, for_bob, of_bob)
    with store.reading() as session:
        everything = partial(list_requests_of, session)
        assert everything(concerning=ALICE) == (for_bob, own)
        assert everything(concerning=BOB) == (of_bob, for_bob)
        assert everything(target=BOB) == (of_bob, for_bob)
        assert everything(target=ALICE) == (own,)
        assert everything(templates=frozenset({TEMPLATE.id})) == (of_bob, for_bob, own)
        assert everything(templates=frozenset({UUID(int=7)})) == everything(statuses=frozenset()) == ()
        assert everything(concerning=ALICE, templates=frozenset({UUID(int=7)})) == (for_bob, own)
        assert everything(statuses=frozenset({RequestStatus.PENDING, RequestStatus.APPROVED})) == (for_bob, own)
        assert everything(concerning=BOB, statuses=frozenset({RequestStatus.DENIED})) == (of_bob,)


@pytest.mark.parametrize(
    "wanted",
    [
        RequestFilter(),
        RequestFilter(concerning=ALICE),
        RequestFilter(target=ALICE, statuses=frozenset({RequestStatus.APPROVED})),
        RequestFilter(concerning=BOB, templates=frozenset({TEMPLATE.id})),
        RequestFilter(statuses=frozenset(RequestStatus)),
    ],
    ids=["all", "concerning", "target", "templates", "statuses"],
)
def test_requests_are_listed_page_by_page(store: SqlStore, wanted: RequestFilter) -> None:
    requests = [make_request(ALICE) for _ in range(5)]
    add(store, *requests)
    pages, after = [], None
    with store.reading() as session:
        while page := session.requests.list_page(wanted, after=after, limit=2):
            pages.append(page)
            after = page[-1].id
    assert [len(each) for each in pages] == [2, 2, 1]
    assert [each for page in pages for each in page] == requests[::-1]


def test_the_newest_request_for_a_person_under_a_template_is_found(store: SqlStore) -> None:
    old, new, of_another = make_request(ALICE), make_request(BOB, ALICE), make_request(ALICE, BOB)
    add(store, old, new, of_another)
    with store.reading() as session:
        assert session.requests.find_newest_id(ALICE, TEMPLATE.id) == new.id
        assert session.requests.find_newest_id(ALICE, ProfileTemplateId(UUID(int=7))) is None


def test_a_request_changes_from_the_status_it_has(store: SqlStore) -> None:
    request, profile = start(store)
    changed = replace(request, status=RequestStatus.COMPLETED, completed=NOW, profile_id=profile.id)
    with store.writing() as session:
        session.requests.change(changed, from_status=RequestStatus.APPROVED)
    with store.reading() as session:
        assert session.requests.get(request.id) == changed


def test_answers_change_by_themselves_and_who_changes_something_else_leaves_them(store: SqlStore) -> None:
    request, _ = start(store)
    flags = DataCollectionFlags.CERTIFICATE_MANAGER_PROVIDED
    answered = replace(request, data=(DataItem("a", "b"),), data_flags=flags)
    with store.writing() as session:
        assert session.requests.get_locked(request.id) == request
        session.requests.answer(replace(answered, status=RequestStatus.COMPLETED))
    with store.reading() as session:
        assert session.requests.get(request.id) == answered
    with store.writing() as session:
        # Somebody who has read it before.
        session.requests.change(replace(request, status=RequestStatus.EXECUTING), from_status=RequestStatus.APPROVED)
    with store.reading() as session:
        assert session.requests.get(request.id) == replace(answered, status=RequestStatus.EXECUTING)
    with pytest.raises(RequestNotFound), store.writing() as session:
        session.requests.get_locked(RequestId(uuid4()))


def test_a_request_does_not_change_from_a_status_it_no_longer_has(store: SqlStore) -> None:
    request, _ = start(store)
    canceled = replace(request, status=RequestStatus.CANCELED)
    with pytest.raises(ChangedMeanwhile), store.writing() as session:
        session.requests.change(canceled, from_status=RequestStatus.PENDING)
    with store.reading() as session:
        assert session.requests.get(request.id) == request


def test_what_is_not_there_was_changed_meanwhile(store: SqlStore) -> None:
    start(store)
    with pytest.raises(ChangedMeanwhile), store.writing() as session:
        session.requests.change(make_request(id=RequestId(uuid4())), from_status=RequestStatus.APPROVED)


def run_together(*acts: Callable[[], object]) -> list[object]:
    """Return what each returned or, where it was overtaken, the refusal."""
    ready, results = threading.Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        ready.wait()
        try:
            results.append(act())
        except ChangedMeanwhile as refusal:
            results.append(refusal)

    threads = [threading.Thread(target=run, args=(each,)) for each in acts]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return results


def test_of_many_that_change_a_request_at_once_one_is_first(store: SqlStore) -> None:
    request, _ = start(store)

    def change(status: RequestStatus) -> RequestStatus:
        with store.writing() as session:
            session.requests.change(replace(request, status=status), from_status=RequestStatus.APPROVED)
        return status

    acts = [lambda status=status: change(status) for status in 4 * (RequestStatus.EXECUTING, RequestStatus.CANCELED)]
    results = run_together(*acts)
    winners = [each for each in results if not isinstance(each, ChangedMeanwhile)]
    assert len(results) == 8
    with store.reading() as session:
        assert [session.requests.get(request.id).status] == winners


def test_a_profile_comes_back_as_added_and_as_changed(store: SqlStore) -> None:
    _, other = start(store)
    profile = make_profile(parent_id=other.id, primary_id=other.id, comment="new", flags=ProfileFlags(63))
    changed = replace(profile, status=ProfileStatus.ACTIVE, flags=ProfileFlags.DUPLICATE, parent_id=None, comment="changed")
    with store.writing() as session:
        session.profiles.add(profile)
        assert session.profiles.get(profile.id) == profile
        session.profiles.change(changed, from_status=ProfileStatus.NEW)
    with store.reading() as session:
        assert session.profiles.get(profile.id) == changed
    with pytest.raises(ChangedMeanwhile), store.writing() as session:
        session.profiles.change(changed, from_status=ProfileStatus.NEW)


def test_profiles_are_listed_by_owner_and_status_newest_first(store: SqlStore) -> None:
    _, first = start(store)
    _, others = start(store, BOB)
    second = make_profile(status=ProfileStatus.RETIRED)
    with store.writing() as session:
        session.profiles.add(second)
    with store.reading() as session:
        assert session.profiles.list_of(ALICE) == (second, first)
        assert session.profiles.list_of(ALICE, frozenset({ProfileStatus.NEW})) == (first,)
        assert session.profiles.list_of(BOB) == (others,)
