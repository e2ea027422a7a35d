"""certwright templates."""

import difflib
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click

from certwright.adapters.patterns import Re2Patterns
from certwright.application.import_templates import ImportedTemplates, import_templates, preview_changes
from certwright.application.manage_templates import (
    export_templates,
    export_version,
    list_templates,
    see_template,
    withdraw_template,
)
from certwright.application.stored_templates import list_template_faults
from certwright.domain.counts import count_of
from certwright.domain.errors import check_none_broken
from certwright.domain.identities import Sid
from certwright.formats.definition_identities import NothingKnown
from certwright.formats.definitions import is_world, parse_templates, parse_world
from certwright.wire.cli.console import Rows, show_result
from certwright.wire.cli.definition_files import read_definition_file
from certwright.wire.cli.groups import CommandGroup
from certwright.wire.cli.load import warn_of_combined_roles
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option
from certwright.wire.cli.template_lines import list_template_lines

template_argument = click.argument("template")
version_option = click.option("--version", type=int, help="Another version than the newest.")


@click.group("templates", cls=CommandGroup)
def command() -> None:
    """List and show profile templates, export them to a file, look at it after it was changed, import it, withdraw one.

    Files are TOML; docs/reference/templates.schema.json is their schema. A world file, for "certwright load", has people, too.
    """


@command.command("list")
@data_option
@json_option
def list_them(data: Path, *, as_json: bool) -> None:
    """List the newest version of each profile template."""
    with opened_installation(data) as installation:
        found = list_templates(world=installation.world)
    described = [{"id": str(each.id), "name": each.name, "version": each.version} for each in found]
    rows = [
        (each.id, each.name, each.version, ", ".join(sorted(kind.name.lower().replace("_", "-") for kind in each.policies)))
        for each in found
    ]
    shown = Rows(("Profile template", "Name", "Version", "Policies"), rows)
    show_result(described, shown, as_json=as_json, remark=f"{count_of(len(found), 'profile template')}.")


@command.command("show")
@template_argument
@version_option
@data_option
@json_option
def show(template: str, version: int | None, data: Path, *, as_json: bool) -> None:
    """Tell what TEMPLATE, named by name or GUID, issues, who gets it, and who starts, approves and executes what."""
    with opened_installation(data) as installation:
        seen = see_template(template, version, world=installation.world)
        definition = export_version(template, seen.template.version, explained=False, world=installation.world)
    lines = list(list_template_lines(seen))
    described = {
        "id": str(seen.template.id),
        "name": seen.template.name,
        "version": seen.template.version,
        "versions": seen.versions,
        "text": lines,
        "definition": tomllib.loads(definition),
    }
    show_result(described, lines, as_json=as_json)


@command.command("export")
@click.argument("templates", nargs=-1)
@version_option
@data_option
@json_option
def export(templates: tuple[str, ...], version: int | None, data: Path, *, as_json: bool) -> None:
    """Print TEMPLATES, named by name or GUID, or all of them, as a file that can be changed and imported.

    Each key has a comment that says what it means. Rights on the templates are in the file; those of an older version are not
    kept, and not in it.

    \b
    Examples:
      certwright templates export "Software Certificate" --data data > software.toml
      certwright templates export --data data > all.toml
    """
    if version is not None and len(templates) != 1:
        raise click.UsageError("--version is for one template.")
    with opened_installation(data) as installation:
        if version is None:
            text = export_templates(templates, world=installation.world)
        else:
            text = export_version(templates[0], version, world=installation.world)
    if as_json:
        show_result({"toml": text}, [], as_json=True)
        return
    click.echo(text, nl=False)


@command.command("import")
@click.argument("file")
@data_option
@json_option
def import_them(file: str, data: Path, *, as_json: bool) -> None:
    """Import the templates of FILE: those that differ from what there is get a new version, which counts at once.

    Whom it names is looked up in the directory of the installation. Rights on a template become those of the file where it
    states some; all others, and people, stay as they are. Nothing is imported unless all of the file is right.

    \b
    Examples:
      certwright templates import software.toml --data data
    """
    text, name = read_definition_file(file)
    with opened_installation(data) as installation:
        imported = import_templates(text, name, operator=find_operator(), world=installation.world)
    show_imported(imported, as_json=as_json)


@command.command("validate")
@click.argument("file")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Look at it as this installation would.")
@json_option
def validate(file: str, data: Path | None, *, as_json: bool) -> None:
    """Look at FILE, of templates or a world file, without importing or loading it: every fault, with line and key.

    With --data all is found that importing or loading it there would refuse. Without, nobody looks up who is named in a file of
    templates, nor whether enough people can approve and whether roles are combined.
    """
    text, name = read_definition_file(file)
    world = parse_world(text, name) if is_world(text) else parse_templates(text, name, NothingKnown(Sid))
    check_none_broken(world.source.place(list_template_faults(world.templates, Re2Patterns())))
    if data is not None:
        with opened_installation(data) as installation:
            preview_changes(text, name, operator=find_operator(), world=installation.world)
    told = f"{count_of(len(world.templates), 'profile template')}, nothing wrong."
    show_result({"templates": [each.name for each in world.templates]}, [told], as_json=as_json)


@command.command("diff")
@click.argument("what", metavar="FILE|TEMPLATE")
@click.argument("before", type=int, required=False)
@click.argument("after", type=int, required=False)
@data_option
@json_option
def diff(what: str, before: int | None, after: int | None, data: Path, *, as_json: bool) -> None:
    """Show what importing FILE, or loading it when it is a world file, would change; or what changed in TEMPLATE from version
    BEFORE to version AFTER.

    \b
    Examples:
      certwright templates diff software.toml --data data
      certwright templates diff "Software Certificate" 1 2 --data data
    """
    if (before is None) != (after is None):
        raise click.UsageError("Two versions are compared.")
    with opened_installation(data) as installation:
        world = installation.world
        if before is None or after is None:
            changes = preview_changes(*read_definition_file(what), operator=find_operator(), world=world)
            lines = [
                line for each in changes for line in _compare(each.before, each.after, each.name, f"{each.name} in {what}")
            ]
        else:
            old, new = (export_version(what, each, explained=False, world=world) for each in (before, after))
            lines = list(_compare(old, new, f"version {before}", f"version {after}"))
    show_result({"lines": lines}, lines, as_json=as_json)


@command.command("withdraw")
@template_argument
@data_option
@json_option
def withdraw(template: str, data: Path, *, as_json: bool) -> None:
    """Offer TEMPLATE to nobody any more. Refused while it has open requests or live profiles; importing it brings it back."""
    with opened_installation(data) as installation:
        withdrawn = withdraw_template(template, operator=find_operator(), world=installation.world)
    described = {"id": str(withdrawn.id), "name": withdrawn.name}
    show_result(described, [f"{withdrawn.name} is withdrawn."], as_json=as_json)


def show_imported(imported: ImportedTemplates, *, as_json: bool) -> None:
    """Show which profile templates have new versions."""
    changed = [{"name": each.name, "id": str(each.id), "version": each.version} for each in imported.templates]
    lines = [f"New or changed: {count_of(len(changed), 'profile template')}."]
    lines += [f"  {each.name}, version {each.version}" for each in imported.templates]
    show_result({"templates": changed}, lines, as_json=as_json)
    warn_of_combined_roles(imported.combined_roles)


def _compare(before: str, after: str, old_name: str, new_name: str) -> Iterator[str]:
    return difflib.unified_diff(before.splitlines(), after.splitlines(), old_name, new_name, lineterm="")
