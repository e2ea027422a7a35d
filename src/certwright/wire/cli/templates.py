"""certwright templates."""

import difflib
import json
from collections.abc import Sequence
from pathlib import Path

import click

from certwright.adapters.patterns import Re2Patterns
from certwright.application.explain_access import list_names
from certwright.application.load_world import list_template_faults
from certwright.application.manage_templates import get_template, list_templates, withdraw_template
from certwright.bootstrap import open_installation
from certwright.domain.errors import check_none_broken
from certwright.formats.definition_encoding import encode_template
from certwright.wire.cli.console import make_console
from certwright.wire.cli.load import read_world_file
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option

template_argument = click.argument("template")


@click.group("templates")
def command() -> None:
    """List profile templates, show them, compare their versions, look at a file before it is loaded, withdraw one.

    Files are changed with an editor and loaded with "certwright load".
    """


@command.command("list")
@data_option
@json_option
def list_them(data: Path, *, as_json: bool) -> None:
    """List the newest version of each profile template."""
    with open_installation(data) as installation:
        found = list_templates(world=installation.world)
    if as_json:
        click.echo(json.dumps([{"id": str(each.id), "name": each.name, "version": each.version} for each in found]))
        return
    for each in found:
        kinds = ", ".join(sorted(kind.name.lower().replace("_", "-") for kind in each.policies))
        make_console().print(f"{each.id}  {each.name}, version {each.version}: {kinds}")


@command.command("show")
@template_argument
@click.option("--version", type=int, help="Another version than the newest.")
@data_option
def show(template: str, version: int | None, data: Path) -> None:
    """Print TEMPLATE, named by name or GUID, as it would stand in a world file.

    \b
    Examples:
      certwright templates show "Software Certificate" --data data > software.toml
    """
    (text,) = _print_versions(template, (version,), data)
    click.echo(text, nl=False)


@command.command("diff")
@template_argument
@click.argument("before", type=int)
@click.argument("after", type=int)
@data_option
def diff(template: str, before: int, after: int, data: Path) -> None:
    """Show what changed in TEMPLATE from version BEFORE to version AFTER."""
    old, new = (text.splitlines() for text in _print_versions(template, (before, after), data))
    for line in difflib.unified_diff(old, new, f"version {before}", f"version {after}", lineterm=""):
        click.echo(line)


@command.command("validate")
@click.argument("world_file", metavar="FILE")
def validate(world_file: str) -> None:
    """Look at a world file without loading it: every fault of its templates, with line and key where there is one.

    Whether enough people can approve, and whether roles are combined, is seen when it is loaded.
    """
    world = read_world_file(world_file)
    check_none_broken(list(list_template_faults(world.templates, Re2Patterns())))
    make_console().print(f"{len(world.templates)} profile templates, nothing wrong.")


@command.command("withdraw")
@template_argument
@data_option
def withdraw(template: str, data: Path) -> None:
    """Offer TEMPLATE to nobody any more. Refused while it has open requests or live profiles; loading it brings it back."""
    with open_installation(data) as installation:
        withdrawn = withdraw_template(template, operator=find_operator(), world=installation.world)
    make_console().print(f"{withdrawn.name} is withdrawn.")


def _print_versions(template: str, versions: Sequence[int | None], data: Path) -> list[str]:
    with open_installation(data) as installation:
        names = list_names(world=installation.world)
        found = [get_template(template, each, world=installation.world) for each in versions]
    return [encode_template(each, names) for each in found]
