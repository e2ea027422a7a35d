"""certwright work."""

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import click

from certwright.application.due_work import Due, Job, list_leases
from certwright.bootstrap import Installation, open_installation
from certwright.wire.cli.console import make_console
from certwright.wire.cli.logs import configure_logs
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
    with open_installation(data) as installation:
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
        make_console(stderr=True).print(f"Working on {len(installation.jobs)} jobs until Ctrl-C.")
        ended.wait()


def _show_due(installation: Installation, *, as_json: bool) -> None:
    holders = {each.name: each.holder for each in list_leases(world=installation.world)}
    found = [(job, job.list_due(BATCH)) for job in installation.jobs]
    if as_json:
        click.echo(json.dumps([_describe(job, due, holders.get(job.name)) for job, due in found]))
        return
    console = make_console()
    for job, due in found:
        held = f", held by {holders[job.name]}" if job.name in holders else ""
        console.print(f"{job.name}: {job.purpose}{held}")
        for each in due:
            since = "" if each.since is None else f"since {each.since:%Y-%m-%d %H:%M:%S}  "
            console.print(f"  {since}{each.what}")
        if not due:
            console.print("  nothing is due", style="dim")
        elif len(due) == BATCH:
            console.print("  ... and maybe more")


def _describe(job: Job, due: Sequence[Due], holder: str | None) -> dict[str, object]:
    things = [{"what": each.what, "since": None if each.since is None else each.since.isoformat()} for each in due]
    return {"job": job.name, "holder": holder, "due": things}


def _show_done(jobs: Sequence[Job], rounds: dict[str, Round], *, as_json: bool) -> None:
    if as_json:
        told = [
            {"job": name, "done": each.done, "failed": each.failed, "anothers": each.is_anothers}
            for name, each in rounds.items()
        ]
        click.echo(json.dumps(told))
        return
    console = make_console()
    for job in jobs:
        each = rounds[job.name]
        anothers = ", left to another worker" if each.is_anothers else ""
        failed = f", {each.failed} failed" if each.failed else ""
        console.print(f"{job.name}: {each.done} done{failed}{anothers}", style="red" if each.failed else None)
