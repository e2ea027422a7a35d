"""certwright users, certwright groups."""

from pathlib import Path

import click

from certwright.application.explain_access import list_names
from certwright.application.manage_people import change_member, delete_group, list_people, switch_user
from certwright.domain.counts import count_of
from certwright.wire.cli.console import Rows, show_result
from certwright.wire.cli.groups import CommandGroup
from certwright.wire.cli.load import warn_of_combined_roles
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option
from certwright.wire.cli.people_editing import (
    add_user_command,
    create_group_command,
    edit_user_command,
    export_groups_command,
    export_users_command,
    rename_group_command,
)


@click.group("users", cls=CommandGroup)
def users() -> None:
    """List, add, change and export accounts, switch them on and off."""


@users.command("list")
@data_option
@json_option
def list_users(data: Path, *, as_json: bool) -> None:
    """List all accounts."""
    with opened_installation(data) as installation:
        found, _, _ = list_people(world=installation.world)
    described = [{"account": each.nt4_name, "id": str(each.id), "sid": each.sid, "enabled": each.enabled} for each in found]
    rows = [(each.nt4_name, "" if each.enabled else "disabled", each.display_name) for each in found]
    shown = Rows(("Account", "State", "Name"), rows)
    show_result(described, shown, as_json=as_json, remark=f"{count_of(len(found), 'account')}.")


@users.command("enable")
@click.argument("account")
@data_option
@json_option
def enable(account: str, data: Path, *, as_json: bool) -> None:
    """Switch an account on."""
    _switch(account, data, enabled=True, as_json=as_json)


@users.command("disable")
@click.argument("account")
@data_option
@json_option
def disable(account: str, data: Path, *, as_json: bool) -> None:
    """Switch an account off: it signs in nowhere, and nothing is issued to it. What it has can still be revoked."""
    _switch(account, data, enabled=False, as_json=as_json)


@click.group("groups", cls=CommandGroup)
def groups() -> None:
    """List, create, rename, delete and export groups, add and remove members."""


@groups.command("list")
@data_option
@json_option
def list_groups(data: Path, *, as_json: bool) -> None:
    """List all groups with their members."""
    with opened_installation(data) as installation:
        _, found, _ = list_people(world=installation.world)
        names = list_names(world=installation.world)
    rows = [{"group": each.name, "members": sorted(names.get(sid, sid) for sid in each.members)} for each in found]
    shown = Rows(("Group", "Members"), [(each["group"], ", ".join(each["members"])) for each in rows])
    show_result(rows, shown, as_json=as_json, remark=f"{count_of(len(rows), 'group')}.")


@groups.command("add")
@click.argument("group")
@click.argument("member")
@data_option
@json_option
def add(group: str, member: str, data: Path, *, as_json: bool) -> None:
    """Put an account or a group into a group."""
    _change(group, member, data, is_member=True, as_json=as_json)


@groups.command("remove")
@click.argument("group")
@click.argument("member")
@data_option
@json_option
def remove(group: str, member: str, data: Path, *, as_json: bool) -> None:
    """Take an account or a group out of a group."""
    _change(group, member, data, is_member=False, as_json=as_json)


@groups.command("delete")
@click.argument("group")
@data_option
@json_option
def delete(group: str, data: Path, *, as_json: bool) -> None:
    """Delete GROUP; the accounts in it stay. Refused while rights, policies or other groups name it."""
    with opened_installation(data) as installation:
        deleted = delete_group(group, operator=find_operator(), world=installation.world)
    show_result({"group": deleted.name, "sid": deleted.sid}, [f"The group {deleted.name} is deleted."], as_json=as_json)


def _switch(account: str, data: Path, *, enabled: bool, as_json: bool) -> None:
    with opened_installation(data) as installation:
        changed = switch_user(account, enabled=enabled, operator=find_operator(), world=installation.world)
    show_result({"changed": changed.is_new}, ["Done." if changed.is_new else "No change."], as_json=as_json)
    warn_of_combined_roles(changed.combined_roles)


def _change(group: str, member: str, data: Path, *, is_member: bool, as_json: bool) -> None:
    with opened_installation(data) as installation:
        changed = change_member(group, member, is_member=is_member, operator=find_operator(), world=installation.world)
    show_result({"changed": changed.is_new}, ["Done." if changed.is_new else "No change."], as_json=as_json)
    warn_of_combined_roles(changed.combined_roles)


for _each in (add_user_command, edit_user_command, export_users_command):
    users.add_command(_each)
for _each in (create_group_command, rename_group_command, export_groups_command):
    groups.add_command(_each)
