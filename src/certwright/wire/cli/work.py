"""certwright work."""

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event

import click

from certwright.application.due_work import Due, Job, list_leases
from certwright.bootstrap import Installation
from certwright.domain.counts import count_of
from certwright.wire.cli.console import Fault, make_console, show_result
from certwright.wire.cli.logs import configure_logs
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.options import data_option, json_option
from certwright.wire.worker import BATCH, Round, Worker, work_once


@click.command("work")
@data_option
@click.option("--once", is_flag=True, help="Do what is due now, and end.")
@click.option("--dry-run", is_flag=True, help="With --once: show what is due, and change nothing.")
@json_option
def command(data: Path, *, once: bool, dry_run: bool, as_json: bool) -> None:
    """Do the work that is due, until Ctrl-C or SIGTERM: what happens by itself in a server whose settings do not say
    otherwise (worker.enabled).

    Each kind of work is done by the holder of its lease, a row in the database. Any number of workers can run, on several
    machines when the database is a PostgreSQL: one works, and when it dies another goes on within seconds. Everything can be
    done again without harm.

    Exit status of --once: 0, or 1 when something could not be done; the log on standard error says what.

    \b
    Examples:
      certwright work --data /var/lib/certwright
      certwright work --data /var/lib/certwright --once
      certwright work --data /var/lib/certwright --once --dry-run --json
    """
    if not once and (dry_run or as_json):
        raise click.UsageError("--dry-run and --json are for --once.")
    with opened_installation(data) as installation:
        configure_logs(installation.settings.log)
        if dry_run:
            _show_due(installation, as_json=as_json)
        elif once:
            rounds = work_once(installation.jobs, installation.world)
            _show_done(installation.jobs, rounds, as_json=as_json)
            sys.exit(1 if any(each.failed for each in rounds.values()) else 0)
        else:
            _work_until_told(installation)


def _work_until_told(installation: Installation) -> None:
    ended = Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: ended.set())
    with Worker(installation.jobs, installation.world):
        make_console(stderr=True).print(f"Working on {count_of(len(installation.jobs), 'job')} until Ctrl-C.")
        ended.wait()


def _show_due(installation: Installation, *, as_json: bool) -> None:
    holders = {each.name: each.holder for each in list_leases(world=installation.world)}
    found = [(job, job.list_due(BATCH)) for job in installation.jobs]
    described = [_describe(job, due, holders.get(job.name)) for job, due in found]
    show_result(described, _list_due_lines(found, holders), as_json=as_json)


def _list_due_lines(found: Sequence[tuple[Job, Sequence[Due]]], holders: Mapping[str, str]) -> Iterator[str]:
    for job, due in found:
        held = f", held by {holders[job.name]}" if job.name in holders else ""
        yield f"{job.name}: {job.purpose}{held}"
        for each in due:
            since = "" if each.since is None else f"since {each.since:%Y-%m-%d %H:%M:%S}  "
            yield f"  {since}{each.what}"
        if not due:
            yield "  nothing is due"
        elif len(due) == BATCH:
            yield "  ... and maybe more"


def _describe(job: Job, due: Sequence[Due], holder: str | None) -> dict[str, object]:
    things = [{"what": each.what, "since": None if each.since is None else each.since.isoformat()} for each in due]
    return {"job": job.name, "holder": holder, "due": things}


def _show_done(jobs: Sequence[Job], rounds: dict[str, Round], *, as_json: bool) -> None:
    described = [
        {"job": name, "done": each.done, "failed": each.failed, "anothers": each.is_anothers} for name, each in rounds.items()
    ]
    show_result(described, [_tell_round(job.name, rounds[job.name]) for job in jobs], as_json=as_json)


def _tell_round(name: str, made: Round) -> str:
    anothers = ", left to another worker" if made.is_anothers else ""
    failed = f", {made.failed} failed" if made.failed else ""
    told = f"{name}: {made.done} done{failed}{anothers}"
    return Fault(told) if made.failed else told
