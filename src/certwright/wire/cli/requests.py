"""certwright requests."""

import json
from pathlib import Path
from uuid import UUID

import click

from certwright.application.approve_request import approve_request, deny_request
from certwright.application.list_all_requests import list_all_requests
from certwright.application.one_time_passwords import distribute_passwords
from certwright.application.trace_request import trace_request
from certwright.bootstrap import Installation, open_installation
from certwright.domain.identities import UserId
from certwright.domain.program import THE_PROGRAM
from certwright.domain.requests import RequestId, RequestStatus
from certwright.wire.cli.console import make_console
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option, password_file_option, read_password
from certwright.wire.cli.request_story import describe_request, describe_story, list_story_lines
from certwright.wire.cli.signing_in import sign_in

user_option = click.option("--user", required=True, help="The approver, whose password is asked for.")
comment_option = click.option("--comment", default="", help="Goes into the history.")


@click.group("requests")
def command() -> None:
    """List requests, tell the story of one, approve or deny it, hand out its one-time passwords."""


@command.command("list")
@click.option("--status", type=click.Choice([each.name.lower() for each in RequestStatus]), help="Only those.")
@data_option
@json_option
def list_them(status: str | None, data: Path, *, as_json: bool) -> None:
    """List everybody's requests, newest first.

    \b
    Examples:
      certwright requests list --status pending --data data
    """
    statuses = frozenset({RequestStatus[status.upper()]}) if status else None
    with open_installation(data) as installation:
        found = list_all_requests(world=installation.world, statuses=statuses)
        names = _name_people(installation)
    if as_json:
        click.echo(json.dumps([describe_request(each, names) for each in found]))
        return
    console = make_console()
    for each in found:
        who = names.get(each.target_id, str(each.target_id))
        console.print(f"{each.id}  {each.submitted:%Y-%m-%d %H:%M}  {each.status.name.lower():10}{each.operation:16}{who}")
    make_console(stderr=True).print(f"{len(found)} requests.")


@command.command("show")
@click.argument("request_id", type=click.UUID)
@data_option
@json_option
def show(request_id: UUID, data: Path, *, as_json: bool) -> None:
    """Show the whole story of a request: who asked whom for what and when, the answers, approvals, one-time passwords,
    certificates with their status, notifications, and everything that happened, in order. Times are UTC. Answers to sensitive
    questions and the passwords themselves are not shown. That you read it is an event, too.

    \b
    Examples:
      certwright requests show 8d1f0c56-6a4c-4f5e-9f57-0c6a3b6d27c2 --data data
      certwright requests show 8d1f0c56-6a4c-4f5e-9f57-0c6a3b6d27c2 --data data --json
    """
    with open_installation(data) as installation:
        traced = trace_request(RequestId(request_id), operator=find_operator(), world=installation.world)
        names = _name_people(installation)
    story = describe_story(traced, names)
    if as_json:
        click.echo(json.dumps(story))
        return
    console = make_console()
    for line in list_story_lines(story):
        console.print(line)


@command.command("approve")
@click.argument("request_id", type=click.UUID)
@user_option
@comment_option
@data_option
@password_file_option
def approve(request_id: UUID, user: str, comment: str, data: Path, password_file: Path | None) -> None:
    """Approve a request in the name of the user, who proves with his password that he does."""
    password = read_password(password_file, f"Password of {user}")
    with open_installation(data) as installation:
        by = sign_in(user, password, installation)
        seen = approve_request(RequestId(request_id), by=by, world=installation.world, comment=comment)
    make_console().print(f"The request is {seen.request.status.name.lower()}.")


@command.command("deny")
@click.argument("request_id", type=click.UUID)
@user_option
@comment_option
@data_option
@password_file_option
def deny(request_id: UUID, user: str, comment: str, data: Path, password_file: Path | None) -> None:
    """Deny a request for good, in the name of the user, who proves with his password that he does."""
    password = read_password(password_file, f"Password of {user}")
    with open_installation(data) as installation:
        by = sign_in(user, password, installation)
        seen = deny_request(RequestId(request_id), by=by, world=installation.world, comment=comment)
    make_console().print(f"The request is {seen.request.status.name.lower()}.")


@command.command("distribute")
@click.argument("request_id", type=click.UUID)
@click.option("--user", required=True, help="An approver or the initiator, whose password is asked for.")
@data_option
@password_file_option
@json_option
def distribute(request_id: UUID, user: str, data: Path, password_file: Path | None, *, as_json: bool) -> None:
    """Make the one-time passwords of a request, mail those that are to be mailed, and show those for the screen, this once.

    Passwords that were handed out before are void. The subject of the request cannot do it.

    \b
    Examples:
      certwright requests distribute 8d1f...c2 --user manager --data data
    """
    password = read_password(password_file, f"Password of {user}")
    with open_installation(data) as installation:
        by = sign_in(user, password, installation)
        handed_out = distribute_passwords(RequestId(request_id), by=by, world=installation.world)
    if as_json:
        click.echo(json.dumps({"shown": list(handed_out.shown), "expires": handed_out.expires.isoformat()}))
        return
    console = make_console()
    for each in handed_out.shown:
        console.print(each)
    mailed = len(handed_out.distributions) - len(handed_out.shown)
    make_console(stderr=True).print(
        f"Shown: {len(handed_out.shown)}. By mail: {mailed}. Valid until {handed_out.expires:%Y-%m-%d %H:%M} UTC."
    )


def _name_people(installation: Installation) -> dict[UserId, str]:
    with installation.world.store.reading() as session:
        users = (*session.directory.list_users(), THE_PROGRAM.user)
        return {each.id: each.nt4_name for each in users}
