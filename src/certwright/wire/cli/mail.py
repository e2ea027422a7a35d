"""certwright mail."""

import json
from pathlib import Path
from uuid import UUID

import click

from certwright.application.preview_mail import Preview, preview_of_policy, preview_of_request
from certwright.bootstrap import open_installation
from certwright.domain.notifications import NotificationType
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId
from certwright.wire.cli.console import make_console
from certwright.wire.cli.options import data_option, json_option

KINDS = {each.name.lower().replace("_", "-"): each for each in RequestType}
PARTS = ("text", "html")


@click.group("mail")
def command() -> None:
    """Look at the mails that policies send."""


@command.command("preview")
@click.argument("notification", type=click.Choice([each.value for each in NotificationType]), metavar="NOTIFICATION")
@click.option("--template", help="The profile template, by name or GUID; with --policy.")
@click.option("--policy", type=click.Choice(list(KINDS)), metavar="KIND", help="Its policy, such as enroll.")
@click.option("--request", "request_id", type=click.UUID, help="A request, instead of sample facts.")
@click.option("--part", type=click.Choice(PARTS), help="Only this part, as it will be sent: for a browser, or a file.")
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
    with open_installation(data) as installation:
        if request_id is not None:
            found = preview_of_request(RequestId(request_id), wanted, world=installation.world)
        else:
            found = preview_of_policy(template or "", KINDS[policy or ""], wanted, world=installation.world)
    if as_json:
        click.echo(json.dumps([_describe(each) for each in found]))
    elif part is not None:
        for each in found:
            click.echo(_describe(each)[part])
    else:
        _print(found)


def _print(found: tuple[Preview, ...]) -> None:
    console = make_console()
    for rule, mail in found:
        to = ", ".join(rule.to) or "nobody: the policy has no such rule"
        for line in (f"To:      {to}", f"Subject: {mail.subject}", "", mail.text, "", mail.html):
            console.print(line, markup=False, highlight=False)


def _describe(found: Preview) -> dict[str, object]:
    rule, mail = found
    is_built_in = rule.template is None
    return {"to": list(rule.to), "built_in": is_built_in, "subject": mail.subject, "text": mail.text, "html": mail.html}
