"""A card in a reader, for a request: whether it is the right one, and who may do something to it now."""

from dataclasses import dataclass
from datetime import datetime

from certwright.application.one_time_passwords import check_presented
from certwright.application.request_parties import SeenRequest, get_request
from certwright.application.supplied_data import check_data_complete
from certwright.domain.errors import CardDiffers, CardSecretNotNeeded, CardStateRefused, SmartcardNotFound, SubjectDisabled
from certwright.domain.events import Event, EventType, tell
from certwright.domain.identities import Caller
from certwright.domain.ports import Session
from certwright.domain.requests import RequestAction, RequestId, RequestStatus, advance
from certwright.domain.security_descriptors import RequestPermission
from certwright.domain.smartcard_configuration import SmartcardConfiguration
from certwright.domain.smartcards import CardId, Smartcard, SmartcardId, check_atr
from certwright.domain.workflows import CardSecret


@dataclass(frozen=True, slots=True, kw_only=True)
class CardInReader:
    """What a client says of the card that it talks to. Shape: *card_id* None and *atr* empty where it says nothing."""

    request_id: RequestId
    smartcard_id: SmartcardId
    card_id: CardId | None = None
    atr: str = ""


@dataclass(frozen=True, slots=True)
class CardVisit:
    """The card with the request that it is in the reader for."""

    seen: SeenRequest
    card: Smartcard

    @property
    def is_set_up(self) -> bool:
        """Return whether the card was in use before the request, which works on it in place."""
        return self.card.id == self.seen.request.old_smartcard_id

    @property
    def configuration(self) -> SmartcardConfiguration:
        """Return how the template of the request sets up its cards."""
        return self.seen.template.smartcard or SmartcardConfiguration()


def open_visit(reader: CardInReader, secret: CardSecret, *, by: Caller, session: Session) -> CardVisit:
    """Return the card, locked, after everything was looked at that its *secret* depends on.

    Errors: RequestNotFound; AccessDenied unless *by* may execute the request; TransitionRefused unless it is Approved or
            Executing; CardSecretNotNeeded; OneTimePasswordsMissing; DataIncomplete; SmartcardNotFound for another card than
            the request's; CardDiffers; AtrDiffers; CardStateRefused; SubjectDisabled.
    """
    seen = get_request(reader.request_id, RequestPermission.EXECUTE, by=by, session=session)
    advance(seen.request, RequestAction.EXECUTE)
    _check_needed(seen, secret)
    check_presented(seen, session)
    check_data_complete(seen)
    if reader.smartcard_id != seen.request.smartcard_id:
        raise SmartcardNotFound(reader.smartcard_id)
    card = session.smartcards.get_locked(reader.smartcard_id)
    if reader.card_id not in (None, card.card_id):
        raise CardDiffers(str(reader.card_id))
    check_atr(card, reader.atr)
    _check_ended(seen, card)
    if seen.request.workflow.serves_subject and not seen.target.user.enabled:
        raise SubjectDisabled(seen.target.user.nt4_name)
    return CardVisit(seen, card)


def _check_needed(seen: SeenRequest, secret: CardSecret) -> None:
    """Raise unless the operation needs *secret* of its card: the right to start another one gives nobody a card's secrets.

    Errors: CardSecretNotNeeded.
    """
    if secret not in seen.request.workflow.card_secrets:
        raise CardSecretNotNeeded(seen.request.operation, secret)


def _check_ended(seen: SeenRequest, card: Smartcard) -> None:
    """Raise where the request is to end the card and has not: canceled, it would leave a card in use that takes another PIN.

    Errors: CardStateRefused.
    """
    leaves = seen.request.workflow.leaves
    if leaves is not None and seen.request.status is not RequestStatus.EXECUTING:
        raise CardStateRefused(card.status.name.lower(), f"have its challenge answered before it is {leaves.name.lower()}")


def tell_visit(visit: CardVisit, event_type: EventType, by: Caller, at: datetime, **details: str) -> Event:
    """Return the event that something was done with the card, for the request."""
    return tell(
        event_type,
        by,
        at,
        request_id=visit.seen.request.id,
        subject_id=visit.card.owner_id,
        smartcard=str(visit.card.id),
        card=str(visit.card.card_id),
        **details,
    )
