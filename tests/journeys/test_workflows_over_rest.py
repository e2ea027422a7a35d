"""Every kind of request about a profile, from the client's side: what it asks, what it leaves, what it refuses."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest

from certwright.domain.events import Event
from certwright.domain.profiles import ProfileId
from certwright.domain.requests import RequestId
from worlds.rest_steps import close, open_request, refusal_of, submit
from worlds.served import Served, SignedIn
from worlds.workflow_steps import MANAGED, rsa_request, target_of

NOBODY = "00000000-0000-0000-0000-000000000000"
ACTIVE, DISABLED, SUSPENDED, RETIRED = 2, 3, 4, 6
PRIMARY, DUPLICATE, SUPERSEDED = 1, 2, 4
FOR_HIMSELF = ["renew", "disable", "duplicate", "onlineupdate"]
FOR_MANAGERS = ["renew", "duplicate", "onlineupdate"]


def profile_of(client: httpx.Client, request: str, *, old: bool = False) -> str:
    return str(client.get(f"/requests/{request}").json()["OldProfileUuid" if old else "NewProfileUuid"])


def enroll(client: httpx.Client) -> str:
    """Return the GUID of a new, active profile of the caller."""
    request = open_request(client)
    assert submit(client, request, rsa_request(request)).json()[0]["Error"] is None
    assert close(client, request).status_code == 200
    return profile_of(client, request)


def start(client: httpx.Client, kind: str, profile: str, **properties: Any) -> httpx.Response:
    return client.post("/requests", json={"type": kind, "profile": profile, **properties})


def run(client: httpx.Client, kind: str, profile: str, *, delivers: bool = False, **properties: Any) -> str:
    """Return the GUID of a request of *kind* that was started, executed and completed by the caller."""
    started = start(client, kind, profile, **properties)
    assert started.status_code == 201, started.text
    request = str(started.json()).rpartition("/")[2]
    if delivers:
        assert submit(client, request, rsa_request(request)).status_code == 200
    completed = close(client, request)
    assert completed.status_code == 200, completed.text
    assert completed.json()["Status"] == 8
    return request


def read(client: httpx.Client, profile: str) -> tuple[int, int]:
    """Return status and flags."""
    body = client.get(f"/profiles/{profile}").json()
    return body["Status"], body["Flags"]


def operations(client: httpx.Client, profile: str) -> list[str]:
    listed = client.get(f"/profiles/{profile}/operations")
    named = [] if listed.status_code == 204 else listed.json()
    assert client.get(f"/profiles/{profile}").json()["ProfileOperations"] == named
    return list(named)


def certificate_statuses(served: Served, profile: str) -> list[int]:
    with served.installation.world.store.reading() as session:
        held = session.certificates.list_of_profile(ProfileId(UUID(profile)))
    return [int(each.status(served.installation.world.clock.now())) for each in held]


def test_ones_own_certificates_are_listed_until_the_profile_is_retired(subscriber: httpx.Client, sign_in: SignedIn) -> None:
    def list_own() -> dict[str, int]:
        answer = subscriber.get("/certificates")
        return {each["SerialNumber"]: each["Status"] for each in (answer.json() if answer.status_code == 200 else [])}

    profile = enroll(subscriber)
    (serial,) = [each["SerialNumber"] for each in subscriber.get(f"/profiles/{profile}/certificates").json()]
    assert list_own()[serial] == 0
    run(subscriber, "Revoke", profile)
    assert list_own()[serial] == 1
    run(sign_in("helpdesk"), "Retire", profile)
    assert serial not in list_own()
    assert [each["SerialNumber"] for each in subscriber.get(f"/profiles/{profile}/certificates").json()] == [serial]


def test_a_renewal_takes_the_place_of_the_old_profile(subscriber: httpx.Client, served: Served) -> None:
    old = enroll(subscriber)
    request = run(subscriber, "Renew", old, delivers=True)
    body = subscriber.get(f"/requests/{request}").json()
    assert (body["RequestType"], body["OldProfileUuid"]) == (3, old)
    new = subscriber.get(f"/profiles/{body['NewProfileUuid']}").json()
    assert (new["Status"], new["Flags"], new["ParentProfileUuid"]) == (ACTIVE, PRIMARY, old)
    assert read(subscriber, old) == (ACTIVE, SUPERSEDED)
    assert certificate_statuses(served, old) == [0]
    assert refusal_of(start(subscriber, "Renew", old)) == (409, "profile-state-refused")


def test_a_revocation_takes_effect_at_completion(subscriber: httpx.Client, served: Served) -> None:
    profile = enroll(subscriber)
    started = start(subscriber, "Revoke", profile, revocationreason="keyCompromise", comment="stolen")
    request = str(started.json()).rpartition("/")[2]
    assert read(subscriber, profile) == (ACTIVE, PRIMARY)
    assert refusal_of(submit(subscriber, request)) == (409, "delivers-nothing")
    assert close(subscriber, request).status_code == 200
    assert read(subscriber, profile) == (DISABLED, PRIMARY)
    assert certificate_statuses(served, profile) == [1]
    assert operations(subscriber, profile) == []
    with served.installation.world.store.reading() as session:
        told = session.history.list_of_request(RequestId(UUID(request)))
    by_type = {each.type: each for each in told if isinstance(each, Event)}
    assert by_type["certificate.revoked"].details["reason"] == "KEY_COMPROMISE"
    assert by_type["crl.requested"].details["lists"] == "base"


def test_a_delayed_revocation_counts_later(subscriber: httpx.Client, served: Served) -> None:
    profile = enroll(subscriber)
    run(subscriber, "Disable", profile, revocationdelay="2.00:00:00")
    assert read(subscriber, profile) == (DISABLED, PRIMARY)
    assert certificate_statuses(served, profile) == [0]


def test_the_help_desk_suspends_reinstates_and_retires(subscriber: httpx.Client, sign_in: SignedIn, served: Served) -> None:
    helpdesk, profile = sign_in("helpdesk"), enroll(subscriber)
    assert operations(helpdesk, profile) == ["disable", "suspend", "retire"]
    request = run(helpdesk, "Suspend", profile)
    assert helpdesk.get(f"/requests/{request}").json()["RequestType"] == 9
    assert read(subscriber, profile) == (SUSPENDED, PRIMARY)
    assert certificate_statuses(served, profile) == [3]
    assert operations(helpdesk, profile) == ["disable", "reinstate", "retire"]
    assert operations(subscriber, profile) == ["disable"]
    run(helpdesk, "Reinstate", profile)
    assert read(subscriber, profile) == (ACTIVE, PRIMARY)
    assert certificate_statuses(served, profile) == [0]
    run(helpdesk, "Retire", profile)
    assert read(subscriber, profile) == (RETIRED, PRIMARY)
    assert certificate_statuses(served, profile) == [1]
    assert operations(helpdesk, profile) == []


def test_a_duplicate_names_its_original_and_there_are_two_at_most(subscriber: httpx.Client) -> None:
    profile = enroll(subscriber)
    first = profile_of(subscriber, run(subscriber, "Duplicate", profile, delivers=True))
    body = subscriber.get(f"/profiles/{first}").json()
    assert (body["Flags"], body["PrimaryProfileUuid"], body["ParentProfileUuid"]) == (DUPLICATE, profile, NOBODY)
    assert operations(subscriber, first) == ["disable", "onlineupdate"]
    run(subscriber, "Duplicate", profile, delivers=True)
    assert refusal_of(start(subscriber, "Duplicate", profile)) == (409, "duplicates-exhausted")
    assert operations(subscriber, profile) == ["renew", "disable", "onlineupdate"]


def test_an_update_in_place_renews_the_certificate_that_was_asked_for(subscriber: httpx.Client, served: Served) -> None:
    profile = enroll(subscriber)
    request = run(subscriber, "OnlineUpdate", profile, delivers=True, certificatetemplate="SoftwareUser")
    assert profile_of(subscriber, request) == profile_of(subscriber, request, old=True) == profile
    assert sorted(certificate_statuses(served, profile)) == [0, 1]
    assert read(subscriber, profile) == (ACTIVE, PRIMARY)
    refused = start(subscriber, "OnlineUpdate", profile, certificatetemplate="Unknown")
    assert refusal_of(refused) == (400, "malformed-value")


def test_canceling_an_update_in_place_leaves_the_profile_alive(subscriber: httpx.Client, served: Served) -> None:
    profile = enroll(subscriber)
    started = start(subscriber, "OnlineUpdate", profile, certificatetemplate="SoftwareUser")
    request = str(started.json()).rpartition("/")[2]
    assert submit(subscriber, request, rsa_request(request)).status_code == 200
    assert close(subscriber, request, "Canceled").status_code == 200
    assert read(subscriber, profile) == (ACTIVE, PRIMARY)
    assert sorted(certificate_statuses(served, profile)) == [0, 1]


def test_a_renewal_that_another_request_overtook_is_not_completed(subscriber: httpx.Client) -> None:
    profile = enroll(subscriber)
    renewal = str(start(subscriber, "Renew", profile).json()).rpartition("/")[2]
    assert refusal_of(start(subscriber, "Renew", profile)) == (409, "request-already-open")
    assert "renew" not in operations(subscriber, profile)
    assert submit(subscriber, renewal, rsa_request(renewal)).status_code == 200
    run(subscriber, "Disable", profile)
    assert refusal_of(close(subscriber, renewal)) == (409, "profile-state-refused")
    assert refusal_of(submit(subscriber, renewal, rsa_request(renewal))) == (409, "profile-state-refused")
    assert close(subscriber, renewal, "Canceled").status_code == 200


def test_what_is_listed_is_what_is_accepted(subscriber: httpx.Client, sign_in: SignedIn) -> None:
    states = {
        "active": [],
        "superseded": [("Renew", subscriber, True)],
        "disabled": [("Disable", subscriber, False)],
        "suspended": [("Suspend", sign_in("helpdesk"), False)],
        "retired": [("Retire", sign_in("helpdesk"), False)],
    }
    kinds = ["renew", "recover", "recoveronbehalf", "disable", "suspend", "reinstate", "duplicate", "onlineupdate", "retire"]
    accepted_of: dict[tuple[str, str], list[str]] = {}
    for state, steps in states.items():
        profile = enroll(subscriber)
        for kind, client, delivers in steps:
            run(client, kind, profile, delivers=delivers)
        for role in ("subscriber", "subscriber2", "manager", "helpdesk", "approver", "administrator", "auditor", "outsider"):
            client = sign_in(role)
            seen = client.get(f"/profiles/{profile}/operations")
            listed = seen.json() if seen.status_code == 200 else []
            accepted = []
            for kind in kinds:
                answer = start(client, kind, profile)
                if answer.status_code == 201:
                    accepted.append(kind)
                    assert close(client, str(answer.json()).rpartition("/")[2], "Canceled").status_code == 200
                else:
                    assert answer.status_code in (403, 409), answer.text
            assert listed == accepted, (state, role)
            accepted_of[state, role] = accepted
    assert accepted_of["active", "subscriber"] == FOR_HIMSELF
    assert accepted_of["active", "manager"] == FOR_MANAGERS
    assert accepted_of["active", "helpdesk"] == ["disable", "suspend", "retire"]
    assert accepted_of["superseded", "subscriber"] == ["disable"]
    assert accepted_of["suspended", "helpdesk"] == ["disable", "reinstate", "retire"]
    assert accepted_of["disabled", "helpdesk"] == ["retire"]
    for state in states:
        for role in ("subscriber2", "approver", "administrator", "auditor", "outsider"):
            assert accepted_of[state, role] == []


# -- approvals and data ------------------------------------------------------------------------------------------------------


@pytest.fixture
def pending(served: Served, sign_in: SignedIn) -> str:
    """A request that the manager has opened for the subscriber and that two people have to approve."""
    request = open_request(sign_in("manager"), MANAGED, target=str(target_of(served)))
    assert sign_in("manager").get(f"/requests/{request}").json()["Status"] == 16
    return request


def test_two_different_approvers_approve(pending: str, sign_in: SignedIn, subscriber: httpx.Client) -> None:
    first, second = sign_in("approver"), sign_in("approver2")
    items = [{"Cost Centre": "4711"}]
    once = first.put(f"/requests/{pending}", json={"status": "Approved", "comment": "fine", "datacollection": items})
    assert (once.status_code, once.json()["Status"]) == (200, 16)
    assert {"Name": "Cost Centre", "Value": "4711"} in once.json()["DataCollection"]
    assert refusal_of(close(first, pending, "Approved")) == (409, "already-approved")
    assert refusal_of(submit(subscriber, pending, rsa_request(pending))) == (409, "transition-refused")
    assert close(second, pending, "Approved").json()["Status"] == 3
    assert refusal_of(close(second, pending, "Denied")) == (409, "transition-refused")
    assert submit(subscriber, pending, rsa_request(pending)).status_code == 200
    assert close(subscriber, pending).json()["Status"] == 8


@pytest.mark.parametrize("who", ["manager", "subscriber", "helpdesk", "administrator", "outsider"])
@pytest.mark.parametrize("status", ["Approved", "Denied"])
def test_nobody_else_approves_or_denies(who: str, status: str, pending: str, sign_in: SignedIn) -> None:
    before = sign_in("manager").get(f"/requests/{pending}").json()
    assert refusal_of(close(sign_in(who), pending, status)) == (403, "access-denied")
    assert sign_in("manager").get(f"/requests/{pending}").json() == before


def test_a_denial_is_final(pending: str, sign_in: SignedIn, subscriber: httpx.Client) -> None:
    assert close(sign_in("approver"), pending, "Denied").json()["Status"] == 4
    for who, status in (
        ("approver2", "Approved"),
        ("approver2", "Denied"),
        ("subscriber", "Completed"),
        ("manager", "Canceled"),
    ):
        assert refusal_of(close(sign_in(who), pending, status)) == (409, "transition-refused")


def test_each_side_answers_its_own_questions(pending: str, sign_in: SignedIn, subscriber: httpx.Client, served: Served) -> None:
    path = f"/requests/{pending}"
    manager = sign_in("manager")
    cases = [
        (subscriber, [{"Cost Centre": "4711"}], "data-item-not-yours"),
        (manager, [{"Badge": "12"}], "data-item-not-yours"),
        (manager, [{"Cost Centre": "47 11"}], "validation-regular-expression"),
        (subscriber, [{"Badge": "a secret badge"}], "validation-data-type"),
        (subscriber, [{f"item {number}": "x"} for number in range(4_000)], "rules-broken"),
    ]
    before = manager.get(path).json()
    for client, items, code in cases:
        refused = client.put(path, json={"datacollection": items})
        assert refusal_of(refused) == (400, code)
        assert "a secret badge" not in refused.text
    assert manager.get(path).json() == before
    # So long that it stands nowhere in the database by chance.
    badge = "314159265358979323"
    given = subscriber.put(path, json={"datacollection": [{"Name": "Badge", "Value": badge}]})
    assert {"Name": "Badge", "Value": badge} in given.json()["DataCollection"]
    data = served.installation.data
    assert not any(badge.encode() in each.read_bytes() for each in data.glob("certwright.db*"))


def test_what_was_approved_is_not_answered_differently_afterwards(
    pending: str, sign_in: SignedIn, subscriber: httpx.Client
) -> None:
    path, cost_centre = f"/requests/{pending}", {"datacollection": [{"Cost Centre": "4711"}]}
    assert sign_in("manager").put(path, json=cost_centre).status_code == 200
    assert close(sign_in("approver"), pending, "Approved").status_code == 200
    for who, refusal in (("manager", (409, "answers-approved")), ("administrator", (403, "access-denied"))):
        changed = sign_in(who).put(path, json={"datacollection": [{"Cost Centre": "0815"}]})
        assert refusal_of(changed) == refusal
    changed = subscriber.put(path, json={"datacollection": [{"Language": "de"}]})
    assert refusal_of(changed) == (409, "answers-approved"), "the approver saw the default"
    # What the subject has left open is still answered, until the request is executed.
    answered = subscriber.put(path, json={"datacollection": [{"Badge": "12"}]})
    assert {"Name": "Badge", "Value": "12"} in answered.json()["DataCollection"]
    assert {"Name": "Cost Centre", "Value": "4711"} in answered.json()["DataCollection"]


def test_priority_and_comment_have_their_limits(subscriber: httpx.Client) -> None:
    held = enroll(subscriber)
    for properties, code in (({"priority": 256}, "malformed-value"), ({"comment": "x" * 400_000}, "text-too-long")):
        assert refusal_of(start(subscriber, "Renew", held, **properties)) == (400, code)
    refused = start(subscriber, "Renew", held, revocationreason="keyCompromise")
    assert refusal_of(refused) == (400, "choice-not-offered")
    assert operations(subscriber, held) == FOR_HIMSELF


def test_a_subject_who_was_disabled_after_the_approval_gets_nothing_and_can_be_revoked(
    served: Served, sign_in: SignedIn
) -> None:
    who = sign_in("subscriber2")
    profile = enroll(who)
    request = open_request(who)
    store = served.installation.world.store
    with store.writing() as session:
        found = session.directory.find_account("CORP", "subscriber2")
        assert found is not None
        session.directory.save_user(replace(found.user, enabled=False))
    try:
        assert who.get(f"/requests/{request}").status_code == 401
        run(sign_in("helpdesk"), "Disable", profile)
        assert refusal_of(start(sign_in("manager"), "Renew", profile))[0] in (403, 409)
    finally:
        with store.writing() as session:
            session.directory.save_user(found.user)
    assert read(who, profile)[0] == DISABLED


@pytest.mark.parametrize("kind", ["Unblock", "OfflineUnblock", "TemporaryCards", "TemporaryCardRetire", "TemporaryCardDisable"])
def test_what_is_for_cards_alone_is_not_for_software(kind: str, subscriber: httpx.Client, sign_in: SignedIn) -> None:
    profile = enroll(subscriber)
    for account in ("subscriber", "manager", "helpdesk"):
        assert refusal_of(start(sign_in(account), kind, profile)) == (409, "policy-disabled")
