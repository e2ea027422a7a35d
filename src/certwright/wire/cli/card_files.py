"""Lists of cards as files: comma-separated, with a line of names at their head."""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from certwright.application.card_inventory import InventoryCard
from certwright.application.import_cards import KnownCard
from certwright.domain.admin_keys import AdminKeyAlgorithm
from certwright.domain.errors import MalformedValue, Refused, check_none_broken
from certwright.domain.smartcards import CardId
from certwright.formats.spreadsheets import SheetRow, parse_sheet
from certwright.wire.cli.files import check_private, read_text_file

COLUMNS = ("card", "atr", "user", "template", "adminkey", "algorithm", "comment")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_HEX = re.compile(r"(?:[0-9a-f]{2})*")


def parse_card_file(path: Path) -> tuple[KnownCard, ...]:
    """Return the cards of the file. Errors: MalformedValue, as RulesBroken for several; none repeats a key; OSError;
    what `check_private` raises where keys are in it."""
    rows = parse_sheet(read_text_file(path, "a list of cards"), path.name, COLUMNS, ("card",))
    if any(row.cells.get("adminkey") for row in rows):
        check_private(path)
    return parse_card_rows(rows, path.name)


def parse_card_rows(rows: Iterable[SheetRow], name: str) -> tuple[KnownCard, ...]:
    """Return the cards; *name* is what faults call the file. Errors: MalformedValue, as RulesBroken for several."""
    faults: list[Refused] = []
    cards: list[KnownCard] = []
    for row in rows:
        try:
            cards.append(_parse_row(row.cells, f"{name}, line {row.line}"))
        except MalformedValue as malformed:
            faults.append(malformed)
    check_none_broken(faults)
    return tuple(cards)


def encode_inventory(cards: Iterable[InventoryCard]) -> str:
    """Return the cards as a file for spreadsheets: a cell that a program there would run is led by a quotation mark."""
    text = io.StringIO()
    rows = csv.DictWriter(text, list(describe(None)), lineterminator="\r\n")
    rows.writeheader()
    for each in cards:
        told = describe(each)
        rows.writerow({key: f"'{value}" if value.startswith(_FORMULA) else value for key, value in told.items()})
    return text.getvalue()


def describe(found: InventoryCard | None) -> dict[str, str]:
    """Return what is told of a card, by column; of None, the columns."""
    card = None if found is None else found.card
    return {
        "card": "" if card is None else str(card.card_id),
        "uuid": "" if card is None else str(card.id),
        "status": "" if card is None else card.status.name.lower(),
        "flags": "" if card is None else (card.flags.name or "").lower().replace("|", " ").replace("_", " "),
        "user": "" if found is None else found.owner,
        "template": "" if found is None else found.template,
        "atr": "" if card is None else card.atr,
        "key": "" if card is None else str(card.admin_keys.held.scheme),
        "activated": "" if card is None or card.activated is None else card.activated.isoformat(timespec="seconds"),
        "comment": "" if card is None else card.comment,
    }


def _parse_row(row: dict[str, str], where: str) -> KnownCard:
    try:
        card_id = CardId(UUID(row.get("card", "").strip("{} ")))
        algorithm = AdminKeyAlgorithm(row.get("algorithm", "").lower() or AdminKeyAlgorithm.TRIPLE_DES)
    except ValueError:
        raise MalformedValue(where, "a GUID is wanted as card, and 3des, aes-128, aes-256 or nothing as algorithm") from None
    atr, key = row.get("atr", "").lower(), row.get("adminkey", "").lower()
    if not _HEX.fullmatch(atr) or not _HEX.fullmatch(key):
        detail = "an even number of hexadecimal digits is wanted as atr and as adminkey; spreadsheets remove zeros in front"
        raise MalformedValue(where, detail)
    return KnownCard(
        where=where,
        card_id=card_id,
        atr=atr,
        user=row.get("user", ""),
        template=row.get("template", ""),
        admin_key=bytes.fromhex(key) if key else None,
        algorithm=algorithm,
        comment=row.get("comment", ""),
    )
