"""Approvals where people have two parts, and subjects who are disabled: an installation of its own, as people change in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from certwright.domain.requests import RequestId
from worlds.rest_steps import CARD_LOGON, bind_card, close, open_request, refusal_of, submit
from worlds.served import Served, install, serve
from worlds.workflow_steps import MANAGED, rsa_request, target_of

PENDING, APPROVED = 16, 3


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server in whose world the manager and the subscriber are approvers too."""
    with install(tmp_path_factory.mktemp("crossed") / "data") as installation:
        with installation.world.store.writing() as session:
            (approvers,) = [each for each in session.directory.list_groups() if each.name == "Approvers"]
            found = [session.directory.find_account("CORP", name) for name in ("manager", "subscriber")]
            more = {each.user.sid for each in found if each is not None}
            session.directory.save_group(replace(approvers, members=approvers.members | more))
        with serve(installation) as served:
            yield served


@pytest.fixture
def pending(crossed: Served) -> str:
    """A request that the manager has opened for the subscriber."""
    with crossed.client("manager") as manager:
        return open_request(manager, MANAGED, target=str(target_of(crossed)))


def look(served: Served, request: str) -> tuple[object, ...]:
    """Return everything that the store has of the request."""
    request_id = RequestId(UUID(request))
    with served.installation.world.store.reading() as session:
        return (
            session.requests.get(request_id),
            session.requests.list_approvals(request_id),
            session.certificates.list_of_request(request_id),
            session.history.list_of_request(request_id),
        )


@contextmanager
def disabled(served: Served, account: str) -> Iterator[None]:
    """Switch the account off for as long as the block lasts."""
    store = served.installation.world.store
    with store.writing() as session:
        found = session.directory.find_account("CORP", account)
        assert found is not None
        session.directory.save_user(replace(found.user, enabled=False))
    try:
        yield
    finally:
        with store.writing() as session:
            session.directory.save_user(found.user)


@pytest.mark.parametrize("status", ["Approved", "Denied"])
@pytest.mark.parametrize("who", ["manager", "subscriber"])
def test_an_approver_decides_nothing_that_he_asked_for_or_that_is_for_himself(
    who: str, status: str, pending: str, crossed: Served
) -> None:
    before = look(crossed, pending)
    with crossed.client(who) as client:
        refused = close(client, pending, status)
    assert refusal_of(refused) == (403, "access-denied")
    assert "nobody approves a request of his own" in refused.text
    assert look(crossed, pending) == before


def test_the_same_approver_decides_what_others_asked_for(crossed: Served) -> None:
    with crossed.client("manager") as manager, crossed.client("subscriber") as subscriber:
        request = open_request(manager, MANAGED, target=str(target_of(crossed, "subscriber2")))
        assert close(subscriber, request, "Approved").json()["Status"] == PENDING
        before = look(crossed, request)
        assert refusal_of(close(subscriber, request, "Approved")) == (409, "already-approved")
        assert refusal_of(close(manager, request, "Approved")) == (403, "access-denied")
        assert look(crossed, request) == before
    with crossed.client("approver") as approver:
        assert close(approver, request, "Approved").json()["Status"] == APPROVED


def test_who_has_approved_can_still_deny_and_that_ends_it(pending: str, crossed: Served) -> None:
    with crossed.client("approver") as first, crossed.client("approver2") as second:
        assert close(first, pending, "Approved").json()["Status"] == PENDING
        assert close(first, pending, "Denied").status_code == 200
        before = look(crossed, pending)
        for status in ("Approved", "Denied"):
            assert refusal_of(close(second, pending, status)) == (409, "transition-refused")
        assert look(crossed, pending) == before


def test_nothing_is_denied_once_it_is_approved(pending: str, crossed: Served) -> None:
    with crossed.client("approver") as first, crossed.client("approver2") as second:
        close(first, pending, "Approved")
        assert close(second, pending, "Approved").json()["Status"] == APPROVED
        before = look(crossed, pending)
        for client in (first, second):
            assert refusal_of(close(client, pending, "Denied")) == (409, "transition-refused")
        assert look(crossed, pending) == before


def test_an_agent_gets_nothing_for_a_subject_who_was_disabled_after_the_approval(crossed: Served) -> None:
    with crossed.client("subscriber2") as subscriber:
        request = open_request(subscriber, CARD_LOGON)
    with crossed.client("helpdesk") as agent:
        bind_card(agent, request)
        before = look(crossed, request)
        with disabled(crossed, "subscriber2"):
            assert refusal_of(submit(agent, request, rsa_request("card"))) == (403, "subject-disabled")
            assert look(crossed, request) == before
        issued = submit(agent, request, rsa_request("card"))
    assert [each["Error"] for each in issued.json()] == [None]


def test_a_long_comment_or_a_wrong_item_does_not_approve(pending: str, crossed: Served) -> None:
    before = look(crossed, pending)
    bodies = [
        ({"status": "Approved", "comment": "x" * 400_000}, "text-too-long"),
        ({"status": "Denied", "comment": "x" * 400_000}, "text-too-long"),
        ({"status": "Approved", "datacollection": [{"Cost Centre": "47 11"}]}, "validation-regular-expression"),
        ({"status": "Approved", "datacollection": [{"Badge": "12"}]}, "data-item-not-yours"),
    ]
    with crossed.client("approver") as approver:
        for body, code in bodies:
            assert refusal_of(put(approver, pending, body)) == (400, code)
            assert look(crossed, pending) == before


def put(client: httpx.Client, request: str, body: dict[str, object]) -> httpx.Response:
    return client.put(f"/requests/{request}", json=body)
