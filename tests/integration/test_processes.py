"""Processes side by side and the one above them, with nothing to serve but their own identifiers."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import pytest

from certwright.wire.processes import KILLED_AFTER_PINGS, REPLACED_AFTER_SECONDS
from worlds import side_by_side
from worlds.side_by_side import FAILED
from worlds.system import await_that, is_there, list_children, list_open

PATIENCE_SECONDS = 120
FAST_PING_SECONDS = 0.05
"""Where the test is of processes that stand still."""
PROGRAM = [sys.executable, side_by_side.__file__]


@dataclass(frozen=True)
class First:
    """The first process."""

    process: subprocess.Popen[str]
    port: int

    def ask(self) -> int:
        """Return the identifier of the process that answers a new connection. Errors: OSError when none does."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS) as connection:
            answer = connection.recv(20)
        if not answer:
            raise ConnectionResetError
        return int(answer)

    def ask_if_answered(self) -> int | None:
        """Return the identifier of the process that answers a new connection; None when it ended instead."""
        try:
            return self.ask()
        except OSError:
            return None

    def read_log(self, event: str, is_meant: Callable[[dict], bool] = lambda _: True) -> dict:
        """Return the next such line of the log."""
        for line in self.process.stderr or ():
            told: dict = json.loads(line)
            if told["event"] == event and is_meant(told):
                return told
        raise AssertionError(f"the log ends without {event!r}")

    def await_end(self) -> int:
        """Return the exit status."""
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def running(count: int, way: str, *more: Path, ping_seconds: float | None = None) -> Iterator[First]:
    """Run the processes, ready unless they never will be, until the block ends; then none of them is left."""
    arguments = [*PROGRAM, str(count), way, *map(str, more)]
    pings = {} if ping_seconds is None else {side_by_side.PINGS_VARIABLE: str(ping_seconds)}
    environment = {**os.environ, **pings}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            ready = "" if way in ("fail", "lack", "start_for_ever") else process.stdout.readline()
            yield First(process, int(ready or 0))
        finally:
            children = list_children(process.pid) if process.poll() is None else []
            process.kill()
            await_that(lambda: not any(map(is_there, children)), "a process outlives the one above it")


# -- connections -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3])
def test_connections_are_dealt_in_turn(count: int) -> None:
    with running(count, "answer") as first:
        asked = [first.ask() for _ in range(4 * count)]
        assert sorted(Counter(asked).values()) == [4] * count
        assert asked == asked[:count] * 4
        assert set(asked) == set(list_children(first.process.pid))


def test_the_first_process_keeps_no_file_descriptor_of_what_it_dealt_out() -> None:
    with running(2, "answer") as first:
        before = sorted(list_open(first.process.pid))
        assert len({first.ask() for _ in range(500)}) == 2
        await_that(lambda: sorted(list_open(first.process.pid)) == before, "file descriptors are left")


def test_a_first_process_without_file_descriptors_takes_connections_again_when_it_has_some() -> None:
    with running(2, "answer") as first:
        with few_file_descriptors(first.process.pid), socket.create_connection(("127.0.0.1", first.port)) as waiting:
            assert first.read_log("connection not taken")["error"] == "Too many open files"
            waiting.setblocking(False)
            with pytest.raises(BlockingIOError):
                waiting.recv(1)
        assert first.ask() in list_children(first.process.pid)


def test_a_process_without_file_descriptors_loses_a_connection_and_nothing_else() -> None:
    with running(1, "answer") as first:
        (child,) = list_children(first.process.pid)
        with few_file_descriptors(child):
            with pytest.raises(OSError):
                first.ask()
            assert first.read_log("connection not taken")["error"] == "no file descriptor left"
        assert first.ask() == child


@contextmanager
def few_file_descriptors(pid: int) -> Iterator[None]:
    """Let the process open no file more while the block runs."""
    opened = {int(each.name) for each in Path(f"/proc/{pid}/fd").iterdir()}
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(set(range(len(opened) + 1)) - opened), hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


def test_one_that_takes_no_more_is_dealt_no_more() -> None:
    with running(2, "take_one") as first:
        taker = first.ask()
        others = [first.ask() for _ in range(6)]
        assert taker not in others
        assert len(set(others)) == 1
        assert is_there(taker)
        first.process.terminate()
        assert first.await_end() == 0


# -- those that end --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
def test_one_that_ends_is_replaced_and_the_others_answer_meanwhile(by: signal.Signals) -> None:
    with running(3, "answer") as first:
        before = {first.ask() for _ in range(3)}
        ended = min(before)
        os.kill(ended, by)
        assert first.read_log("process ended") == {"event": "process ended", "pid": ended, "status": -by}
        assert {first.ask() for _ in range(6)} >= before - {ended}
        await_that(lambda: len({first.ask() for _ in range(3)}) == 3, "it is not replaced")
        assert {first.ask() for _ in range(3)} > before - {ended}


def test_one_that_ends_again_and_again_is_started_once_a_second_and_the_others_answer() -> None:
    begun = monotonic()
    with running(2, "end_at_once") as first:
        answering: set[int | None] = set()
        for _ in range(4):
            ended = first.read_log("process ended")["pid"]
            # A connection may be dealt to the process that has just become ready, and ends before the first one notices.
            await_that(lambda: answering.add(first.ask_if_answered()) or answering - {None}, "no process answers")
        # Three of them were replaced; the fourth cannot have ended earlier, however slow or fast this machine is.
        assert monotonic() - begun >= 3 * REPLACED_AFTER_SECONDS
        answering.discard(None)
        assert len(answering) == 1
        assert ended not in answering


def test_one_that_does_not_come_back_gets_no_connection_that_it_could_lose(tmp_path: Path) -> None:
    with running(2, "come_once", tmp_path / "been") as first:
        both = {first.ask() for _ in range(2)}
        ended = first.read_log("started", lambda told: told["number"] == 0)["pid"]
        os.kill(ended, signal.SIGKILL)
        for _ in range(2):
            first.read_log("process failed")
            assert {first.ask() for _ in range(10)} == both - {ended}


def test_connections_wait_while_nobody_could_take_them() -> None:
    with running(1, "answer") as first:
        ended = first.ask()
        os.kill(ended, signal.SIGKILL)
        first.read_log("process ended")
        assert first.ask() != ended


def test_one_that_cannot_be_replaced_for_want_of_file_descriptors_is_replaced_later() -> None:
    with running(2, "answer") as first:
        both = {first.ask() for _ in range(2)}
        with few_file_descriptors(first.process.pid):
            # What the one that ends gives back is not enough for another.
            os.kill(min(both), signal.SIGKILL)
            assert first.read_log("process not started")["error"] == "Too many open files"
        await_that(lambda: len({first.ask() for _ in range(2)}) == 2, "it is not replaced")
        assert max(both) in {first.ask() for _ in range(2)}


def test_process_that_stands_still_gets_no_connections_and_is_replaced() -> None:
    with running(2, "answer", ping_seconds=FAST_PING_SECONDS) as first:
        frozen, other = sorted(first.ask() for _ in range(2))
        os.kill(frozen, signal.SIGSTOP)
        assert first.read_log("process does not answer")["pid"] == frozen
        assert {first.ask() for _ in range(6)} == {other}
        assert first.read_log("process killed")["pid"] == frozen
        assert first.read_log("process ended")["status"] == -signal.SIGKILL
        await_that(lambda: len({first.ask() for _ in range(2)}) == 2, "it is not replaced")
        assert other in {first.ask() for _ in range(2)}


def test_process_that_stands_still_for_a_moment_is_dealt_connections_again() -> None:
    with running(2, "answer", ping_seconds=FAST_PING_SECONDS) as first:
        frozen = first.ask()
        os.kill(frozen, signal.SIGSTOP)
        assert first.read_log("process does not answer")["pid"] == frozen
        os.kill(frozen, signal.SIGCONT)
        await_that(lambda: frozen in {first.ask() for _ in range(2)}, "it is dealt no connection")


def test_processes_are_not_replaced_after_all_of_them_stood_still() -> None:
    with running(2, "answer", ping_seconds=FAST_PING_SECONDS) as first:
        both = {first.ask() for _ in range(2)}
        everything = [first.process.pid, *both]
        for each in everything:
            os.kill(each, signal.SIGSTOP)
        # Longer than the pings would take that a process may leave unanswered.
        sleep(KILLED_AFTER_PINGS * FAST_PING_SECONDS + 1)
        for each in reversed(everything):
            os.kill(each, signal.SIGCONT)
        await_that(lambda: {first.ask() for _ in range(2)} == both, "one of them was replaced")


# -- the end of all --------------------------------------------------------------------------------------------------------


def test_the_others_end_when_the_first_is_killed_and_its_port_is_free() -> None:
    with running(3, "answer") as first:
        children = list_children(first.process.pid)
        assert len(children) == 3
        first.process.kill()
        first.await_end()
        await_that(lambda: not any(map(is_there, children)), "a process outlives the one above it")
        with socket.create_server(("127.0.0.1", first.port)) as listener:
            assert listener.getsockname()[1] == first.port


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_all_end_with_the_first_one_when_it_is_told_to(by: signal.Signals) -> None:
    with running(3, "answer") as first:
        children = list_children(first.process.pid)
        first.process.send_signal(by)
        assert first.await_end() == 0
        assert not any(map(is_there, children))


def test_one_that_cannot_start_is_told_and_leaves_nothing_behind() -> None:
    with running(3, "fail") as first:
        failed = first.read_log("process failed")
        assert failed["number"] == 0
        assert "ZeroDivisionError: the cause" in failed["exception"]
        assert first.await_end() == FAILED
        assert first.process.stdout is not None
        assert first.process.stdout.read() == ""


def test_process_that_lacks_the_database_is_a_line_of_the_log_without_traceback() -> None:
    with running(1, "lack") as first:
        failed = first.read_log("process failed")
        assert "the server cannot be reached" in failed["error"]
        assert "exception" not in failed
        assert first.await_end() == FAILED


def test_the_end_is_heard_while_one_is_still_starting() -> None:
    with running(2, "start_for_ever") as first:
        starting = first.read_log("started", lambda told: told["number"] == 0)["pid"]
        first.process.terminate()
        # Sooner than the first process would kill it.
        assert first.await_end() == 0
        assert not is_there(starting)


def test_a_signal_to_one_that_is_starting_ends_it_and_is_not_taken_for_one_to_the_first() -> None:
    with running(2, "start_for_ever") as first:
        starting = first.read_log("started", lambda told: told["number"] == 0)["pid"]
        os.kill(starting, signal.SIGTERM)
        assert first.await_end() == FAILED
        assert not is_there(starting)
