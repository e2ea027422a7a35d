"""Bodies: from octets to named values.

Source: the decisions "reading" and "malformed input" of domain.md.
"""

import asyncio
import re

from certwright.domain.errors import MalformedBody
from certwright.wire.rest.asgi import Receive
from certwright.wire.rest.faults import LIMIT_OCTETS, WireFault, WireRefusal
from certwright.wire.rest.json_values import parse_json
from certwright.wire.rest.properties import Properties

DRAIN_LIMIT_OCTETS = 64 * 1024 * 1024
"""Up to here a body that is too large is read to its end: a client that still sends would see a reset, not our answer."""
PATIENCE_SECONDS = 120

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_STRING_OR_TRAILING_COMMA = re.compile(rb'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)


async def read_body(receive: Receive) -> bytes:
    """Return the whole body.

    Errors: WireRefusal (413) when it is longer than five mebibytes; MalformedBody when it does not arrive.
    """
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await _read(receive)
    except TimeoutError:
        raise MalformedBody(f"it did not arrive within {PATIENCE_SECONDS} s") from None


async def _read(receive: Receive) -> bytes:
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
        if octets > LIMIT_OCTETS:
            chunks.clear()
        if octets > DRAIN_LIMIT_OCTETS:
            raise _refuse_size(("Connection", "close"))
        more = message.get("more_body", False)
    if octets > LIMIT_OCTETS:
        raise _refuse_size()
    return b"".join(chunks)


def _refuse_size(*headers: tuple[str, str]) -> WireRefusal:
    return WireRefusal(WireFault.BODY_TOO_LARGE, *headers)


def parse_body(body: bytes, content_type: str, *, takes_trailing_commas: bool = False) -> Properties:
    """Return the properties of the JSON object that *body* is.

    Shape: the documentation prints one body with a comma after its last property: *takes_trailing_commas* is for that call.
    Errors: MalformedBody; WireRefusal (415) when it is said to be something else than JSON.
    """
    if not body.strip():
        raise MalformedBody("it is empty")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise WireRefusal(WireFault.CONTENT_TYPE_REFUSED)
    text = body.removeprefix(_BYTE_ORDER_MARK)
    values = parse_json(_STRING_OR_TRAILING_COMMA.sub(rb"\1", text) if takes_trailing_commas else text)
    if not isinstance(values, dict):
        raise MalformedBody("a JSON object is wanted")
    return Properties(values)
