"""What is listed is what is accepted, for profiles in the middle of something: new, a duplicate, with a request open."""

from collections.abc import Callable

import httpx
import pytest

from worlds.rest_steps import close, open_request, submit
from worlds.served import SignedIn
from worlds.workflow_steps import rsa_request

ROLES = ["subscriber", "subscriber2", "manager", "approver", "helpdesk", "administrator", "auditor", "caoperator", "outsider"]
KINDS = ["renew", "recover", "recoveronbehalf", "disable", "suspend", "reinstate", "duplicate", "onlineupdate", "retire"]


def start(client: httpx.Client, kind: str, profile: str) -> str:
    started = client.post("/requests", json={"type": kind, "profile": profile})
    assert started.status_code == 201, started.text
    return str(started.json()).rpartition("/")[2]


def begin(client: httpx.Client, request: str) -> str:
    """Have the certificate issued and return the GUID of the profile, which stays New."""
    assert submit(client, request, rsa_request(request)).status_code == 200
    return str(client.get(f"/requests/{request}").json()["NewProfileUuid"])


def enroll(client: httpx.Client) -> str:
    request = open_request(client)
    profile = begin(client, request)
    assert close(client, request).status_code == 200
    return profile


def make_new(client: httpx.Client) -> str:
    return begin(client, open_request(client))


def make_duplicate(client: httpx.Client) -> str:
    request = start(client, "duplicate", enroll(client))
    profile = begin(client, request)
    assert close(client, request).status_code == 200
    return profile


def make_canceled(client: httpx.Client) -> str:
    request = open_request(client)
    profile = begin(client, request)
    assert close(client, request, "Canceled").status_code == 200
    return profile


def make_with_open_requests(client: httpx.Client) -> str:
    profile = enroll(client)
    for kind in ("renew", "disable"):
        start(client, kind, profile)
    return profile


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (make_new, {}),
        (
            make_duplicate,
            {
                "subscriber": ["disable", "onlineupdate"],
                "manager": ["onlineupdate"],
                "helpdesk": ["disable", "suspend", "retire"],
            },
        ),
        (make_canceled, {"helpdesk": ["retire"]}),
        (
            make_with_open_requests,
            {
                "subscriber": ["duplicate", "onlineupdate"],
                "manager": ["duplicate", "onlineupdate"],
                "helpdesk": ["suspend", "retire"],
            },
        ),
    ],
    ids=["new", "duplicate", "canceled", "open requests"],
)
def test_what_is_listed_is_what_is_accepted(
    make: Callable[[httpx.Client], str], expected: dict[str, list[str]], subscriber: httpx.Client, sign_in: SignedIn
) -> None:
    profile = make(subscriber)
    for role in ROLES:
        client = sign_in(role)
        seen = client.get(f"/profiles/{profile}/operations")
        listed = seen.json() if seen.status_code == 200 else []
        accepted = []
        for kind in KINDS:
            answer = client.post("/requests", json={"type": kind, "profile": profile})
            if answer.status_code == 201:
                accepted.append(kind)
                assert close(client, str(answer.json()).rpartition("/")[2], "Canceled").status_code == 200
            else:
                assert answer.status_code in (403, 409), answer.text
        assert (role, listed, accepted) == (role, expected.get(role, []), expected.get(role, []))
