"""Cards follow the profiles that are on them."""

from dataclasses import replace
from datetime import datetime

from certwright.application.request_parties import SeenRequest
from certwright.domain.errors import CardMissing
from certwright.domain.events import Event, EventType, tell
from certwright.domain.identities import Caller
from certwright.domain.ports import Session
from certwright.domain.profiles import Profile, ProfileStatus
from certwright.domain.requests import Request
from certwright.domain.smartcards import Smartcard, follow_profile


def check_card_bound(seen: SeenRequest) -> None:
    """Raise unless the request has the card that its certificates are for. Errors: CardMissing."""
    if seen.request.needs_card and seen.request.smartcard_id is None:
        raise CardMissing()


def move_card(request: Request, profile: Profile, *, by: Caller, at: datetime, session: Session) -> list[Event]:
    """Store what becomes of the card that *profile* is on, now that it was changed, and return the events that tell of it.

    A card that is used again goes over to the new profile when that becomes active. Errors: ChangedMeanwhile.
    """
    card = session.smartcards.find_of_profile(profile.id) or _find_used_again(request, profile, session)
    if card is None:
        return []
    moved = replace(
        follow_profile(card, profile.status, profile.flags, at),
        profile_id=profile.id,
        template_version=profile.template_version,
        comment=request.comment or card.comment,
    )
    session.smartcards.change(moved, from_status=card.status)
    return [_tell_change(request, card, moved, by, at)]


def confirm_admin_key(request: Request, session: Session) -> None:
    """Store that the card of a completed request has the key which it was given in it. Errors: ChangedMeanwhile."""
    if request.smartcard_id is None:
        return
    card = session.smartcards.get_locked(request.smartcard_id)
    confirmed = replace(card, admin_keys=card.admin_keys.confirm())
    if confirmed != card:
        session.smartcards.change(confirmed, from_status=card.status)


def _find_used_again(request: Request, profile: Profile, session: Session) -> Smartcard | None:
    is_new = request.makes_profile and profile.status is ProfileStatus.ACTIVE and profile.id != request.old_profile_id
    if not is_new or request.smartcard_id is None:
        return None
    return session.smartcards.get(request.smartcard_id)


def _tell_change(request: Request, card: Smartcard, moved: Smartcard, by: Caller, at: datetime) -> Event:
    return tell(
        EventType.SMARTCARD_CHANGED,
        by,
        at,
        request_id=request.id,
        subject_id=card.owner_id,
        smartcard=str(card.id),
        card=str(card.card_id),
        status=f"{card.status.name} to {moved.status.name}",
        flags=f"{int(card.flags)} to {int(moved.flags)}",
    )
