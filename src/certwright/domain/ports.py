"""What we need from outside, as small protocols. Adapters keep them; one contract suite each says whether they do."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar

from certwright.domain.card_ports import CardMasterKeys, Smartcards
from certwright.domain.certificates import Certificate, KeyHolder, SerialNumber
from certwright.domain.data_items import DataItem
from certwright.domain.directory_ports import Directory
from certwright.domain.errors import CertwrightError
from certwright.domain.events import Event
from certwright.domain.history_ports import History, Retention, State
from certwright.domain.identities import Caller, UserId
from certwright.domain.issuing import Cleared, Issuer, Signed, SigningOrder
from certwright.domain.key_ports import Archive, ExternalCertificates, KeyPool, Keys
from certwright.domain.notified_events import Notification
from certwright.domain.password_ports import Passwords
from certwright.domain.ports_at_rest import SealedRows
from certwright.domain.profile_templates import ProfileTemplate, ProfileTemplateId, ResponseForm
from certwright.domain.profiles import Profile, ProfileId, ProfileStatus
from certwright.domain.public_keys import HashAlgorithm, PublicKey
from certwright.domain.requests import Approval, Request, RequestFilter, RequestId, RequestStatus
from certwright.domain.revocation import RevocationReason
from certwright.domain.smartcards import SmartcardId
from certwright.domain.work_ports import DelayedRevocations, Leases, Outbox, Renewals

Item = TypeVar("Item")
Result = TypeVar("Result")


class ProfileTemplates(Protocol):
    """Versions of profile templates; a saved version never changes."""

    def get(self, template_id: ProfileTemplateId, version: int | None = None) -> ProfileTemplate:
        """Return the version, or the newest. Errors: ProfileTemplateNotFound, for the newest also when it was withdrawn."""

    def list_newest(self) -> tuple[ProfileTemplate, ...]:
        """Return the newest version of each template, ordered by name."""

    def list_versions(self) -> tuple[ProfileTemplate, ...]:
        """Return every version of every template: old ones go on ruling the requests that were made under them."""

    def withdraw(self, template_id: ProfileTemplateId) -> None:
        """Take the template away from `list_newest` and from `get` without a version; saving it again brings it back."""

    def save(self, template: ProfileTemplate) -> ProfileTemplate:
        """Store *template* as a new version unless it equals the newest; return what is now the newest.

        Errors: ChangedMeanwhile when another session saved a version at the same moment.
        """


class Requests(Protocol):
    """Requests, newest first where they are listed."""

    def add(self, request: Request) -> None:
        """Store a new request. Errors: ChangedMeanwhile when another open one asks for the same operation of the profile."""

    def get(self, request_id: RequestId) -> Request:
        """Errors: RequestNotFound."""

    def get_locked(self, request_id: RequestId) -> Request:
        """Return the request, which nobody else changes until this session has ended. Errors: RequestNotFound."""

    def list_page(self, wanted: RequestFilter, *, after: RequestId | None, limit: int) -> tuple[Request, ...]:
        """Return the first *limit* requests that *wanted* asks for, of those that are older than *after*."""

    def find_newest_id(self, target_id: UserId, template_id: ProfileTemplateId) -> RequestId | None:
        """Return the newest request for the person under any version of the template."""

    def change(self, request: Request, *, from_status: RequestStatus) -> None:
        """Store *request*, but for its answers, if its status is still *from_status*; nobody else changes it meanwhile.

        Errors: ChangedMeanwhile when it is not.
        """

    def answer(self, request: Request) -> None:
        """Store the answers to data items that *request* has; it is one that `get_locked` has given."""

    def list_open_about(self, profile_id: ProfileId) -> tuple[Request, ...]:
        """Return the requests about the profile that are still open, newest first."""

    def list_open_about_profiles_of(self, page: Sequence[Profile]) -> tuple[Request, ...]:
        """Return the open requests about any profile of *page*, newest first; as `Profiles.list_duplicates_of`."""

    def list_of_card(self, smartcard_id: SmartcardId) -> tuple[Request, ...]:
        """Return the requests that are for the card, newest first; the last is the one that it was bound to."""

    def add_approval(self, approval: Approval, answers: Sequence[DataItem] = ()) -> bool:
        """Store the approval of *answers* unless its approver gave one already, and return whether this was the first."""

    def list_approvals(self, request_id: RequestId) -> tuple[Approval, ...]:
        """Return them in the order in which they were given."""

    def list_standing_approvals(self, request: Request) -> tuple[Approval, ...]:
        """Return those whose answers *request* still has; what was open when they were given may have been answered since."""

    def list_idle(self, idle_since: datetime, limit: int) -> tuple[Request, ...]:
        """Return open requests, oldest first, with which nobody but the program has done anything since."""

    def is_idle(self, request_id: RequestId, idle_since: datetime) -> bool:
        """Return whether `list_idle` would list the request."""

    def has_open(self, count: int, originator_id: UserId, target_id: UserId, template_id: ProfileTemplateId) -> bool:
        """Return whether the originator has at least *count* open requests of the template for the target."""

    def count_open_of_template(self, template_id: ProfileTemplateId) -> int:
        """Return how many open requests any version of the template has."""


class Profiles(Protocol):
    """What people hold, newest first where it is listed."""

    def add(self, profile: Profile) -> None:
        """Store a new profile."""

    def get(self, profile_id: ProfileId) -> Profile:
        """Errors: ProfileNotFound."""

    def get_locked(self, profile_id: ProfileId) -> Profile:
        """Return the profile, which nobody else changes until this session has ended. Errors: ProfileNotFound."""

    def list_of(self, owner_id: UserId, statuses: frozenset[ProfileStatus] | None = None) -> tuple[Profile, ...]:
        """Return the owner's profiles, newest first."""

    def list_page_of(self, owner_id: UserId, *, after: ProfileId | None, limit: int) -> tuple[Profile, ...]:
        """Return the owner's newest profiles, or the newest of those that are older than *after*."""

    def list_duplicates_of(self, page: Sequence[Profile]) -> tuple[Profile, ...]:
        """Return the duplicates of each profile of *page*, which are one person's next to each other, newest first."""

    def list_duplicates(self, primary_id: ProfileId) -> tuple[Profile, ...]:
        """Return the duplicates of the profile, newest first."""

    def find_last_number(self) -> int:
        """Return the number of the newest profile; 0 when there is none."""

    def count_of_template(self, template_id: ProfileTemplateId, statuses: frozenset[ProfileStatus], *, after: int = 0) -> int:
        """Return how many profiles of *statuses* with a number above *after* any version of the template has."""

    def lock_room(self, owner_id: UserId, template_id: ProfileTemplateId) -> None:
        """Let nobody else count the owner's profiles of the template, to add one, until this session has ended."""

    def change(self, profile: Profile, *, from_status: ProfileStatus) -> None:
        """Store *profile* if its status is still *from_status*; nobody else changes it until this session has ended.

        Errors: ChangedMeanwhile.
        """


class Certificates(Protocol):
    """The register of certificates, from just before they are signed."""

    def add(self, certificates: Iterable[Certificate]) -> None:
        """Store certificates that are about to be signed.

        Errors: ChangedMeanwhile when a place of a request or a serial number is taken, or a key has become another's.
        """

    def record(self, certificate: Certificate) -> bool:
        """Store the signed form unless there is one already, and return whether this was the first."""

    def find(self, serial: SerialNumber) -> Certificate | None:
        """Return the certificate, signed or not."""

    def list_of_request(self, request_id: RequestId) -> tuple[Certificate, ...]:
        """Return them in the order of their places, those about to be signed included."""

    def list_of_profile(self, profile_id: ProfileId) -> tuple[Certificate, ...]:
        """Return the issued ones, newest first, those included that the profile holds a copy of: as key history, or not."""

    def list_by_profile(self, page: Sequence[Profile]) -> Mapping[ProfileId, tuple[Certificate, ...]]:
        """Return what `list_of_profile` does, for each profile of *page* that has any; as `Profiles.list_duplicates_of`."""

    def list_unsigned_of_profile(self, profile_id: ProfileId) -> tuple[Certificate, ...]:
        """Return those of its own that are about to be signed."""

    def add_copies(self, profile_id: ProfileId, serials: Iterable[SerialNumber], *, is_key_history: bool) -> None:
        """Say that the profile holds certificates of another one, too; what it holds already stays as it is."""

    def list_of_subject(self, subject_id: UserId) -> tuple[Certificate, ...]:
        """Return the issued ones, newest first."""

    def list_page_of_subject(self, subject_id: UserId, *, after: SerialNumber | None, limit: int) -> tuple[Certificate, ...]:
        """Return the newest of what `list_of_subject` does, or the newest that are older than *after*, without those that no
        profile of the subject holds but retired ones.
        """

    def list_key_history(self, subject_id: UserId) -> tuple[SerialNumber, ...]:
        """Return what one of the subject's own profiles holds as key history, of certificates that were issued to him."""

    def find_key_holder(self, key_digest: bytes) -> KeyHolder | None:
        """Return who holds, or is about to hold, a certificate for the key."""

    def revoke(self, serial: SerialNumber, reason: RevocationReason, at: datetime) -> None:
        """Revoke the certificate, signed or not, from *at* on.

        A hold may be followed by any reason. Any other reason stays, but an earlier time takes the place of a later one.
        """

    def release(self, serial: SerialNumber) -> None:
        """End the hold of a certificate; any other revocation stays."""


class Session(Protocol):
    """One transaction's view of the store."""

    @property
    def directory(self) -> Directory: ...
    @property
    def templates(self) -> ProfileTemplates: ...
    @property
    def requests(self) -> Requests: ...
    @property
    def profiles(self) -> Profiles: ...
    @property
    def passwords(self) -> Passwords: ...
    @property
    def renewals(self) -> Renewals: ...
    @property
    def delayed_revocations(self) -> DelayedRevocations: ...
    @property
    def smartcards(self) -> Smartcards: ...
    @property
    def card_master_keys(self) -> CardMasterKeys: ...
    @property
    def certificates(self) -> Certificates: ...
    @property
    def history(self) -> History: ...
    @property
    def retention(self) -> Retention: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def archive(self) -> Archive: ...
    @property
    def external(self) -> ExternalCertificates: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def sealed(self) -> SealedRows: ...
    @property
    def key_pool(self) -> KeyPool: ...
    @property
    def state(self) -> State: ...


class Store(Protocol):
    """Where everything is kept. Each block is one transaction: all of it, durably, or, when it raises, nothing."""

    def reading(self) -> AbstractContextManager[Session]:
        """Open a consistent view; writing through it is refused."""

    def writing(self) -> AbstractContextManager[Session]:
        """Open a transaction that is durable when the block has ended. Errors: StoreUnavailable."""

    def writing_each(self, blocks: Sequence[Callable[[Session], Result]]) -> list[Result | CertwrightError]:
        """Return what each block returns, or the error that it raised and for which nothing of it was stored.

        All that is stored is one transaction, durable when this returns. Where one is refused, others may run twice, and the
        last time counts. Errors: StoreUnavailable.
        """


class CertificationAuthority(Protocol):
    """An authority that signs what was cleared, in two steps with the store's commit between them."""

    @property
    def issuer(self) -> Issuer: ...

    def prepare(self, cleared: Cleared) -> bytes:
        """Return exactly what will be signed, the DER TBSCertificate."""

    def sign_each(self, orders: Sequence[SigningOrder]) -> list[Signed]:
        """Return what becomes of each order, in their order. Errors: KeyUnavailable."""

    def respond(self, certificate: bytes, form: ResponseForm, digest: HashAlgorithm) -> bytes:
        """Return the DER of the ``Pkcs7`` that delivers *certificate*. Errors: KeyUnavailable."""


class SigningKey(Protocol):
    """A private key that stays where it is: in this program's memory, or in a device."""

    @property
    def name(self) -> str: ...

    @property
    def public_key(self) -> PublicKey: ...

    def sign(self, data: bytes, hash_algorithm: HashAlgorithm) -> bytes:
        """Return the signature over *data*, whose digest is not yet taken: PKCS#1 v1.5 for RSA, DER ECDSA for curves.

        Errors: KeyUnavailable.
        """


class SignIn(Protocol):
    """One way to prove who one is. Source: RFC 9110 section 11 for its words."""

    @property
    def challenge(self) -> str:
        """Return the WWW-Authenticate value."""

    def recall(self, scheme: str, credentials: str, source: str) -> Caller | None:
        """Return who it is when that is known already, or can be found out fast; None when it takes `authenticate`.

        Errors: CredentialsRejected; SignInThrottled.
        """

    def authenticate(self, scheme: str, credentials: str, source: str) -> Caller | None:
        """Return who it is, or None when *scheme* is not this one's.

        Errors: CredentialsRejected; SignInThrottled.
        """


class EventListener(Protocol):
    """Hears of every event in the transaction that writes it, whoever writes it; what it stores is stored with the event."""

    def hear(self, events: Sequence[Event], session: Session) -> None:
        """Do what *events* ask for. It is not to wait for anything outside the store, and not to refuse anything."""


class NotificationSink(Protocol):
    """One way in which people or programs are told. Source: INotificationSink in domain.md 2.12."""

    def notify(self, notification: Notification, session: Session) -> None:
        """Put into the outbox of *session* what the notification makes here; nothing, where nobody wants to know."""


class Turns(Protocol):
    """Who of the threads that answer calls computes, and when."""

    def held(self) -> AbstractContextManager[None]:
        """Run the body of a ``with`` as one turn."""

    def aside(self) -> AbstractContextManager[None]:
        """Let others have their turn while the body of a ``with`` waits for something long; a brief turn is kept."""

    def giving_way(self) -> AbstractContextManager[None]:
        """Let others have their turn while the body of a ``with`` waits for one of them, who may need it to go on."""

    @property
    def is_brief(self) -> bool:
        """Return whether this thread has a turn and must be back soon."""

    def brief(self) -> AbstractContextManager[bool]:
        """Run the body of a ``with`` as the turn of somebody who must be back soon; it is told whether he has one now."""


class TakesLong(Exception):
    """Raised before anything is done, in a turn that had to be brief: somebody else has to do this."""


class Crew(Protocol):
    """Hands for work that keeps a processor busy."""

    def announce(self) -> None:
        """Say that there will be such work, before anything that lasts is done. Errors: TakesLong in a brief turn."""

    def each(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Return what *work* makes of each item, in their order; the first thing that it raises is raised."""


class Clock(Protocol):
    """The time of day: the only way in which it comes in."""

    def now(self) -> datetime:
        """Return the time, aware, UTC."""


class Entropy(Protocol):
    """Unpredictable numbers."""

    def bits(self, count: int) -> int: ...

    def octets(self, count: int) -> bytes: ...
