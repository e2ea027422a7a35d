"""Requests, profiles, certificates and events for the tests of the store, which cares for little of what is in them."""

from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from uuid import UUID, uuid4

from certwright.adapters.sql.store import SqlStore
from certwright.domain.certificates import Certificate, SerialNumber
from certwright.domain.events import Event, EventType, Seal
from certwright.domain.identities import UserId
from certwright.domain.notifications import NotificationType
from certwright.domain.outbox import MAIL, OutboxMessage, OutboxMessageId
from certwright.domain.ports import Session
from certwright.domain.profiles import Profile, ProfileFlags, ProfileId, ProfileStatus
from certwright.domain.requests import Request, RequestFilter, RequestFlags, RequestId, RequestStatus
from certwright.domain.smartcards import CardId, Smartcard, SmartcardFlags, SmartcardId, SmartcardStatus
from certwright.domain.workflows import Operation
from worlds.contoso import NOW, SUBSCRIBER, TEMPLATE

ALICE, BOB = UserId(UUID(int=1)), UserId(UUID(int=2))
_serials = count(2**158)


def make_request(originator: UserId = ALICE, target: UserId | None = None, **changed) -> Request:
    plain = {
        "id": RequestId(uuid4()),
        "operation": Operation.ENROLL,
        "status": RequestStatus.APPROVED,
        "flags": RequestFlags.NONE,
        "template_id": TEMPLATE.id,
        "template_version": 1,
        "originator_id": originator,
        "target_id": target or originator,
        "submitted": NOW,
    }
    return Request(**(plain | changed))


def make_profile(owner: UserId = ALICE, **changed) -> Profile:
    plain = {
        "id": ProfileId(uuid4()),
        "status": ProfileStatus.NEW,
        "flags": ProfileFlags.PRIMARY,
        "owner_id": owner,
        "template_id": TEMPLATE.id,
        "template_version": 1,
    }
    return Profile(**(plain | changed))


def make_card(profile: Profile | None = None, **changed) -> Smartcard:
    """Return a card of the profile's owner, or one in stock."""
    plain = {"id": SmartcardId(uuid4()), "card_id": CardId(uuid4())}
    if profile is not None:
        plain |= {
            "status": SmartcardStatus.ACTIVE,
            "flags": SmartcardFlags.PRIMARY,
            "owner_id": profile.owner_id,
            "template_id": profile.template_id,
            "template_version": profile.template_version,
            "profile_id": profile.id,
        }
    return Smartcard(**(plain | changed))


def make_certificate(request: Request, profile: Profile, place: int = 0, **changed) -> Certificate:
    serial = SerialNumber(next(_serials))
    plain = {
        "serial": serial,
        "request_id": request.id,
        "place": place,
        "profile_id": profile.id,
        "subject_id": profile.owner_id,
        "requester_name": SUBSCRIBER.user.nt4_name,
        "template_common_name": "ContosoUser",
        "authority_name": "Contoso Issuing CA",
        "not_before": NOW,
        "not_after": NOW + timedelta(days=365),
        "request_digest": sha256(b"request").digest(),
        "key_digest": sha256(str(serial).encode()).digest(),
        "to_be_signed": b"to be signed\0",
    }
    return Certificate(**(plain | changed))


def add_request_and_profile(session: Session, owner: UserId = ALICE) -> tuple[Request, Profile]:
    request, profile = make_request(owner), make_profile(owner)
    session.requests.add(request)
    session.profiles.add(profile)
    return request, profile


def start(store: SqlStore, owner: UserId = ALICE) -> tuple[Request, Profile]:
    """Return a request and a profile that are in the store, with their template."""
    with store.writing() as session:
        session.templates.save(TEMPLATE)
        return add_request_and_profile(session, owner)


def list_requests_of(session: Session, **wanted) -> tuple[Request, ...]:
    """Return the requests that *wanted* asks for, newest first; without it, all."""
    return session.requests.list_page(RequestFilter(**wanted), after=None, limit=1_000)


def make_event(comment: str = "", **changed) -> Event:
    plain = {"type": EventType.REQUEST_CREATED, "at": NOW, "actor": "CORP\\alice", "source": "::1", "comment": comment}
    return Event(**(plain | changed))


def make_seal(number: int, *sequences: int) -> Seal:
    digests = tuple((each, sha256(str(each).encode()).digest()) for each in sequences)
    return Seal(
        number=number,
        digests=digests,
        last_sequence=sequences[-1],
        chain=bytes(32),
        signature=b"signature",
        sealed_at=NOW,
        version=2,
    )


def make_message(created: datetime) -> OutboxMessage:
    """Return a mail to Alice that is due at once."""
    return OutboxMessage(
        id=OutboxMessageId(uuid4()),
        sink=MAIL,
        recipient="alice@contoso.com",
        notification=NotificationType.CREATE_REQUEST,
        subject_id=ALICE,
        request_id=RequestId(uuid4()),
        created=created,
        due=created,
        payload=b"{}",
    )
