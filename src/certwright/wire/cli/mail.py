"""certwright mail."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import click

from certwright.application.preview_mail import Preview, preview_of_policy, preview_of_request
from certwright.domain.notifications import NotificationType
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId
from certwright.wire.cli.console import show_result
from certwright.wire.cli.groups import CommandGroup, NamedChoice
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.options import data_option, json_option

KINDS = {each.name.lower().replace("_", "-"): each for each in RequestType}
PARTS = ("text", "html")


@click.group("mail", cls=CommandGroup)
def command() -> None:
    """Look at the mails that policies send."""


@command.command("preview")
@click.argument("notification", type=NamedChoice([each.value for each in NotificationType]), metavar="NOTIFICATION")
@click.option("--template", help="The profile template, by name or GUID; with --policy.")
@click.option("--policy", type=NamedChoice(list(KINDS)), metavar="KIND", help="Its policy, such as enroll.")
@click.option("--request", "request_id", type=click.UUID, help="A request, instead of sample facts.")
@click.option("--part", type=NamedChoice(PARTS), help="Only this part, as it will be sent: for a browser, or a file.")
@data_option
@json_option
def preview(
    *,
    notification: str,
    template: str | None,
    policy: str | None,
    request_id: UUID | None,
    part: str | None,
    data: Path,
    as_json: bool,
) -> None:
    """Show the mails of a policy about NOTIFICATION, subject, text and HTML, without sending them.

    NOTIFICATION is what a rule in a world file has as its type: create-request, approve-request, deny-request,
    cancel-request, mark-request-as-failed, distribute-secrets, install-certificate, download-pfx, create-profile,
    create-smartcard, disable-profile, disable-smartcard, certificate-ends, complete-request. No secret is shown: a sample
    stands in its place.

    \b
    Examples:
      certwright mail preview create-request --template "Software Certificate" --policy enroll --data data
      certwright mail preview create-request --request 8c4e...b1 --part html --data data > mail.html
    """
    wanted = NotificationType(notification)
    if (request_id is None) != (template is not None and policy is not None) or (request_id is not None and template):
        raise click.UsageError("Name a --request, or a --template and its --policy.")
    with opened_installation(data) as installation:
        if request_id is not None:
            found = preview_of_request(RequestId(request_id), wanted, world=installation.world)
        else:
            found = preview_of_policy(template or "", KINDS[policy or ""], wanted, world=installation.world)
    if part is not None and not as_json:
        for each in found:
            click.echo(_describe(each)[part])
        return
    show_result([_describe(each) for each in found], _list_lines(found), as_json=as_json)


def _list_lines(found: tuple[Preview, ...]) -> Iterator[str]:
    for rule, mail in found:
        to = ", ".join(rule.to) or "nobody: the policy has no such rule"
        yield from (f"To:      {to}", f"Subject: {mail.subject}", "", mail.text, "", mail.html)


def _describe(found: Preview) -> dict[str, object]:
    rule, mail = found
    is_built_in = rule.template is None
    return {"to": list(rule.to), "built_in": is_built_in, "subject": mail.subject, "text": mail.text, "html": mail.html}
