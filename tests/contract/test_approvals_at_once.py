"""Approvals that are lost between two transactions of one use case, on each database."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from certwright.adapters.sql.store import SqlStore
from certwright.application.approve_request import approve_request
from certwright.application.enrollment import Enrollment, Post
from certwright.domain.errors import AccessDenied, ApprovalsMissing
from certwright.domain.grants import Right
from certwright.domain.identities import Sid
from certwright.domain.policies import Policy
from certwright.domain.ports import Session
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId, RequestStatus
from statements import recorded_statements
from worlds.contoso import APPROVER, APPROVERS, MANAGER, MANAGERS, SUBSCRIBER
from worlds.house import ONE, House, csr, found_house, signed_in

POLICY = Policy(initiators=frozenset({MANAGERS}), approvals_needed=1, approvers=frozenset({APPROVERS}))


@pytest.fixture
def house(store: SqlStore) -> House:
    return found_house(store)


def disable_approver(session: Session) -> None:
    session.directory.save_user(replace(APPROVER.user, enabled=False))


def leave_the_group(session: Session) -> None:
    (group,) = (each for each in session.directory.list_groups() if each.sid == APPROVERS)
    session.directory.save_group(replace(group, members=frozenset[Sid]()))


def lose_read(session: Session) -> None:
    rights = session.directory.load_grants()
    session.directory.replace_grants(each for each in rights if (each.right, each.trustee) != (Right.READ, APPROVERS))


LOSSES = pytest.mark.parametrize("lose", [disable_approver, leave_the_group, lose_read])


def begin(house: House, request_id: RequestId) -> Enrollment:
    """Return an enrollment that has read, and drafted, and stored nothing yet."""
    enrollment = Enrollment(Post(request_id, (csr("s1"),), "", signed_in(SUBSCRIBER)), house.world)
    with house.store.reading() as session:
        enrollment.read(session)
    enrollment.draft()
    return enrollment


def store_at_last(enrollment: Enrollment, house: House) -> None:
    with house.store.writing() as session:
        enrollment.check_again(session)
        enrollment.store(session)


def approved(house: House) -> RequestId:
    house.save(replace(ONE, policies={RequestType.ENROLL: POLICY}))
    request_id = house.open(ONE, by=MANAGER, target=SUBSCRIBER)
    approve_request(request_id, by=signed_in(APPROVER), world=house.world)
    return request_id


@LOSSES
def test_an_approval_that_is_lost_after_reading_does_not_count_where_it_is_stored(
    house: House, lose: Callable[[Session], None]
) -> None:
    request_id = approved(house)
    enrollment = begin(house, request_id)
    with house.store.writing() as session:
        lose(session)
    with pytest.raises(ApprovalsMissing, match="0 of 1"):
        store_at_last(enrollment, house)
    assert house.certificates(request_id) == ()


@LOSSES
def test_a_post_that_was_overtaken_by_such_a_loss_is_refused_and_leaves_nothing(
    house: House, lose: Callable[[Session], None]
) -> None:
    request_id = approved(house)
    with house.store.writing() as session:
        lose(session)
    with pytest.raises(ApprovalsMissing):
        house.post(request_id, csr("s1"))
    assert house.certificates(request_id) == ()


@LOSSES
def test_an_approval_that_is_lost_in_the_transaction_before_is_not_counted_at_the_last_one(
    house: House, lose: Callable[[Session], None]
) -> None:
    house.save(replace(ONE, policies={RequestType.ENROLL: POLICY}))
    request_id = house.open(ONE, by=MANAGER, target=SUBSCRIBER)
    with house.store.writing() as session:
        lose(session)
    # With the groups that a sign-in gave before the change.
    with suppress(AccessDenied):
        approve_request(request_id, by=signed_in(APPROVER), world=house.world)
    with house.store.reading() as session:
        assert session.requests.get(request_id).status is RequestStatus.PENDING


def test_what_needs_no_approval_asks_the_store_nothing_more(house: House) -> None:
    enrollment = begin(house, house.open(ONE))
    with recorded_statements(house.store) as recorded, house.store.writing() as session:
        enrollment.check_again(session)
        asked = list(recorded)
    assert asked == []
