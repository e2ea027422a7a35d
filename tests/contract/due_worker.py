"""A worker with one job whose things are recorded in the history, each time anew: done twice, they are there twice.

Arguments: URL, number of things. It does the second half of them after a line on its standard input, and ends with that.
"""

import os
import sys
import threading
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from time import sleep

from certwright.adapters.clock import SystemClock
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.application.due_work import Due, Job
from certwright.domain.events import Event
from certwright.wire.worker import Worker
from worlds.holdings import make_event
from worlds.house import make_world

SLOWNESS_SECONDS = 0.01


def list_due(store: SqlStore, things: int, limit: int, second_half: threading.Event) -> Sequence[Due]:
    with store.reading() as session:
        events = session.history.list_between(1, 10 * things)
    done = {each.comment.partition(" by ")[0] for each in events if isinstance(each, Event)}
    left = [each for each in range(things) if str(each) not in done]
    gates = {each: second_half if 2 * each >= things else None for each in left[:limit]}
    return [Due(what=str(each), carry_out=partial(carry_out, store, str(each), gate)) for each, gate in gates.items()]


def carry_out(store: SqlStore, thing: str, gate: threading.Event | None) -> bool:
    sleep(SLOWNESS_SECONDS)
    if gate is not None:
        gate.wait()
    with store.writing() as session:
        session.history.append([make_event(f"{thing} by {os.getpid()}")])
    return True


def main() -> None:
    url, things = sys.argv[1], int(sys.argv[2])
    store, second_half = open_store(url), threading.Event()
    world = make_world(store, SystemClock())
    job = Job(
        name="record",
        purpose="record what was done",
        interval=timedelta(milliseconds=20),
        list_due=lambda limit: list_due(store, things, limit, second_half),
    )
    with Worker([job], world):
        sys.stdin.readline()
        second_half.set()
        sys.stdin.read()
    store.close()


if __name__ == "__main__":
    main()
