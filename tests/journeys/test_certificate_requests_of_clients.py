"""Certificate requests of other people's programs, as they meet the server."""

import json

import httpx
import pytest

from worlds.contoso import VECTORS
from worlds.rest_steps import SOFTWARE, open_request, responses_of, submit

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


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("01-pss-without-parameters", ["malformed-certificate-request", "RSASSA-PSS without the parameters"]),
        ("10-version-is-2", ["malformed-certificate-request", "version 0 is wanted"]),
        ("13-der-in-indefinite-length", ["malformed-certificate-request", "DER is wanted"]),
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
