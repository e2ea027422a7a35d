"""The inventory of cards, as whoever runs the server sees it: all of them, and what is known of one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from certwright.application.request_parties import get_principal
from certwright.application.world import World
from certwright.domain.account_names import find_named
from certwright.domain.errors import CardStateRefused, UserNotFound
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.identities import UserId
from certwright.domain.policies import check_comment
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.requests import Request
from certwright.domain.smartcards import (
    CardId,
    Smartcard,
    SmartcardAction,
    SmartcardId,
    SmartcardStatus,
    advance_card,
)

CARDS_A_READ = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryFilter:
    """Which cards are wanted; what is left out lets all through.

    Shape: *user* as people write accounts; *template* is a part of a profile template's name, *comment* of a card's comment,
    both in any case.
    """

    status: SmartcardStatus | None = None
    user: str = ""
    template: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class InventoryCard:
    """A card with the names of what it belongs to, empty for one in stock, and the requests that were for it."""

    card: Smartcard
    owner: str
    template: str
    requests: tuple[Request, ...] = ()


def list_inventory(wanted: InventoryFilter, *, world: World) -> Iterator[InventoryCard]:
    """Return the cards, newest first, as they are read: however many they are, few are held at a time. Errors: UserNotFound."""
    with world.store.reading() as session:
        owner_id = _find_owner(wanted.user, session)
    return _read_inventory(wanted, owner_id, world)


def _read_inventory(wanted: InventoryFilter, owner_id: UserId | None, world: World) -> Iterator[InventoryCard]:
    statuses = None if wanted.status is None else frozenset({wanted.status})
    after: SmartcardId | None = None
    while True:
        with world.store.reading() as session:
            page = session.smartcards.list_page(owner_id=owner_id, statuses=statuses, after=after, limit=CARDS_A_READ)
            named = [_name(each, session) for each in page]
        yield from (
            each
            for each in named
            if wanted.template.lower() in each.template.lower() and wanted.comment.lower() in each.card.comment.lower()
        )
        if len(page) < CARDS_A_READ:
            return
        after = page[-1].id


def get_inventory_card(identifier: CardId | SmartcardId, *, world: World) -> InventoryCard:
    """Return the last assignment of the card, or the one whose own identifier it is. Errors: SmartcardNotFound."""
    with world.store.reading() as session:
        card = _find(identifier, session)
        return replace(_name(card, session), requests=session.requests.list_of_card(card.id))


def retire_stock(identifier: CardId | SmartcardId, comment: str, *, operator: str, world: World) -> Smartcard:
    """Take a card that is nobody's out of the inventory, and return it.

    Errors: SmartcardNotFound; CardStateRefused for a card that somebody has, which takes a request; TextTooLong and
            MalformedValue for the comment; ChangedMeanwhile.
    """
    check_comment("comment", comment)
    with world.store.writing() as session:
        card = _find(identifier, session)
        if card.status is not SmartcardStatus.NEW:
            raise CardStateRefused(card.status.name.lower(), "be taken out of stock")
        retired = replace(advance_card(card, SmartcardAction.RETIRE), comment=comment)
        session.smartcards.change(retired, from_status=card.status)
        told = tell_of_operator(
            EventType.SMARTCARD_CHANGED,
            operator,
            world.clock.now(),
            smartcard=str(card.id),
            card=str(card.card_id),
            status=f"{card.status.name} to {retired.status.name}",
            reason=comment,
        )
        session.history.append([told])
    return retired


def _find(identifier: CardId | SmartcardId, session: Session) -> Smartcard:
    card = session.smartcards.find_last(CardId(identifier))
    return card or session.smartcards.get(SmartcardId(identifier))


def _find_owner(name: str, session: Session) -> UserId | None:
    if not name:
        return None
    found = find_named(name, session.directory)
    if found is None:
        raise UserNotFound(name)
    return found.user.id


def _name(card: Smartcard, session: Session) -> InventoryCard:
    owner = "" if card.owner_id is None else get_principal(card.owner_id, session).user.nt4_name
    template = "" if card.template_id is None else _name_template(card.template_id, card.template_version, session)
    return InventoryCard(card, owner, template)


def _name_template(template_id: ProfileTemplateId, version: int, session: Session) -> str:
    return session.templates.get(template_id, version).name
