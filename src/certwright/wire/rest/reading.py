"""Bodies: from octets to named values.

Source: the decisions "reading" and "malformed input" of domain.md.
"""

import asyncio
import re
from collections.abc import Callable

from certwright.domain.errors import MalformedBody
from certwright.wire.rest.asgi import Receive
from certwright.wire.rest.faults import LIMIT_OCTETS, WireFault, WireRefusal
from certwright.wire.rest.json_values import parse_json
from certwright.wire.rest.properties import Properties

DRAIN_LIMIT_OCTETS = 64 * 1024 * 1024
"""Up to here a body that is too large is read to its end: a client that still sends would see a reset, not our answer."""
PATIENCE_SECONDS = 60.0

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LENIENT_LIMIT_OCTETS = 65_536
"""Up to here a comma after the last property is looked for: the documented body that has one is short."""

# A string without an end reaches to the end of the text: whatever the text is, no octet is looked at more than twice.
_STRING_OR_TRAILING_COMMA = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*"?)|,(?=\s*[}\]])', re.DOTALL)
_JSON_TYPES = ("application/json", "text/json")
_CHARSETS = {
    "utf-8": "utf-8-sig",
    "utf8": "utf-8-sig",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "windows-1252": "cp1252",
}
"""The charsets that clients state, by their names of IANA, and Python's names for them."""


async def read_body(
    receive: Receive,
    patience_seconds: float = PATIENCE_SECONDS,
    grow_to: Callable[[int], None] | None = None,
    limit: int = LIMIT_OCTETS,
) -> bytes:
    """Return the whole body. Shape: *grow_to* is told how many octets are kept, and may refuse.

    Errors: WireRefusal (413) when it is longer than *limit* octets; what *grow_to* raises; MalformedBody when it does not
            arrive.
    """
    try:
        async with asyncio.timeout(patience_seconds):
            return await _read(receive, grow_to, limit)
    except TimeoutError:
        raise MalformedBody(f"it did not arrive within {patience_seconds:g} s") from None


async def _read(receive: Receive, grow_to: Callable[[int], None] | None, limit: int) -> bytes:
    chunks: list[bytes] = []
    octets = 0
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise MalformedBody("the connection ended before it did")
        chunk = message.get("body", b"")
        octets += len(chunk)
        chunks.append(chunk)
        if octets > limit:
            chunks.clear()
        elif grow_to is not None:
            grow_to(octets)
        if octets > DRAIN_LIMIT_OCTETS:
            raise _refuse_size(("Connection", "close"))
        more = message.get("more_body", False)
    if octets > limit:
        raise _refuse_size()
    return b"".join(chunks)


def _refuse_size(*headers: tuple[str, str]) -> WireRefusal:
    return WireRefusal(WireFault.BODY_TOO_LARGE, *headers)


def check_not_encoded(content_encoding: str | None) -> None:
    """Raise when a body comes compressed. Errors: WireRefusal (415). Source: RFC 9110 sections 8.4 and 15.5.16."""
    if (content_encoding or "").strip().lower() not in ("", "identity"):
        raise WireRefusal(WireFault.CONTENT_ENCODING_REFUSED, ("Accept-Encoding", "identity"))


def parse_body(body: bytes, content_type: str, *, takes_trailing_commas: bool = False) -> Properties:
    """Return the properties of the JSON object that *body* is.

    Shape: the documentation prints one body with a comma after its last property: *takes_trailing_commas* is for that call.
    Errors: MalformedBody; WireRefusal (415) for another type than JSON, or a charset that is not known.
    """
    if not body.strip():
        raise MalformedBody("it is empty")
    text = _recode(body, _find_codec(content_type))
    if takes_trailing_commas and len(text) <= LENIENT_LIMIT_OCTETS:
        text = remove_trailing_commas(text)
    values = parse_json(text)
    if not isinstance(values, dict):
        raise MalformedBody("a JSON object is wanted")
    return Properties(values)


def remove_trailing_commas(text: bytes) -> bytes:
    """Return the JSON *text* without commas before a closing bracket, in time that grows with its length alone."""
    return _STRING_OR_TRAILING_COMMA.sub(rb"\1", text)


def _find_codec(content_type: str) -> str:
    """Return Python's name of the charset that *content_type* states. Errors: WireRefusal (415)."""
    media_type, *parameters = content_type.split(";")
    if media_type.strip().lower() not in _JSON_TYPES:
        raise WireRefusal(WireFault.CONTENT_TYPE_REFUSED)
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip().lower() == "charset":
            codec = _CHARSETS.get(value.strip().strip('"').lower())
            if codec is None:
                raise WireRefusal(WireFault.CHARSET_REFUSED)
            return codec
    return _CHARSETS["utf-8"]


def _recode(body: bytes, codec: str) -> bytes:
    """Return *body* in UTF-8 without a byte-order mark. Errors: MalformedBody."""
    if codec == _CHARSETS["utf-8"]:
        return body.removeprefix(_BYTE_ORDER_MARK)
    try:
        return body.decode(codec).removeprefix("\ufeff").encode()
    except UnicodeError:
        raise MalformedBody("it is not text in the charset that its Content-Type states") from None
