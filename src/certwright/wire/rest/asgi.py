"""The interface between this API and the web server. Source: the ASGI specification, versions 2 and 3."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Scope: TypeAlias = Mapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer; a body is JSON. Shape: *pages* is a list that is still to be read, see `slices`."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    pages: Iterator[Sequence[object]] | None = None

    async def send(self, send: Send) -> None:
        """Hand the answer to the web server."""
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]
        if self.body:
            headers.append((b"content-type", b"application/json; charset=utf-8"))
        if self.status != 204:
            # RFC 9110 section 8.6: an answer without content has no length, not even zero.
            headers.append((b"content-length", str(len(self.body)).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})
