"""What workflows cost in statements, on SQLite: a number that grows here grows for every request of every client."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from certwright.adapters.sql.schema import migrate
from certwright.adapters.sql.store import open_store
from certwright.application.approve_request import approve_request, deny_request
from certwright.application.complete_request import complete_request
from certwright.application.create_request import RequestWish, create_request
from certwright.application.read_holdings import list_profiles, list_profiles_in_slices, read_profile
from certwright.application.read_requests import list_requests
from certwright.domain.identities import Principal
from certwright.domain.policies import Policy
from certwright.domain.profiles import ProfileId
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId
from certwright.domain.workflows import Operation
from statements import recorded_statements
from worlds.contoso import APPROVER, APPROVERS, MANAGER, MANAGERS, SUBSCRIBER
from worlds.house import ONE, House, csr, found_house, signed_in

SELF = Policy(self_service=True, initiators=frozenset({MANAGERS}))
POLICIES = dict.fromkeys((RequestType.ENROLL, RequestType.RENEW, RequestType.DISABLE), SELF)
POLICIES |= {RequestType.DUPLICATE: replace(SELF, maximum_duplicates=2)}
APPROVED_BY_TWO = replace(SELF, approvals_needed=2, approvers=frozenset({APPROVERS}))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    migrate(url)
    store = open_store(url)
    house = found_house(store)
    house.save(replace(ONE, policies=POLICIES))
    # A running server remembers people, rights and templates.
    remember(house)
    yield house
    store.close()


def count(house: House, act: Callable[[], object]) -> int:
    with recorded_statements(house.store) as statements:
        act()
    return len(statements)


def remember(house: House) -> None:
    """Fill the store's memory with what a request is looked up by."""
    start(house, Operation.ENROLL, None, MANAGER)
    list(list_requests(by=signed_in(MANAGER), world=house.world, slice_length=100))
    with house.store.reading() as session:
        # Whoever calls is looked up when he signs in.
        session.directory.find_principal(APPROVER.user.id)


def start(house: House, operation: Operation, profile_id: ProfileId | None, by: Principal = SUBSCRIBER) -> RequestId:
    wish = RequestWish(
        operation=operation,
        template_id=ONE.id if profile_id is None else None,
        profile_id=profile_id,
        target_id=SUBSCRIBER.user.id,
    )
    return create_request(wish, by=signed_in(by), world=house.world).id


def finish(house: House, request_id: RequestId) -> ProfileId:
    completed = complete_request(request_id, by=signed_in(SUBSCRIBER), world=house.world).request
    assert completed.profile_id is not None
    return completed.profile_id


def hold(house: House, key: str = "held") -> ProfileId:
    request_id = start(house, Operation.ENROLL, None)
    house.post(request_id, csr(key))
    return finish(house, request_id)


def test_enrolling(house: House) -> None:
    requests: list[RequestId] = []
    assert count(house, lambda: requests.append(start(house, Operation.ENROLL, None))) == 5
    assert count(house, lambda: house.post(requests[0], csr("new"))) == 14
    assert count(house, lambda: house.post(requests[0], csr("new"))) == 3
    assert count(house, lambda: finish(house, requests[0])) == 7


def test_renewing(house: House) -> None:
    profile_id = hold(house)
    requests: list[RequestId] = []
    assert count(house, lambda: requests.append(start(house, Operation.RENEW, profile_id))) == 7
    assert count(house, lambda: house.post(requests[0], csr("renewed"))) == 17
    assert count(house, lambda: finish(house, requests[0])) == 11


def test_disabling(house: House) -> None:
    profile_id = hold(house)
    requests: list[RequestId] = []
    assert count(house, lambda: requests.append(start(house, Operation.DISABLE, profile_id))) == 7
    assert count(house, lambda: finish(house, requests[0])) == 9


def test_approving_and_denying(house: House) -> None:
    house.save(replace(ONE, policies=POLICIES | {RequestType.ENROLL: APPROVED_BY_TWO}))
    remember(house)
    first, second = (start(house, Operation.ENROLL, None, MANAGER) for _ in range(2))
    approver = signed_in(APPROVER)
    assert count(house, lambda: approve_request(first, by=approver, world=house.world)) == 5
    assert count(house, lambda: deny_request(second, by=approver, world=house.world)) == 4


def test_the_last_approval(house: House) -> None:
    policy = replace(APPROVED_BY_TWO, approvals_needed=1)
    house.save(replace(ONE, policies=POLICIES | {RequestType.ENROLL: policy}))
    remember(house)
    request_id = start(house, Operation.ENROLL, None, MANAGER)
    assert count(house, lambda: approve_request(request_id, by=signed_in(APPROVER), world=house.world)) == 6


def test_listing_requests_costs_the_same_for_one_and_for_many(house: House) -> None:
    def look() -> None:
        list(list_requests(by=signed_in(SUBSCRIBER), world=house.world, slice_length=100))

    assert count(house, look) == 3
    for _ in range(20):
        start(house, Operation.ENROLL, None)
    assert count(house, look) == 3


def test_listing_profiles_costs_the_same_for_one_and_for_many(house: House) -> None:
    def look() -> None:
        list_profiles(by=signed_in(SUBSCRIBER), world=house.world)

    profile_id = hold(house)
    assert count(house, lambda: read_profile(profile_id, by=signed_in(SUBSCRIBER), world=house.world)) == 6
    assert count(house, look) == 7
    for number in range(10):
        duplicate = start(house, Operation.DUPLICATE, hold(house, f"held {number}"))
        house.post(duplicate, csr(f"duplicate {number}"))
        finish(house, duplicate)
    start(house, Operation.RENEW, profile_id)
    listed = list_profiles(by=signed_in(SUBSCRIBER), world=house.world)
    assert len(listed) == 21
    assert len({each.operations for each in listed}) == 3
    assert listed == tuple(read_profile(each.profile.id, by=signed_in(SUBSCRIBER), world=house.world) for each in listed)
    assert count(house, look) == 7
    by_threes = list_profiles_in_slices(by=signed_in(SUBSCRIBER), world=house.world, slice_length=3)
    assert tuple(each for held in by_threes for each in held) == listed
