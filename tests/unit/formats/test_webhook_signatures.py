"""The signature of webhooks, judged by openssl."""

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from certwright.formats.webhook_signatures import sign_webhook


def sign_with_openssl(secret: str, signed: bytes) -> str:
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{secret.encode().hex()}", "-r"]
    return subprocess.run(command, input=signed, capture_output=True, check=True).stdout.decode().split()[0]


@settings(max_examples=20, deadline=None)
@given(secret=st.text(min_size=1, max_size=100), body=st.binary(max_size=2_000), timestamp=st.integers(0, 2**40))
def test_openssl_comes_to_the_same(secret: str, body: bytes, timestamp: int) -> None:
    assert sign_webhook(secret, timestamp, body) == f"v1={sign_with_openssl(secret, b'%d.' % timestamp + body)}"


def test_body_timestamp_and_secret_all_count() -> None:
    signatures = {
        sign_webhook(*each) for each in (("s", 1, b"1"), ("s", 1, b"2"), ("s", 2, b"1"), ("t", 1, b"1"), ("s", 11, b""))
    }
    assert len(signatures) == 5
