"""certwright outbox."""

import json
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import click

from certwright.application.manage_outbox import get_message, list_messages, resend_messages
from certwright.domain.counts import count_of
from certwright.domain.identities import UserId
from certwright.domain.outbox import OutboxMessage, OutboxMessageId, OutboxState
from certwright.wire.cli.console import Rows, show_result
from certwright.wire.cli.groups import CommandGroup, NamedChoice
from certwright.wire.cli.names import list_people_names
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option


@click.group("outbox", cls=CommandGroup)
def command() -> None:
    """List what is to be sent by mail and to webhooks, show a message, send dead letters again."""


@command.command("list")
@click.option("--state", type=NamedChoice([each.value for each in OutboxState]), help="Only those.")
@data_option
@json_option
def list_them(state: str | None, data: Path, *, as_json: bool) -> None:
    """List messages, newest first.

    \b
    Examples:
      certwright outbox list --state dead --data data
    """
    with opened_installation(data) as installation:
        found = list_messages(OutboxState(state) if state else None, world=installation.world)
        names = list_people_names(installation)
    rows = [
        (
            each.id,
            f"{each.created:%Y-%m-%d %H:%M}",
            each.state,
            each.notification,
            each.recipient or each.sink,
            names.get(each.subject_id, each.subject_id),
            each.error,
        )
        for each in found
    ]
    shown = Rows(("Message", "Made", "State", "Notification", "To", "About", "Error"), rows)
    described = [_describe(each, names) for each in found]
    show_result(described, shown, as_json=as_json, remark=f"{count_of(len(found), 'message')}.")


@command.command("show")
@click.argument("message_id", type=click.UUID)
@data_option
@json_option
def show(message_id: UUID, data: Path, *, as_json: bool) -> None:
    """Show a message and the facts in it. The content of one that carries a secret is shown to nobody."""
    with opened_installation(data) as installation:
        message = get_message(OutboxMessageId(message_id), world=installation.world)
        described = _describe(message, list_people_names(installation)) | {"content": _describe_content(message)}
    show_result(described, [f"{name:14}{_write(value)}" for name, value in described.items()], as_json=as_json)


@command.command("resend")
@click.argument("message_ids", type=click.UUID, nargs=-1)
@click.option("--all", "all_of_them", is_flag=True, help="Every dead letter.")
@click.option("--to", default="", help="Another address than the one it was for; not for what carries a secret.")
@data_option
@json_option
def resend(message_ids: tuple[UUID, ...], data: Path, *, all_of_them: bool, to: str, as_json: bool) -> None:
    """Have dead letters sent again, as if they were new.

    \b
    Examples:
      certwright outbox resend --all --data data
      certwright outbox resend 8c4e...b1 --to new@example.com --data data
    """
    if all_of_them == bool(message_ids) or (all_of_them and to):
        raise click.UsageError("Name messages, or say --all; --to is for named ones.")
    wanted = None if all_of_them else [OutboxMessageId(each) for each in message_ids]
    with opened_installation(data) as installation:
        resent = resend_messages(wanted, operator=find_operator(), world=installation.world, to=to)
    told = f"{count_of(len(resent), 'message waits', 'messages wait')} to be sent again."
    show_result({"resent": [str(each.id) for each in resent]}, [told], as_json=as_json)


def _write(value: object) -> str:
    return str(value) if isinstance(value, str | int) else json.dumps(value, indent=2, ensure_ascii=False)


def _describe(message: OutboxMessage, names: Mapping[UserId, str]) -> dict[str, object]:
    return {
        "id": str(message.id),
        "state": message.state.value,
        "sink": message.sink,
        "recipient": message.recipient,
        "notification": message.notification.value,
        "request": str(message.request_id),
        "subject": str(message.subject_id),
        "subject_name": names.get(message.subject_id, ""),
        "created": message.created.isoformat(),
        "due": message.due.isoformat(),
        "attempts": message.attempts,
        "error": message.error,
        "has_secret": message.has_secret,
    }


def _describe_content(message: OutboxMessage) -> object:
    if message.has_secret:
        return "not shown: it carries a secret"
    try:
        return json.loads(message.payload)
    except ValueError:
        return "not readable"
