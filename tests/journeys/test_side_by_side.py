"""A server of several processes, as its clients and its operator see it."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Event
from uuid import UUID

import httpx
import pytest

from certwright.server_settings import ServerSettings
from certwright.wire.cli.audit import NOT_COMPARED
from certwright.wire.cli.serving import MOST_PROCESSES, count_processes
from worlds.commands import FAST_SETTINGS, ServingProcess, certwright, serving
from worlds.house import csr
from worlds.rest_steps import close, open_request, responses_of, submit
from worlds.served import PASSWORD, ROOT, install
from worlds.system import await_that, count_connections, count_threads, is_there, list_children, list_open

STRONG_P256 = "e179f773-a6e0-43c0-9514-b7dde2ad0478"
TWO = "\n[server]\nprocesses = 2\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("installed") / "data"
    data.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS + TWO)
    with install(data):
        return data


@pytest.fixture
def data(installed: Path, tmp_path: Path) -> Path:
    shutil.copytree(installed, tmp_path / "data")
    return tmp_path / "data"


def trust(data: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=data / "ca.pem")


def client_of(server: ServingProcess, data: Path) -> httpx.Client:
    """Return a client with a connection of its own."""
    auth = httpx.BasicAuth("subscriber", PASSWORD)
    return httpx.Client(base_url=server.url + ROOT, verify=trust(data), auth=auth, timeout=120, trust_env=False)


@contextmanager
def connected(server: ServingProcess, data: Path, count: int) -> Iterator[list[httpx.Client]]:
    """Return clients that have been answered, and keep their connections."""
    with ExitStack() as stack:
        clients = [stack.enter_context(client_of(server, data)) for _ in range(count)]
        for each in clients:
            check_answered(each)
        yield clients


def check_answered(client: httpx.Client) -> None:
    assert client.get("/requests").status_code in (200, 204)


def list_serving(server: ServingProcess) -> list[int]:
    """Return the processes that serve, when all of two are there."""
    await_that(lambda: len(list_children(server.process.pid)) == 2, "there are not two processes")
    return list_children(server.process.pid)


def find_taker(server: ServingProcess) -> int:
    """Return the process that has the one connection there is."""
    (taker,) = [each for each in list_serving(server) if count_connections(each, server.port)]
    return taker


def are_both_serving(server: ServingProcess, data: Path) -> bool:
    """Return whether two new connections are one for each of two processes."""
    with connected(server, data, 2):
        return [count_connections(each, server.port) for each in list_serving(server)] == [1, 1]


def check_history_is_whole(data: Path) -> None:
    audit = certwright("audit", "verify", "--data", data, "--json")
    assert audit.returncode == NOT_COMPARED, audit.stdout + audit.stderr
    report = json.loads(audit.stdout)
    assert (report["unsealed"], report["faults"]) == (0, [])


def check_ended_by_itself(server: ServingProcess) -> None:
    """Raise where the log says that a connection was waited for until the time for that was over, or a process was killed."""
    assert server.process.stderr is not None
    log = server.process.stderr.read()
    assert "service.stopped" in log
    assert "graceful shutdown exceeded" not in log
    assert "process killed" not in log


def query(data: Path, statement: str) -> list[tuple]:
    with closing(sqlite3.connect(data / "certwright.db")) as database:
        return database.execute(statement).fetchall()


# -- while all is well -----------------------------------------------------------------------------------------------------


def test_eight_connections_are_four_for_each_of_two_processes_and_none_for_the_first(data: Path) -> None:
    with serving(data) as server, connected(server, data, 8):
        assert [count_connections(each, server.port) for each in list_serving(server)] == [4, 4]
        assert count_connections(server.process.pid, server.port) == 0


def test_the_first_process_has_no_database_open_and_one_thread(data: Path) -> None:
    with serving(data) as server, connected(server, data, 2):
        first, *others = server.process.pid, *list_serving(server)
        assert [each for each in list_open(first) if "certwright.db" in each] == []
        assert count_threads(first) == 1
        for each in others:
            assert str(data / "certwright.db") in list_open(each)


def test_one_process_is_enough_where_the_settings_say_so(data: Path) -> None:
    settings = data / "certwright.toml"
    settings.write_text(settings.read_text().replace("processes = 2", "processes = 1"))
    with serving(data) as server, connected(server, data, 3) as (client, *_):
        (only,) = list_children(server.process.pid)
        assert count_connections(only, server.port) == 3
        request = open_request(client, STRONG_P256)
        assert len(responses_of(submit(client, request, csr(request)))) == 1
        assert close(client, request).status_code == 200
    check_history_is_whole(data)


def test_by_default_there_are_as_many_processes_as_processors_but_no_more_than_four() -> None:
    assert count_processes(ServerSettings()) == min(os.cpu_count() or 1, 4)
    assert MOST_PROCESSES == 4
    assert count_processes(ServerSettings(processes=7)) == 7


def test_no_file_descriptor_is_left_of_connections_that_have_ended(data: Path) -> None:
    with serving(data) as server:
        with connected(server, data, 2):
            pass
        everybody = [server.process.pid, *list_serving(server)]
        await_that(lambda: not any(count_connections(each, server.port) for each in everybody), "a connection stays")
        before = {each: sorted(list_open(each)) for each in everybody}
        tls = trust(data)
        for number in range(500):
            with socket.create_connection(("127.0.0.1", server.port)) as plain:
                if number % 2:
                    with tls.wrap_socket(plain, server_hostname="localhost"):
                        pass
        await_that(lambda: {each: sorted(list_open(each)) for each in everybody} == before, "file descriptors are left")


def test_whoever_never_finishes_his_handshake_keeps_neither_others_nor_the_end_waiting(data: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(serving(data))
        for number in range(8):
            hanging = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            # Half of them say nothing at all, the others begin to say hello.
            hanging.sendall(b"\x16\x03\x01\x02\x00" * (number % 2))
        await_that(
            lambda: [count_connections(each, server.port) for each in list_serving(server)] == [4, 4], "they are not taken"
        )
        with connected(server, data, 2) as clients:
            for each in clients * 5:
                check_answered(each)
        assert server.stop() == 0
        check_ended_by_itself(server)


# -- when one ends, and when all do ----------------------------------------------------------------------------------------


def test_a_process_that_is_killed_is_replaced_and_what_it_began_goes_on(data: Path) -> None:
    with serving(data) as server:
        with client_of(server, data) as met, client_of(server, data) as spared:
            request = open_request(met, STRONG_P256)
            answer = responses_of(submit(met, request, csr(request)))
            killed = find_taker(server)
            check_answered(spared)
            os.kill(killed, signal.SIGKILL)
            # On the connection that it has with the other process.
            check_answered(spared)
            ended = server.read_log("process ended")
            assert (ended["pid"], ended["status"]) == (killed, -signal.SIGKILL)
            check_answered(spared)
            assert responses_of(submit(met, request, csr(request))) == answer
        await_that(lambda: are_both_serving(server, data), "the new one has nothing to do")
        assert killed not in list_serving(server)
        assert server.stop() == 0
    check_history_is_whole(data)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_told_to_end_is_replaced_too(by: signal.Signals, data: Path) -> None:
    with serving(data) as server:
        with connected(server, data, 2):
            # Before they all serve, the end of one is the end of the server.
            told = list_serving(server)[0]
        os.kill(told, by)
        ended = server.read_log("process ended")
        assert (ended["pid"], ended["status"]) == (told, 0)
        with connected(server, data, 4):
            assert told not in list_serving(server)


def test_the_others_end_when_the_first_is_killed_and_the_port_is_free(data: Path) -> None:
    with serving(data) as server, connected(server, data, 4):
        others = list_serving(server)
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
        await_that(lambda: not any(map(is_there, others)), "a process outlives the first")
        with serving(data, "--port", str(server.port)) as following, connected(following, data, 1):
            assert following.port == server.port
            assert following.stop() == 0
    check_history_is_whole(data)


def test_ctrl_c_reaches_all_processes_and_ends_them_cleanly(data: Path) -> None:
    with serving(data) as server, connected(server, data, 4):
        others = list_serving(server)
        assert server.interrupt() == 0
        check_ended_by_itself(server)
        assert not any(map(is_there, others))
    check_history_is_whole(data)


def test_ctrl_c_ends_a_server_that_has_just_begun_to_start(data: Path) -> None:
    with serving(data) as server:
        assert server.interrupt() == 0
        check_ended_by_itself(server)
    assert query(data, "SELECT type FROM events ORDER BY sequence DESC LIMIT 1") == [("service.stopped",)]
    check_history_is_whole(data)


def test_what_has_begun_is_answered_when_the_server_is_told_to_end_and_nothing_comes_after(data: Path) -> None:
    answered: set[str] = set()
    are_enrolling = Event()

    def enroll_until_the_end(server: ServingProcess) -> None:
        with client_of(server, data) as client:
            while True:
                try:
                    request = open_request(client, STRONG_P256)
                    assert len(responses_of(submit(client, request, csr(request)))) == 1
                except httpx.TransportError:
                    return
                answered.add(request)
                if len(answered) >= 20:
                    are_enrolling.set()

    with serving(data) as server, ThreadPoolExecutor(6) as threads:
        enrolling = [threads.submit(enroll_until_the_end, server) for _ in range(6)]
        assert are_enrolling.wait(120)
        assert server.stop() == 0
        for each in enrolling:
            each.result(120)
    stored = {str(UUID(request)) for (request,) in query(data, "SELECT request_id FROM certificates")}
    assert stored == answered
    assert query(data, "SELECT type FROM events ORDER BY sequence DESC LIMIT 1") == [("service.stopped",)]
    check_history_is_whole(data)
