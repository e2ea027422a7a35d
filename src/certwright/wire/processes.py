"""Processes that serve side by side, and the one above them, which deals out connections and replaces those that end.

The one above opens no database and starts no thread while they run: so a copy of it is whole at any moment, and what none of
them changes is in memory once. It takes the connections because several that wait at one socket get them as it happens, often
nearly all of them one; dealt in turn, they keep all processors busy.
"""

import multiprocessing
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from time import monotonic

import structlog

from certwright.domain.errors import ServingFailed

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""What ends a service: Ctrl-C, and its manager."""
REPLACED_AFTER_SECONDS = 1.0
"""How long after its own start, at the earliest, a process that ended is replaced, so that a fault does not fork all day."""
REST_SECONDS = 0.1
"""How long no connection is taken after one could not be: this process, or the system, has no file descriptor left."""

_READY, _CONNECTION = b"r", b"c"

log = structlog.get_logger(__name__)


class Ending:
    """Whether the end was asked for, by a signal or by a call; and something to wait on until it is."""

    def __init__(self) -> None:
        self.woken, self._waker = socket.socketpair()
        """Readable when the end is asked for."""
        self._waker.setblocking(False)
        self.is_asked = False

    def ask(self, *_: object) -> None:
        """Ask for the end; also as a handler of signals."""
        self.is_asked = True
        with suppress(BlockingIOError):
            self._waker.send(b"\0")

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Let SIGTERM and Ctrl-C ask for the end while the block runs, instead of ending the process."""
        before = {each: signal.signal(each, self.ask) for each in SIGNALS}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


class Lifeline:
    """What a process has of the one above it: a pair of sockets without a name."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def tell_ready(self) -> None:
        """Tell the one above that connections are taken from now on."""
        # Where nobody is there any more, receiving tells.
        with suppress(OSError):
            self._end.send(_READY)

    def fileno(self) -> int:
        """Return what is readable when there is a connection, or nobody above any more."""
        return self._end.fileno()

    def receive(self) -> socket.socket | None:
        """Return the next connection; None when the one above is gone."""
        with suppress(OSError):
            _, descriptors, _, _ = socket.recv_fds(self._end, len(_CONNECTION), 1)
            if descriptors:
                return socket.socket(fileno=descriptors[0])
        return None


Work = Callable[[int, Lifeline], None]
"""What each process does, until SIGTERM or the end of its lifeline; it is told which one it is, from 0."""


@dataclass(slots=True)
class _Child:
    number: int
    process: ForkProcess
    line: socket.socket
    started: float


class Processes:
    """Some copies of this process, each of which does *work* with its share of the connections to *listener*."""

    def __init__(self, count: int, listener: socket.socket, work: Work) -> None:
        self._listener = listener
        self._listener.setblocking(False)
        self._work = work
        self._children: list[_Child] = []
        self._dealt = 0
        for number in range(count):
            self._children.append(self._start(number))

    def wait_until_ready(self, ending: Ending) -> None:
        """Return when all of them are ready, or when the end is asked for. Errors: ServingFailed when one ended before."""
        waited_for = {each.line for each in self._children}
        while waited_for and not ending.is_asked:
            for line in waited_for.intersection(wait([*waited_for, ending.woken])):
                if not _is_ready(line):
                    raise ServingFailed
                waited_for.remove(line)

    def keep_up(self, ending: Ending) -> None:
        """Deal out connections and replace each process that ends, until the end is asked for."""
        while not ending.is_asked:
            ready = wait([ending.woken, self._listener, *(each.process.sentinel for each in self._children)])
            for child in [each for each in self._children if each.process.sentinel in ready]:
                self._replace(child, ending)
            if self._listener in ready:
                self._deal(ending)

    def end(self, patience_seconds: float) -> None:
        """End all of them: with SIGTERM, and those that are not gone after *patience_seconds* without asking."""
        deadline = monotonic() + patience_seconds
        for each in self._children:
            each.process.terminate()
        for each in self._children:
            each.process.join(max(0.0, deadline - monotonic()))
            each.process.kill()
            each.process.join()

    def _deal(self, ending: Ending) -> None:
        """Give each connection that waits to the next process."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                log.warning("connection not taken", error=error.strerror)
                wait([ending.woken], REST_SECONDS)
                return
            with connection:
                self._hand_over(connection)

    def _hand_over(self, connection: socket.socket) -> None:
        for _ in self._children:
            child = self._children[self._dealt % len(self._children)]
            self._dealt += 1
            # One that has ended, or does not read, is passed over.
            with suppress(OSError):
                socket.send_fds(child.line, [_CONNECTION], [connection.fileno()])
                return

    def _replace(self, child: _Child, ending: Ending) -> None:
        child.process.join()
        child.line.close()
        log.error("process ended", pid=child.process.pid, status=child.process.exitcode)
        wait([ending.woken], max(0.0, child.started + REPLACED_AFTER_SECONDS - monotonic()))
        if not ending.is_asked:
            self._children[self._children.index(child)] = self._start(child.number)

    def _start(self, number: int) -> _Child:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        process = multiprocessing.get_context("fork").Process(target=self._run, args=(number, ours, theirs))
        process.start()
        theirs.close()
        ours.setblocking(False)
        return _Child(number, process, ours, monotonic())

    def _run(self, number: int, ours: socket.socket, theirs: socket.socket) -> None:
        # What the one above holds would keep its address in use, and the others from noticing that it is gone.
        for each in (self._listener, ours, *(child.line for child in self._children)):
            each.close()
        try:
            self._work(number, Lifeline(theirs))
        except Exception:
            # The outermost edge of a process: whoever reads the log is to know why it ended.
            log.exception("process failed", number=number)
            sys.exit(1)


def _is_ready(line: socket.socket) -> bool:
    """Return whether that is what a process says; one that has ended says nothing."""
    try:
        return line.recv(len(_READY)) == _READY
    except OSError:
        return False
