"""Unblock a card whose owner is on the telephone."""

from dataclasses import dataclass

from certwright.application.admin_keys import answer_card
from certwright.application.card_visits import CardInReader
from certwright.application.complete_request import complete_request
from certwright.application.create_request import RequestWish, create_request
from certwright.application.world import World
from certwright.domain.errors import SmartcardNotFound
from certwright.domain.identities import Caller
from certwright.domain.policies import Answers
from certwright.domain.requests import Request, RequestId, RequestStatus
from certwright.domain.smartcards import CardId, Smartcard, SmartcardId
from certwright.domain.workflows import Operation
from certwright.formats.admin_keys import check_challenge


@dataclass(frozen=True, slots=True)
class OfflineAnswer:
    """The request, and what to read out; None while the request waits for approval."""

    request: Request
    response: bytes | None


def unblock_offline(
    card_id: CardId,
    challenge: bytes,
    *,
    by: Caller,
    world: World,
    comment: str = "",
    approved: RequestId | None = None,
) -> OfflineAnswer:
    """Return the answer to the card's challenge, in a request that *by* starts and completes, or in the one *approved*.

    Errors: SmartcardNotFound; MalformedValue for a challenge that the card's algorithm has not, before anything is asked for;
            everything that `create_request`, `answer_card` and `complete_request` refuse.
    """
    card = _find_card(card_id, world)
    check_challenge(challenge, card.admin_keys.held.algorithm)
    request = _find_request(approved, card.id, comment, by=by, world=world)
    if request.status is RequestStatus.PENDING:
        return OfflineAnswer(request, None)
    reader = CardInReader(request_id=request.id, smartcard_id=card.id, card_id=card_id)
    response = answer_card(reader, challenge, diversified=card.admin_keys.has_own, by=by, world=world)
    completed = complete_request(request.id, by=by, world=world, comment=comment)
    return OfflineAnswer(completed.request, response)


def _find_card(card_id: CardId, world: World) -> Smartcard:
    with world.store.reading() as session:
        card = session.smartcards.find_last(card_id)
    if card is None or card.owner_id is None:
        raise SmartcardNotFound(card_id)
    return card


def _find_request(approved: RequestId | None, smartcard_id: SmartcardId, comment: str, *, by: Caller, world: World) -> Request:
    if approved is not None:
        with world.store.reading() as session:
            return session.requests.get(approved)
    wish = RequestWish(operation=Operation.OFFLINE_UNBLOCK, smartcard_id=smartcard_id, answers=Answers(comment=comment))
    return create_request(wish, by=by, world=world)
