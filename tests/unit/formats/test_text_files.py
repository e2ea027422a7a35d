"""Encodings of files that people give, and what is said of those that cannot be read."""

from pathlib import Path

import pytest

from certwright.domain.errors import MalformedValue
from certwright.formats.text_files import parse_line, parse_text

TEXT = "zwölf\nÄpfel\n"
PASSWORD_IN_LATIN_1 = Path(__file__).parents[2] / "vectors" / "files" / "password-in-latin-1.txt"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_read_in_every_encoding_that_says_what_it_is(encoding: str) -> None:
    assert parse_text(TEXT.encode(encoding), "names.txt", "a list") == TEXT


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_utf_16_is_read_in_both_orders_of_octets(mark: bytes) -> None:
    order = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    assert parse_text(mark + TEXT.encode(order), "names.txt", "a list") == TEXT


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"one\ntwo\nzw\xf6lf\n", ["names.txt, line 3", "Windows-1252", "iconv", "a list", "UTF-8"]),
        ("one\ntwo".encode("utf-16-le"), ["names.txt, line 1", "UTF-16 without a mark", "a list"]),
        ("zwölf".encode("utf-16-le"), ["names.txt, line 1", "NUL", "a list"]),
        (b"\xff\xfeo\x00n", ["names.txt, line 1", "UTF-16-LE", "damaged"]),
        (b"one\n\x00\n", ["names.txt, line 2", "NUL"]),
    ],
)
def test_what_cannot_be_read_is_refused_with_file_line_and_what_was_expected(content: bytes, words: list[str]) -> None:
    with pytest.raises(MalformedValue) as refused:
        parse_text(content, "names.txt", "a list")
    assert [each for each in words if each not in refused.value.text] == []


def test_a_password_in_latin_1_is_refused_without_repeating_any_of_it() -> None:
    with pytest.raises(MalformedValue) as refused:
        parse_line(PASSWORD_IN_LATIN_1.read_bytes(), "secret.txt", "a password")
    assert "secret.txt, line 1" in refused.value.text
    assert "a password" in refused.value.text
    for piece in ("rd-12", "0xe4", "0xE4"):
        assert piece not in refused.value.text


@pytest.mark.parametrize("content", [b"secret", b"secret\n", b"secret\r\n", b"\xef\xbb\xbfsecret\r\n"])
def test_a_line_is_read_without_its_end(content: bytes) -> None:
    assert parse_line(content, "secret.txt", "a password") == "secret"


@pytest.mark.parametrize(("content", "word"), [(b"", "empty"), (b"\n", "empty"), (b"one\ntwo\n", "line 2")])
def test_one_line_is_one_line(content: bytes, word: str) -> None:
    with pytest.raises(MalformedValue, match=word):
        parse_line(content, "secret.txt", "a password")
