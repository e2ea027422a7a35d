"""HTTP/1.1 with bounds: how long a head may be and may take, how much comes besides bodies, how slowly an answer is read.

uvicorn's protocol on httptools does the work. What it lacks are limits: see the settings of the server.
"""

import asyncio
from asyncio.events import TimerHandle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httptools
import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from certwright.wire.connections import Connections, Place
from certwright.wire.rest.asgi import PLACE
from certwright.wire.rest.errors import CallOrigin, answer_error
from certwright.wire.rest.faults import WireFault, WireRefusal

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

MOST_HEADERS = 200
PIPELINE_LIMIT = 16
"""Calls that a client may send before the first of them is answered; nearly none send any."""
LINGER_SECONDS = 5.0
"""How long is read, and dropped, what a client still sends when it was refused: else it would see a reset, not the answer."""
WRITE_SECONDS = 30.0
"""How often it is looked whether a client reads its answer, where nothing else is said."""
WRITE_OCTETS = 16_384
"""What it has to have read in that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """Units: octets for *request_line* and *headers*."""

    request_line: int
    headers: int
    head_seconds: float
    write_seconds: float = WRITE_SECONDS


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: HttpLimits,
        connections: Connections,
        place: Place | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._connections = connections
        self._place = place
        self._deadline: TimerHandle | None = None
        self._watch: TimerHandle | None = None
        self._unread = 0
        self._field_octets = 0
        self._other_octets = 0
        self._is_in_message = False
        self._is_in_head = False
        self._refusal: WireRefusal | None = None
        self._is_refused = False
        self._answered: RequestResponseCycle | None = None

    # -- the connection ----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the place of the connection, or end it where there is none; its first head is due from now on."""
        super().connection_made(transport)
        if self._place is None:
            self._place = self._connections.admit(self.client[0] if self.client else "")
        if self._place is None or not self._place.is_open:
            transport.abort()
            return
        self._place.end = self._break_off
        self._expect_within(self._limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self._cancel_deadline()
        if self._watch is not None:
            self._watch.cancel()
        if self._place is not None:
            self._place.leave()
        super().connection_lost(exc)
        self._abandon()

    def data_received(self, data: bytes) -> None:
        """Parse what came, unless the connection was refused: then it is dropped until the client has read why."""
        if self._is_refused or self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        if self._deadline is None and not self._is_in_message:
            self._expect_within(self._limits.head_seconds)
        self._other_octets += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(self._refusal or WireRefusal(WireFault.MALFORMED_HTTP))
        except httptools.HttpParserUpgrade:
            # Nothing is offered; the call itself is answered.
            return
        else:
            if self._other_octets > self._limits.headers:
                self._refuse(WireRefusal(WireFault.HEADERS_TOO_LARGE))

    # -- what the parser finds ---------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._is_in_message = self._is_in_head = True
        self._field_octets = 0
        # What came in one piece with the beginning is not counted: that is bounded by what is read at once.
        self._other_octets = 0
        super().on_message_begin()
        self.scope["state"][PLACE] = self._place

    def on_url(self, url: bytes) -> None:
        """Errors: WireRefusal, which ends the connection."""
        if len(self.url) + len(url) > self._limits.request_line:
            self._fail(WireRefusal(WireFault.REQUEST_LINE_TOO_LONG))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Errors: WireRefusal, which ends the connection. Shape: fields behind a chunked body count, too."""
        self._field_octets += len(name) + len(value)
        if self._field_octets > self._limits.headers or len(self.headers) >= MOST_HEADERS:
            self._fail(WireRefusal(WireFault.HEADERS_TOO_LARGE))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the call. Errors: WireRefusal, which ends the connection, for one too many at once."""
        if len(self.pipeline) >= PIPELINE_LIMIT:
            self._fail(WireRefusal(WireFault.TOO_MANY_CALLS))
        self._cancel_deadline()
        self._is_in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count everything but the body, and of the rest as much as there is of the body: chunks may be small."""
        self._other_octets -= 2 * len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the whole call has come."""
        self._is_in_message = False
        super().on_message_complete()
        if self.cycle.response_complete:
            self._rest()
        elif self._place is not None:
            self._place.work()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        """Note which of several calls is the one that is answered; uvicorn knows the last that came."""
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    # -- the answer --------------------------------------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        """Wait for the next call; a body that nobody has read is waited for a moment only."""
        super().on_response_complete()
        self._watch_writing()
        if self.transport.is_closing() or not (self.cycle is None or self.cycle.response_complete):
            return
        if self._is_in_message and not self._is_in_head:
            self._unset_keepalive_if_required()
            self._expect_within(LINGER_SECONDS)
        self._wait()

    def timeout_keep_alive_handler(self) -> None:
        """End the connection, also when the client does not read what it still has to get."""
        super().timeout_keep_alive_handler()
        self._watch_writing()

    def pause_writing(self) -> None:
        """Look whether the client reads."""
        super().pause_writing()
        self._watch_writing()

    def _rest(self) -> None:
        """Wait for the next call when the message has ended after its answer."""
        self._cancel_deadline()
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
        self._wait()

    def _wait(self) -> None:
        if self._place is not None:
            self._place.wait()

    def _watch_writing(self) -> None:
        """Break the connection off when its client does not read: what it was sent takes memory until then."""
        self._unread = self.transport.get_write_buffer_size()
        if self._watch is None and self._unread:
            self._watch = self.loop.call_later(self._limits.write_seconds, self._check_read)

    def _check_read(self) -> None:
        self._watch = None
        before, left = self._unread, self.transport.get_write_buffer_size()
        if left and left > before - WRITE_OCTETS:
            self.transport.abort()
            return
        self._watch_writing()

    # -- refusals ----------------------------------------------------------------------------------------------------------

    def _fail(self, refusal: WireRefusal) -> None:
        """Have the parser stop: what a callback raises comes out of it as an error of its own."""
        self._refusal = refusal
        raise refusal

    def _refuse(self, refusal: WireRefusal) -> None:
        """Answer *refusal* and end the connection; an earlier call that is still in progress is answered instead."""
        self._is_refused = True
        cycle = self.cycle
        is_in_progress = cycle is not None and not cycle.response_complete
        if self.pipeline or (is_in_progress and cycle.response_started):
            self._connections.note_unanswered(self.client[0] if self.client else "", refusal.fault.code)
            self._abandon()
            self.transport.close()
            return
        if is_in_progress and (self._is_in_head or not self._is_in_message):
            cycle.keep_alive = False
            return
        answer = answer_error(refusal, (), CallOrigin("", "", (), self.client[0] if self.client else ""))
        body = msgspec.json.encode(answer.body)
        head = [
            STATUS_LINE[answer.status],
            b"content-type: application/json; charset=utf-8\r\n",
            b"content-length: %d\r\nconnection: close\r\ncache-control: no-store\r\n\r\n" % len(body),
        ]
        self.transport.write(b"".join([*head, body]))
        self._expect_within(LINGER_SECONDS)
        if is_in_progress:
            # Its body does not come any more: what reads it finds the connection ended, and what it answers is not sent.
            cycle.disconnected = True
            cycle.message_event.set()

    def _break_off(self) -> None:
        """End the connection for the sake of a new one."""
        self._abandon()
        self.transport.abort()

    def _abandon(self) -> None:
        """Let the call that is being answered find that the connection has ended, and drop those behind it."""
        self.pipeline.clear()
        if self._answered is not None and not self._answered.response_complete:
            self._answered.disconnected = True
            self._answered.message_event.set()

    def _expect_within(self, seconds: float) -> None:
        self._cancel_deadline()
        self._deadline = self.loop.call_later(seconds, self._end)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        self._deadline = None
        self.transport.abort()
