"""Who calls is known, or he is told how to say so."""

import httpx
import pytest

from certwright.domain.event_search import EventSearch
from certwright.domain.events import Event, EventType
from worlds.rest_steps import close, open_request, refusal_of
from worlds.served import Served

USERS = ["helpdesk", "HELPDESK", "CORP\\helpdesk", "helpdesk@corp.contoso.com"]


@pytest.mark.parametrize("name", USERS)
def test_an_account_signs_in_under_each_of_its_names(served: Served, name: str) -> None:
    with served.client(name) as client:
        assert client.get("/profiletemplates").status_code == 200


def test_without_credentials_one_is_told_how_to_sign_in(served: Served) -> None:
    with served.client() as client:
        answer = client.get("/profiletemplates")
    assert refusal_of(answer) == (401, "credentials-missing")
    assert answer.headers["www-authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic Og==", "Bearer abc", "x"])
def test_credentials_that_nobody_understands_are_refused(served: Served, header: str) -> None:
    with served.client() as client:
        answer = client.get("/profiletemplates", headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.json()["ErrorCode"] in ("scheme-not-offered", "credentials-rejected")
    assert "www-authenticate" in answer.headers


def test_repeated_failures_slow_down_but_not_whoever_is_known(served: Served) -> None:
    with served.client("auditor") as known:
        assert known.get("/requests").status_code == 204
        with served.client("auditor", "guess") as guesser:
            answers = [guesser.get("/requests") for _ in range(6)]
        assert known.get("/requests").status_code == 204
    codes = [refusal_of(each) for each in answers]
    assert codes[0] == (401, "credentials-rejected")
    assert codes[-1] == (401, "sign-in-throttled")
    assert int(answers[-1].headers["retry-after"]) > 0


def test_a_changed_password_counts_at_the_next_call(served: Served) -> None:
    installation = served.installation
    with served.client("caoperator") as client, served.client("caoperator", "new password") as changed:
        assert client.get("/requests").status_code == 204
        with installation.world.store.writing() as session:
            found = session.directory.find_account("CORP", "caoperator")
            assert found is not None
            session.directory.save_password_hash(found.user.id, installation.hasher.hash("new password"))
        assert client.get("/requests").status_code == 401
        assert changed.get("/requests").status_code == 204


def test_a_missing_right_is_another_answer_than_a_missing_sign_in(served: Served) -> None:
    with served.client("outsider") as client:
        answer: httpx.Response = client.post(
            "/requests", json={"type": "Enroll", "profiletemplateuuid": "12bd5120-86a2-4ee1-8d05-131066871578"}
        )
    assert refusal_of(answer) == (403, "access-denied")
    assert "www-authenticate" not in answer.headers


def test_a_missing_right_leaves_an_event_that_says_who_asked_for_what(served: Served) -> None:
    with served.client("outsider") as client, served.client("subscriber") as owner:
        request = open_request(owner)
        assert client.get(f"/requests/{request}").status_code == 403
        assert close(owner, request, "Canceled").status_code == 200
    with served.installation.world.store.reading() as session:
        found = session.history.list_newest_found(EventSearch(user="CORP\\outsider"), before=2**62, most=1)
    (event,) = found.events
    assert isinstance(event, Event)
    assert (event.type, event.actor, event.source) == (EventType.ACCESS_DENIED, "CORP\\outsider", "127.0.0.1")
    assert event.details == {"method": "GET", "route": "/requests/{request_id}", "object": request}
