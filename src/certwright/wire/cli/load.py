"""certwright load."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from certwright.application.load_world import LoadedWorld, load_file, load_world, preview_file
from certwright.application.world_differences import Change, Difference
from certwright.bootstrap import Installation
from certwright.domain.counts import count_of
from certwright.domain.errors import RolesCombined
from certwright.formats.definitions import WorldDefinition, parse_world
from certwright.wire.cli.console import make_console, show_waiting
from certwright.wire.cli.definition_files import read_definition_file
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option

SIGNS = {Change.ADDED: "+", Change.CHANGED: "~", Change.REMOVED: "-"}


@click.command("load")
@click.argument("world_file", metavar="FILE")
@click.option("--dry-run", is_flag=True, help="Show the difference, and change nothing.")
@click.option("--replace", "replaces", is_flag=True, help="Remove rights, and members of its groups, that FILE does not name.")
@click.option("--yes", "-y", "is_agreed", is_flag=True, help="Do not ask on a terminal; elsewhere, let --replace remove.")
@data_option
@json_option
def command(world_file: str, data: Path, *, dry_run: bool, replaces: bool, is_agreed: bool, as_json: bool) -> None:
    """Load people, groups, rights, certificate templates and profile templates from FILE, a TOML file.

    "demo" stands for the file that comes with Certwright, src/certwright/worlds/demo.toml in its repository; copy and change it
    for your own.

    What FILE names is added or changed; nothing is removed. With --replace, rights and the members of the groups in FILE become
    exactly those of FILE. Accounts, groups and templates that FILE does not name always stay, and a disabled account stays
    disabled. The difference is shown first: + is added, ~ is changed, - is removed. On a terminal you are then asked. Elsewhere
    the load goes on, but with --replace it removes nothing without --yes.

    Nothing is loaded unless all of the file is right: what is wrong is told with its place, broken rules all at once. Loading a
    file again changes nothing; a changed profile template gets a new version. The server may run meanwhile: what is loaded
    counts at once.

    \b
    Examples:
      certwright load demo --data data
      certwright load my-world.toml --data /var/lib/certwright --dry-run
      certwright load my-world.toml --data /var/lib/certwright --replace --yes --json
    """
    text, name = read_definition_file(world_file)
    with opened_installation(data) as installation:
        operator, world = find_operator(), installation.world
        with show_waiting("Comparing the file with what there is"):
            planned = preview_file(text, name, replaces=replaces, operator=operator, world=world)
        if not as_json:
            _show(planned)
        if not dry_run:
            _check_agreed(planned, is_agreed=is_agreed)
            expected = planned.differences
            with show_waiting("Loading"):
                load_file(text, name, replaces=replaces, expected=expected, operator=operator, world=world)
    if as_json:
        click.echo(json.dumps(describe_load(planned, is_loaded=not dry_run)))
        return
    console = make_console()
    parts = ((planned.users, "user"), (planned.groups, "group"), (len(planned.templates), "profile template"))
    counts = f"{', '.join(count_of(*each) for each in parts)}."
    console.print(f"Nothing was loaded. New or changed would be: {counts}" if dry_run else f"New or changed: {counts}")
    warn_of_combined_roles(planned.combined_roles)


def list_difference_lines(differences: Sequence[Difference]) -> list[str]:
    """Return a line for each difference, as people read it."""
    return [f"{SIGNS[each.change]} {each.kind} {each.name}{': ' if each.detail else ''}{each.detail}" for each in differences]


def warn_of_combined_roles(combined: Sequence[RolesCombined]) -> None:
    """Say loudly which roles people combine because the settings allow it."""
    for each in combined:
        make_console(stderr=True).print(
            f"WARNING: {each.text} The setting access.allow_combined_roles lets it pass.", style="red"
        )


def load_world_file(name: str, installation: Installation) -> LoadedWorld:
    """Load the world file *name*, or the demo's. Errors: as `parse_world` and `load_world`; OSError."""
    return load_world(read_world_file(name), name, operator=find_operator(), world=installation.world)


def read_world_file(name: str) -> WorldDefinition:
    """Return what the world file *name*, or the demo's, defines. Errors: as `parse_world`; MalformedValue; OSError."""
    return parse_world(*read_definition_file(name))


def _show(planned: LoadedWorld) -> None:
    console = make_console()
    for line in list_difference_lines(planned.differences):
        console.print(line)
    for account in planned.kept_disabled:
        console.print(f"  user {account} stays disabled; certwright users enable switches it on")


def _check_agreed(planned: LoadedWorld, *, is_agreed: bool) -> None:
    """Ask on a terminal whether it shall be so. Errors: click.Abort after a no; click.UsageError for an unasked removal."""
    if is_agreed or not planned.differences:
        return
    if sys.stdin.isatty():
        click.confirm("Load this?", abort=True, err=True)
    elif any(each.change is Change.REMOVED for each in planned.differences):
        raise click.UsageError("--replace would remove what --dry-run shows with a minus: give --yes to let it.")


def describe_load(planned: LoadedWorld, *, is_loaded: bool) -> dict[str, object]:
    """Return what a file said and what it changes, for programs."""
    return {
        "loaded": is_loaded,
        "users": planned.users,
        "groups": planned.groups,
        "templates": [{"name": each.name, "id": str(each.id), "version": each.version} for each in planned.templates],
        "differences": [asdict(each) for each in planned.differences],
        "kept_disabled": list(planned.kept_disabled),
    }
