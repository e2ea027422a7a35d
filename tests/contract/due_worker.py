"""A worker with one job whose things are recorded in the history, each time anew: done twice, they are there twice.

Arguments: URL, number of things. It ends with its standard input.
"""

import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from time import sleep

from certwright.adapters.clock import SystemClock
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.application.due_work import Due, Job
from certwright.domain.events import Event
from certwright.wire.worker import Worker
from worlds.holdings import make_event
from worlds.house import make_world

SLOWNESS_SECONDS = 0.01


def list_due(store: SqlStore, things: int, limit: int) -> Sequence[Due]:
    with store.reading() as session:
        events = session.history.list_between(1, 10 * things)
    done = {each.comment.partition(" by ")[0] for each in events if isinstance(each, Event)}
    left = [str(each) for each in range(things) if str(each) not in done]
    return [Due(what=each, carry_out=lambda each=each: carry_out(store, each)) for each in left[:limit]]


def carry_out(store: SqlStore, thing: str) -> bool:
    sleep(SLOWNESS_SECONDS)
    with store.writing() as session:
        session.history.append([make_event(f"{thing} by {os.getpid()}")])
    return True


def main() -> None:
    url, things = sys.argv[1], int(sys.argv[2])
    store = open_store(url)
    world = make_world(store, SystemClock())
    job = Job(
        name="record",
        purpose="record what was done",
        interval=timedelta(milliseconds=20),
        list_due=lambda limit: list_due(store, things, limit),
    )
    with Worker([job], world):
        sys.stdin.read()
    store.close()


if __name__ == "__main__":
    main()
