"""Routes of smart cards: bind one to a request, read it."""

import re

from certwright.application.bind_smartcard import PresentedCard, bind_smartcard
from certwright.application.read_smartcards import (
    find_smartcard,
    list_smartcard_certificates,
    list_smartcard_operations,
    list_smartcards_in_slices,
    read_request_smartcard,
    read_smartcard,
)
from certwright.application.update_smartcard import update_smartcard
from certwright.domain.errors import MalformedValue
from certwright.domain.requests import RequestId
from certwright.domain.smartcards import CardId, SmartcardId
from certwright.wire.rest import card_pins, card_secrets
from certwright.wire.rest.bodies import HeldCertificateBody
from certwright.wire.rest.calls import Answer, Call, Route, created, found, listed, listed_in_slices
from certwright.wire.rest.identifiers import find_identifier
from certwright.wire.rest.names import SMARTCARD_STATUSES, fold_name
from certwright.wire.rest.properties import Properties
from certwright.wire.rest.smartcard_bodies import SmartcardBody

CARDS_A_SLICE = 100

_ATR = re.compile(r"(?:[0-9a-f]{2}){0,33}")
"""Source: ISO/IEC 7816-3: an answer-to-reset has at most 33 octets."""


def post_smartcard(call: Call) -> Answer:
    """Bind a card to a request and answer where it is. Source: assign-smartcard-to-request; domain.md 8, numbers 21 to 23."""
    properties = call.parse_body(takes_trailing_commas=True)
    request_id = properties.read_identifier("requestid")
    card_id = properties.read_identifier("cardid")
    atr = "".join(properties.read_text("atr").split()).lower()
    if not _ATR.fullmatch(atr):
        properties.refuse("atr", "up to 33 octets are wanted in hexadecimal digits")
    if request_id is None:
        properties.fail("requestid", "the GUID of a request is wanted")
    if card_id is None:
        properties.fail("cardid", "the GUID of a card is wanted")
    properties.check_readable()
    presented = PresentedCard(card_id=CardId(card_id), atr=atr)
    card = bind_smartcard(RequestId(request_id), presented, by=call.caller, world=call.world)
    return created(f"smartcards/{card.id}")


def get_smartcards(call: Call) -> Answer:
    """Answer the caller's cards, or the one card that *cardid* names. Source: get-smartcard-data; domain.md 8, number 35.

    Errors: MalformedValue for a *cardid* that is no GUID.
    """
    if "cardid" in call.query:
        card_id = find_identifier(call.query["cardid"])
        if card_id is None:
            raise MalformedValue("cardid", "a GUID is wanted")
        card = find_smartcard(CardId(card_id), by=call.caller, world=call.world)
        return listed([]) if card is None else found(SmartcardBody.of(card))
    name = fold_name(call.query.get("status", ""))
    if name and name not in SMARTCARD_STATUSES:
        return listed([])
    statuses = frozenset({SMARTCARD_STATUSES[name]}) if name else None
    slices = list_smartcards_in_slices(by=call.caller, world=call.world, slice_length=CARDS_A_SLICE, statuses=statuses)
    return listed_in_slices([SmartcardBody.of(each) for each in cards] for cards in slices)


def get_smartcard(call: Call) -> Answer:
    """Answer one card."""
    return found(SmartcardBody.of(read_smartcard(_get_smartcard_id(call), by=call.caller, world=call.world)))


def get_smartcard_operations(call: Call) -> Answer:
    """Answer what the caller may start with the card now. Source: get-profile-state-operations."""
    operations = list_smartcard_operations(_get_smartcard_id(call), by=call.caller, world=call.world)
    return listed([each.value for each in operations])


def get_smartcard_certificates(call: Call) -> Answer:
    """Answer the certificates on one card. Source: get-smartcard-profile-certificates."""
    certificates = list_smartcard_certificates(_get_smartcard_id(call), by=call.caller, world=call.world)
    return listed([HeldCertificateBody.of(each) for each in certificates])


def get_request_smartcard(call: Call) -> Answer:
    """Answer the card of a request. Source: domain.md 8, number 7."""
    request_id = RequestId(call.get_identifier("request_id"))
    card = read_request_smartcard(request_id, _get_smartcard_id(call), by=call.caller, world=call.world)
    return found(SmartcardBody.of(card))


def put_request_smartcard(call: Call) -> Answer:
    """Have a card end, or be put on hold, as its request says, and answer it. Source: update-smartcard-status.

    Shape: without a body, or without *status* in it, what the request is for; Source: domain.md 8, number 27.
    """
    properties = call.parse_body() if call.body.strip() else Properties({})
    name = fold_name(properties.read_text("status"))
    if name and name not in SMARTCARD_STATUSES:
        properties.refuse("status", "the name of a status of cards is wanted, such as Retired")
    properties.check_readable()
    request_id = RequestId(call.get_identifier("request_id"))
    status = SMARTCARD_STATUSES[name] if name else None
    card = update_smartcard(request_id, _get_smartcard_id(call), status, by=call.caller, world=call.world)
    return found(SmartcardBody.of(card))


def _get_smartcard_id(call: Call) -> SmartcardId:
    return SmartcardId(call.get_identifier("smartcard_id"))


ROUTES = (
    Route("POST", "/smartcards", post_smartcard),
    Route("GET", "/smartcards", get_smartcards),
    Route("GET", "/smartcards/{smartcard_id}", get_smartcard),
    Route("GET", "/smartcards/{smartcard_id}/operations", get_smartcard_operations),
    Route("GET", "/smartcards/{smartcard_id}/certificates", get_smartcard_certificates),
    Route("GET", "/requests/{request_id}/smartcards/{smartcard_id}", get_request_smartcard),
    Route("PUT", "/requests/{request_id}/smartcards/{smartcard_id}", put_request_smartcard),
    *card_secrets.ROUTES,
    *card_pins.ROUTES,
)
