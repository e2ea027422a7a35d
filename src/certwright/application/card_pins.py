"""PINs that the server makes for cards: proposed to the client that sets them, and shown to a person."""

from dataclasses import replace

from certwright.application.card_visits import CardInReader, CardVisit, open_visit, tell_visit
from certwright.application.request_parties import see_request
from certwright.application.world import World
from certwright.domain.access import ActOnRequest, Decision, Finding, check_allowed, decide
from certwright.domain.errors import SmartcardNotFound
from certwright.domain.events import EventType, tell
from certwright.domain.identities import Caller
from certwright.domain.pins import make_pin
from certwright.domain.ports import Session
from certwright.domain.requests import OPEN_STATUSES, Request
from certwright.domain.security_descriptors import RequestPermission
from certwright.domain.smartcard_configuration import PinRecipient, UserPinOption
from certwright.domain.smartcards import Smartcard, SmartcardId, name_pin
from certwright.domain.workflows import CardSecret


def propose_pin(reader: CardInReader, *, by: Caller, world: World) -> str | None:
    """Return the PIN that the client is to set, or None where the user chooses his own.

    A randomized PIN is a new one each time, kept nowhere. A server-distributed one stays the same, sealed, while the card is
    set up. A card that is unblocked takes another one, which is kept in its place: the one before is for its recipient alone.
    None also for a renewal in place, which sets no PIN.

    Errors: as `open_visit`; KeyUnavailable. Source: get-smartcard-proposed-pin; domain.md 1.16 and 3 (GetUserPin).
    """
    with world.store.writing() as session:
        return _propose(open_visit(reader, CardSecret.PIN, by=by, session=session), by, world, session)


def find_pin(smartcard_id: SmartcardId, *, by: Caller, world: World) -> str | None:
    """Return the PIN that is proposed for the card in its open request or, when there is none that *by* executes, the one
    that is kept for him: once, for it is forgotten with the answer. None where there is nothing to tell.

    Errors: SmartcardNotFound; AccessDenied for whom the policy does not name; KeyUnavailable.
    """
    with world.store.writing() as session:
        card = session.smartcards.get_locked(smartcard_id)
        if card.owner_id is None:
            raise SmartcardNotFound(smartcard_id)
        requests = session.requests.list_of_card(smartcard_id)
        for each in requests:
            if _proposes(each) and _may_execute(each, by, session):
                reader = CardInReader(request_id=each.id, smartcard_id=smartcard_id)
                return _propose(open_visit(reader, CardSecret.PIN, by=by, session=session), by, world, session)
        _check_recipient(card, requests, by, session)
        return _show(card, by, world, session)


def _propose(visit: CardVisit, by: Caller, world: World, session: Session) -> str | None:
    configuration, card = visit.configuration, visit.card
    if configuration.user_pin_option not in (UserPinOption.RANDOMIZED, UserPinOption.SERVER_DISTRIBUTED):
        return None
    if visit.is_set_up and not visit.seen.request.workflow.unblocks:
        return None
    is_kept = configuration.user_pin_option is UserPinOption.SERVER_DISTRIBUTED
    if is_kept and card.sealed_pin is not None and not visit.is_set_up:
        pin = world.card_keys.open(card.sealed_pin, name_pin(card.id)).decode()
    else:
        pin = make_pin(configuration.user_pin, world.entropy.bits)
        if is_kept:
            sealed = world.card_keys.seal(pin.encode(), name_pin(card.id))
            session.smartcards.change(replace(card, sealed_pin=sealed), from_status=card.status)
    session.history.append([tell_visit(visit, EventType.PIN_PROPOSED, by, world.clock.now())])
    return pin


def _show(card: Smartcard, by: Caller, world: World, session: Session) -> str | None:
    if card.sealed_pin is None:
        return None
    pin = world.card_keys.open(card.sealed_pin, name_pin(card.id)).decode()
    session.smartcards.change(replace(card, sealed_pin=None), from_status=card.status)
    shown = tell(
        EventType.PIN_SHOWN,
        by,
        world.clock.now(),
        subject_id=card.owner_id,
        smartcard=str(card.id),
        card=str(card.card_id),
    )
    session.history.append([shown])
    return pin


def _proposes(request: Request) -> bool:
    return request.status in OPEN_STATUSES and CardSecret.PIN in request.workflow.card_secrets


def _may_execute(request: Request, by: Caller, session: Session) -> bool:
    seen = see_request(request, session)
    return decide(by, ActOnRequest(RequestPermission.EXECUTE, seen.security), seen.grants).is_allowed


def _check_recipient(card: Smartcard, requests: tuple[Request, ...], by: Caller, session: Session) -> None:
    recipient = PinRecipient.SUBJECT
    if card.template_id is not None:
        configuration = session.templates.get(card.template_id, card.template_version).smartcard
        recipient = recipient if configuration is None else configuration.pin_shown_to
    person = card.owner_id if recipient is PinRecipient.SUBJECT else requests[-1].originator_id if requests else None
    missing = f"The PIN is for the {recipient} alone."
    check_allowed(
        Decision(
            "see the PIN of this card", by.user.id == person, (Finding(by.user.id == person, "policy", recipient, missing),)
        )
    )
