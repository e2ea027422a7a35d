"""`ports.Leases`, and workers that share a database: who has the lease works, and nobody else."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep

import pytest

from certwright.adapters.sql.store import SqlStore
from certwright.domain.events import Event
from certwright.domain.leases import LONGEST_TERM, TERM, Lease
from worlds.contoso import NOW

WORKER = Path(__file__).with_name("due_worker.py")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(WORKER.parent.parent)}
THINGS = 150
PATIENCE_SECONDS = 120
DAY = timedelta(days=1)


def take(store: SqlStore, holder: str, now=NOW, name: str = "mail") -> bool:
    with store.writing() as session:
        return session.leases.take(Lease(name=name, holder=holder, until=now + TERM), now=now)


def holders(store: SqlStore) -> dict[str, str]:
    with store.reading() as session:
        return {each.name: each.holder for each in session.leases.list_all()}


# -- the port --------------------------------------------------------------------------------------------------------------


def test_a_free_lease_is_taken_and_keeps_others_away(store: SqlStore) -> None:
    assert take(store, "a")
    assert not take(store, "b")
    assert holders(store) == {"mail": "a"}


def test_its_holder_renews_a_lease(store: SqlStore) -> None:
    assert take(store, "a")
    assert take(store, "a", NOW + TERM / 2)
    assert not take(store, "b", NOW + TERM)
    with store.reading() as session:
        assert session.leases.list_all() == (Lease(name="mail", holder="a", until=NOW + TERM / 2 + TERM),)


def test_a_lease_that_was_not_renewed_goes_to_the_next(store: SqlStore) -> None:
    take(store, "a")
    assert take(store, "b", NOW + TERM)
    assert not take(store, "a", NOW + TERM)


def test_leases_are_one_a_name(store: SqlStore) -> None:
    assert take(store, "a", name="mail")
    assert take(store, "b", name="seal")
    assert holders(store) == {"mail": "a", "seal": "b"}


def test_what_somebody_gives_up_another_takes_at_once(store: SqlStore) -> None:
    take(store, "a", name="mail")
    take(store, "b", name="seal")
    with store.writing() as session:
        session.leases.give_up("a")
    assert holders(store) == {"seal": "b"}
    assert take(store, "b", name="mail")


def test_a_lease_taken_under_a_clock_that_was_a_day_ahead_blocks_nobody(store: SqlStore) -> None:
    assert take(store, "a", NOW + DAY)
    assert take(store, "b", NOW)
    assert not take(store, "a", NOW)


def test_a_clock_that_jumps_a_day_forward_and_back_leaves_the_lease_with_its_holder(store: SqlStore) -> None:
    for now in (NOW, NOW + DAY, NOW):
        assert take(store, "a", now)
    assert not take(store, "b", NOW)


def test_clocks_that_differ_by_less_than_a_term_do_not_take_a_lease_from_each_other(store: SqlStore) -> None:
    assert take(store, "ahead", NOW + (LONGEST_TERM - TERM))
    assert not take(store, "behind", NOW)


def test_of_many_that_want_a_lease_at_the_same_moment_one_has_it(store: SqlStore) -> None:
    barrier, taken = threading.Barrier(8), []

    def try_to_take(name: str) -> None:
        barrier.wait()
        if take(store, name):
            taken.append(name)

    threads = [threading.Thread(target=try_to_take, args=(f"worker {each}",)) for each in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(taken) == 1
    assert holders(store) == {"mail": taken[0]}


# -- workers of their own --------------------------------------------------------------------------------------------------


def list_comments(store: SqlStore) -> list[str]:
    with store.reading() as session:
        return [each.comment for each in session.history.list_between(1, 10_000) if isinstance(each, Event)]


@pytest.fixture
def workers(url: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Two workers in processes of their own, on the same database. What they do must not be done twice, see `due_worker`."""
    with ExitStack() as running:
        started = [
            running.enter_context(
                subprocess.Popen(
                    [sys.executable, str(WORKER), url, str(THINGS)], stdin=subprocess.PIPE, text=True, env=ENVIRONMENT
                )
            )
            for _ in range(2)
        ]
        for each in started:
            running.callback(each.kill)
        yield started


def await_done(store: SqlStore, count: int) -> list[str]:
    """Return what was done, when it is at least *count* things."""
    deadline = monotonic() + PATIENCE_SECONDS
    while len(done := list_comments(store)) < count:
        assert monotonic() < deadline, f"{len(done)} of {count} things were done"
        sleep(0.05)
    return done


def go_on(*workers: subprocess.Popen[str]) -> None:
    """Let the workers do the second half too."""
    for each in workers:
        assert each.stdin is not None
        each.stdin.write("go on\n")
        each.stdin.flush()


def split(done: list[str]) -> tuple[Counter[str], set[str]]:
    """Return how often each thing was done, and by whom."""
    parted = [each.partition(" by ") for each in done]
    return Counter(thing for thing, _, _ in parted), {who for _, _, who in parted}


def test_two_workers_do_each_thing_once(store: SqlStore, workers: list[subprocess.Popen[str]]) -> None:
    go_on(*workers)
    await_done(store, THINGS)
    for each in workers:
        each.communicate("end")
        assert each.returncode == 0
    assert split(list_comments(store))[0] == Counter(map(str, range(THINGS)))
    assert holders(store) == {}


def test_a_worker_that_is_killed_is_replaced_and_nothing_is_done_twice(
    store: SqlStore, workers: list[subprocess.Popen[str]]
) -> None:
    first = await_done(store, 3)[0].partition(" by ")[2]
    (dying,) = (each for each in workers if str(each.pid) == first)
    (living,) = (each for each in workers if each is not dying)
    dying.send_signal(signal.SIGKILL)
    dying.wait()
    assert len(list_comments(store)) < THINGS, "it was done before it died: this test proves nothing"
    go_on(living)
    await_done(store, THINGS)
    times, who = split(list_comments(store))
    assert times == Counter(map(str, range(THINGS)))
    assert who == {str(dying.pid), str(living.pid)}
