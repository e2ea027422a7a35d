"""What clients without any right can take of a server: bounded time, memory, connections and file descriptors."""

import base64
import gc
import json
import os
import select
import shutil
import socket
import sqlite3
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Thread

import httpx
import pytest

from worlds.commands import FAST_SETTINGS, ServingProcess, serving
from worlds.house import csr
from worlds.rest_steps import close, open_request, responses_of, submit
from worlds.served import PASSWORD, ROOT, install
from worlds.system import await_that, list_children, list_open

SETTINGS = """
[server]
processes = 1
connections = 300
connections_per_source = 200
head_timeout = "3 s"
body_timeout = "3 s"
"""
STRONG_P256 = "e179f773-a6e0-43c0-9514-b7dde2ad0478"
MEBIBYTE = 1024 * 1024
PATIENCE_SECONDS = 120
LONG_NAMES = 60
CROWD = 40
"""Twenty times as many as there are sign-ins looked at at once; each costs a real password hash."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("installed") / "data"
    data.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS + SETTINGS)
    with install(data):
        pass
    # The last connection to the database removes files, while copies are made of it if it waits for the collector of garbage.
    gc.collect()
    return data


@contextmanager
def serving_copy(installed: Path, folder: Path, *settings: str) -> Iterator[ServingProcess]:
    """Run a server without TLS: what is tried here goes on below it as well, and thousands of handshakes take long.

    Shape: *settings* are further ones of the server.
    """
    shutil.copytree(installed, folder / "data")
    file = folder / "data" / "certwright.toml"
    file.write_text(file.read_text().replace("[server]\n", "\n".join(["[server]", *settings, ""])))
    with serving(folder / "data", "--http") as server:
        Thread(target=server.process.stderr.read, daemon=True).start()
        await_that(lambda: is_well(server), "the server does not become well")
        yield server


@pytest.fixture
def server(installed: Path, tmp_path: Path) -> Iterator[ServingProcess]:
    """A server of the test's own, whose memory, sockets and failures are counted."""
    with serving_copy(installed, tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def shared(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingProcess]:
    """A server that answers one test after the other: what one sends is to leave nothing behind that the next would meet."""
    with serving_copy(installed, tmp_path_factory.mktemp("shared")) as server:
        yield server


def is_well(server: ServingProcess) -> bool:
    return httpx.get(f"{server.url}/health", trust_env=False, timeout=PATIENCE_SECONDS).status_code == 200


def client_of(server: ServingProcess, name: str = "subscriber") -> httpx.Client:
    auth = httpx.BasicAuth(name, PASSWORD)
    return httpx.Client(base_url=server.url + ROOT, auth=auth, timeout=PATIENCE_SECONDS, trust_env=False)


def connect(server: ServingProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS)


def read_answer(connection: socket.socket) -> bytes:
    """Return everything up to the end of the connection; a reset is an end, too."""
    told = b""
    try:
        while chunk := connection.recv(65_536):
            told += chunk
    except ConnectionError:
        pass
    return told


def send(connection: socket.socket, octets: bytes) -> None:
    """Send as much as the server takes."""
    with suppress(ConnectionError, TimeoutError):
        connection.sendall(octets)


def find_memory(server: ServingProcess) -> int:
    """Return the octets of memory that the process that serves has now."""
    (child,) = list_children(server.process.pid)
    for line in Path(f"/proc/{child}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the system does not say")


def count_sockets(server: ServingProcess) -> int:
    (child,) = list_children(server.process.pid)
    return sum(each.startswith("socket:") for each in list_open(child))


def check_enrollment(server: ServingProcess) -> None:
    """See that a client gets a certificate."""
    with client_of(server) as client:
        request = open_request(client, STRONG_P256)
        assert responses_of(submit(client, request, csr(request)))
        assert close(client, request).status_code == 200


def head(*fields: str, line: str = f"GET {ROOT}/requests HTTP/1.1") -> bytes:
    return "\r\n".join([line, "Host: localhost", *fields, "", ""]).encode()


# -- heads -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"GET /" + b"a" * 2 * MEBIBYTE + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 2 * MEBIBYTE + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a" * 2 * MEBIBYTE + b": b\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 100_000 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 300 + b"\r\n", 431),
        (b"\r\n" * MEBIBYTE, 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ],
)
def test_a_head_beyond_the_limits_is_refused_and_its_connection_closed(
    shared: ServingProcess, octets: bytes, status: int
) -> None:
    with connect(shared) as connection:
        send(connection, octets)
        answer = read_answer(connection)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert b"connection: close" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["ErrorCode"]
    check_enrollment(shared)


def test_heads_without_end_take_no_memory(server: ServingProcess) -> None:
    check_enrollment(server)
    before = find_memory(server)
    for start in (b"GET /", b"GET / HTTP/1.1\r\nA: ", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 50):
        with connect(server) as connection:
            send(connection, start)
            for _ in range(64):
                send(connection, b"a" * MEBIBYTE)
    assert find_memory(server) - before < 24 * MEBIBYTE


def test_a_kerberos_ticket_of_64_kib_passes(shared: ServingProcess) -> None:
    ticket = base64.b64encode(os.urandom(65_536)).decode()
    with connect(shared) as connection:
        connection.sendall(head(f"Authorization: Negotiate {ticket}", "Connection: close"))
        answer = read_answer(connection)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"scheme-not-offered" in answer


@pytest.mark.parametrize("octets", [b"", b"GET /health HT", head()[:-2], b"\r\n"])
def test_a_head_that_does_not_end_is_not_waited_for(shared: ServingProcess, octets: bytes) -> None:
    with connect(shared) as connection:
        connection.sendall(octets)
        assert read_answer(connection) == b""


def test_a_head_that_trickles_is_not_waited_for(shared: ServingProcess) -> None:
    with connect(shared) as connection:
        connection.sendall(head()[:-2])

        def trickle() -> bool:
            send(connection, b"a")
            time.sleep(0.1)
            return has_ended(connection)

        await_that(trickle, "the connection stays open while its head trickles")


def has_ended(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    finally:
        connection.settimeout(PATIENCE_SECONDS)


# -- bodies ----------------------------------------------------------------------------------------------------------------


def authorization(name: str = "subscriber") -> str:
    return "Authorization: Basic " + base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()


@pytest.mark.parametrize("fields", [("Content-Length: 100",), ("Transfer-Encoding: chunked",)])
def test_a_body_that_trickles_is_answered_in_time_and_its_connection_closed(
    shared: ServingProcess, fields: tuple[str, ...]
) -> None:
    with connect(shared) as connection:
        line = f"POST {ROOT}/requests HTTP/1.1"
        connection.sendall(head(authorization(), "Content-Type: application/json", *fields, line=line))
        seen = b""

        def trickle() -> bool:
            nonlocal seen
            send(connection, b"1\r\n{\r\n" if "chunked" in fields[0] else b"{")
            time.sleep(0.1)
            connection.setblocking(False)
            try:
                chunk = connection.recv(65_536)
            except BlockingIOError:
                return False
            except ConnectionError:
                return True
            finally:
                connection.settimeout(PATIENCE_SECONDS)
            seen += chunk
            return chunk == b""

        await_that(trickle, "the connection stays open while its body trickles", PATIENCE_SECONDS)
    assert seen.startswith(b"HTTP/1.1 400 ")
    assert b"malformed-body" in seen


@pytest.mark.parametrize(
    "more",
    [
        b"1;" + b"x" * 2 * MEBIBYTE + b"\r\n{\r\n",
        b"0\r\n" + b"a: b\r\n" * 100_000 + b"\r\n",
        b"0\r\na: " + b"b" * 2 * MEBIBYTE + b"\r\n\r\n",
    ],
)
def test_what_comes_besides_the_chunks_of_a_body_is_bounded(server: ServingProcess, more: bytes) -> None:
    before = find_memory(server)
    with connect(server) as connection:
        line = f"POST {ROOT}/requests HTTP/1.1"
        connection.sendall(head(authorization(), "Transfer-Encoding: chunked", line=line))
        send(connection, b"2\r\n{}\r\n" + more)
        assert read_answer(connection).startswith(b"HTTP/1.1 431 ")
    assert find_memory(server) - before < 24 * MEBIBYTE


def test_calls_beyond_some_on_one_connection_are_not_kept(server: ServingProcess) -> None:
    check_enrollment(server)
    before = find_memory(server)
    with ExitStack() as stack:
        connections = [stack.enter_context(connect(server)) for _ in range(20)]
        for each in connections:
            send(each, head() * 20_000)
        answers = [read_answer(each) for each in connections]
    assert max(each.count(b"HTTP/1.1 ") for each in answers) <= 20
    assert find_memory(server) - before < 48 * MEBIBYTE
    check_enrollment(server)


def test_a_few_calls_at_once_are_answered_in_their_order(shared: ServingProcess) -> None:
    with connect(shared) as connection:
        connection.sendall(
            head(line="GET /health HTTP/1.1") * 3
            + head(authorization(), line=f"GET {ROOT}/nowhere HTTP/1.1")
            + head("Connection: close", line="GET /health HTTP/1.1")
        )
        answer = read_answer(connection)
    assert [each[:3] for each in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"200", b"404", b"200"]


# -- connections -----------------------------------------------------------------------------------------------------------


@contextmanager
def idle(server: ServingProcess, count: int, octets: bytes = b"") -> Iterator[None]:
    """Hold idle connections while the block runs."""
    with ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(connect(server))
            send(connection, octets)
        yield


@pytest.mark.parametrize("octets", [b"", b"GET / HT"])
def test_two_thousand_idle_connections_from_one_address_end_no_service(server: ServingProcess, octets: bytes) -> None:
    check_enrollment(server)
    before, opened = find_memory(server), count_sockets(server)
    with idle(server, 2_000, octets):
        await_that(lambda: count_sockets(server) - opened <= 200, "more connections stay than one source may have")
        for _ in range(5):
            check_enrollment(server)
        with client_of(server) as client:
            assert client.get("/requests").status_code in (200, 204)
            assert httpx.get(f"{server.url}/health", trust_env=False, timeout=PATIENCE_SECONDS).json()["store"] == {
                "writable": True
            }
    assert find_memory(server) - before < 48 * MEBIBYTE
    await_that(lambda: count_sockets(server) <= opened, "connections that have ended are kept")


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-SHA", "AES256-GCM-SHA384"])
def test_tls_1_2_without_authenticated_encryption_and_forward_secrecy_is_refused(installed: Path, suite: str) -> None:
    with serving(installed) as server:
        with pytest.raises(ssl.SSLError):
            shake_hands(server, installed, suite)
        version, agreed = shake_hands(server, installed, "ECDHE+AESGCM")
    assert version == "TLSv1.2"
    assert "GCM" in agreed


def shake_hands(server: ServingProcess, data: Path, suites: str) -> tuple[str | None, str]:
    """Return version and suite that client and server agree on."""
    context = ssl.create_default_context(cafile=data / "ca.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suites)
    with connect(server) as connection, context.wrap_socket(connection, server_hostname="localhost") as secured:
        cipher = secured.cipher()
        assert cipher is not None
        return secured.version(), cipher[0]


def test_a_tls_handshake_that_does_not_end_is_not_waited_for(installed: Path) -> None:
    with serving(installed) as server, connect(server) as connection:
        connection.sendall(b"\x16\x03\x01")
        assert read_answer(connection) == b""


def test_a_proxy_that_is_trusted_says_for_whom_it_asks(installed: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(installed, data)
    settings = (data / "certwright.toml").read_text()
    (data / "certwright.toml").write_text(settings + 'trusted_proxies = ["127.0.0.1"]\n')
    with serving(data, "--http") as server:
        Thread(target=server.process.stderr.read, daemon=True).start()
        for _ in range(6):
            refused = guess(server, "subscriber", "198.51.100.1, 203.0.113.7")
        assert refused == "sign-in-throttled"
        assert guess(server, "subscriber", "203.0.113.8") == "credentials-rejected"
        with client_of(server) as client:
            assert client.get("/requests", headers={"x-forwarded-for": "203.0.113.9"}).status_code in (200, 204)
    with closing(sqlite3.connect(data / "certwright.db")) as database:
        sources = {each for (each,) in database.execute("SELECT source FROM events WHERE type LIKE 'sign-in.%'")}
    assert sources == {"203.0.113.7", "203.0.113.8"}


def guess(server: ServingProcess, name: str, forwarded_for: str) -> str:
    headers = {"x-forwarded-for": forwarded_for}
    answer = httpx.get(
        f"{server.url}{ROOT}/requests", auth=(name, "guess"), headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
    )
    return str(answer.json()["ErrorCode"])


# -- sign-ins --------------------------------------------------------------------------------------------------------------


def test_right_passwords_get_in_while_invented_names_crowd_the_door(server: ServingProcess) -> None:
    stop = []

    def guess(number: int) -> None:
        turn = 0
        with httpx.Client(base_url=server.url + ROOT, timeout=PATIENCE_SECONDS, trust_env=False) as client:
            while not stop:
                turn += 1
                try:
                    client.get("/requests", auth=(f"invented{number}-{turn}", "x"))
                except httpx.HTTPError:
                    continue

    crowd = [Thread(target=guess, args=(number,)) for number in range(CROWD)]
    for each in crowd:
        each.start()
    try:
        for name in ("subscriber", "subscriber2", "manager", "helpdesk"):
            with client_of(server, name) as client:
                assert client.get("/requests").status_code in (200, 204)
    finally:
        stop.append(True)
        for each in crowd:
            each.join()


def test_names_of_any_length_are_not_kept(server: ServingProcess) -> None:
    with httpx.Client(base_url=server.url + ROOT, timeout=PATIENCE_SECONDS, trust_env=False) as client:

        def guess(name: str) -> None:
            assert client.get("/requests", auth=(name, "x")).status_code == 401

        for number in range(10):
            guess(f"short{number}")
            guess("n" * 80_000 + f"first{number}")
        before = find_memory(server)
        for number in range(LONG_NAMES):
            guess("n" * 80_000 + str(number))
    assert find_memory(server) - before < LONG_NAMES * 80_000 * 2 / 3


def test_bodies_of_people_with_passwords_take_bounded_memory_together(installed: Path, tmp_path: Path) -> None:
    body = b'{"comments": "' + b"x" * (4 * MEBIBYTE - 16) + b'"}'
    assert len(body) == 4 * MEBIBYTE
    fields = ("Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close")
    line = f"POST {ROOT}/requests/{'0' * 31}1/certificatedata HTTP/1.1"
    calls = [head(*fields, authorization(each), line=line) for each in ("subscriber", "subscriber2", "manager")]
    # Two of three bodies fit, and it does not matter whose come first.
    with serving_copy(installed, tmp_path, f"bodies_limit = {8 * MEBIBYTE}") as server, ExitStack() as stack:
        clients = [stack.enter_context(closing(connect(server))) for _ in range(3)]
        for each, call in zip(clients, calls, strict=True):
            each.sendall(call + body[:100])
        answered, _, _ = select.select(clients, [], [], PATIENCE_SECONDS)
        (refused,) = answered
        told = read_answer(refused)
        assert told.startswith(b"HTTP/1.1 503 "), told
        assert b"retry-after: 5\r\n" in told.lower()
        assert b'"ErrorCode":"request-bodies-exhausted"' in told
        for each in clients:
            if each is not refused:
                each.sendall(body[100:])
        assert {read_answer(each)[:13] for each in clients if each is not refused} == {b"HTTP/1.1 400 "}
        with closing(connect(server)) as again:
            again.sendall(calls[0] + body)
            assert read_answer(again).startswith(b"HTTP/1.1 400 ")
