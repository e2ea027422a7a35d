"""Give a card its own administrator key, and answer what cards ask before they obey."""

from dataclasses import replace

from certwright.application.card_visits import CardInReader, CardVisit, open_visit, tell_visit
from certwright.application.world import World
from certwright.domain.admin_keys import AdminKey, AdminKeys, AdminKeyScheme, CardMasterKey, name_imported_key
from certwright.domain.errors import ChallengesExhausted, KeyNotDiversified, KeyShared, KeyUnavailable
from certwright.domain.events import EventType, tell_of_operator
from certwright.domain.identities import Caller
from certwright.domain.ports import Session
from certwright.domain.smartcards import Smartcard
from certwright.domain.workflows import CardSecret
from certwright.formats.admin_keys import answer_challenge

NO_LIMIT = 2**31 - 1


def hand_out_admin_key(reader: CardInReader, *, by: Caller, world: World) -> bytes:
    """Return the key that is to become the card's own, derived from the newest master key; again the same one.

    Errors: as `open_visit`; KeyShared where the template gives its cards none; KeyUnavailable.
    Source: get-smartcard-diversified-admin-key.
    """
    with world.store.writing() as session:
        visit = open_visit(reader, CardSecret.ADMIN_KEY, by=by, session=session)
        if not visit.configuration.diversify_admin_key:
            raise KeyShared(visit.seen.template.name)
        now, card = world.clock.now(), visit.card
        master = session.card_master_keys.find_newest() or make_master(session, world)
        key = AdminKey(scheme=AdminKeyScheme.DERIVED_V1, algorithm=card.admin_keys.held.algorithm, version=master.version)
        _keep(card, card.admin_keys.offer(key), session)
        told = tell_visit(visit, EventType.ADMIN_KEY_HANDED_OUT, by, now, scheme=key.scheme, version=str(key.version))
        session.history.append([told])
        return world.card_keys.derive(master, card.card_id, key.algorithm)


def answer_card(reader: CardInReader, challenge: bytes, *, diversified: bool, by: Caller, world: World) -> bytes:
    """Return the answer to the card's challenge, under its own key or the one before.

    Errors: as `open_visit`; MalformedValue for a challenge that the card's algorithm has not; KeyNotDiversified;
            ChallengesExhausted; KeyUnavailable.
    Source: get-smartcard-authentication-response; the decisions "diversified" and "challenge".
    """
    with world.store.writing() as session:
        visit = open_visit(reader, CardSecret.ANSWER, by=by, session=session)
        keys = visit.card.admin_keys
        if diversified and not keys.has_own:
            raise KeyNotDiversified()
        key = keys.choose(diversified=diversified)
        answer = answer_challenge(open_key(key, visit.card, session, world), challenge, key.algorithm)
        _count(visit, session)
        _keep(visit.card, keys.use(key), session)
        now = world.clock.now()
        told = tell_visit(visit, EventType.CHALLENGE_ANSWERED, by, now, scheme=key.scheme, version=str(key.version))
        session.history.append([told])
    return answer


def rotate_master(*, operator: str, world: World) -> CardMasterKey:
    """Make a new master key and return it: from now on cards are given keys that come from it, each at its next visit."""
    with world.store.writing() as session:
        master = make_master(session, world)
        made = tell_of_operator(EventType.CARD_MASTER_KEY_MADE, operator, world.clock.now(), version=str(master.version))
        session.history.append([made])
    return master


def make_master(session: Session, world: World) -> CardMasterKey:
    """Return the next master key, stored. Errors: ChangedMeanwhile."""
    newest = session.card_master_keys.find_newest()
    master = world.card_keys.make_master(1 if newest is None else newest.version + 1)
    session.card_master_keys.add(master, world.clock.now())
    return master


def open_key(key: AdminKey, card: Smartcard, session: Session, world: World) -> bytes:
    """Return the key itself. Errors: KeyUnavailable."""
    match key.scheme:
        case AdminKeyScheme.DERIVED_V1:
            master = session.card_master_keys.get(key.version)
            return world.card_keys.derive(master, card.card_id, key.algorithm)
        case AdminKeyScheme.IMPORTED if key.sealed is not None:
            return world.card_keys.open(key.sealed, name_imported_key(card.card_id))
        case AdminKeyScheme.INITIAL if card.template_id is not None:
            configuration = session.templates.get(card.template_id, card.template_version).smartcard
            if configuration is not None:
                return configuration.default_admin_key
    raise KeyUnavailable(name_imported_key(card.card_id))


def _count(visit: CardVisit, session: Session) -> None:
    limit = visit.configuration.maximum_challenges
    if not session.smartcards.count_challenge(visit.seen.request.id, limit or NO_LIMIT):
        raise ChallengesExhausted(limit)


def _keep(card: Smartcard, keys: AdminKeys, session: Session) -> None:
    if keys != card.admin_keys:
        session.smartcards.change(replace(card, admin_keys=keys), from_status=card.status)
