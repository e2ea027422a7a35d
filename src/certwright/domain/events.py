"""Facts that happened. Audit, mail and webhooks are made from them; they are written with the change they tell of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from certwright.domain.identities import Caller

PROGRAM = "certwright"
"""The actor of what is done on the server's own machine, by its command line or by itself."""


KINDS = "kinds"
"""The detail that names the kinds of rows which were marked for the first time."""
ROWS = "rows"
"""The detail that names the rows which were changed with an event, with their marks; the store writes it."""


class EventType(StrEnum):
    """What can happen; the value is what auditors search for, and never changes."""

    SERVICE_INITIALIZED = "service.initialized"
    DATABASE_MIGRATED = "database.migrated"
    SERVICE_STARTED = "service.started"
    SERVICE_STOPPED = "service.stopped"
    SERVER_CERTIFICATE_ISSUED = "server-certificate.issued"
    KEY_VERSION_ADDED = "key-version.added"
    KEYS_ROTATED = "keys.rotated"
    PASSPHRASE_CHANGED = "passphrase.changed"
    WORLD_LOADED = "world.loaded"
    SIGN_IN_FAILED = "sign-in.failed"
    SIGN_IN_THROTTLED = "sign-in.throttled"
    ACCESS_DENIED = "access.denied"
    PASSWORD_SET = "password.set"
    REQUEST_CREATED = "request.created"
    REQUEST_APPROVED = "request.approved"
    REQUEST_DENIED = "request.denied"
    REQUEST_DATA_SUPPLIED = "request.data-supplied"
    REQUEST_EXECUTED = "request.executed"
    REQUEST_COMPLETED = "request.completed"
    REQUEST_CANCELED = "request.canceled"
    REQUEST_ABANDONED = "request.abandoned"
    REQUEST_FAILED = "request.failed"
    REQUEST_EXPIRED = "request.expired"
    CERTIFICATE_ISSUED = "certificate.issued"
    CERTIFICATE_IMPORTED = "certificate.imported"
    KEY_DELIVERED = "key.delivered"
    KEY_RECOVERED = "key.recovered"
    KEY_UNREADABLE = "key.unreadable"
    KEY_EXPORTED = "key.exported"
    KEY_IMPORTED = "key.imported"
    KEYS_REARCHIVED = "keys.rearchived"
    RECOVERY_AGENT_ADDED = "recovery-agent.added"
    RECOVERY_AGENT_RETIRED = "recovery-agent.retired"
    CERTIFICATE_REQUEST_REJECTED = "certificate-request.rejected"
    CERTIFICATE_REVOKED = "certificate.revoked"
    CERTIFICATE_REVOCATION_EFFECTIVE = "certificate.revocation-effective"
    CERTIFICATE_HELD = "certificate.held"
    CERTIFICATE_REINSTATED = "certificate.reinstated"
    PROFILE_CHANGED = "profile.changed"
    PASSWORDS_DISTRIBUTED = "one-time-passwords.distributed"
    PASSWORDS_UNDELIVERED = "one-time-passwords.undelivered"
    PASSWORDS_ACCEPTED = "one-time-passwords.accepted"
    PASSWORDS_REJECTED = "one-time-passwords.rejected"
    PASSWORDS_EXPIRED = "one-time-passwords.expired"
    RENEWAL_REFUSED = "renewal.refused"
    SMARTCARD_ASSIGNED = "smartcard.assigned"
    SMARTCARD_CHANGED = "smartcard.changed"
    ADMIN_KEY_HANDED_OUT = "smartcard.admin-key-handed-out"
    CHALLENGE_ANSWERED = "smartcard.challenge-answered"
    SMARTCARD_IMPORTED = "smartcard.imported"
    PIN_PROPOSED = "smartcard.pin-proposed"
    PIN_SHOWN = "smartcard.pin-shown"
    CARD_MASTER_KEY_MADE = "card-master-key.made"
    EXTERNAL_CERTIFICATE_ENDS = "external-certificate.ends"
    CRL_REQUESTED = "crl.requested"
    TEMPLATES_IMPORTED = "profile-templates.imported"
    MESSAGE_RESENT = "message.resent"
    TEMPLATE_WITHDRAWN = "profile-template.withdrawn"
    USER_CHANGED = "user.changed"
    GROUP_CHANGED = "group.changed"
    GROUP_DELETED = "group.deleted"
    RIGHT_GRANTED = "right.granted"
    RIGHT_REVOKED = "right.revoked"
    ROLES_COMBINED = "roles.combined"
    SETTINGS_CHANGED = "settings.changed"
    KEY_CREATED = "key.created"
    HISTORY_READ = "history.read"
    HISTORY_PRUNED = "history.pruned"
    STATE_MARKED = "state.marked"
    STATE_NOTED = "state.noted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact: who did what, to what, when, from where, with which words.

    Shape: *actor* is ``DOMAIN\\account`` or the name of a program; *sequence* is 0 until the store gives the number.
    """

    type: EventType
    at: datetime
    actor: str
    source: str
    actor_id: UUID | None = None
    request_id: UUID | None = None
    subject_id: UUID | None = None
    comment: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class UnreadableEvent:
    """An event of which nothing but its number can be told: what is stored is not what any version up to this one writes."""

    sequence: int


StoredEvent = Event | UnreadableEvent


def tell(
    event_type: EventType,
    by: Caller,
    at: datetime,
    *,
    request_id: UUID | None = None,
    subject_id: UUID | None = None,
    comment: str = "",
    **details: str,
) -> Event:
    """Return the event that *by* did it at *at*."""
    return Event(
        type=event_type,
        at=at,
        actor=by.user.nt4_name,
        actor_id=by.user.id,
        source=by.source,
        request_id=request_id,
        subject_id=subject_id,
        comment=comment,
        details=details,
    )


def tell_of_program(event_type: EventType, at: datetime, *, subject_id: UUID | None = None, **details: str) -> Event:
    """Return the event that a program of ours did it by itself at *at*."""
    return Event(type=event_type, at=at, actor=PROGRAM, source="program", subject_id=subject_id, details=details)


def tell_of_operator(
    event_type: EventType, operator: str, at: datetime, *, subject_id: UUID | None = None, **details: str
) -> Event:
    """Return the event that *operator*, an account of the server's own operating system, did it on the command line."""
    return Event(type=event_type, at=at, actor=operator, source="command line", subject_id=subject_id, details=details)


@dataclass(frozen=True, slots=True)
class Digested:
    """What is stored of some events, as digests.

    Shape: *digests* has one (sequence, SHA-256) pair an event, ascending; *unreadable* are the numbers of those among them of
    which nothing but the number can be told; *unmarked* are those without the mark that they should have, where it was looked.
    """

    digests: tuple[tuple[int, bytes], ...] = ()
    unreadable: tuple[int, ...] = ()
    unmarked: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealStatement:
    """What a seal says: which events are under it, and where the chain stands after them.

    Shape: *first* and *last* are the sequence numbers of its first and its last event; *chain* and *version* as in `Seal`.
    """

    number: int
    sealed_at: datetime
    events: int
    first: int
    last: int
    chain: bytes
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A signed batch of the history.

    Shape: *digests* has one (sequence, SHA-256) pair an event, ascending; *last_sequence* is the last of their numbers as it
    is stored beside them; *chain* is SHA-256 over the previous seal's chain and the digests; *signature* is made by the
    sealing key over the statement of the seal, in *version* 1 over *chain* alone; *version* 3 says that all events were marked.
    """

    number: int
    digests: tuple[tuple[int, bytes], ...]
    last_sequence: int
    chain: bytes
    signature: bytes
    sealed_at: datetime
    version: int

    @property
    def statement(self) -> SealStatement:
        """Return what the seal says. Shape: *first* and *last* are 0 where somebody took all digests away."""
        first, last = (self.digests[0][0], self.digests[-1][0]) if self.digests else (0, 0)
        return SealStatement(
            number=self.number,
            sealed_at=self.sealed_at,
            events=len(self.digests),
            first=first,
            last=last,
            chain=self.chain,
            version=self.version,
        )


@dataclass(frozen=True, slots=True)
class UnreadableSeal:
    """A seal of which nothing but the number can be told."""

    number: int


StoredSeal = Seal | UnreadableSeal


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was written outside of the database about a seal: its statement and its signature, which say the same there."""

    statement: SealStatement
    signature: bytes
