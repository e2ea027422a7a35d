"""Lists that may be long: read and sent slice by slice, so that neither memory nor anybody else's calls feel how long they are.

Clients of the documented API expect one JSON array, and get one. What fits into one slice is answered like any other body, with
its length; a longer one goes out in chunks. Each slice is a turn of its own at the database and the processor, one slice of all
lists at a time. When the client has left, or does not take what was sent, nothing more is read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import msgspec
import structlog

from certwright.domain.errors import CertwrightError
from certwright.wire.rest.asgi import Receive, Response, Send

SLICE_ITEMS = 100
"""What a process does at once for a list: some ten milliseconds."""

_log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder().encode


Pages = Iterator[Sequence[object]]
"""Read when they are asked for; they may be empty."""


@dataclass(frozen=True, slots=True)
class Slices:
    """The body of an answer that is a list."""

    pages: Pages


class RunInThread(Protocol):
    """Runs work in a thread."""

    async def __call__(self, work: Callable[[], Sequence[object] | None], /) -> Sequence[object] | None: ...


class Slicer:
    """Reads slices, one at a time of all lists; *run* runs work in a thread."""

    def __init__(self, run: RunInThread) -> None:
        self._run = run
        self._turn = asyncio.Lock()

    async def respond(self, response: Response, receive: Receive, *, is_head: bool = False) -> "Response | LongResponse":
        """Return *response* with up to two slices of its pages read; *is_head* says that no more of them is wanted.

        Source: the decision "204" for a list without items.
        """
        if response.pages is None:
            return response
        client = _Client(receive)
        try:
            return await self._begin(response.pages, response.headers, client, is_head=is_head)
        except BaseException:
            client.forget()
            raise

    async def _begin(
        self, pages: Pages, headers: tuple[tuple[str, str], ...], client: "_Client", *, is_head: bool
    ) -> "Response | LongResponse":
        first = await self._read_more(pages, client)
        second = None if first is None else await self._read_more(pages, client)
        if first is not None and second is not None:
            return LongResponse([first, second], lambda: self._read_more(pages, client), headers, client, is_head=is_head)
        client.forget()
        return Response(204, b"", headers) if first is None else Response(200, _encode(first), headers)

    async def _read_more(self, pages: Pages, client: "_Client") -> Sequence[object] | None:
        """Return the next items; None at the end of the list, or when nobody wants them."""
        while not client.has_left:
            async with self._turn:
                page = await self._run(lambda: next(pages, None))
            if page is None or page:
                return page
        return None


class LongResponse:
    """An answer in chunks. Shape: *begun* has been read already, *read_more* gives None at the end."""

    def __init__(
        self,
        begun: Sequence[Sequence[object]],
        read_more: Callable[[], Awaitable[Sequence[object] | None]],
        headers: tuple[tuple[str, str], ...],
        client: "_Client",
        *,
        is_head: bool = False,
    ) -> None:
        self._begun = begun
        self._read_more = read_more
        self.headers = headers
        self._client = client
        self._is_head = is_head
        self.status = 200

    async def send(self, send: Send) -> None:
        """Hand the answer to the web server; where it ends early, so does the connection, and the client sees that."""
        headers = (*self.headers, ("Content-Type", "application/json; charset=utf-8"))
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        try:
            await send({"type": "http.response.start", "status": self.status, "headers": encoded})
            if self._is_head:
                await send({"type": "http.response.body", "body": b""})
                return
            await self._send_items(send)
            if not self._client.has_left:
                await send({"type": "http.response.body", "body": b"]"})
        except CertwrightError as refused:
            # It is too late for another status: the web server closes the connection of an answer without its end.
            _log.warning("list not sent to its end", code=refused.code, error=refused.text)
        finally:
            self._client.forget()

    async def _send_items(self, send: Send) -> None:
        opening = b"["
        for page in self._begun:
            await _send_chunk(send, opening + _encode(page)[1:-1])
            opening = b","
        while (following := await self._read_more()) is not None:
            await _send_chunk(send, b"," + _encode(following)[1:-1])


class _Client:
    """Knows whether the client has left."""

    def __init__(self, receive: Receive) -> None:
        self._watching = asyncio.ensure_future(_wait_until_left(receive))

    @property
    def has_left(self) -> bool:
        return self._watching.done()

    def forget(self) -> None:
        self._watching.cancel()


async def _wait_until_left(receive: Receive) -> None:
    with suppress(asyncio.CancelledError):
        while (await receive())["type"] != "http.disconnect":
            pass


async def _send_chunk(send: Send, chunk: bytes) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})
