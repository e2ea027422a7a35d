"""Certificate requests of other people's programs, as they meet the server."""

import base64
import json
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from worlds.certificate_requests import make_request, rsa_key_with_another_exponent
from worlds.contoso import VECTORS
from worlds.openssl import request_of
from worlds.rest_steps import SOFTWARE, close, open_request, responses_of, submit
from worlds.served import SignedIn

INPUTS = VECTORS / "inputs"
STRONG_P256 = "e179f773-a6e0-43c0-9514-b7dde2ad0478"


@pytest.mark.parametrize(
    ("name", "template"),
    [
        ("02-attributes-left-out", SOFTWARE),
        ("03-attributes-not-sorted", SOFTWARE),
        ("05-printablestring-with-at", SOFTWARE),
        ("07-ecdsa-with-null-parameters", STRONG_P256),
        ("09-rsaencryption-without-null", SOFTWARE),
    ],
)
def test_a_request_whose_key_and_signature_can_be_read_is_answered(subscriber: httpx.Client, name: str, template: str) -> None:
    request_id = open_request(subscriber, template)
    assert responses_of(submit(subscriber, request_id, (INPUTS / f"{name}.pem").read_text()))


@pytest.mark.parametrize("path", sorted((VECTORS / "clients").glob("*.pem")), ids=lambda path: path.stem)
def test_requests_of_every_program_are_answered(subscriber: httpx.Client, path: Path) -> None:
    request_id = open_request(subscriber, STRONG_P256 if "p256" in path.stem else SOFTWARE)
    assert responses_of(submit(subscriber, request_id, path.read_text()))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("01-pss-without-parameters", ["malformed-certificate-request", "RSASSA-PSS without the parameters"]),
        ("10-version-is-2", ["malformed-certificate-request", "version 0 is wanted"]),
        ("13-der-in-indefinite-length", ["malformed-certificate-request", "DER is wanted"]),
        ("35-modulus-is-a-prime", ["key-weak", "the modulus is a prime, or the power of one"]),
        ("14-negative-modulus", ["malformed-certificate-request", "modulus of its RSA key is negative"]),
    ],
)
def test_a_request_that_cannot_be_read_says_what_is_wrong_with_it(
    subscriber: httpx.Client, name: str, words: list[str]
) -> None:
    answer = submit(subscriber, open_request(subscriber), (INPUTS / f"{name}.pem").read_text())
    assert answer.status_code == 200, answer.text
    (entry,) = answer.json()
    assert entry["Pkcs7"] is None
    for each in words:
        assert each in json.dumps(entry["Error"])


def test_what_is_wrong_with_one_request_leaves_the_good_one_beside_it_alone(subscriber: httpx.Client) -> None:
    bad = (INPUTS / "01-pss-without-parameters.pem").read_text()
    first, second = open_request(subscriber), open_request(subscriber)
    assert submit(subscriber, first, bad).status_code == 200
    assert responses_of(submit(subscriber, second, (INPUTS / "02-attributes-left-out.pem").read_text()))


def request_over(key: rsa.RSAPrivateKey) -> str:
    return base64.b64encode(make_request(key=key)).decode()


def errors_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return json.dumps([each["Error"] for each in answer.json()])


def test_the_same_modulus_with_another_exponent_is_the_same_key(sign_in: SignedIn) -> None:
    key = rsa.generate_private_key(65_537, 2_048)
    twin = rsa_key_with_another_exponent(key)
    assert twin.public_key().public_numbers().e != 65_537
    first, second = sign_in("subscriber"), sign_in("subscriber2")
    assert responses_of(submit(first, open_request(first), request_over(twin)))
    assert "key-of-somebody-else" in errors_of(submit(second, open_request(second), request_over(key)))
    assert responses_of(submit(first, open_request(first), request_over(key)))


def test_a_key_that_was_compromised_is_refused_for_everybody(sign_in: SignedIn) -> None:
    first, second = sign_in("subscriber"), sign_in("subscriber2")
    stolen = request_of("a key that is stolen")
    request = open_request(first)
    assert responses_of(submit(first, request, stolen))
    profile = close(first, request).json()["NewProfileUuid"]
    body = {"type": "Revoke", "profile": profile, "revocationreason": "keyCompromise"}
    revocation = str(first.post("/requests", json=body).json()).rpartition("/")[2]
    assert close(first, revocation).status_code == 200
    for client in (first, second):
        assert "key-compromised" in errors_of(submit(client, open_request(client), stolen))
