"""Take over cards that exist: those in stock, and those that another system has given out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from certwright.application.explain_access import get_template_named
from certwright.application.world import World
from certwright.domain.account_names import find_named
from certwright.domain.admin_keys import AdminKey, AdminKeyAlgorithm, AdminKeys, AdminKeyScheme, name_imported_key
from certwright.domain.errors import (
    CardInUse,
    CardNotTaken,
    MalformedValue,
    ProfileTemplateNotFound,
    Refused,
    UserNotFound,
    check_none_broken,
)
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.profiles import Profile, ProfileFlags, ProfileId, ProfileStatus
from certwright.domain.smartcards import CardId, Smartcard, SmartcardFlags, SmartcardId, SmartcardStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCard:
    """A card as another system knows it.

    Shape: *where* says where it was read, for faults. *user* and *template* are names, both empty for a card in stock.
    *admin_key* is the key that it has, None for the initial one of the template under which it will be given out.
    """

    where: str
    card_id: CardId
    atr: str = ""
    user: str = ""
    template: str = ""
    admin_key: bytes | None = None
    algorithm: AdminKeyAlgorithm = AdminKeyAlgorithm.TRIPLE_DES
    comment: str = ""


def import_cards(cards: Sequence[KnownCard], *, operator: str, world: World) -> tuple[Smartcard, ...]:
    """Store all of the cards, or none of them, and return them: New in stock, or Active in somebody's hands.

    A card in somebody's hands gets a profile without certificates: those were issued elsewhere. Its key is kept sealed until
    it is given one of ours at its next visit.

    Errors: MalformedValue, UserNotFound, ProfileTemplateNotFound, CardNotTaken and CardInUse, as RulesBroken for several.
    """
    with world.store.writing() as session:
        faults: list[Refused] = []
        made = [_take(each, faults, session, world) for each in cards]
        faults += _list_repeated(cards)
        check_none_broken(faults)
        stored = tuple(each for each in made if each is not None)
        for card in stored:
            session.smartcards.add(card)
        now = world.clock.now()
        session.history.append(
            tell_of_operator(
                EventType.SMARTCARD_IMPORTED,
                operator,
                now,
                subject_id=card.owner_id,
                smartcard=str(card.id),
                card=str(card.card_id),
                status=card.status.name,
                scheme=card.admin_keys.held.scheme,
            )
            for card in stored
        )
    return stored


def _take(known: KnownCard, faults: list[Refused], session: Session, world: World) -> Smartcard | None:
    """Return the card, its profile stored already, or None with the reason in *faults*."""
    try:
        return _make_card(known, session, world)
    except Refused as refused:
        faults.append(MalformedValue(known.where, refused.text.rstrip(".")))
        return None


def _make_card(known: KnownCard, session: Session, world: World) -> Smartcard:
    last = session.smartcards.find_last(known.card_id)
    if last is not None and last.status is not SmartcardStatus.RETIRED:
        raise CardInUse(str(known.card_id))
    card = Smartcard(
        id=SmartcardId(world.make_identifier()),
        card_id=known.card_id,
        atr=known.atr,
        comment=known.comment,
        admin_keys=AdminKeys(held=_make_key(known, world)),
    )
    if not known.user:
        return card
    profile = _make_profile(known, session, world)
    return Smartcard(
        id=card.id,
        card_id=card.card_id,
        atr=card.atr,
        comment=card.comment,
        admin_keys=card.admin_keys,
        status=SmartcardStatus.ACTIVE,
        flags=SmartcardFlags.PRIMARY,
        owner_id=profile.owner_id,
        template_id=profile.template_id,
        template_version=profile.template_version,
        profile_id=profile.id,
        activated=world.clock.now(),
    )


def _make_key(known: KnownCard, world: World) -> AdminKey:
    if known.admin_key is None:
        return AdminKey(algorithm=known.algorithm)
    if len(known.admin_key) != known.algorithm.key_octets:
        raise MalformedValue("adminkey", f"{known.algorithm.key_octets} octets are wanted for {known.algorithm}")
    sealed = world.card_keys.seal(known.admin_key, name_imported_key(known.card_id))
    return AdminKey(scheme=AdminKeyScheme.IMPORTED, algorithm=known.algorithm, sealed=sealed)


def _make_profile(known: KnownCard, session: Session, world: World) -> Profile:
    owner = find_named(known.user, session.directory)
    if owner is None:
        raise UserNotFound(known.user)
    template = _get_template(known.template, session)
    profile = Profile(
        id=ProfileId(world.make_identifier()),
        status=ProfileStatus.ACTIVE,
        flags=ProfileFlags.PRIMARY,
        owner_id=owner.user.id,
        template_id=template.id,
        template_version=template.version,
    )
    session.profiles.add(profile)
    return profile


def _get_template(name: str, session: Session) -> ProfileTemplate:
    if not name:
        raise ProfileTemplateNotFound("without a name")
    template = get_template_named(name, session)
    if not template.is_smartcard:
        raise CardNotTaken("import", template.name)
    return template


def _list_repeated(cards: Sequence[KnownCard]) -> Iterable[Refused]:
    seen: set[CardId] = set()
    for each in cards:
        if each.card_id in seen:
            yield MalformedValue(each.where, f"the card {each.card_id} is listed more than once")
        seen.add(each.card_id)
