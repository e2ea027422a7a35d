"""A certificate request goes in, a certificate comes out, over real HTTPS."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from worlds.contoso import VECTORS
from worlds.documented import DOCUMENTED_REQUEST
from worlds.openssl import as_base64, list_certificates, public_key_of, request_of, verify_response
from worlds.rest_steps import DOCUMENTED, SOFTWARE, VPN, bind_card, close, open_request, refusal_of, responses_of, submit
from worlds.served import Served, SignedIn

EXAMPLES = json.loads((VECTORS / "rest_examples.json").read_text())
EMPTY = "00000000-0000-0000-0000-000000000000"


def template_called(client: httpx.Client, name: str) -> str:
    return next(each["Uuid"] for each in client.get("/profiletemplates").json() if each["Name"] == name)


def test_a_person_gets_a_certificate(subscriber: httpx.Client, served: Served) -> None:
    template = template_called(subscriber, "Software Certificate")
    policy = subscriber.get(f"/profiletemplates/{template}/policies/enroll").json()
    assert policy["SelfServiceEnabled"]

    request = open_request(subscriber, template, comment="a new laptop", priority="4")
    opened = subscriber.get(f"/requests/{request}").json()
    assert (opened["Status"], opened["Comment"], opened["Priority"]) == (3, "a new laptop", 4)
    assert (opened["NewProfileUuid"], opened["Completed"]) == (EMPTY, "0001-01-01T00:00:00")

    (options,) = subscriber.get(f"/requests/{request}/certificaterequestgenerationoptions").json()
    assert (options["KeyAlgorithmName"], options["KeySize"], options["HashAlgorithmName"]) == ("RSA", 2048, "SHA256")

    pem = request_of("subscriber")
    (response,) = responses_of(submit(subscriber, request, as_base64(pem), comments="made by openssl"))
    verify_response(response, served.installation.ca_file)
    leaf = next(
        each
        for each in list_certificates(response)
        if each.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == public_key_of(pem)
    )

    closed = close(subscriber, request).json()
    assert (closed["Status"], closed["Completed"].endswith("Z")) == (8, True)
    profile = subscriber.get(f"/profiles/{closed['NewProfileUuid']}").json()
    assert (profile["Status"], profile["Flags"], profile["ProfileTemplateUuid"]) == (2, 1, SOFTWARE)

    serial = f"{leaf.serial_number:X}"
    (held,) = subscriber.get(f"/profiles/{profile['Uuid']}/certificates").json()
    assert held["SerialNumber"].lstrip("0") == serial
    newest = subscriber.get("/certificates").json()[0]
    assert (newest["SerialNumber"], newest["Status"]) == (held["SerialNumber"], 0)
    assert newest["RequesterName"] == "CORP\\subscriber"


@pytest.mark.parametrize(
    ("name", "key", "digest"),
    [
        ("Software Certificate", "rsa:4096", "sha256"),
        ("Strong Key RSA-3072", "rsa:3072", "sha512"),
        ("Strong Key P-256", "p-256", "sha256"),
        ("Strong Key P-384", "p-384", "sha384"),
    ],
)
def test_keys_of_every_kind_are_certified(subscriber: httpx.Client, served: Served, name: str, key: str, digest: str) -> None:
    request = open_request(subscriber, template_called(subscriber, name))
    (response,) = responses_of(submit(subscriber, request, request_of("subscriber", key, digest)))
    verify_response(response, served.installation.ca_file)


def test_the_documented_exchange_can_be_replayed(subscriber: httpx.Client, served: Served) -> None:
    example = next(each["request"] for each in EXAMPLES if each["page"] == "create-request")
    assert example["profiletemplateuuid"] == DOCUMENTED
    address = subscriber.post("/requests", json=example).json()
    assert address.startswith("api/v1.0/requests/")
    request = address.rpartition("/")[2]
    documented = next(each for each in EXAMPLES if each["page"] == "get-certificate-request-generation-options")
    assert subscriber.get(f"/requests/{request}/certificaterequestgenerationoptions").json() == documented["response"]
    bind_card(subscriber, request)
    answer = submit(subscriber, request, DOCUMENTED_REQUEST)
    (response,) = responses_of(answer)
    verify_response(response, served.installation.ca_file)
    assert answer.json()[0]["TemplateCommonName"] == "ContosoVirtualSmartCardLimitedRelease-KSP"


def test_the_request_of_the_walkthrough_is_taken_with_its_typographic_quotes(subscriber: httpx.Client) -> None:
    items = "[{\u201cRequest Reason\u201d:\u201dNeed VPN Certs\u201d}]"
    request = open_request(subscriber, VPN.upper(), datacollection=items)
    assert subscriber.get(f"/requests/{request}").json()["DataCollection"] == [
        {"Name": "Request Reason", "Value": "Need VPN Certs"},
        {"Name": "name", "Value": None},
        {"Name": "city", "Value": None},
    ]


def test_the_documented_request_of_a_manager_is_taken_and_waits_for_what_is_missing(
    subscriber: httpx.Client, sign_in: SignedIn
) -> None:
    manager, target = sign_in("manager"), sign_in("subscriber2")
    (body,) = [each["request"] for each in EXAMPLES if each["page"] == "create-request" and "target" in each["request"]]
    created = manager.post("/requests", json=body)
    assert created.status_code == 201, created.text
    request = str(created.json()).rpartition("/")[2]
    opened = target.get(f"/requests/{request}").json()
    assert opened["DataCollection"] == [
        {"Name": "Request Reason", "Value": None},
        {"Name": "name", "Value": "pavle"},
        {"Name": "city", "Value": "seattle"},
    ]
    assert (opened["Comment"], opened["Priority"], opened["Status"]) == ("LALALALA", 4, 3)
    assert (opened["DataCollectionFlags"], opened["IsDataCollectionComplete"]) == (32, False)
    card = {"requestid": request, "cardid": str(uuid4())}
    assert refusal_of(target.post("/smartcards", json=card)) == (409, "data-incomplete")
    assert refusal_of(close(target, request)) == (409, "data-incomplete")
    supplied = target.put(f"/requests/{request}", json={"datacollection": [{"Request Reason": "Need VPN Certs"}]})
    assert (supplied.json()["DataCollectionFlags"], supplied.json()["IsDataCollectionComplete"]) == (48, True)
    assert target.post("/smartcards", json=card).status_code == 201
    assert close(target, request, "Canceled").status_code == 200
    assert manager.get(f"/requests/{request}").json()["OriginatorUserUuid"] != opened["TargetUserUuid"]


def test_an_empty_collection_can_be_given_also_where_something_is_required(subscriber: httpx.Client) -> None:
    request = open_request(subscriber, VPN, datacollection="[]")
    opened = subscriber.get(f"/requests/{request}").json()
    assert [each["Value"] for each in opened["DataCollection"]] == [None, None, None]
    assert (opened["Status"], opened["IsDataCollectionComplete"]) == (3, False)
    assert refusal_of(submit(subscriber, request, request_of("subscriber"))) == (409, "data-incomplete")


def test_a_created_request_is_found_where_the_header_says(subscriber: httpx.Client) -> None:
    answer = subscriber.post("/requests", json={"TYPE": "enroll", "ProfileTemplateUuid": "{" + SOFTWARE + "}"})
    assert answer.status_code == 201
    location = answer.headers["location"]
    assert location.endswith(answer.json())
    assert subscriber.get(subscriber.base_url.copy_with(path=location)).json()["Status"] == 3


def test_the_same_submission_again_gives_the_same_certificates(subscriber: httpx.Client) -> None:
    request = open_request(subscriber)
    pem = request_of("subscriber")
    first = list_certificates(*responses_of(submit(subscriber, request, pem)))
    again = list_certificates(*responses_of(submit(subscriber, request, as_base64(pem))))
    assert first == again


def test_eight_posts_at_the_same_moment_make_one_certificate(subscriber: httpx.Client, served: Served) -> None:
    request = open_request(subscriber)
    pem = request_of("subscriber")

    def post(_: int) -> bytes:
        with served.client("subscriber") as client:
            return responses_of(submit(client, request, pem))[0]

    with ThreadPoolExecutor(8) as threads:
        leaves = {tuple(list_certificates(each)) for each in threads.map(post, range(8))}
    assert len(leaves) == 1
    closed = close(subscriber, request).json()
    assert len(subscriber.get(f"/profiles/{closed['NewProfileUuid']}/certificates").json()) == 1


def test_one_bad_request_among_several_does_not_hold_up_the_others(subscriber: httpx.Client) -> None:
    request = open_request(subscriber, template_called(subscriber, "Strong Keys"))
    options = subscriber.get(f"/requests/{request}/certificaterequestgenerationoptions").json()
    assert [each["KeyAlgorithmName"] for each in options] == ["RSA", "ECDSA_P256", "ECDSA_P384"]
    good = [
        request_of("subscriber", "rsa:3072", "sha512"),
        request_of("subscriber", "p-256"),
        request_of("subscriber", "p-384", "sha384"),
    ]
    first = submit(subscriber, request, good[0], "garbage", good[2]).json()
    assert [each["isPkcs7"] for each in first] == [True, False, True]
    assert first[1]["Error"]["ErrorCode"] == "malformed-certificate-request"
    assert (first[1]["Pkcs7"], first[1]["Flags"]) == (None, 0)
    responses_of(submit(subscriber, request, *good))
    assert close(subscriber, request).status_code == 200


@pytest.mark.parametrize("status", ["Canceled", "cancelled", "Abandoned", "ABANDON"])
def test_a_request_that_is_ended_revokes_what_it_issued(subscriber: httpx.Client, status: str) -> None:
    request = open_request(subscriber)
    responses_of(submit(subscriber, request, request_of("subscriber")))
    ended = close(subscriber, request, status).json()
    assert ended["Status"] == 17
    assert subscriber.get(f"/profiles/{ended['NewProfileUuid']}").json()["Status"] == 3
    assert subscriber.get("/certificates").json()[0]["Status"] == 1
