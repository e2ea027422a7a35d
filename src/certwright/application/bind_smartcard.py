"""Bind a card to a request: from then on the request is for this card."""

from dataclasses import dataclass, replace
from datetime import datetime

from certwright.application.one_time_passwords import check_presented
from certwright.application.profile_changes import make_profile
from certwright.application.profile_room import check_room_for
from certwright.application.request_parties import SeenRequest, get_request
from certwright.application.supplied_data import check_data_complete
from certwright.application.world import World
from certwright.domain.admin_keys import AdminKey, AdminKeys
from certwright.domain.errors import CardBoundAlready, CardNotTaken, SubjectDisabled
from certwright.domain.events import Event, EventType, tell
from certwright.domain.identities import Caller
from certwright.domain.ports import Session
from certwright.domain.profiles import Profile
from certwright.domain.requests import Request, RequestAction, RequestId, advance
from certwright.domain.security_descriptors import RequestPermission
from certwright.domain.smartcards import (
    CardId,
    Smartcard,
    SmartcardAction,
    SmartcardFlags,
    SmartcardId,
    SmartcardStatus,
    advance_card,
    check_assignable,
    check_atr,
)
from certwright.domain.workflows import Operation, check_profile_fits


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedCard:
    """The card in the reader, as the client tells. Shape: *atr* is lower-case hexadecimal, empty where it does not."""

    card_id: CardId
    atr: str = ""


def bind_smartcard(request_id: RequestId, presented: PresentedCard, *, by: Caller, world: World) -> Smartcard:
    """Return the card, assigned to the request's subject; presenting it once more returns it again.

    The profile that is to be on it is made here, so that a request that is given up after any step leaves a card that is
    released, not one that is half somebody's.

    Errors: RequestNotFound; AccessDenied unless *by* may execute the request; TransitionRefused; DataIncomplete;
            OneTimePasswordsMissing; SubjectDisabled; ProfileStateRefused; CardNotTaken; CardBoundAlready; CardInUse;
            CardRetired; AtrDiffers; ProfilesExhausted; DuplicatesExhausted; TemporaryCardsExhausted; ChangedMeanwhile.
    Source: assign-smartcard-to-request; domain.md 3 (CreateSmartcard).
    """
    with world.store.writing() as session:
        seen = get_request(request_id, RequestPermission.EXECUTE, by=by, session=session)
        executing = advance(seen.request, RequestAction.EXECUTE)
        bound = _find_bound(seen.request, presented, session)
        if bound is not None:
            return bound
        _check_takes_card(seen, session)
        check_presented(seen, session)
        check_data_complete(seen)
        now = world.clock.now()
        profile = _make_profile(seen, by, world, session)
        card = _assign(seen, presented, profile, world, session)
        session.requests.change(
            replace(executing, smartcard_id=card.id, profile_id=profile.id), from_status=seen.request.status
        )
        session.history.append([_tell_assigned(seen.request, card, by, now)])
    return card


def _find_bound(request: Request, presented: PresentedCard, session: Session) -> Smartcard | None:
    """Return the card of the request if it is the one presented. Errors: AtrDiffers; CardBoundAlready when it is another."""
    if request.smartcard_id is None:
        return None
    bound = session.smartcards.get(request.smartcard_id)
    if bound.card_id == presented.card_id:
        check_atr(bound, presented.atr)
        return bound
    # A renewal that would use its card again may still be given a new one, until a certificate was issued for the old.
    if bound.id != request.old_smartcard_id or request.profile_id is not None:
        raise CardBoundAlready()
    return None


def _check_takes_card(seen: SeenRequest, session: Session) -> None:
    request = seen.request
    if not request.needs_card or not request.makes_profile:
        raise CardNotTaken(request.operation.value, seen.template.name)
    if not seen.target.user.enabled:
        raise SubjectDisabled(seen.target.user.nt4_name)
    if request.old_profile_id is not None:
        check_profile_fits(request.operation, session.profiles.get_locked(request.old_profile_id))


def _make_profile(seen: SeenRequest, by: Caller, world: World, session: Session) -> Profile:
    profile = make_profile(seen.request, by, None, world)
    session.profiles.add(profile)
    check_room_for(seen, session, without=profile.id)
    return profile


def _assign(seen: SeenRequest, presented: PresentedCard, profile: Profile, world: World, session: Session) -> Smartcard:
    request, configuration = seen.request, seen.template.smartcard
    last = session.smartcards.find_last(presented.card_id)
    if last is not None:
        check_assignable(last, presented.atr, allow_reuse=configuration is not None and configuration.allow_reuse)
    initial = AdminKeys() if configuration is None else AdminKeys(held=AdminKey(algorithm=configuration.admin_key_algorithm))
    reused = SmartcardFlags.REUSED if last is not None and last.activated is not None else SmartcardFlags.NONE
    in_stock = last if last is not None and last.status is SmartcardStatus.NEW else None
    new = Smartcard(id=SmartcardId(world.make_identifier()), card_id=presented.card_id)
    card = replace(
        advance_card(in_stock or new, SmartcardAction.ASSIGN),
        flags=SmartcardFlags(int(profile.flags)) | reused,
        owner_id=profile.owner_id,
        template_id=profile.template_id,
        template_version=profile.template_version,
        profile_id=profile.id,
        parent_id=request.old_smartcard_id if request.workflow.supersedes else None,
        primary_id=request.old_smartcard_id if request.operation is Operation.DUPLICATE else None,
        permanent_id=request.old_smartcard_id if request.operation is Operation.TEMPORARY_CARD_ENROLL else None,
        atr=presented.atr or ("" if last is None else last.atr),
        admin_keys=initial if last is None else last.admin_keys,
    )
    if in_stock is None:
        session.smartcards.add(card)
    else:
        session.smartcards.change(card, from_status=in_stock.status)
    return card


def _tell_assigned(request: Request, card: Smartcard, by: Caller, at: datetime) -> Event:
    return tell(
        EventType.SMARTCARD_ASSIGNED,
        by,
        at,
        request_id=request.id,
        subject_id=request.target_id,
        smartcard=str(card.id),
        card=str(card.card_id),
        atr=card.atr,
    )
