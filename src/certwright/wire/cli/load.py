"""certwright load."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from certwright.application.load_world import LoadedWorld, load_world
from certwright.bootstrap import Installation, open_installation
from certwright.domain.errors import RolesCombined
from certwright.formats.definitions import WorldDefinition, parse_world
from certwright.wire.cli.console import make_console
from certwright.wire.cli.definition_files import read_definition_file
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option


@click.command("load")
@click.argument("world_file", metavar="FILE")
@data_option
@json_option
def command(world_file: str, data: Path, *, as_json: bool) -> None:
    """Load people, groups, rights, certificate templates and profile templates from FILE, a TOML file.

    "demo" stands for the file that comes with Certwright, src/certwright/worlds/demo.toml in its repository; copy and change it
    for your own.

    Nothing is loaded unless all of the file is right: what is wrong is told with its place, broken rules all at once. Loading a
    file again changes nothing; a changed profile template gets a new version. The server may run meanwhile: what is loaded
    counts at once.

    \b
    Examples:
      certwright load demo --data data
      certwright load my-world.toml --data /var/lib/certwright --json
    """
    with open_installation(data) as installation:
        loaded = load_world_file(world_file, installation)
    changed = [{"name": each.name, "id": str(each.id), "version": each.version} for each in loaded.templates]
    if as_json:
        click.echo(json.dumps({"users": loaded.users, "groups": loaded.groups, "templates": changed}))
        return
    console = make_console()
    console.print(f"New or changed: {loaded.users} users, {loaded.groups} groups, {len(changed)} profile templates.")
    for each in loaded.templates:
        console.print(f"  {each.name}, version {each.version}")
    warn_of_combined_roles(loaded.combined_roles)


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
