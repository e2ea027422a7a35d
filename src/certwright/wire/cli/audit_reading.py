"""certwright audit list, show and export."""

import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from certwright.application.event_searches import Named
from certwright.application.read_history import (
    export_events,
    export_records,
    export_seals,
    read_event,
    read_newest_events,
)
from certwright.domain.counts import count_of
from certwright.domain.events import Event, EventType, Seal, StoredEvent
from certwright.domain.identities import UserId
from certwright.formats.event_lines import describe_event, describe_record, describe_seal, encode_line
from certwright.wire.cli.console import show_result
from certwright.wire.cli.groups import NamedChoice
from certwright.wire.cli.names import list_people_names
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option

Command = Callable[..., None]


def _filtered(command: Command) -> Command:
    """Give *command* the options that say which events are meant."""
    options = (
        click.option("--user", default="", help="By this account or about it; or by an actor of this very name."),
        click.option("--request", default="", help="Of the request with this GUID."),
        click.option("--profile", default="", help="About the profile with this GUID."),
        click.option("--certificate", default="", help="About the certificate with this serial number."),
        click.option("--template", default="", help="About the profile template with this name or GUID."),
        click.option("--type", "types", default="", help='Of this type, see "audit types"; several parted by commas.'),
        click.option("--since", default="", help="From this date or time on; UTC where no zone is said."),
        click.option("--until", default="", help="Before this date or time."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("list")
@_filtered
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="The newest so many.")
@data_option
@json_option
def list_them(limit: int, data: Path, *, as_json: bool, **asked: str) -> None:
    """List the newest events, oldest first. What is asked for has to be so of each event. That you read is an event, too.

    \b
    Examples:
      certwright audit list --data /var/lib/certwright
      certwright audit list --user CORP\\\\alice --since 2026-11-01 --data /var/lib/certwright
      certwright audit list --type right.granted,right.revoked --json --data /var/lib/certwright
    """
    with opened_installation(data, is_to_be_proven=True) as installation:
        found = read_newest_events(Named(**asked), limit, operator=find_operator(), world=installation.world)
        names = list_people_names(installation)
    if as_json:
        for each in found:
            click.echo(encode_line(describe_event(each)), nl=False)
        return
    show_result(None, [_tell(each, names) for each in found], as_json=False, remark=f"{count_of(len(found), 'event')}.")


@click.command("types")
@json_option
def list_types(*, as_json: bool) -> None:
    """List the types of events, for --type.

    \b
    Example:
      certwright audit types
    """
    types = [each.value for each in EventType]
    show_result(types, types, as_json=as_json)


@click.command("show")
@click.argument("sequence", type=int)
@data_option
@json_option
def show(sequence: int, data: Path, *, as_json: bool) -> None:
    """Show everything about the event with the number SEQUENCE, and the seal over it. That you read it is an event, too."""
    with opened_installation(data, is_to_be_proven=True) as installation:
        shown = read_event(sequence, operator=find_operator(), world=installation.world)
        names = list_people_names(installation)
    if shown is None:
        raise click.ClickException(f"There is no event {sequence}.")
    fields: dict[str, Any] = {**describe_event(shown.event), "seal": shown.seal.number if shown.seal else None}
    fields["subject_name"] = _name_subject(shown.event, names)
    if isinstance(shown.seal, Seal):
        fields["sealed"] = shown.seal.sealed_at.isoformat()
    show_result(fields, [f"{name:13}{_write(value)}" for name, value in fields.items()], as_json=as_json)


@click.command("export")
@_filtered
@click.option(
    "--what", type=NamedChoice(["events", "seals", "retention"]), default="events", show_default=True, help="What to export."
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file instead of standard output.")
@data_option
@click.option("--json", is_flag=True, hidden=True, expose_value=False, help="What is written is JSON without it.")
def export(what: str, out: Path | None, data: Path, **asked: str) -> None:
    """Write events as JSON, one a line, oldest first, however many there are. That you export is an event, too.

    The seals, and the records of what was removed, have no filter: they are what proves the events ("certwright audit key"
    prints the key for it).

    \b
    Examples:
      certwright audit export --data /var/lib/certwright --out events.jsonl
      certwright audit export --what seals --data /var/lib/certwright --out seals.jsonl
      certwright audit export --certificate 1F:00:A2 --data /var/lib/certwright
    """
    if what != "events" and any(asked.values()):
        raise click.UsageError("Seals and records are exported all together, without a filter.")
    with opened_installation(data, is_to_be_proven=True) as installation:
        operator, world = find_operator(), installation.world
        if what == "seals":
            lines: Iterable[str] = (encode_line(describe_seal(each)) for each in export_seals(operator=operator, world=world))
        elif what == "retention":
            lines = [encode_line(describe_record(each)) for each in export_records(operator=operator, world=world)]
        else:
            found = export_events(Named(**asked), operator=operator, world=world)
            lines = (encode_line(describe_event(each)) for each in found)
        with nullcontext(sys.stdout) if out is None else out.open("w", encoding="ascii") as file:
            file.writelines(lines)


def _write(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={each}" for key, each in value.items())
    return "" if value is None else str(value)


def _name_subject(event: StoredEvent, names: Mapping[UserId, str]) -> str:
    return names.get(UserId(event.subject_id), "") if isinstance(event, Event) and event.subject_id else ""


def _tell(event: StoredEvent, names: Mapping[UserId, str]) -> str:
    if not isinstance(event, Event):
        return f"{event.sequence:>8}  cannot be read"
    details = " ".join(f"{name}={value}" for name, value in event.details.items() if value)
    comment = f'"{event.comment}"' if event.comment else ""
    about = f"request {event.request_id}" if event.request_id else ""
    subject = _name_subject(event, names)
    whom = f"about {subject}" if subject and subject != event.actor else ""
    told = (event.type.value, event.actor, whom, about, details, comment)
    return f"{event.sequence:>8}  {event.at:%Y-%m-%d %H:%M:%S}  {'  '.join(each for each in told if each)}"
