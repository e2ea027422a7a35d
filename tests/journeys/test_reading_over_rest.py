"""Lists, single objects, every spelling of their addresses, and what is not there."""

import json
import socket
from uuid import uuid4

import httpx
import pytest

from certwright.wire.rest.slices import SLICE_ITEMS
from worlds.contoso import VECTORS
from worlds.openssl import request_of
from worlds.rest_steps import (
    ARCHIVED,
    CARD_LOGON,
    DOCUMENTED,
    SOFTWARE,
    VPN,
    close,
    open_request,
    refusal_of,
    responses_of,
    submit,
)
from worlds.served import Served, SignedIn

EXAMPLES = json.loads((VECTORS / "rest_examples.json").read_text())


def assert_nothing(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.content) == (204, b"")


def test_templates_are_listed_as_far_as_one_may_read_them(sign_in: SignedIn) -> None:
    listed = sign_in("subscriber").get("/profiletemplates").json()
    assert {SOFTWARE, VPN, DOCUMENTED, CARD_LOGON, ARCHIVED} <= {each["Uuid"] for each in listed}
    assert_nothing(sign_in("outsider").get("/profiletemplates"))


def test_one_template_is_answered_as_in_the_list(subscriber: httpx.Client) -> None:
    listed = subscriber.get("/profiletemplates").json()
    assert subscriber.get(f"/profiletemplates/{VPN}").json() in listed


def test_templates_can_be_asked_for_by_workflow(subscriber: httpx.Client) -> None:
    recoverable = subscriber.get("/profiletemplates?WorkFlow=recover&permission=x&targetuser=current").json()
    assert {each["Uuid"] for each in recoverable} == {ARCHIVED, VPN, CARD_LOGON, DOCUMENTED}
    unblockable = subscriber.get("/profiletemplates?workflow=OfflineUnblock").json()
    assert {each["Uuid"] for each in unblockable} == {VPN, CARD_LOGON, DOCUMENTED}
    assert_nothing(subscriber.get("/profiletemplates?workflow=nonsense"))


@pytest.mark.parametrize("path", ["policies/enroll", "policy/workflow/Enroll", "POLICIES/ENROLL/"])
def test_a_policy_is_found_under_both_addresses(subscriber: httpx.Client, path: str) -> None:
    policy = subscriber.get(f"/profiletemplates/{VPN}/{path}").json()
    assert not policy["CollectComments"]
    items = [(each["Name"], each["Required"], each["Originator"]) for each in policy["PolicyDataCollection"]]
    assert items == [("Request Reason", True, "Subscriber"), ("name", False, "Manager"), ("city", False, "Manager")]


def test_revocation_settings_say_what_each_kind_of_request_does(subscriber: httpx.Client) -> None:
    def read(kind: str, name: str = "RevocationSettings") -> tuple[bool, bool, int]:
        settings = subscriber.get(f"/profiletemplates/{SOFTWARE}/policies/{kind}").json()[name]
        return settings["RevokeOldCertificates"], settings["DisableOldCardOrProfile"], settings["Reason"]

    assert read("Revoke") == read("Retire") == (True, True, 5)
    assert read("Reinstate") == (True, False, 6)
    assert read("Renew") == (False, False, 4)
    assert read("OnlineUpdate", "RevocationSettingsForContentChange") == (True, False, 4)


def test_a_policy_that_a_template_lacks_is_nothing(subscriber: httpx.Client) -> None:
    assert_nothing(subscriber.get(f"/profiletemplates/{SOFTWARE}/policies/TemporaryEnroll"))


def test_a_policy_of_no_kind_of_request_is_refused(subscriber: httpx.Client) -> None:
    assert refusal_of(subscriber.get(f"/profiletemplates/{SOFTWARE}/policies/dance")) == (400, "malformed-value")


def test_the_documented_card_configuration_is_answered_as_printed(subscriber: httpx.Client) -> None:
    example = next(each["response"] for each in EXAMPLES if each["page"].startswith("get-smartcard-policy (2016"))
    answer = subscriber.get(f"/profiletemplates/{VPN}/configuration/smartcards")
    assert answer.text == json.dumps(example, separators=(",", ":"))


def test_a_template_without_cards_has_no_card_configuration(subscriber: httpx.Client) -> None:
    assert_nothing(subscriber.get(f"/profiletemplates/{SOFTWARE}/configuration/smartcards"))


def test_requests_are_listed_newest_first_and_by_status(subscriber: httpx.Client) -> None:
    older, newer = open_request(subscriber), open_request(subscriber)
    close(subscriber, older, "Canceled")
    identifiers = [each["Uuid"] for each in subscriber.get("/requests?targetuser=current").json()]
    assert identifiers.index(newer) < identifiers.index(older)
    canceled = [each["Uuid"] for each in subscriber.get("/requests?STATUS=canceled").json()]
    assert older in canceled
    assert newer not in canceled
    assert_nothing(subscriber.get("/requests?status=None"))


def test_people_see_their_own_requests_alone(sign_in: SignedIn) -> None:
    request = open_request(sign_in("subscriber"))
    others = sign_in("subscriber2").get("/requests")
    assert others.status_code == 204 or request not in [each["Uuid"] for each in others.json()]


def test_somebody_without_anything_gets_empty_lists(sign_in: SignedIn) -> None:
    for path in ("/requests", "/profiles", "/certificates"):
        assert_nothing(sign_in("outsider").get(path))


def test_the_profiles_of_a_request_are_found_under_it(subscriber: httpx.Client) -> None:
    request = open_request(subscriber)
    assert_nothing(subscriber.get(f"/requests/{request}/profiles"))
    responses_of(submit(subscriber, request, request_of("subscriber")))
    (profile,) = subscriber.get(f"/requests/{request}/profiles").json()
    assert subscriber.get(f"/requests/{request}/profiles/{profile['Uuid']}").json() == profile
    assert subscriber.get(f"/profiles/{profile['Uuid']}").json() == profile
    assert profile["Status"] == 0
    assert refusal_of(subscriber.get(f"/requests/{request}/profiles/{request}")) == (404, "profile-not-found")


def test_profiles_can_be_asked_for_by_status(subscriber: httpx.Client) -> None:
    request = open_request(subscriber)
    responses_of(submit(subscriber, request, request_of("subscriber")))
    profile = close(subscriber, request).json()["NewProfileUuid"]
    for status in ("Active", "completed"):
        active = subscriber.get(f"/profiles?status={status}").json()
        assert profile in [each["Uuid"] for each in active]
        assert {each["Status"] for each in active} == {2}
    for status in ("Suspended", "Pending"):
        answer = subscriber.get(f"/profiles?status={status}")
        assert profile not in [each["Uuid"] for each in (answer.json() if answer.status_code == 200 else [])]
    assert_nothing(subscriber.get("/profiles?status=nonsense"))


def test_the_documented_paths_with_strays_in_them_are_understood(subscriber: httpx.Client) -> None:
    request = open_request(subscriber)
    root = subscriber.base_url
    for path in (
        f"/CERTIFICATEMANAGEMENT/API/V1.0/REQUESTS/{request.upper()}",
        f"/certificatemanagement/api/v1.0/%20requests/%20{request}%20/",
        f"/CertificateManagement/api/v1.0/requests/{{{request}}}",
        f"/CertificateManagement/api/v1.0/requests/{request}.",
    ):
        answer = subscriber.get(root.copy_with(raw_path=path.encode()))
        assert answer.status_code == 200, path
        assert answer.json()["Uuid"] == request


@pytest.mark.parametrize(
    "path", ["/requests/{}", "/profiles/{}", "/profiletemplates/{}", "/profiles/{}/certificates", "/requests/{}/profiles"]
)
def test_an_unknown_identifier_is_not_found_and_a_malformed_one_is_refused(subscriber: httpx.Client, path: str) -> None:
    assert subscriber.get(path.format(uuid4())).status_code == 404
    assert refusal_of(subscriber.get(path.format("12345"))) == (400, "malformed-value")


def test_answers_are_kept_by_nobody_in_between(subscriber: httpx.Client, served: Served) -> None:
    assert subscriber.get("/profiletemplates").headers["cache-control"] == "no-store"
    with served.client() as stranger:
        assert stranger.get("/profiletemplates").headers["cache-control"] == "no-store"


# -- HTTP -------------------------------------------------------------------------------------------------------------------


def test_head_is_answered_as_get_without_a_body(subscriber: httpx.Client) -> None:
    got, asked = (subscriber.request(method, "/profiletemplates") for method in ("GET", "HEAD"))
    assert (asked.status_code, asked.content) == (200, b"")
    for name in ("content-type", "content-length"):
        assert asked.headers[name] == got.headers[name]
    assert subscriber.head(f"/requests/{uuid4()}").status_code == 404
    assert subscriber.get("/profiletemplates").json() == got.json()


def test_a_call_of_http_1_1_without_a_host_is_refused(served: Served) -> None:
    plain = socket.create_connection(("localhost", served.port))
    with plain, served.tls.wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"host-header-wrong" in answer


@pytest.mark.parametrize("scheme", ["Negotiate YII=", "NTLM TlRM", "Bearer abc"])
def test_another_scheme_is_answered_with_what_is_offered(served: Served, scheme: str) -> None:
    with served.client() as client:
        answer = client.get("/profiletemplates", headers={"authorization": scheme})
    assert refusal_of(answer) == (401, "scheme-not-offered")
    assert answer.json()["Message"].endswith("sign in with Basic.")
    assert answer.headers["www-authenticate"].startswith("Basic realm=")


def test_names_with_umlauts_come_in_utf_8_and_say_so(subscriber: httpx.Client) -> None:
    body = json.dumps({"type": "Enroll", "profiletemplateuuid": VPN, "comment": "für Jörg"}, ensure_ascii=False)
    headers = {"content-type": "text/json; charset=utf-16"}
    answer = subscriber.post("/requests", content=body.encode("utf-16"), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/json; charset=utf-8")
    request = subscriber.get(f"/requests/{answer.json().rpartition('/')[2]}")
    assert "für Jörg".encode() in request.content


def test_more_requests_than_one_slice_are_one_array_newest_first(subscriber: httpx.Client) -> None:
    opened = []
    for _ in range(SLICE_ITEMS + 1):
        opened.append(open_request(subscriber, SOFTWARE))
        close(subscriber, opened[-1], "Canceled")
    answer = subscriber.get("/requests?targetuser=current")
    listed = [each["Uuid"] for each in answer.json()]
    assert listed[: len(opened)] == opened[::-1]
    assert "content-length" not in answer.headers
    assert answer.headers["content-type"].startswith("application/json")


def test_requests_are_read_page_by_page_along_links(subscriber: httpx.Client) -> None:
    opened = [open_request(subscriber, SOFTWARE) for _ in range(5)]
    pages, address = [], "/requests?status=Approved&targetuser=current&limit=2"
    while address and len(pages) < 3:
        page = subscriber.get(address)
        pages.append([each["Uuid"] for each in page.json()])
        address = page.links["next"]["url"].partition("/api/v1.0")[2] if "next" in page.links else ""
    assert [each for page in pages for each in page][:5] == opened[::-1]
    assert [len(each) for each in pages[:2]] == [2, 2]
    for each in opened:
        close(subscriber, each, "Canceled")


def test_the_last_page_has_no_link(subscriber: httpx.Client) -> None:
    close(subscriber, open_request(subscriber, SOFTWARE), "Canceled")
    oldest = subscriber.get("/requests").json()[-1]["Uuid"]
    last = subscriber.get(f"/requests?limit=100&after={oldest}")
    assert_nothing(last)
    assert "link" not in last.headers


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "after=x"])
def test_a_page_that_cannot_be_is_refused(subscriber: httpx.Client, query: str) -> None:
    assert subscriber.get(f"/requests?{query}").status_code == 400


def test_a_page_after_a_request_that_is_not_there_is_not_found(subscriber: httpx.Client) -> None:
    assert subscriber.get(f"/requests?after={uuid4()}").status_code == 404
