"""certwright access."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import click

from certwright.application.explain_access import explain_request, explain_start, list_names
from certwright.domain.access import Decision, Finding
from certwright.domain.identities import EVERYONE, Sid
from certwright.domain.requests import RequestId
from certwright.domain.workflows import Operation
from certwright.wire.cli.console import show_result
from certwright.wire.cli.groups import CommandGroup, NamedChoice
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.options import data_option, json_option

OPERATIONS = NamedChoice([each.value for each in Operation], case_sensitive=False)


@click.group("access", cls=CommandGroup)
def command() -> None:
    """Explain who may do what, and why."""


@command.command("explain")
@click.option("--user", required=True, help="Whose access is asked about: account, DOMAIN\\account or name@domain.")
@click.option("--request", "request_id", type=click.UUID, help="The request; every permission on it is explained.")
@click.option("--template", help="A profile template, by name or GUID; with --type and --target.")
@click.option(
    "--type",
    "operation",
    type=OPERATIONS,
    metavar="OPERATION",
    help="What is to be started.",
)
@click.option("--target", help="Whom it is for; without it, the user himself.")
@data_option
@json_option
def explain(
    *,
    user: str,
    request_id: UUID | None,
    template: str | None,
    operation: str | None,
    target: str | None,
    data: Path,
    as_json: bool,
) -> None:
    """Say, right by right and object by object, why the user may or may not.

    The answer comes from the function that the server asks, and holds for this moment. Exit status: 0 also for a no.

    \b
    Examples:
      certwright access explain --user helpdesk --template "Software Certificate" --type disable --target subscriber --data data
      certwright access explain --user approver --request 2f8a... --data data
    """
    if (request_id is None) == (template is None or operation is None):
        raise click.UsageError("Name either a request, or a template and a type.")
    with opened_installation(data) as installation:
        world = installation.world
        names = list_names(world=world) | {EVERYONE: "everyone"}
        if request_id is not None:
            decisions: Sequence[Decision] = explain_request(user, RequestId(request_id), world=world)
        elif template is not None and operation is not None:
            decisions = [explain_start(user, template, Operation(operation), target or user, world=world)]
        else:
            decisions = []
    described = [_describe(each, names) for each in decisions]
    show_result(described, _list_lines(user, decisions, names), as_json=as_json)


def _list_lines(user: str, decisions: Sequence[Decision], names: dict[Sid, str]) -> Iterator[str]:
    for decision in decisions:
        yield f"{user} may{'' if decision.is_allowed else ' NOT'} {decision.act}:"
        yield f"  {'all' if decision.needs_all else 'any one'} of these, and no refusal, is needed"
        yield from (f"  {_draw(each, names)}" for each in decision.findings)


def _draw(finding: Finding, names: dict[Sid, str]) -> str:
    mark = "yes" if finding.holds else "NO "
    through = f" (through {', '.join(_name_all(finding, names))})" if finding.through else ""
    why = "" if finding.holds else f": {finding.missing}"
    return f"{mark}  {finding.place}: {finding.sought}{through}{why}"


def _describe(decision: Decision, names: dict[Sid, str]) -> dict[str, object]:
    return {
        "act": decision.act,
        "allowed": decision.is_allowed,
        "needs": "all" if decision.needs_all else "any",
        "findings": [
            {
                "holds": each.holds,
                "place": each.place,
                "sought": each.sought,
                "through": _name_all(each, names),
                "missing": None if each.holds else each.missing,
            }
            for each in decision.findings
        ],
    }


def _name_all(finding: Finding, names: dict[Sid, str]) -> list[str]:
    return sorted(names.get(each, each) for each in finding.through)
