"""certwright audit."""

import base64
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from certwright.adapters.checkpoints.file import CheckpointFile
from certwright.application.accept_rows import accept_rows, prove_rows
from certwright.application.event_searches import parse_time
from certwright.application.prune_history import count_prunable, prune_history
from certwright.application.verify_history import HistoryReport, verify_history
from certwright.domain.counts import count_of
from certwright.wire.cli.audit_reading import export, list_them, list_types, show
from certwright.wire.cli.console import Doubt, Fault, show_result, show_waiting
from certwright.wire.cli.groups import CommandGroup
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option

NOT_COMPARED = 3
"""The exit status of a proof without a copy of the checkpoints from elsewhere."""


@click.group("audit", cls=CommandGroup)
def command() -> None:
    """Read the event history, and prove that it is what was sealed."""


command.add_command(list_them)
command.add_command(show)
command.add_command(list_types)
command.add_command(export)


@command.command("verify")
@data_option
@click.option(
    "--checkpoints",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A copy of the checkpoints that was kept elsewhere, instead of the file that the settings name.",
)
@json_option
def verify(data: Path, checkpoints: Path | None, *, as_json: bool) -> None:
    """Check every event against the seal over it, every seal against the one before it and its signature, and the whole
    against the checkpoints, which stand outside of the database.

    Events that were changed, made unreadable, added, removed or reordered are named by their numbers, and so are those that
    were cut off, written anew, or lost with an older database. Events that are too new to be sealed are counted; they are no
    fault while the server runs, which seals them within a second.

    Without a copy of the checkpoints that was kept elsewhere, nobody knows whether the end of the history was cut off
    together with the file beside the database. The first line says so, and so does the exit status.

    Exit status: 0 when the history is whole, up to where the copy goes; 1 when it is not; 3 when no fault was found, and no
    copy from elsewhere was compared.

    \b
    Examples:
      certwright audit verify --data /var/lib/certwright
      certwright audit verify --data /var/lib/certwright --checkpoints /mnt/elsewhere/history.checkpoints
      certwright audit verify --data /var/lib/certwright --json
    """
    with opened_installation(data, is_to_be_proven=True) as installation:
        own = installation.checkpoints
        copy = None if checkpoints is None or own.is_file(checkpoints) else CheckpointFile(checkpoints).read
        with show_waiting("Verifying the history"):
            report = verify_history(
                world=installation.world, key=installation.sealing_key, read_checkpoints=own.read, read_copy=copy
            )
    _print(report, as_json=as_json)
    sys.exit(_find_status(report))


@command.command("key")
@data_option
@json_option
def key(data: Path, *, as_json: bool) -> None:
    """Print the public half of the sealing key in PEM, for whoever verifies with other programs.

    \b
    Examples:
      certwright audit key --data /var/lib/certwright > history.pem
    """
    with opened_installation(data, is_to_be_proven=True) as installation:
        encoded = installation.sealing_key.public_key.encoded
    lines = base64.encodebytes(encoded).decode().replace("\n", "")
    body = "\n".join(lines[start : start + 64] for start in range(0, len(lines), 64))
    text = f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----"
    show_result({"public_key": f"{text}\n"}, [text], as_json=as_json)


@command.command("accept-rows")
@click.option("--yes", is_flag=True, help="Accept them. Without it, they are listed, and nothing is done.")
@data_option
@json_option
def accept_rows_command(data: Path, *, yes: bool, as_json: bool) -> None:
    """Accept rows of the database that were changed past the server, as they are now.

    The server refuses such rows, and "certwright audit verify" names them. Restore them from a backup; where what was done to
    them is wanted, or was undone by hand, this marks them again. Who did so and which rows is an event.

    \b
    Examples:
      certwright audit accept-rows --data /var/lib/certwright
      certwright audit accept-rows --yes --data /var/lib/certwright
    """
    with opened_installation(data, is_to_be_proven=True) as installation:
        proof = prove_rows(world=installation.world)
        if yes and proof.faults:
            accept_rows(operator=find_operator(), world=installation.world)
    rows = count_of(len(proof.faults), "row")
    lines = [*proof.faults, f"Accepted {rows} as now stored." if yes else f"{rows} to be accepted; with --yes, that is done."]
    if proof.lasting:
        lines += [*proof.lasting, "What follows from other rows or cannot be read is not accepted: restore it from a backup."]
    body = {"accepted": yes, "faults": list(proof.faults), "lasting": list(proof.lasting)}
    show_result(body, lines, as_json=as_json)


@command.command("prune")
@click.option("--before", required=True, help="What happened before this date or time, UTC where no zone is said.")
@click.option("--dry-run", is_flag=True, help="Say how many events would be removed, and remove none.")
@data_option
@json_option
def prune(before: str, data: Path, *, dry_run: bool, as_json: bool) -> None:
    """Remove what nobody needs any more, and keep a signed record of it, with which the rest stays proven.

    Whatever belongs to an open request stays, and to a certificate that has not ended, revoked or not. Changes of rights,
    people, templates, settings and keys stay for good. Verify before: what was tampered with and then removed cannot be found.

    \b
    Examples:
      certwright audit prune --before 2020-01-01 --dry-run --data /var/lib/certwright
      certwright audit prune --before 2020-01-01 --data /var/lib/certwright
    """
    moment = parse_time("before", before)
    if moment is None:
        raise click.UsageError("--before wants a date or a time.")
    with opened_installation(data) as installation:
        if dry_run:
            count = count_prunable(moment, world=installation.world)
            told = f"{count_of(count, 'event')} would be removed."
            show_result({"events": count, "dry_run": True}, [told], as_json=as_json)
            return
        pruned = prune_history(moment, operator=find_operator(), world=installation.world, key=installation.sealing_key)
    removed, records = count_of(pruned.events, "event was", "events were"), count_of(pruned.records, "signed record")
    described = {"events": pruned.events, "records": pruned.records, "dry_run": False}
    show_result(described, [f"{removed} removed, with {records} of it."], as_json=as_json)


def _find_status(report: HistoryReport) -> int:
    """Return the exit status; 2 is that of a command that was given the wrong words."""
    if report.faults:
        return 1
    return NOT_COMPARED if report.compared_to is None else 0


def _print(report: HistoryReport, *, as_json: bool) -> None:
    body = {
        "events": report.events,
        "seals": report.seals,
        "unsealed": report.unsealed,
        "checkpoints": report.checkpoints,
        "removed": report.removed,
        "compared_to": report.compared_to,
        "rows": report.rows,
        "remarks": list(report.remarks),
        "faults": list(report.faults),
    }
    show_result(body, _list_lines(report), as_json=as_json)


def _list_lines(report: HistoryReport) -> Iterator[str]:
    if report.compared_to is None:
        yield Doubt("No copy of the checkpoints from elsewhere was compared: whether the end was cut off is not known.")
    else:
        yield f"Compared with a copy of the checkpoints, which goes up to event {report.compared_to}."
    sealed = f"{count_of(report.events, 'sealed event')} under {count_of(report.seals, 'seal')}"
    yield f"{sealed}, {report.unsealed} not sealed yet."
    yield f"{count_of(report.checkpoints, 'checkpoint')} outside of the database."
    yield f"{count_of(report.rows, 'row')} of people, rights, templates, requests and certificates compared with the events."
    if report.removed:
        yield f"{report.removed} of these events {'was' if report.removed == 1 else 'were'} removed, which is signed for."
    yield from (Doubt(f"  NOTE  {remark}") for remark in report.remarks)
    yield from (Fault(f"  FAULT {fault}") for fault in report.faults)
    if report.faults:
        yield Fault("The history is not what was sealed.")
    elif report.compared_to is None:
        yield Doubt("No fault was found in what is there.")
    else:
        yield "The history is whole."
