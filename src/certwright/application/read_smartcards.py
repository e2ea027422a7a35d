"""Read cards: one's own, one, or the card of a request."""

from collections.abc import Iterator
from dataclasses import dataclass

from certwright.application.card_contents import list_profiles_on
from certwright.application.read_holdings import list_held_certificates
from certwright.application.request_parties import get_principal, get_request
from certwright.application.startable import list_operations
from certwright.application.world import World
from certwright.domain.access import ReadProfile, check_allowed, decide
from certwright.domain.errors import SmartcardNotFound
from certwright.domain.external_certificates import HeldCertificate
from certwright.domain.identities import Caller
from certwright.domain.ports import Session
from certwright.domain.profiles import Profile
from certwright.domain.requests import RequestId
from certwright.domain.security_descriptors import RequestPermission
from certwright.domain.smartcards import CardId, Smartcard, SmartcardId, SmartcardStatus
from certwright.domain.workflows import Operation

CARDS_A_SLICE = 1_000


@dataclass(frozen=True, slots=True)
class HeldSmartcard:
    """A card in somebody's hands with the profile that is on it."""

    card: Smartcard
    profile: Profile


def list_smartcards(*, by: Caller, world: World, statuses: frozenset[SmartcardStatus] | None = None) -> tuple[Smartcard, ...]:
    """Return the caller's own cards, newest first, of *statuses* or of any."""
    slices = list_smartcards_in_slices(by=by, world=world, slice_length=CARDS_A_SLICE, statuses=statuses)
    return tuple(each for held in slices for each in held)


def list_smartcards_in_slices(
    *, by: Caller, world: World, slice_length: int, statuses: frozenset[SmartcardStatus] | None = None
) -> Iterator[tuple[Smartcard, ...]]:
    """Return what `list_smartcards` does. Shape: each slice as of when it is read."""
    after: SmartcardId | None = None
    while True:
        with world.store.reading() as session:
            page = session.smartcards.list_page(owner_id=by.user.id, statuses=statuses, after=after, limit=slice_length)
        yield page
        if len(page) < slice_length:
            return
        after = page[-1].id


def read_smartcard(smartcard_id: SmartcardId, *, by: Caller, world: World) -> Smartcard:
    """Return the card. Errors: SmartcardNotFound, also for a card in stock; AccessDenied."""
    with world.store.reading() as session:
        return _look(session.smartcards.get(smartcard_id), by, session).card


def find_smartcard(card_id: CardId, *, by: Caller, world: World) -> Smartcard | None:
    """Return the last assignment of the card of that identifier, or the card whose own identifier it is, if there is one.

    Errors: AccessDenied. Source: domain.md 8, number 24.
    """
    with world.store.reading() as session:
        try:
            card = session.smartcards.find_last(card_id) or session.smartcards.get(SmartcardId(card_id))
            return _look(card, by, session).card
        except SmartcardNotFound:
            return None


def list_smartcard_operations(smartcard_id: SmartcardId, *, by: Caller, world: World) -> tuple[Operation, ...]:
    """Return what *by* may start with the card now. Errors: SmartcardNotFound; AccessDenied."""
    with world.store.reading() as session:
        held = _look(session.smartcards.get(smartcard_id), by, session)
        return list_operations(held.profile, by=by, session=session, world=world)


def list_smartcard_certificates(smartcard_id: SmartcardId, *, by: Caller, world: World) -> tuple[HeldCertificate, ...]:
    """Return every certificate on the card: those of its profile, and of the ones that were renewed in place before it.

    Shape: as `list_held_certificates`. Errors: SmartcardNotFound; AccessDenied.
    """
    with world.store.reading() as session:
        held = _look(session.smartcards.get(smartcard_id), by, session)
        beside = [each for each in list_profiles_on(smartcard_id, session) if each.id != held.profile.id]
        return list_held_certificates(held.profile, session, beside)


def read_request_smartcard(request_id: RequestId, smartcard_id: SmartcardId, *, by: Caller, world: World) -> Smartcard:
    """Return the card that the request is for, or about.

    Errors: RequestNotFound; AccessDenied unless *by* may read the request; SmartcardNotFound for any other card.
    """
    with world.store.reading() as session:
        request = get_request(request_id, RequestPermission.READ, by=by, session=session).request
        if smartcard_id not in (request.smartcard_id, request.old_smartcard_id):
            raise SmartcardNotFound(smartcard_id)
        return session.smartcards.get(smartcard_id)


def _look(card: Smartcard, by: Caller, session: Session) -> HeldSmartcard:
    if card.profile_id is None:
        raise SmartcardNotFound(card.id)
    profile = session.profiles.get(card.profile_id)
    owner = get_principal(profile.owner_id, session)
    check_allowed(decide(by, ReadProfile(profile, owner), session.directory.load_grants()))
    return HeldSmartcard(card, profile)
