"""certwright requests."""

from pathlib import Path
from uuid import UUID

import click

from certwright.application.approve_request import approve_request, deny_request
from certwright.application.list_all_requests import list_all_requests
from certwright.application.one_time_passwords import distribute_passwords
from certwright.application.request_parties import SeenRequest
from certwright.application.trace_request import trace_request
from certwright.bootstrap import Installation
from certwright.domain.counts import count_of
from certwright.domain.requests import RequestId, RequestStatus
from certwright.wire.cli.console import Rows, show_result, tell_moment
from certwright.wire.cli.groups import CommandGroup, NamedChoice
from certwright.wire.cli.names import list_people_names, list_template_names
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option, password_file_option, read_password
from certwright.wire.cli.phrases import tell_approvals
from certwright.wire.cli.request_story import describe_request, describe_story, list_story_lines
from certwright.wire.cli.signing_in import sign_in

user_option = click.option("--user", required=True, help="The approver, whose password is asked for.")
comment_option = click.option("--comment", default="", help="Goes into the history.")


@click.group("requests", cls=CommandGroup)
def command() -> None:
    """List requests, tell the story of one, approve or deny it, hand out its one-time passwords."""


@command.command("list")
@click.option("--status", type=NamedChoice([each.name.lower() for each in RequestStatus]), help="Only those.")
@data_option
@json_option
def list_them(status: str | None, data: Path, *, as_json: bool) -> None:
    """List everybody's requests, newest first.

    \b
    Examples:
      certwright requests list --status pending --data data
    """
    statuses = frozenset({RequestStatus[status.upper()]}) if status else None
    with opened_installation(data) as installation:
        found = tuple(list_all_requests(world=installation.world, statuses=statuses))
        names = list_people_names(installation)
        templates = list_template_names(installation)
    described = [describe_request(each, names) | {"template": templates.get(each.template_id, "")} for each in found]
    rows = [
        (each["id"], tell_moment(each["submitted"]), each["status"], each["operation"], each["target"], each["template"])
        for each in described
    ]
    shown = Rows(("Request", "Submitted", "Status", "Operation", "For", "Profile template"), rows)
    show_result(described, shown, as_json=as_json, remark=f"{count_of(len(found), 'request')}.")


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
    with opened_installation(data) as installation:
        traced = trace_request(RequestId(request_id), operator=find_operator(), world=installation.world)
        names = list_people_names(installation)
    story = describe_story(traced, names)
    show_result(story, list_story_lines(story), as_json=as_json)


@command.command("approve")
@click.argument("request_id", type=click.UUID)
@user_option
@comment_option
@data_option
@password_file_option
@json_option
def approve(request_id: UUID, user: str, comment: str, data: Path, password_file: Path | None, *, as_json: bool) -> None:
    """Approve a request in the name of the user, who proves with his password that he does."""
    password = read_password(password_file, f"Password of {user}")
    with opened_installation(data) as installation:
        by = sign_in(user, password, installation)
        seen = approve_request(RequestId(request_id), by=by, world=installation.world, comment=comment)
        _show_judged(seen, installation, as_json=as_json)


@command.command("deny")
@click.argument("request_id", type=click.UUID)
@user_option
@comment_option
@data_option
@password_file_option
@json_option
def deny(request_id: UUID, user: str, comment: str, data: Path, password_file: Path | None, *, as_json: bool) -> None:
    """Deny a request for good, in the name of the user, who proves with his password that he does."""
    password = read_password(password_file, f"Password of {user}")
    with opened_installation(data) as installation:
        by = sign_in(user, password, installation)
        seen = deny_request(RequestId(request_id), by=by, world=installation.world, comment=comment)
        _show_judged(seen, installation, as_json=as_json)


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
    with opened_installation(data) as installation:
        by = sign_in(user, password, installation)
        handed_out = distribute_passwords(RequestId(request_id), by=by, world=installation.world)
    mailed = len(handed_out.distributions) - len(handed_out.shown)
    show_result(
        {"shown": list(handed_out.shown), "expires": handed_out.expires.isoformat()},
        handed_out.shown,
        as_json=as_json,
        remark=f"Shown: {len(handed_out.shown)}. By mail: {mailed}. Valid until {handed_out.expires:%Y-%m-%d %H:%M} UTC.",
    )


def _show_judged(seen: SeenRequest, installation: Installation, *, as_json: bool) -> None:
    """Show what became of a request, with how many approvals it has of those that it takes."""
    with installation.world.store.reading() as session:
        given = len(session.requests.list_approvals(seen.request.id))
    status, needed = seen.request.status.name.lower(), seen.approvals_needed
    described = {"id": str(seen.request.id), "status": status, "approvals": given, "approvals_needed": needed}
    counted = f": {tell_approvals(given, needed)}" if needed and status != "denied" else ""
    show_result(described, [f"The request is {status}{counted}."], as_json=as_json)
