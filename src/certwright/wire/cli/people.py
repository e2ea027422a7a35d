"""certwright users, certwright groups."""

import json
from pathlib import Path

import click

from certwright.application.explain_access import list_names
from certwright.application.manage_people import change_member, list_people, switch_user
from certwright.bootstrap import open_installation
from certwright.wire.cli.console import make_console
from certwright.wire.cli.groups import CommandGroup
from certwright.wire.cli.load import warn_of_combined_roles
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option


@click.group("users", cls=CommandGroup)
def users() -> None:
    """List accounts, switch them on and off."""


@users.command("list")
@data_option
@json_option
def list_users(data: Path, *, as_json: bool) -> None:
    """List all accounts."""
    with open_installation(data) as installation:
        found, _, _ = list_people(world=installation.world)
    if as_json:
        rows = [{"account": each.nt4_name, "id": str(each.id), "sid": each.sid, "enabled": each.enabled} for each in found]
        click.echo(json.dumps(rows))
        return
    for each in found:
        make_console().print(f"{each.nt4_name:30}{'' if each.enabled else 'disabled':10}{each.display_name}")


@users.command("enable")
@click.argument("account")
@data_option
def enable(account: str, data: Path) -> None:
    """Switch an account on."""
    _switch(account, data, enabled=True)


@users.command("disable")
@click.argument("account")
@data_option
def disable(account: str, data: Path) -> None:
    """Switch an account off: it signs in nowhere, and nothing is issued to it. What it has can still be revoked."""
    _switch(account, data, enabled=False)


@click.group("groups", cls=CommandGroup)
def groups() -> None:
    """List groups, add and remove members."""


@groups.command("list")
@data_option
@json_option
def list_groups(data: Path, *, as_json: bool) -> None:
    """List all groups with their members."""
    with open_installation(data) as installation:
        _, found, _ = list_people(world=installation.world)
        names = list_names(world=installation.world)
    rows = [{"group": each.name, "members": sorted(names.get(sid, sid) for sid in each.members)} for each in found]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for each in found:
        members = ", ".join(sorted(names.get(sid, sid) for sid in each.members))
        make_console().print(f"{each.name:20}{members}")


@groups.command("add")
@click.argument("group")
@click.argument("member")
@data_option
def add(group: str, member: str, data: Path) -> None:
    """Put an account or a group into a group."""
    _change(group, member, data, is_member=True)


@groups.command("remove")
@click.argument("group")
@click.argument("member")
@data_option
def remove(group: str, member: str, data: Path) -> None:
    """Take an account or a group out of a group."""
    _change(group, member, data, is_member=False)


def _switch(account: str, data: Path, *, enabled: bool) -> None:
    with open_installation(data) as installation:
        changed = switch_user(account, enabled=enabled, operator=find_operator(), world=installation.world)
    make_console().print("Done." if changed.is_new else "It was so before.")
    warn_of_combined_roles(changed.combined_roles)


def _change(group: str, member: str, data: Path, *, is_member: bool) -> None:
    with open_installation(data) as installation:
        changed = change_member(group, member, is_member=is_member, operator=find_operator(), world=installation.world)
    make_console().print("Done." if changed.is_new else "It was so before.")
    warn_of_combined_roles(changed.combined_roles)
