"""Add, change and export accounts, groups and rights: certwright users, groups, rights, export."""

import tomllib
from pathlib import Path
from uuid import UUID

import click

from certwright.application.edit_people import add_group, add_user, edit_user, rename_group
from certwright.application.export_world import Part, export_groups, export_users, export_world
from certwright.application.load_world import LoadedWorld
from certwright.wire.cli.console import show_result
from certwright.wire.cli.load import describe_load, list_difference_lines, warn_of_combined_roles
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option

principal_name_option = click.option("--principal-name", help="name@domain, the other name to sign in with.")
display_name_option = click.option("--display-name", help="What people call the account.")
distinguished_name_option = click.option(
    "--distinguished-name", help="The subject of certificates, such as CN=Name,DC=example,DC=com."
)
email_option = click.option("--email", help="Where mail goes.")
id_option = click.option("--id", "identifier", type=click.UUID, help="The GUID of a directory; a new one by default.")
sid_option = click.option("--sid", help="The SID of a Windows domain, which certificates carry; by default one of none.")


@click.command("add")
@click.argument("account")
@principal_name_option
@display_name_option
@distinguished_name_option
@email_option
@id_option
@sid_option
@data_option
@json_option
def add_user_command(account: str, data: Path, identifier: UUID | None, *, as_json: bool, **values: str | None) -> None:
    """Add ACCOUNT, as DOMAIN\\account, or without the domain where all accounts have the same.

    It has no password yet: certwright password sets one. GUID and SID are made; give --sid for an account of a Windows domain,
    whose domain controllers look for it in certificates for logon.

    \b
    Examples:
      certwright users add alice --principal-name alice@example.com --display-name "Alice Example" \\
          --distinguished-name "CN=Alice Example,DC=example,DC=com" --email alice@example.com --data data
      certwright password alice --data data
    """
    with opened_installation(data) as installation:
        given = _list_given(**values, id=identifier)
        changed = add_user(account, given, operator=find_operator(), world=installation.world)
    _show_changes(changed, as_json=as_json)


@click.command("edit")
@click.argument("account")
@principal_name_option
@display_name_option
@distinguished_name_option
@email_option
@click.option("--sid", help="The SID of a Windows domain, which certificates carry.")
@data_option
@json_option
def edit_user_command(account: str, data: Path, *, as_json: bool, **values: str | None) -> None:
    """Change names of ACCOUNT; what is left out stays. Certificates that it has keep the names that they were issued with.

    \b
    Examples:
      certwright users edit alice --email alice@example.org --data data
    """
    with opened_installation(data) as installation:
        changed = edit_user(account, _list_given(**values), operator=find_operator(), world=installation.world)
    _show_changes(changed, as_json=as_json)


@click.command("export")
@click.argument("accounts", nargs=-1)
@data_option
@json_option
def export_users_command(accounts: tuple[str, ...], data: Path, *, as_json: bool) -> None:
    """Print ACCOUNTS, or all, as a world file, which can be changed and loaded.

    \b
    Examples:
      certwright users export --data data > users.toml
    """
    with opened_installation(data) as installation:
        text = export_users(accounts, world=installation.world)
    _show_definitions(text, as_json=as_json)


@click.command("create")
@click.argument("group")
@click.option("--member", "members", multiple=True, help="An account or group in it; repeatable.")
@id_option
@sid_option
@data_option
@json_option
def create_group_command(
    group: str, members: tuple[str, ...], identifier: UUID | None, sid: str | None, data: Path, *, as_json: bool
) -> None:
    """Create GROUP; certwright groups add puts further members into it.

    \b
    Examples:
      certwright groups create Developers --member alice --data data
    """
    with opened_installation(data) as installation:
        given = {"members": members, **_list_given(id=identifier, sid=sid)}
        changed = add_group(group, given, operator=find_operator(), world=installation.world)
    _show_changes(changed, as_json=as_json)


@click.command("rename")
@click.argument("group")
@click.argument("name")
@data_option
@json_option
def rename_group_command(group: str, name: str, data: Path, *, as_json: bool) -> None:
    """Call GROUP by another NAME; its members and rights stay."""
    with opened_installation(data) as installation:
        changed = rename_group(group, name, operator=find_operator(), world=installation.world)
    _show_changes(changed, as_json=as_json)


@click.command("export")
@click.argument("groups", nargs=-1)
@data_option
@json_option
def export_groups_command(groups: tuple[str, ...], data: Path, *, as_json: bool) -> None:
    """Print GROUPS with their members, or all, as a world file, which can be changed and loaded.

    \b
    Examples:
      certwright groups export Subscribers --data data > subscribers.toml
    """
    with opened_installation(data) as installation:
        text = export_groups(groups, world=installation.world)
    _show_definitions(text, as_json=as_json)


@click.command("export")
@data_option
@json_option
def export_rights_command(data: Path, *, as_json: bool) -> None:
    """Print every right as a world file, which can be changed and loaded; load --replace also takes away what it leaves out.

    \b
    Examples:
      certwright rights export --data data > rights.toml
    """
    with opened_installation(data) as installation:
        text = export_world(Part.RIGHTS, world=installation.world)
    _show_definitions(text, as_json=as_json)


@click.command("export")
@data_option
@json_option
def command(data: Path, *, as_json: bool) -> None:
    """Print people, groups, rights, certificate templates and profile templates as a world file, which certwright load reads.

    Loaded again, it changes nothing. Passwords, keys and certificates are not in it, nor is what was withdrawn.

    \b
    Examples:
      certwright export --data data > world.toml
    """
    with opened_installation(data) as installation:
        text = export_world(world=installation.world)
    _show_definitions(text, as_json=as_json)


def _list_given(**values: str | UUID | None) -> dict[str, object]:
    return {name: str(value) for name, value in values.items() if value is not None}


def _show_definitions(text: str, *, as_json: bool) -> None:
    """Print the world file as it is, or what it says as JSON."""
    if as_json:
        show_result(tomllib.loads(text), (), as_json=True)
    else:
        click.echo(text, nl=False)


def _show_changes(changed: LoadedWorld, *, as_json: bool) -> None:
    lines = list_difference_lines(changed.differences)
    show_result(describe_load(changed, is_loaded=True), lines or ["No change."], as_json=as_json)
    warn_of_combined_roles(changed.combined_roles)
