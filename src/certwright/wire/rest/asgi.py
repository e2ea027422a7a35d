"""The interface between this API and the web server. Source: the ASGI specification, versions 2 and 3."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

Scope: TypeAlias = Mapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

PLACE = "place"
"""Under this name the state of a call has the place of its connection, where there is one."""


class Place(Protocol):
    """The place of a connection among all, see `wire.connections`."""

    when_left: Callable[[], object]

    def ask(self, source: str) -> None:
        """Note that the call waits for something that anybody may ask for."""

    def identify(self, source: str) -> None:
        """Note for which source the connection is used, as a trusted proxy says."""

    def stop_asking(self) -> None:
        """Note that it waits for that no more."""

    def note_known(self, source: str) -> None:
        """Note that somebody at *source* has signed in."""


class NoPlace:
    """A connection that nothing but its own end ends."""

    __slots__ = ("when_left",)

    def __init__(self) -> None:
        self.when_left: Callable[[], object] = bool

    def ask(self, source: str) -> None:
        """Note nothing."""

    def identify(self, source: str) -> None:
        """Note nothing."""

    def stop_asking(self) -> None:
        """Note nothing."""

    def note_known(self, source: str) -> None:
        """Note nothing."""


class ClientLeft(Exception):
    """The client of a call has left, or its connection had to go for another: no answer is wanted."""


def find_place(scope: Scope) -> Place:
    """Return the place of the connection on which a call came."""
    place: Place | None = scope.get("state", {}).get(PLACE)
    return NoPlace() if place is None else place


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
