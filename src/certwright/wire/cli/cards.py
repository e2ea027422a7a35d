"""certwright card."""

from pathlib import Path
from uuid import UUID

import click

from certwright.application.admin_keys import rotate_master
from certwright.application.card_inventory import InventoryFilter, get_inventory_card, list_inventory, retire_stock
from certwright.application.complete_request import complete_request
from certwright.application.create_request import RequestWish, create_request
from certwright.application.import_cards import import_cards
from certwright.application.offline_unblock import unblock_offline
from certwright.domain.counts import count_of
from certwright.domain.policies import Answers
from certwright.domain.requests import Request, RequestId, RequestStatus
from certwright.domain.smartcards import CardId, SmartcardId, SmartcardStatus
from certwright.domain.workflows import Operation
from certwright.formats.spoken_codes import encode_spoken, parse_spoken
from certwright.wire.cli.card_files import describe, encode_inventory, parse_card_file
from certwright.wire.cli.console import Rows, show_result, show_waiting
from certwright.wire.cli.groups import CommandGroup, NamedChoice
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option, password_file_option, read_password
from certwright.wire.cli.signing_in import sign_in

card_argument = click.argument("card", type=click.UUID)
comment_option = click.option("--comment", default="", help="Goes into the history, and stays with the card.")
LISTED = ("card", "status", "user", "template", "comment")
REASONS = ("lost", "stolen", "damaged", "returned", "discarded")


@click.group("card", cls=CommandGroup)
def command() -> None:
    """List cards, show one, import and retire them, unblock one over the telephone.

    A card is named by the identifier that is written on it, or by the one of its last assignment.
    """


@command.command("list")
@click.option("--status", type=NamedChoice([each.name.lower() for each in SmartcardStatus]), help="Only those.")
@click.option("--user", default="", help="Only those of this account.")
@click.option("--template", default="", help="Only those of profile templates with this in their name.")
@click.option("--comment", default="", help="Only those with this in their comment, such as lost.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values, for spreadsheets.")
@data_option
@json_option
def list_them(*, status: str | None, user: str, template: str, comment: str, as_csv: bool, data: Path, as_json: bool) -> None:
    """List everybody's cards and those in stock, newest first.

    \b
    Examples:
      certwright card list --status active --csv --data data > cards.csv
      certwright card list --comment lost --data data
    """
    chosen = None if status is None else SmartcardStatus[status.upper()]
    wanted = InventoryFilter(status=chosen, user=user, template=template, comment=comment)
    with opened_installation(data) as installation:
        found = tuple(list_inventory(wanted, world=installation.world))
    if as_csv and not as_json:
        click.echo(encode_inventory(found), nl=False)
        return
    described = [describe(each) for each in found]
    rows = [[each[name] for name in LISTED] for each in described]
    shown = Rows([name.capitalize() for name in LISTED], rows)
    show_result(described, shown, as_json=as_json, remark=f"{count_of(len(found), 'card')}.")


@command.command("show")
@card_argument
@data_option
@json_option
def show(card: UUID, data: Path, *, as_json: bool) -> None:
    """Show a card: whose it is, what it is for, and the requests that it was for."""
    with opened_installation(data) as installation:
        found = get_inventory_card(CardId(card), world=installation.world)
    requests = [
        {"id": str(each.id), "operation": each.operation.value, "status": each.status.name.lower(), "comment": each.comment}
        for each in found.requests
    ]
    lines = [f"{name:12}{value}".rstrip() for name, value in describe(found).items()]
    lines += [f"{'request':12}{'  '.join(each.values())}".rstrip() for each in requests]
    show_result({**describe(found), "requests": requests}, lines, as_json=as_json)


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_option
@json_option
def import_them(file: Path, data: Path, *, as_json: bool) -> None:
    """Take over the cards of FILE, comma-separated: card, atr, user, template, adminkey, algorithm and comment, named in its
    first line; card alone is needed.

    A card without a user goes into stock. With a user and a profile template it is in use: it gets a profile without
    certificates. The adminkey is the administrator key that the card has, in hexadecimal digits; it is kept sealed until the
    card gets one of ours. All cards are taken over, or none. Remove the file afterwards if it has keys.
    """
    cards = parse_card_file(file)
    with opened_installation(data) as installation, show_waiting(f"Taking over {count_of(len(cards), 'card')}"):
        stored = import_cards(cards, operator=find_operator(), world=installation.world)
    told = f"{count_of(len(stored), 'card was', 'cards were')} taken over."
    show_result({"taken_over": len(stored)}, [told], as_json=as_json)


@command.command("retire")
@card_argument
@click.option("--reason", type=NamedChoice(REASONS), required=True, help="What became of it; leads the comment.")
@comment_option
@click.option("--user", default="", help="In whose name, for a card that somebody has; the password is asked for.")
@data_option
@password_file_option
@json_option
def retire(*, card: UUID, reason: str, comment: str, user: str, data: Path, password_file: Path | None, as_json: bool) -> None:
    """End the life of a card: revoke what is on it, and keep it in the inventory with the reason.

    A card that somebody has is retired by a request of the user's, as over the API. A card in stock takes no user.

    \b
    Examples:
      certwright card retire bc88f13f-83ba-4037-8262-46eba1291c6e --reason lost --user helpdesk --data data
    """
    text = f"{reason}: {comment}" if comment else reason
    with opened_installation(data) as installation:
        world = installation.world
        if not user:
            retire_stock(CardId(card), text, operator=find_operator(), world=world)
            _show_retired(card, None, as_json=as_json)
            return
        by = sign_in(user, read_password(password_file, f"Password of {user}"), installation)
        smartcard_id = SmartcardId(get_inventory_card(CardId(card), world=world).card.id)
        wish = RequestWish(operation=Operation.RETIRE, smartcard_id=smartcard_id, answers=Answers(comment=text))
        request = create_request(wish, by=by, world=world)
        if request.status is RequestStatus.APPROVED:
            complete_request(request.id, by=by, world=world)
    _show_retired(card, request, as_json=as_json)


@command.command("offline-unblock")
@card_argument
@click.option("--challenge", required=True, help="What the user reads out: a code, or the card's hexadecimal digits.")
@click.option("--user", required=True, help="The help desk's account, whose password is asked for.")
@click.option("--request", "request_id", type=click.UUID, help="An OfflineUnblock request that was approved.")
@comment_option
@data_option
@json_option
@password_file_option
def offline_unblock(
    *,
    card: UUID,
    challenge: str,
    user: str,
    request_id: UUID | None,
    comment: str,
    data: Path,
    as_json: bool,
    password_file: Path | None,
) -> None:
    """Answer the challenge of a card whose owner is on the telephone, so that he can give it another PIN.

    Make sure that it is the owner. The answer is good for this challenge alone: the card has to stay in the reader. Codes are
    groups of six digits, the last of which tells when one was misheard.

    \b
    Examples:
      certwright card offline-unblock bc88f13f-83ba-4037-8262-46eba1291c6e --challenge "D611 43F9 CCFF D2CA" \\
        --user helpdesk --data data
    """
    octets = parse_spoken(challenge)
    password = read_password(password_file, f"Password of {user}")
    with opened_installation(data) as installation:
        answered = unblock_offline(
            CardId(card),
            octets,
            by=sign_in(user, password, installation),
            world=installation.world,
            comment=comment,
            approved=None if request_id is None else RequestId(request_id),
        )
    response = answered.response
    if response is None:
        told, lines = None, [f"The request waits for approval. Then: --request {answered.request.id}"]
    else:
        told = {"code": encode_spoken(response), "hexadecimal": response.hex().upper()}
        lines = [f"Read out:         {encode_spoken(response)}", f"In hexadecimal:   {response.hex(' ', 2).upper()}"]
    show_result({"request": str(answered.request.id), "answer": told}, lines, as_json=as_json)


@command.command("rotate-master-key")
@data_option
@json_option
def rotate_master_key(data: Path, *, as_json: bool) -> None:
    """Make a new master key: cards are given keys that come from it, each at its next visit. Old ones stay for the others."""
    with opened_installation(data) as installation:
        master = rotate_master(operator=find_operator(), world=installation.world)
    show_result({"version": master.version}, [f"The master key has version {master.version} now."], as_json=as_json)


def _show_retired(card: UUID, request: Request | None, *, as_json: bool) -> None:
    """Show that a card is retired, or which request waits for that; *request* is None for a card in stock."""
    waits = request is not None and request.status is not RequestStatus.APPROVED
    told = f"The request {request.id} to retire the card waits for approval." if request and waits else "The card is retired."
    described = {"card": str(card), "retired": not waits, "request": None if request is None else str(request.id)}
    show_result(described, [told], as_json=as_json)
