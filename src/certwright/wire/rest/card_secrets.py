"""Routes of what only the card and the server know: administrator keys, and answers under them.

Challenges stand in addresses that clients make: no address is ever written to a log.
"""

import binascii
from base64 import b64decode, b64encode

from certwright.application.admin_keys import answer_card, hand_out_admin_key
from certwright.application.card_visits import CardInReader
from certwright.domain.errors import MalformedValue
from certwright.domain.requests import RequestId
from certwright.domain.smartcards import CardId, SmartcardId
from certwright.wire.rest.calls import Answer, Call, Route, found
from certwright.wire.rest.identifiers import find_identifier
from certwright.wire.rest.names import fold_name

CHALLENGE_OCTETS = (8, 16)
_TRUTHS = {"": False, "false": False, "0": False, "true": True, "1": True}
# A plus sign that a client did not encode arrives as a blank.
_ALPHABET = str.maketrans(" -_", "++/")


def get_diversified_key(call: Call) -> Answer:
    """Answer the card's own administrator key. Source: get-smartcard-diversified-admin-key."""
    return found(_encode(hand_out_admin_key(read_reader(call), by=call.caller, world=call.world)))


def get_authentication_response(call: Call) -> Answer:
    """Answer the challenge of the card. Source: get-smartcard-authentication-response; domain.md 8, numbers 25 and 26."""
    challenge = parse_challenge(call.query.get("challenge", ""))
    diversified = _TRUTHS.get(fold_name(call.query.get("diversified", "")))
    if diversified is None:
        raise MalformedValue("diversified", "true or false is wanted")
    answer = answer_card(read_reader(call), challenge, diversified=diversified, by=call.caller, world=call.world)
    return found(_encode(answer))


def read_reader(call: Call) -> CardInReader:
    """Return what the call says of the card in the reader. Errors: MalformedValue."""
    card_id = find_identifier(call.query["cardid"]) if call.query.get("cardid") else None
    if call.query.get("cardid") and card_id is None:
        raise MalformedValue("cardid", "a GUID is wanted")
    return CardInReader(
        request_id=RequestId(call.get_identifier("request_id")),
        smartcard_id=SmartcardId(call.get_identifier("smartcard_id")),
        card_id=None if card_id is None else CardId(card_id),
        atr="".join(call.query.get("atr", "").split()).lower(),
    )


def parse_challenge(text: str) -> bytes:
    """Return the octets, from base64 or else from hexadecimal digits. Errors: MalformedValue, without the challenge."""
    for parse in (_parse_base64, bytes.fromhex):
        try:
            challenge = parse(text)
        except ValueError:
            continue
        if len(challenge) in CHALLENGE_OCTETS:
            return challenge
    raise MalformedValue("challenge", "8 or 16 octets are wanted, in base64 or in hexadecimal digits")


def _parse_base64(text: str) -> bytes:
    try:
        return b64decode(text.translate(_ALPHABET), validate=True)
    except binascii.Error as error:
        raise ValueError from error


def _encode(octets: bytes) -> str:
    return b64encode(octets).decode()


ROUTES = (
    Route("GET", "/requests/{request_id}/smartcards/{smartcard_id}/diversifiedkey", get_diversified_key),
    Route("GET", "/requests/{request_id}/smartcards/{smartcard_id}/authenticationresponse", get_authentication_response),
)
