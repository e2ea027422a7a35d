"""A first process with others below it that answer with their number, as a program of its own: ``side_by_side.py COUNT WAY``.

Every connection is sent the process's identifier, and closed. The *way* of the process number 0 is one of `WAYS`; the others
answer. It tells on standard output where it listens once all are ready, and on standard error, as JSON, who starts and ends.
"""

import os
import signal
import socket
import sys
from pathlib import Path

import structlog

from certwright.domain.errors import ServingFailed, StoreUnavailable
from certwright.wire.processes import PING_SECONDS, Ending, Lifeline, Processes

PATIENCE_SECONDS = 300
"""Longer than any test waits."""
PINGS_VARIABLE = "SIDE_BY_SIDE_PING_SECONDS"
"""How often they are pinged; else as often as those of a server, of which no load of the machine leaves five unanswered."""
LIFE_SECONDS = 60
FAILED = 3
"""The exit status when one could not start."""
log = structlog.get_logger()


def answer(lifeline: Lifeline) -> None:
    """Answer until nobody is above any more."""
    lifeline.tell_ready()
    while True:
        try:
            connection = lifeline.receive()
        except EOFError:
            return
        if connection is None:
            continue
        with connection:
            connection.sendall(b"%d" % os.getpid())


def fail(_lifeline: Lifeline) -> None:
    """Never become ready."""
    raise ZeroDivisionError("the cause")


def lack(_lifeline: Lifeline) -> None:
    """Never become ready, for want of a database."""
    raise StoreUnavailable("the server cannot be reached")


def come_once(lifeline: Lifeline) -> None:
    """Answer, but fail each time when there has been one before."""
    been = Path(sys.argv[3])
    if been.exists():
        fail(lifeline)
    been.touch()
    answer(lifeline)


def start_for_ever(_lifeline: Lifeline) -> None:
    """Never become ready, and end by a signal only."""
    while True:
        signal.pause()


def end_at_once(lifeline: Lifeline) -> None:
    """Be ready, and gone."""
    lifeline.tell_ready()


def take_one(lifeline: Lifeline) -> None:
    """Answer one, take no more, and be in no hurry to end."""
    lifeline.tell_ready()
    while (connection := lifeline.receive()) is None:
        pass
    lifeline.close()
    with connection:
        connection.sendall(b"%d" % os.getpid())
    # It would not notice that nobody is above any more.
    signal.alarm(LIFE_SECONDS)
    signal.pause()


WAYS = {each.__name__: each for each in (answer, fail, lack, come_once, start_for_ever, end_at_once, take_one)}


def work(number: int, lifeline: Lifeline) -> None:
    """Be one of the processes."""
    log.info("started", number=number, pid=os.getpid())
    (WAYS[sys.argv[2]] if number == 0 else answer)(lifeline)


def main() -> None:
    """Serve until SIGTERM."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    ending, ping_seconds = Ending(), float(os.environ.get(PINGS_VARIABLE, PING_SECONDS))
    with socket.create_server(("127.0.0.1", 0)) as listener, ending.on_signals():
        processes = Processes(int(sys.argv[1]), listener, work, ping_seconds=ping_seconds)
        try:
            processes.start(ending)
            sys.stdout.write(f"{listener.getsockname()[1]}\n")
            sys.stdout.flush()
            processes.keep_up(ending)
        except ServingFailed:
            sys.exit(FAILED)
        finally:
            processes.end(PATIENCE_SECONDS)


if __name__ == "__main__":
    main()
