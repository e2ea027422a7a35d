"""HTTP with bounds, around an application that has nothing to do with certificates: real sockets, no TLS."""

import asyncio
import logging
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from threading import Event, Thread
from time import sleep
from typing import Any

import pytest
import uvicorn
from structlog.testing import capture_logs

from certwright.domain.errors import SignInThrottled
from certwright.domain.identities import Caller
from certwright.wire.connections import LINES_A_MINUTE, ConnectionLimits, Connections
from certwright.wire.protocol import PIPELINE_LIMIT, BoundedProtocol, HttpLimits
from certwright.wire.rest.admission import share_of_connections
from certwright.wire.rest.asgi import ClientLeft, find_place
from certwright.wire.rest.sign_in import THREADS, Reception, parse_authorization
from certwright.wire.rest.sources import Sources
from worlds.contoso import SUBSCRIBER
from worlds.system import await_that

LARGE = 32 * 1024 * 1024
PATIENCE_SECONDS = 120

SLOW: list[Event] = []
"""One for each call of ``/slow`` that has not been answered: it is, when the event is set."""


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer with as much as the path says, after the whole body was read; ``/early`` answers before."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["path"] == "/slow":
        gate = Event()
        SLOW.append(gate)
        try:
            while not gate.is_set():
                await asyncio.sleep(0.01)
            await answer(scope, receive, send)
        finally:
            SLOW.remove(gate)
        return
    await answer(scope, receive, send)


async def answer(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] != "/early":
        while (message := await receive()).get("more_body"):
            if message["type"] == "http.disconnect":
                return
    octets = int(scope["path"].strip("/")) if scope["path"].strip("/").isdecimal() else 0
    headers = [(b"content-length", str(octets).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"x" * octets})


@contextmanager
def served(connections: Connections, app: Any = application, **limits: Any) -> Iterator[int]:
    """Serve on a free port, which is given."""
    bounds = HttpLimits(**{"request_line": 1_024, "headers": 8_192, "head_seconds": 60.0} | limits)

    def make(*arguments: Any, **named: Any) -> BoundedProtocol:
        return BoundedProtocol(*arguments, limits=bounds, connections=connections, **named)

    config = uvicorn.Config(
        app, loop="uvloop", http=make, ws="none", log_config=None, proxy_headers=False, timeout_keep_alive=60
    )
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


def connect(port: int, window: int = 0, source: str = "127.0.0.1") -> socket.socket:
    connection = socket.socket()
    connection.bind((source, 0))
    if window:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    connection.settimeout(PATIENCE_SECONDS)
    connection.connect(("127.0.0.1", port))
    return connection


@pytest.fixture
def connections() -> Connections:
    return Connections(ConnectionLimits(in_all=1_000, from_one_source=1_000))


def test_a_client_that_does_not_read_its_answer_is_given_up(connections: Connections) -> None:
    with served(connections, write_seconds=0.2) as port, closing(connect(port, 4_096)) as connection:
        connection.sendall(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % LARGE)
        await_that(lambda: len(connections) == 1, "it is not taken")
        await_that(lambda: len(connections) == 0, "it is kept although it does not read")


def test_a_client_that_reads_its_answer_slowly_gets_all_of_it(connections: Connections) -> None:
    got = 0
    with served(connections, write_seconds=0.2) as port, closing(connect(port)) as connection:
        connection.sendall(b"GET /%d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % LARGE)
        while chunk := connection.recv(1024 * 1024):
            got += len(chunk)
            sleep(0.01)
    assert got > LARGE


def test_a_body_that_nobody_read_is_waited_for_a_moment_only(connections: Connections) -> None:
    with served(connections) as port, closing(connect(port)) as connection:
        connection.sendall(b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        assert connection.recv(4_096).startswith(b"HTTP/1.1 200 ")

        def trickle() -> bool:
            try:
                connection.sendall(b"x")
            except ConnectionError:
                return True
            sleep(0.05)
            return len(connections) == 0

        await_that(trickle, "it is kept while the body trickles")


def test_a_connection_goes_on_when_the_body_that_nobody_read_has_come(connections: Connections) -> None:
    with served(connections) as port, closing(connect(port)) as connection:
        for _ in range(3):
            connection.sendall(b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
            assert connection.recv(4_096).startswith(b"HTTP/1.1 200 ")
            connection.sendall(b"12345")
        connection.sendall(b"GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert b"xxx" in connection.recv(4_096) + connection.recv(4_096)


def test_calls_beyond_what_may_wait_end_their_connection_without_a_traceback(
    connections: Connections, caplog: pytest.LogCaptureFixture
) -> None:
    call = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
    with served(connections) as port, capture_logs() as lines:
        for count in (PIPELINE_LIMIT + 2, 4 * PIPELINE_LIMIT) * 10:
            with closing(connect(port)) as connection:
                connection.sendall(call * count)
                assert connection.recv(1) == b""
            await_that(lambda: len(connections) == 0 and len(SLOW) == 1, "the connection is kept, or not one call has come")
            SLOW[0].set()
            await_that(lambda: not SLOW, "the call is not ended")
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]
    refused = [each for each in lines if each["event"] == "refused"]
    assert 0 < len(refused) <= LINES_A_MINUTE
    assert {each["code"] for each in refused} == {"too-many-calls"}


# -- sign-ins --------------------------------------------------------------------------------------------------------------


class SlowSignIn:
    """A way to sign in that looks at nothing before the test says so, as a password hash takes its time."""

    challenge = "Name"

    def __init__(self) -> None:
        self.looked_at: list[str] = []
        self.may_look = Event()

    def recall(self, scheme: str, secret: str, source: str) -> Caller | None:
        """Remember nobody."""

    def authenticate(self, scheme: str, secret: str, source: str) -> Caller | None:
        self.looked_at.append(secret)
        assert self.may_look.wait(PATIENCE_SECONDS)
        return Caller(SUBSCRIBER.user, SUBSCRIBER.sids, source)


@contextmanager
def receiving(sign_in: SlowSignIn, in_all: int, *proxies: str) -> Iterator[tuple[int, Connections]]:
    """Serve an application that lets nobody in but by *sign_in*, except to what needs none."""
    sources = Sources(proxies)
    connections = Connections(ConnectionLimits(in_all=in_all, from_one_source=in_all, is_exempt=sources.is_proxy))
    reception = Reception([sign_in], share_of_connections(in_all))

    calls: list[str] = []

    async def desk(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/in":
            secret = dict(scope["headers"])[b"authorization"].decode()
            client = "{} {}".format(*scope["client"])
            credentials = parse_authorization(secret, sources.note(scope), client, find_place(scope))
            calls.append(client)
            try:
                await reception.authenticate(credentials)
            except ClientLeft:
                return
            except SignInThrottled:
                await asyncio.sleep(0.01)
            finally:
                calls.remove(client)
        await application(scope, receive, send)

    with closing(reception), served(connections, desk) as port:
        try:
            yield port, connections
        finally:
            sign_in.may_look.set()
            await_that(lambda: not calls and len(connections) == 0, "calls do not end")


def knock(port: int, name: str, source: str = "127.0.0.1", *fields: bytes) -> socket.socket:
    """Return a connection on which *name* asks for a sign-in."""
    connection = connect(port, source=source)
    head = [b"GET /in HTTP/1.1", b"Host: a", b"Authorization: Name " + name.encode(), *fields, b"", b""]
    connection.sendall(b"\r\n".join(head))
    return connection


def test_sign_ins_whose_clients_have_left_cost_no_look(caplog: pytest.LogCaptureFixture) -> None:
    sign_in = SlowSignIn()
    with receiving(sign_in, 100) as (port, connections):
        crowd = [knock(port, f"nobody{number}") for number in range(10)]
        await_that(lambda: len(connections) == 10 and len(sign_in.looked_at) == THREADS, "they are not taken")
        for each in crowd:
            each.close()
        await_that(lambda: len(connections) == 0, "connections are left")
        sign_in.may_look.set()
        with closing(knock(port, "somebody")) as connection:
            assert connection.recv(4_096).startswith(b"HTTP/1.1 200 ")
    assert len(sign_in.looked_at) == THREADS + 1
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("is_proxied", [False, True])
def test_strangers_who_wait_for_sign_ins_keep_nobody_out(is_proxied: bool, caplog: pytest.LogCaptureFixture) -> None:
    sign_in = SlowSignIn()
    proxies = ["127.0.0.1"] if is_proxied else []
    told = [b"X-Forwarded-For: 203.0.113.9"] if is_proxied else []
    with receiving(sign_in, 20, *proxies) as (port, connections), ExitStack() as stack:
        for number in range(30):
            source = "127.0.0.1" if is_proxied else f"127.0.0.{101 + number % 4}"
            stack.enter_context(closing(knock(port, f"nobody{number}", source, *told)))
        await_that(lambda: len(connections) == 20 and len(sign_in.looked_at) == THREADS, "not all places are taken")
        for _ in range(10):
            known = stack.enter_context(closing(connect(port)))
            known.sendall(b"GET /3 HTTP/1.1\r\nHost: a\r\n\r\n")
            assert known.recv(4_096).startswith(b"HTTP/1.1 200 ")
        assert len(connections) == 20
        assert len(sign_in.looked_at) == THREADS
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []


PIECES = [
    b"GET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345",
    b"POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n",
    b"POST /early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET /" + b"a" * 2_000,
    b"a: " + b"b" * 9_000,
    b"ffffffffffffffff\r\n",
    b"\r\n",
    b"\x00\x01\x02",
]


def test_no_octets_in_any_order_break_the_protocol_or_leave_a_connection(
    connections: Connections, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(14)
    with served(connections, head_seconds=1.0) as port, caplog.at_level(logging.WARNING):
        for _ in range(300):
            octets = b"".join(chance.choices(PIECES, k=chance.randint(1, 6)))
            for _ in range(chance.randint(0, 3)):
                place = chance.randrange(len(octets))
                octets = octets[:place] + bytes([chance.randrange(256)]) + octets[place + 1 :]
            cut = chance.randint(0, len(octets))
            with closing(connect(port)) as connection:
                connection.sendall(octets[:cut])
                try:
                    connection.sendall(octets[cut:])
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65_536):
                        pass
                except OSError:
                    continue
        await_that(lambda: len(connections) == 0, "connections are left")
    assert [each.getMessage() for each in caplog.records if each.exc_info] == []
