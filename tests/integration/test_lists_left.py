"""A client that leaves in the middle of a long list, over real sockets: the reading ends with it."""

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from threading import Event, Thread
from typing import Any

import pytest
import uvicorn

from certwright.wire.connections import ConnectionLimits, Connections
from certwright.wire.protocol import BoundedProtocol, HttpLimits
from certwright.wire.rest.asgi import Response
from certwright.wire.rest.slices import Slicer
from worlds.system import await_that

ITEM = "x" * 1_000
PATIENCE_SECONDS = 60
BREAKING_OFF = struct.pack("ii", 1, 0)
"""Lingering for no time: the connection is reset, as when a client is killed. Source: socket(7)."""


class EndlessList:
    """An application that answers with a list without an end; *has_ended* is set once nothing more is sent."""

    def __init__(self) -> None:
        self.pages_read = 0
        self.has_ended = Event()

    def list_pages(self) -> Iterator[Sequence[object]]:
        while True:
            self.pages_read += 1
            yield [ITEM] * 10

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        async def run(work: Callable[[], Sequence[object] | None]) -> Sequence[object] | None:
            return await asyncio.to_thread(work)

        try:
            response = await Slicer(run).respond(Response(200, b"", (), self.list_pages()), receive)
            await response.send(send)
        finally:
            self.has_ended.set()


@contextmanager
def served(application: EndlessList, connections: Connections) -> Iterator[int]:
    """Serve on a free port, which is given."""
    bounds = HttpLimits(request_line=1_024, headers=8_192, head_seconds=60.0)

    def make(*arguments: Any, **named: Any) -> BoundedProtocol:
        return BoundedProtocol(*arguments, limits=bounds, connections=connections, **named)

    config = uvicorn.Config(application, loop="uvloop", http=make, ws="none", log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            await_that(lambda: server.started, "it does not start")
            yield listener.getsockname()[1]
        finally:
            server.should_exit = server.force_exit = True
            thread.join()


@pytest.mark.parametrize("resets", [False, True], ids=["closes", "breaks off"])
def test_a_client_that_leaves_in_the_middle_of_a_list_ends_the_reading(resets: bool) -> None:
    application = EndlessList()
    connections = Connections(ConnectionLimits(in_all=10, from_one_source=10))
    with served(application, connections) as port:
        with closing(socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)) as client:
            client.sendall(b"GET /list HTTP/1.1\r\nHost: localhost\r\n\r\n")
            got = 0
            while got < 100 * len(ITEM):
                got += len(client.recv(65_536))
            # It is in the middle: the client reads, and there is more for as long as it does.
            assert not application.has_ended.is_set()
            if resets:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, BREAKING_OFF)
        await_that(application.has_ended.is_set, "the list is read on for a client that has left", PATIENCE_SECONDS)
        await_that(lambda: len(connections) == 0, "the connection is kept")
        read = application.pages_read
    assert application.pages_read == read
