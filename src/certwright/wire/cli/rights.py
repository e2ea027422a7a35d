"""certwright rights."""

from pathlib import Path

import click

from certwright.application.explain_access import list_names
from certwright.application.manage_people import grant_right, list_people, revoke_right
from certwright.domain.counts import count_of
from certwright.domain.grants import ObjectKind, Right
from certwright.domain.identities import EVERYONE, Sid
from certwright.wire.cli.console import Rows, show_result
from certwright.wire.cli.groups import CommandGroup, NamedChoice
from certwright.wire.cli.load import warn_of_combined_roles
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option
from certwright.wire.cli.people_editing import export_rights_command

right_argument = click.argument("right", metavar="RIGHT", type=NamedChoice([each.value for each in Right]))
kind_argument = click.argument("kind", metavar="KIND", type=NamedChoice([each.value for each in ObjectKind]))
on_option = click.option("--on", "place", default="", help="Which one: a name, a GUID, an account; nothing for the service.")
to_option = click.option("--to", "trustee", required=True, help="An account, a group, or everyone.")
from_option = click.option("--from", "trustee", required=True, help="An account, a group, or everyone.")


@click.group("rights", cls=CommandGroup)
def command() -> None:
    """Give rights, take them away, list and export them."""


command.add_command(export_rights_command)


@command.command("list")
@data_option
@json_option
def list_them(data: Path, *, as_json: bool) -> None:
    """List every right: what it is, on what, whose. The people of a policy are shown by "certwright templates show"."""
    with opened_installation(data) as installation:
        _, _, grants = list_people(world=installation.world)
        names = list_names(world=installation.world) | {EVERYONE: "everyone"}
    rows = [
        {
            "right": each.right.value,
            "kind": each.object_kind.value,
            "on": names.get(Sid(each.object_name), each.object_name),
            "trustee": names.get(each.trustee, each.trustee),
        }
        for each in grants
    ]
    ordered = sorted(rows, key=lambda each: (each["kind"], each["on"], each["right"], each["trustee"]))
    cells = [(each["right"], each["kind"], each["on"], each["trustee"]) for each in ordered]
    show_result(rows, Rows(("Right", "Kind", "On", "Of"), cells), as_json=as_json, remark=f"{count_of(len(rows), 'right')}.")


@command.command("grant")
@right_argument
@kind_argument
@on_option
@to_option
@data_option
@json_option
def grant(right: str, kind: str, place: str, trustee: str, data: Path, *, as_json: bool) -> None:
    """Give the right RIGHT on an object of KIND; it counts at once, also for a running server.

    RIGHT on KIND is one of: administer, audit, operate-ca on service; read, enroll on profile-template; enroll on
    certificate-template; enrollment-agent, request-enroll, request-renew, request-recover, request-revoke, request-unblock on
    principal, which is an account or a group.

    \b
    Examples:
      certwright rights grant request-revoke principal --on Subscribers --to "Help Desk" --data data
      certwright rights grant audit service --to Auditors --data data
    """
    with opened_installation(data) as installation:
        changed = grant_right(
            Right(right), ObjectKind(kind), place, trustee, operator=find_operator(), world=installation.world
        )
    told = "The right is given." if changed.is_new else "The right was given before."
    show_result({"changed": changed.is_new}, [told], as_json=as_json)
    warn_of_combined_roles(changed.combined_roles)


@command.command("revoke")
@right_argument
@kind_argument
@on_option
@from_option
@data_option
@json_option
def revoke(right: str, kind: str, place: str, trustee: str, data: Path, *, as_json: bool) -> None:
    """Take the right RIGHT on an object of KIND away; it counts at once, also for a running server."""
    with opened_installation(data) as installation:
        changed = revoke_right(
            Right(right), ObjectKind(kind), place, trustee, operator=find_operator(), world=installation.world
        )
    told = "The right is taken away." if changed.is_new else "There was no such right."
    show_result({"changed": changed.is_new}, [told], as_json=as_json)
    warn_of_combined_roles(changed.combined_roles)
