import asyncio
import tracemalloc
from collections.abc import Iterable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certwright.domain.errors import MalformedBody
from certwright.wire.rest.app import ROUTES
from certwright.wire.rest.faults import LIMIT_OCTETS, WireFault, WireRefusal
from certwright.wire.rest.json_values import DEPTH_LIMIT, VALUES_LIMIT, parse_json
from certwright.wire.rest.reading import DRAIN_LIMIT_OCTETS, parse_body, read_body, remove_trailing_commas

MEBIBYTE = 1024 * 1024
JSON = "application/json"


class Client:
    """Sends chunks as a server hands them to an application, and counts how many were taken."""

    def __init__(self, chunks: Iterable[bytes], *, stays: bool = True) -> None:
        self._chunks = list(chunks)
        self._stays = stays
        self.taken = 0

    async def receive(self) -> dict[str, object]:
        """Return the next message."""
        if not self._chunks:
            return {"type": "http.disconnect"}
        self.taken += 1
        chunk = self._chunks.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(self._chunks) or not self._stays}


def read(client: Client) -> bytes:
    return asyncio.run(read_body(client.receive))


def test_the_chunks_of_a_body_are_put_together() -> None:
    assert read(Client([b"ab", b"", b"c"])) == b"abc"


def test_a_body_of_the_greatest_length_is_taken() -> None:
    assert len(read(Client([b"x" * LIMIT_OCTETS]))) == LIMIT_OCTETS


def test_a_body_that_is_too_large_is_read_to_its_end_before_it_is_refused() -> None:
    client = Client([b"x" * MEBIBYTE] * 6)
    with pytest.raises(WireRefusal) as refused:
        read(client)
    assert refused.value.fault.status == 413
    assert refused.value.headers == ()
    assert client.taken == 6


def test_a_body_without_end_is_not_read_for_ever() -> None:
    client = Client([b"x" * MEBIBYTE] * 80)
    with pytest.raises(WireRefusal) as refused:
        read(client)
    assert ("Connection", "close") in refused.value.headers
    assert client.taken == DRAIN_LIMIT_OCTETS // MEBIBYTE + 1


def test_a_client_that_goes_away_is_no_bug() -> None:
    with pytest.raises(MalformedBody):
        read(Client([b"{"], stays=False))


@pytest.mark.parametrize(
    "content_type",
    [
        JSON,
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;",
        "text/json",
        'TEXT/JSON;Charset="UTF-8"',
    ],
)
def test_json_may_be_announced_with_parameters(content_type: str) -> None:
    assert parse_body(b'{"a":"b"}', content_type).read_text("a") == "b"


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "text/jsonp"]
)
def test_another_content_type_is_refused(content_type: str) -> None:
    with pytest.raises(WireRefusal) as refused:
        parse_body(b'{"a":"b"}', content_type)
    assert refused.value.fault.status == 415


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("utf-8", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-16-be"),
        ("utf-16le", "utf-16-le"),
        ("utf-16be", "utf-16-be"),
        ("iso-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
    ],
)
def test_a_body_is_read_in_the_charset_that_it_states(charset: str, codec: str) -> None:
    text = '{"a":"Jürgen"}'
    octets = b"\xfe\xff" + text.encode(codec) if (charset, codec) == ("utf-16", "utf-16-be") else text.encode(codec)
    assert parse_body(octets, f"application/json; charset={charset}").read_text("a") == "Jürgen"


def test_a_charset_that_is_not_known_is_refused() -> None:
    with pytest.raises(WireRefusal) as refused:
        parse_body(b"{}", "application/json; charset=utf-7")
    assert refused.value.fault is WireFault.CHARSET_REFUSED


@pytest.mark.parametrize(("charset", "octets"), [("us-ascii", b'{"a":"\xff"}'), ("utf-16", b'{"a":1}x'), ("utf-16le", b"{")])
def test_octets_of_another_charset_than_the_stated_one_are_a_malformed_body(charset: str, octets: bytes) -> None:
    with pytest.raises(MalformedBody):
        parse_body(octets, f"application/json; charset={charset}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"a":1,}', b'{"a":1}'),
        (b'{"a":[1, \r\n ] , }', b'{"a":[1 \r\n ]  }'),
        (b'{"a":",}",}', b'{"a":",}"}'),
        (b'{"a":"\\\\",}', b'{"a":"\\\\"}'),
        (b'{"a":"\\",}', b'{"a":"\\",}'),
        (b'{"a', b'{"a'),
    ],
)
def test_trailing_commas_are_removed_outside_of_strings(text: bytes, expected: bytes) -> None:
    assert remove_trailing_commas(text) == expected


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse_body(b'\xef\xbb\xbf{"a":"b"}', JSON).read_text("a") == "b"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \r\n",
        b"null",
        b"[]",
        b'"text"',
        b"7",
        b"{",
        b"{} {}",
        b"type=Enroll",
        b"\xff\xfe{\x00}\x00",
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b'{"a":1e999}',
        b'{"a":' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_no_json_object_is_refused_as_a_malformed_body(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        parse_body(body, JSON)


def nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"[]" + b"}" * (depth - 1)


def test_json_as_deep_as_the_limit_is_read() -> None:
    assert parse_json(nested(DEPTH_LIMIT))


@pytest.mark.parametrize("depth", [DEPTH_LIMIT + 1, 900, 9_000])
def test_json_that_is_deeper_is_refused(depth: int) -> None:
    with pytest.raises(MalformedBody) as refused:
        parse_json(nested(depth))
    assert "nested" in refused.value.text


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert parse_json(b"[" + b"[]," * 1_000 + b"[]]")


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    with suppress(MalformedBody):
        parse_body(octets, JSON).read_text("type")


MEGABYTES = 4_000_000


@pytest.mark.parametrize(
    "piece",
    [b"[[]],", b"[],", b"{},", b'{"a":1},', b"1e9,", b'"ab",', b"0,", b"[[[[[[[]]]]]]],"],
    ids=lambda piece: piece.decode(),
)
def test_a_body_of_many_values_takes_no_more_memory_than_its_text(piece: bytes) -> None:
    text = b'{"a":[' + piece * (MEGABYTES // len(piece)) + b"0]}"
    tracemalloc.start()
    try:
        with pytest.raises(MalformedBody, match="more than 20000"):
            parse_json(text)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MEGABYTES


def test_json_that_is_deeper_than_there_may_be_values_is_refused() -> None:
    with pytest.raises(MalformedBody, match="more than 20000"):
        parse_json(nested(100_000))


def test_as_many_values_as_the_limit_allows_are_read_in_bounded_memory() -> None:
    text = b"[" + b'["ab"],' * ((VALUES_LIMIT - 2) // 2) + b"0]"
    tracemalloc.start()
    try:
        assert parse_json(text)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MEGABYTES


def test_a_limit_of_its_own_is_kept() -> None:
    client = Client([b"x" * 1_000, b"x"])
    with pytest.raises(WireRefusal) as refused:
        asyncio.run(read_body(client.receive, limit=1_000))
    assert refused.value.fault is WireFault.BODY_TOO_LARGE
    assert asyncio.run(read_body(Client([b"x" * 1_000]).receive, limit=1_000)) == b"x" * 1_000


def test_only_certificate_requests_are_long() -> None:
    limits = {(each.method, each.path): each.body_limit for each in ROUTES if each.takes_body}
    assert limits.pop(("POST", "/requests/{request_id}/certificatedata")) == LIMIT_OCTETS
    assert limits.pop(("POST", "/requests")) == limits.pop(("PUT", "/requests/{request_id}")) == 512 * 1024
    assert set(limits.values()) == {64 * 1024}
