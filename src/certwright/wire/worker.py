"""The worker: looks for work that is due, and does it under a lease, so that several workers never do a thing twice."""

import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event, Lock, Thread

import structlog

from certwright.application.due_work import Due, Job, give_up_leases, take_lease
from certwright.application.world import World
from certwright.domain.errors import CertwrightError, Unavailable
from certwright.domain.leases import TERM

BATCH = 200
"""How many things are looked up at once; what is left is looked up when these are done."""
RENEWAL_SECONDS = TERM.total_seconds() / 3

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What became of one look for work. Shape: *is_anothers* says that another worker had the lease."""

    done: int = 0
    failed: int = 0
    is_anothers: bool = False


class LeaseKeeper:
    """The leases of one worker, renewed by a thread while work goes on, however long one thing takes.

    A process that dies or stands still renews nothing, and is replaced when the term is over.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._lock = Lock()
        self._busy: dict[str, bool] = {}
        self._ended = Event()
        self._thread = Thread(target=self._run, name="leases", daemon=True)

    def __enter__(self) -> "LeaseKeeper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        try:
            give_up_leases(self._holder, world=self._world)
        except Unavailable as unavailable:
            # They end by themselves in a few seconds.
            log.warning("leases not given up", error=str(unavailable))

    @contextmanager
    def held(self, name: str) -> Iterator[bool]:
        """Return whether the lease is ours; it is kept so while the block lasts, see `is_held`."""
        is_ours = take_lease(name, self._holder, world=self._world)
        with self._lock:
            self._busy[name] = is_ours
        try:
            yield is_ours
        finally:
            with self._lock:
                del self._busy[name]

    def is_held(self, name: str) -> bool:
        """Return whether the lease is still ours: another may have taken it while this process stood still."""
        with self._lock:
            return self._busy.get(name, False)

    def _run(self) -> None:
        while not self._ended.wait(RENEWAL_SECONDS):
            with self._lock:
                names = [name for name, is_ours in self._busy.items() if is_ours]
            for name in names:
                self._renew(name)

    def _renew(self, name: str) -> None:
        try:
            is_ours = take_lease(name, self._holder, world=self._world)
        except Unavailable as unavailable:
            log.warning("lease not renewed", job=name, error=str(unavailable))
            return
        with self._lock:
            if name in self._busy:
                self._busy[name] = is_ours


class Worker:
    """A context manager: one thread a job, so that none waits for another; at its end, what may not be left for later."""

    def __init__(self, jobs: Sequence[Job], world: World) -> None:
        self._jobs = jobs
        self._keeper = LeaseKeeper(world)
        self._ended = Event()
        self._threads = [Thread(target=self._run, args=(each,), name=each.name, daemon=True) for each in jobs]

    def __enter__(self) -> "Worker":
        self._keeper.__enter__()
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        for each in self._threads:
            each.join()
        for job in self._jobs:
            if job.runs_at_end:
                _look(job, self._keeper, is_last=True)
        self._keeper.__exit__(*exception)

    def _run(self, job: Job) -> None:
        in_turn = replace(job, list_due=job.list_in_turn or job.list_due)
        while not self._ended.wait(job.interval.total_seconds()):
            _look(in_turn, self._keeper, ended=self._ended)


def work_once(jobs: Sequence[Job], world: World) -> dict[str, Round]:
    """Return, by name of the job, what became of everything that is due now."""
    with LeaseKeeper(world) as keeper:
        return {each.name: _look(each, keeper) for each in jobs}


def _look(job: Job, keeper: LeaseKeeper, *, is_last: bool = False, ended: Event | None = None) -> Round:
    """Do what is due. Whatever goes wrong is told in the log, and looked at again in the next round."""
    try:
        if is_last:
            return _carry_out(job, job.list_due(BATCH))
        return _look_under_lease(job, keeper, ended or Event())
    except Unavailable as unavailable:
        # The database may come back; the next round does what this one could not.
        log.warning("work not done", job=job.name, error=str(unavailable))
    except Exception:
        # The outermost edge of a thread: one bad round must not end all that follow.
        log.exception("work not done", job=job.name)
    return Round(failed=1)


def _look_under_lease(job: Job, keeper: LeaseKeeper, ended: Event) -> Round:
    total = Round()
    while job.list_due(1):
        with keeper.held(job.name) as is_ours:
            if not is_ours:
                return Round(done=total.done, failed=total.failed, is_anothers=True)
            # Looked up again under the lease: what was due a moment ago, somebody may have done.
            due = job.list_due(BATCH)
            made = _carry_out(job, due, keeper, ended)
        total = Round(done=total.done + made.done, failed=total.failed + made.failed)
        if len(due) < BATCH or not made.done or ended.is_set():
            break
    return total


def _carry_out(job: Job, due: Sequence[Due], keeper: LeaseKeeper | None = None, ended: Event | None = None) -> Round:
    done = failed = 0
    for each in due:
        if (keeper and not keeper.is_held(job.name)) or (ended and ended.is_set()):
            break
        try:
            done += each.carry_out()
        except Unavailable:
            raise
        except CertwrightError as refused:
            failed += 1
            log.warning("work refused", job=job.name, what=each.what, error=str(refused))
        except Exception:
            # One thing that goes wrong must not keep the others behind it from being done.
            failed += 1
            log.exception("work failed", job=job.name, what=each.what)
    return Round(done=done, failed=failed)
