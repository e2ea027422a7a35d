"""Processes that serve side by side, and the one above them, which deals out connections and replaces those that end.

The one above opens no database and starts no thread while they run: so a copy of it is whole at any moment, and what none of
them changes is in memory once. It takes the connections because several that wait at one socket get them as it happens, often
nearly all of them one; dealt in turn, they keep all processors busy.
"""

import multiprocessing
import selectors
import signal
import socket
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from time import monotonic

import structlog

from certwright.domain.errors import ServingFailed, Unavailable

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""What ends a service: Ctrl-C, and its manager."""
REPLACED_AFTER_SECONDS = 1.0
"""How long after its own start, at the earliest, a process that ended is replaced, so that a fault does not fork all day."""
REST_SECONDS = 0.1
"""How long no connection is taken after one could not be: this process, or the system, has no file descriptor left."""
ROOM_SECONDS = 1.0
"""How long a connection waits for a process to take it when all have many before them."""
DEALT_AT_ONCE = 64
"""Connections before it is looked again whether a process ended, or the end was asked for."""

PING_SECONDS = 1.0
"""How often each process is asked whether it still answers."""
NOT_DEALT_AFTER_PINGS = 5
"""A process that has left so many of them unanswered is dealt no connection, so that none waits for it."""
KILLED_AFTER_PINGS = 60
"""And one that has left so many is killed, and replaced: what it holds, such as the lock of the database, becomes free."""

_READY, _CONNECTION, _PING, _PONG = b"r", b"c", b"p", b"a"

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
        """Return the next connection; None for a ping, which is answered, or for a connection that was lost because this
        process has no file descriptor left for it.

        Errors: EOFError when the one above is gone.
        """
        try:
            message, descriptors, _, _ = socket.recv_fds(self._end, len(_CONNECTION), 1)
            if message == _PING:
                self._end.send(_PONG)
                return None
        except OSError as error:
            raise EOFError from error
        if not message:
            raise EOFError
        if not descriptors:
            log.warning("connection not taken", error="no file descriptor left")
            return None
        return socket.socket(fileno=descriptors[0])

    def close(self) -> None:
        """Take no more connections; the one above notices, and deals to others."""
        self._end.close()


Work = Callable[[int, Lifeline], None]
"""What each process does, until SIGTERM or the end of its lifeline; it is told which one it is, from 0.

Until it sees to signals itself, they end it at once: it has nothing yet that could be lost.
"""


@dataclass(slots=True)
class _Child:
    """Shape: *is_ready* is None before it takes connections, True while it does, False when it has closed its lifeline.

    *unanswered* counts the pings since its last answer.
    """

    process: ForkProcess
    line: socket.socket
    started: float
    is_ready: bool | None = None
    unanswered: int = 0

    @property
    def takes_connections(self) -> bool:
        """Return whether connections are dealt to it."""
        return bool(self.is_ready) and self.unanswered < NOT_DEALT_AFTER_PINGS


class Processes:
    """Some copies of this process, each of which does *work* with its share of the connections to *listener*."""

    def __init__(self, count: int, listener: socket.socket, work: Work, *, ping_seconds: float = PING_SECONDS) -> None:
        self._listener = listener
        self._listener.setblocking(False)
        self._work = work
        self._children: dict[int, _Child] = {}
        self._due = dict.fromkeys(range(count), 0.0)
        """When those are started that are not there."""
        self._dealt = 0
        self._ping_seconds = ping_seconds
        self._next_ping = 0.0

    def start(self, ending: Ending) -> None:
        """Start all of them, and return when they are ready, or when the end is asked for.

        Errors: ServingFailed when one ended before; OSError. What was started is still to be ended.
        """
        for number in list(self._due):
            self._children[number] = self._start(number)
            del self._due[number]
        while not (ending.is_asked or all(each.is_ready for each in self._children.values())):
            self._look(wait([ending.woken, *(each.line for each in self._children.values() if each.is_ready is None)]))
            if any(each.is_ready is False for each in self._children.values()) and not ending.is_asked:
                raise ServingFailed

    def keep_up(self, ending: Ending) -> None:
        """Deal out connections and replace each process that ends, until the end is asked for."""
        while not ending.is_asked:
            ready = wait([ending.woken, *self._list_awaited()], self._find_patience())
            self._look(ready)
            for number, child in list(self._children.items()):
                if child.process.sentinel in ready:
                    self._bury(number, child)
            if self._listener in ready:
                self._deal(ending)
            self._fill_up()
            self._ping()

    def end(self, patience_seconds: float) -> None:
        """End all of them: with SIGTERM, and those that are not gone after *patience_seconds* without asking."""
        deadline = monotonic() + patience_seconds
        for each in self._children.values():
            each.process.terminate()
        for each in self._children.values():
            each.process.join(max(0.0, deadline - monotonic()))
            if each.process.is_alive():
                log.error("process killed", pid=each.process.pid, reason=f"it did not end within {patience_seconds:g} seconds")
                each.process.kill()
            each.process.join()
            each.line.close()

    def _list_awaited(self) -> Iterator[socket.socket | int]:
        for each in self._children.values():
            yield each.process.sentinel
            if each.is_ready is not False:
                yield each.line
        # While nobody could take them, connections are better kept where they are than dropped.
        if any(each.takes_connections for each in self._children.values()):
            yield self._listener

    def _find_patience(self) -> float:
        """Return in how many seconds the next process is to be started, or all are to be pinged."""
        return max(0.0, min(self._next_ping, *self._due.values()) - monotonic()) if self._due else self._until_ping()

    def _until_ping(self) -> float:
        return max(0.0, self._next_ping - monotonic())

    def _look(self, ready: Collection[object]) -> None:
        """Note which processes have become ready, answer, or take no more."""
        for each in self._children.values():
            if each.line in ready:
                each.is_ready = _is_ready(each.line)
                each.unanswered = 0

    def _ping(self) -> None:
        """Ping each process once in a while, and kill one that has left too many pings unanswered.

        They are counted, not timed: while this process itself stands still, none is sent.
        """
        if self._until_ping():
            return
        self._next_ping = monotonic() + self._ping_seconds
        for each in self._children.values():
            if each.is_ready:
                if each.unanswered >= KILLED_AFTER_PINGS:
                    log.error("process killed", pid=each.process.pid, reason=f"pings that were not answered: {each.unanswered}")
                    each.process.kill()
                elif each.unanswered == NOT_DEALT_AFTER_PINGS:
                    log.warning("process does not answer", pid=each.process.pid)
                each.unanswered += 1
                # Its socket is full when it does not read, and closed when it has just ended.
                with suppress(OSError):
                    each.line.send(_PING)

    def _deal(self, ending: Ending) -> None:
        """Give each connection that waits to the next process."""
        for _ in range(DEALT_AT_ONCE):
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                log.warning("connection not taken", error=error.strerror)
                wait([ending.woken], REST_SECONDS)
                return
            with connection:
                if not self._hand_over(connection):
                    return

    def _hand_over(self, connection: socket.socket) -> bool:
        """Return whether a process has taken *connection*; one that stands still is not waited for again and again."""
        takers = [each for each in self._children.values() if each.takes_connections]
        if self._offer(connection, takers):
            return True
        # All have as many before them as they are given: others wait in the queue of the system meanwhile, and none is dropped.
        _await_writable(takers)
        is_taken = self._offer(connection, takers)
        if not is_taken:
            log.warning("connection not taken", error="no process takes one")
        return is_taken

    def _offer(self, connection: socket.socket, takers: Sequence[_Child]) -> bool:
        """Give *connection* to the next of *takers* that has room for it, and return whether there was one."""
        for _ in takers:
            child = takers[self._dealt % len(takers)]
            self._dealt += 1
            # One that has just ended, or does not read, is passed over.
            with suppress(OSError):
                socket.send_fds(child.line, [_CONNECTION], [connection.fileno()])
                return True
        return False

    def _bury(self, number: int, child: _Child) -> None:
        """See a process off that ended, and say when another one is to be there."""
        child.process.join()
        child.line.close()
        log.error("process ended", pid=child.process.pid, status=child.process.exitcode)
        child.process.close()
        del self._children[number]
        self._due[number] = child.started + REPLACED_AFTER_SECONDS

    def _fill_up(self) -> None:
        """Start those that are due."""
        for number in [number for number, due in self._due.items() if due <= monotonic()]:
            try:
                self._children[number] = self._start(number)
            except OSError as error:
                # There is no file descriptor left, or no memory. The others go on.
                log.error("process not started", error=error.strerror)
                self._due[number] = monotonic() + REPLACED_AFTER_SECONDS
            else:
                del self._due[number]

    def _start(self, number: int) -> _Child:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        process = multiprocessing.get_context("fork").Process(target=self._run, args=(number, ours, theirs))
        try:
            with theirs, _signals_held_back():
                process.start()
        except BaseException:
            ours.close()
            raise
        ours.setblocking(False)
        return _Child(process, ours, monotonic())

    def _run(self, number: int, ours: socket.socket, theirs: socket.socket) -> None:
        # The handlers of the one above would take a signal to this process for one to itself.
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        # What the one above holds would keep its address in use, and the others from noticing that it is gone.
        for end in (self._listener, ours, *(child.line for child in self._children.values())):
            end.close()
        try:
            self._work(number, Lifeline(theirs))
        except Unavailable as unavailable:
            # What is missing, such as the database during an outage, is known; the next process tries again.
            log.error("process failed", number=number, error=str(unavailable))
            sys.exit(1)
        except Exception:
            # The outermost edge of a process: whoever reads the log is to know why it ended.
            log.exception("process failed", number=number)
            sys.exit(1)


def _await_writable(children: Sequence[_Child]) -> None:
    """Return when one of *children* can be given something, or after a moment."""
    with selectors.DefaultSelector() as selector:
        for each in children:
            selector.register(each.line, selectors.EVENT_WRITE)
        selector.select(ROOM_SECONDS)


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """Let signals come when the block has ended: a copy of this process is not to be signalled before it is set up."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _is_ready(line: socket.socket) -> bool:
    """Return whether a process takes connections, as it says; one that has ended says nothing."""
    try:
        return line.recv(len(_READY)) in (_READY, _PONG)
    except OSError:
        return False
