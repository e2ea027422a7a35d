import base64

import pytest

from certwright.adapters.signin.basic import parse_basic_credentials
from certwright.domain.bounded_events import format_for_display
from certwright.domain.errors import CredentialsRejected


def encode(text: bytes) -> str:
    return base64.b64encode(text).decode()


@pytest.mark.parametrize(
    ("text", "name", "password"),
    [
        ("subscriber:secret", "subscriber", "secret"),
        ("CORP\\subscriber:a:b:", "CORP\\subscriber", "a:b:"),
        ("jörg@contoso.com:pässwörd", "jörg@contoso.com", "pässwörd"),
        ("subscriber:", "subscriber", ""),
    ],
)
def test_the_first_colon_ends_the_name(text: str, name: str, password: str) -> None:
    assert parse_basic_credentials(encode(text.encode())) == (name, password)


@pytest.mark.parametrize(
    "credentials",
    [
        "",
        "not base64!",
        encode(b"no colon"),
        encode(b":no name"),
        encode(b"\xff\xfe:x"),
        encode(b"a\x00b:x"),
        encode(b"a\r\n:x"),
        encode(b"a" * 1_025 + b":x"),
        encode(b"a" * 2_000_000 + b":x"),
    ],
)
def test_credentials_that_cannot_be_read_are_rejected(credentials: str) -> None:
    with pytest.raises(CredentialsRejected):
        parse_basic_credentials(credentials)


def test_the_longest_name_that_an_account_can_have_is_read() -> None:
    assert parse_basic_credentials(encode(b"a" * 1_024 + b":x")) == ("a" * 1_024, "x")


def test_a_name_is_shown_to_auditors_as_it_was_given() -> None:
    assert format_for_display("CORP\\jörg") == "CORP\\jörg"


def test_what_an_auditor_sees_cannot_disturb_his_terminal() -> None:
    assert format_for_display("a\x1b[2Jb\n") == "a?[2Jb?"


def test_a_long_name_is_cut() -> None:
    assert format_for_display("a" * 10_000) == "a" * 64 + "…"
