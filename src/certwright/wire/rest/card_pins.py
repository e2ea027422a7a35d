"""Routes of PINs that the server makes."""

from certwright.application.card_pins import find_pin, propose_pin
from certwright.domain.smartcards import SmartcardId
from certwright.wire.rest.calls import Answer, Call, Route, found_or_nothing
from certwright.wire.rest.card_secrets import read_reader


def get_request_pin(call: Call) -> Answer:
    """Answer the PIN that the client is to set, as a string. Source: get-smartcard-proposed-pin; the decision "204"."""
    return found_or_nothing(propose_pin(read_reader(call), by=call.caller, world=call.world))


def get_card_pin(call: Call) -> Answer:
    """Answer the PIN of the card's open request, or show the one that is kept, once. Source: domain.md 8, number 8."""
    smartcard_id = SmartcardId(call.get_identifier("smartcard_id"))
    return found_or_nothing(find_pin(smartcard_id, by=call.caller, world=call.world))


ROUTES = (
    Route("GET", "/requests/{request_id}/smartcards/{smartcard_id}/serverproposedpin", get_request_pin),
    Route("GET", "/smartcards/{smartcard_id}/serverproposedpin", get_card_pin),
)
