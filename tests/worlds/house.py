"""A small installation for tests of use cases: a real database, a real authority, people, and templates for P-256 keys."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from threading import Lock
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text

from certwright.adapters.authorities.recovery_agents import issue_agent_certificate
from certwright.adapters.entropy import SystemEntropy
from certwright.adapters.keys.card_keys import SoftwareCardKeys
from certwright.adapters.keys.software import SoftwareKeyMaker, SoftwareKeySafe, generate_key, open_key
from certwright.adapters.patterns import Re2Patterns
from certwright.adapters.signin.argon2 import Argon2Hasher
from certwright.adapters.signin.basic import BasicSignIn
from certwright.adapters.sql.store import SqlStore
from certwright.adapters.turns import NoTurns, ThreadCrew
from certwright.application.approve_request import approve_request
from certwright.application.complete_request import complete_request
from certwright.application.create_request import RequestWish, create_request
from certwright.application.enroll import Submission, enroll
from certwright.application.open_archive import archive_key
from certwright.application.places import Delivered
from certwright.application.world import World
from certwright.domain.archive import RecoveryAgent
from certwright.domain.certificates import Certificate, SerialNumber, format_serial_number
from certwright.domain.events import Event
from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.identities import Caller, Group, GroupId, Principal
from certwright.domain.issuing import Cleared, Issuer, Signed, SigningOrder
from certwright.domain.keys import PrivateKey, SealedKey
from certwright.domain.policies import Answers, Choices
from certwright.domain.ports import CertificationAuthority, Clock
from certwright.domain.profile_templates import KeySpecification, ProfileTemplate, ProfileTemplateId, ResponseForm, X509KeyUsage
from certwright.domain.profiles import ProfileId
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm
from certwright.domain.requests import RequestId, RequestStatus
from certwright.domain.workflows import Operation
from certwright.formats.private_keys import parse_private_key
from worlds.authorities import FOUNDED, KEK, make_hierarchy
from worlds.clocks import SteppingClock
from worlds.contoso import (
    ADMINISTRATOR,
    AGENT,
    APPROVER,
    APPROVERS,
    CERTIFICATE_TEMPLATE,
    GRANTS,
    MANAGER,
    MANAGERS,
    OUTSIDER,
    SUBSCRIBER,
    SUBSCRIBER2,
    SUBSCRIBERS,
    TEMPLATE,
)

PEOPLE = (SUBSCRIBER, SUBSCRIBER2, MANAGER, APPROVER, AGENT, ADMINISTRATOR, OUTSIDER)
P256 = KeySpecification(algorithm=KeyAlgorithm.ECDSA_P256, bits=256)
SIGNING = replace(
    CERTIFICATE_TEMPLATE, common_name="SigningUser", key=P256, key_usages=frozenset({X509KeyUsage.DIGITAL_SIGNATURE})
)
SECOND = replace(SIGNING, common_name="SecondUser", oid="1.3.6.1.4.1.311.21.8.1.2")
ONE = replace(TEMPLATE, name="One Certificate", certificate_templates=(SIGNING,))
TWO = replace(
    TEMPLATE, id=ProfileTemplateId(UUID(int=0x2002)), name="Two Certificates", certificate_templates=(SIGNING, SECOND)
)

NO_CHOICES = Choices()
CHEAP = Argon2Hasher(passes=1, memory_kib=64, lanes=1)
"""The same hasher as in production, with parameters that cost nothing."""
PFX_PASSWORD = "a password for PFX files"
AGENT_NAME = "house"
_PRIVATE_KEYS: dict[bytes, PrivateKey] = {}
"""Of all certificate requests, by the digest of their public halves."""
_MAKING = Lock()
"""Threads that ask for one name at once must not get two keys."""


def csr(owner: str) -> str:
    """Return a certificate request of a key that *owner* names, as base64 of DER; always the same one for the same name."""
    with _MAKING:
        return _make_csr(owner)


@cache
def _make_csr(_owner: str) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    encoded = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private = parse_private_key(encoded)
    _PRIVATE_KEYS[private.public_key.digest] = private
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return "".join(request.public_bytes(serialization.Encoding.PEM).decode().splitlines()[1:-1])


def signed_in(who: Principal) -> Caller:
    """Return *who* as a caller."""
    return Caller(who.user, who.sids, "192.0.2.7")


@dataclass(frozen=True)
class House:
    """An installation, and what one does in it again and again."""

    store: SqlStore
    world: World
    clock: SteppingClock

    def open(self, template: ProfileTemplate = ONE, by: Principal = SUBSCRIBER, target: Principal | None = None) -> RequestId:
        """Return a new request, Approved where the policy needs no approvals."""
        wish = RequestWish(operation=Operation.ENROLL, template_id=template.id, target_id=target.user.id if target else None)
        return create_request(wish, by=signed_in(by), world=self.world).id

    def post(
        self,
        request_id: RequestId,
        *requests: str,
        by: Principal = SUBSCRIBER,
        comment: str = "",
        pfx_password: str = "",
        world: World | None = None,
    ) -> tuple[Delivered, ...]:
        """Return what certificatedata answers."""
        submission = Submission(certificate_requests=requests, comment=comment, pfx_password=pfx_password)
        return enroll(request_id, submission, by=signed_in(by), world=world or self.world)

    def with_authority(self, authority: CertificationAuthority) -> World:
        """Return the world with another authority."""
        return replace(self.world, authority=authority)

    def save(self, template: ProfileTemplate) -> ProfileTemplate:
        """Store a version of a template."""
        with self.store.writing() as session:
            return session.templates.save(template)

    def run(
        self,
        operation: Operation,
        profile_id: ProfileId | None,
        keys: tuple[str, ...] = (),
        *,
        by: Principal = SUBSCRIBER,
        executed_by: Principal | None = None,
        choices: Choices = NO_CHOICES,
    ) -> ProfileId:
        """Take a request from its start to its end and return the profile that it made or changed; Enroll is of TWO."""
        wish = RequestWish(
            operation=operation,
            template_id=TWO.id if profile_id is None else None,
            profile_id=profile_id,
            answers=Answers(choices=choices),
        )
        request = create_request(wish, by=signed_in(by), world=self.world)
        if request.status is RequestStatus.PENDING:
            approve_request(request.id, by=signed_in(APPROVER), world=self.world)
        if keys or operation is Operation.RECOVER_ON_BEHALF:
            requests = [csr(each) for each in keys]
            delivered = self.post(request.id, *requests, by=executed_by or by, pfx_password=PFX_PASSWORD)
            assert [each.error for each in delivered] == [None] * len(delivered)
        completed = complete_request(request.id, by=signed_in(executed_by or by), world=self.world)
        assert completed.request.profile_id is not None
        return completed.request.profile_id

    def archive(self, profile_id: ProfileId, common_name: str) -> SerialNumber:
        """Archive the key of the profile's certificate of that template, as if the server had made it."""
        in_use = [each for each in self.held(profile_id) if not each.is_key_history]
        (found,) = [each for each in in_use if each.template_common_name == common_name]
        with self.store.writing() as session:
            key = archive_key(_PRIVATE_KEYS[found.key_digest], found.serial, session.archive.list_agents(), self.world)
            session.archive.add([key])
        with self.store.engines[-1].connect() as connection:
            serial = format_serial_number(found.serial)
            connection.execute(text("UPDATE certificates SET is_archived = 1 WHERE serial = :serial"), {"serial": serial})
            connection.commit()
        return found.serial

    def held(self, profile_id: ProfileId) -> list[Certificate]:
        """Return the profile's certificates, copies and key history included."""
        with self.store.reading() as session:
            return list(session.certificates.list_of_profile(profile_id))

    def told(self, profile_id: ProfileId) -> list[str]:
        """Return the kinds of event that the history has of requests about the profile, in order."""
        with self.store.reading() as session:
            events = [each for each in session.history.list_unsealed(1_000) if isinstance(each, Event) and each.request_id]
            return [
                each.type.value
                for each in events
                if each.request_id and session.requests.get(RequestId(each.request_id)).old_profile_id == profile_id
            ]

    def certificates(self, request_id: RequestId) -> tuple[Certificate, ...]:
        """Return what the register has of a request."""
        with self.store.reading() as session:
            return session.certificates.list_of_request(request_id)

    def events(self, request_id: RequestId) -> list[str]:
        """Return the kinds of event that the history has of a request."""
        return [each.type.value for each in self.list_events(request_id)]

    def list_events(self, request_id: RequestId) -> tuple[Event, ...]:
        """Return what the history has of a request."""
        with self.store.reading() as session:
            return session.history.list_of_request(request_id)


def found_house(store: SqlStore) -> House:
    """Return the installation in the empty *store*, with everybody and everything in it."""
    clock = SteppingClock()
    names = {sid: f"group {sid.rpartition('-')[2]}" for who in PEOPLE for sid in who.sids if sid[-4:-3] == "2"}
    readers = (SUBSCRIBERS, MANAGERS, APPROVERS)
    rights = [
        *(
            Grant(kind, name, Right.ENROLL, SUBSCRIBERS)
            for kind, name in (
                (ObjectKind.PROFILE_TEMPLATE, str(TWO.id)),
                (ObjectKind.CERTIFICATE_TEMPLATE, SIGNING.common_name),
                (ObjectKind.CERTIFICATE_TEMPLATE, SECOND.common_name),
            )
        ),
        *(Grant(ObjectKind.PROFILE_TEMPLATE, str(TWO.id), Right.READ, who) for who in readers),
    ]
    with store.writing() as session:
        for who in PEOPLE:
            session.directory.save_user(who.user)
        for number, (sid, name) in enumerate(names.items(), start=1):
            members = frozenset(who.user.sid for who in PEOPLE if sid in who.sids)
            session.directory.save_group(Group(id=GroupId(UUID(int=0x6000 + number)), sid=sid, name=name, members=members))
        session.directory.replace_grants([*GRANTS, *rights])
        session.templates.save(ONE)
        session.templates.save(TWO)
        key, agent = make_agent()
        session.keys.save_key(key)
        session.archive.save_agent(agent)
    return House(store, make_world(store, clock), clock)


def make_world(store: SqlStore, clock: Clock) -> World:
    """Return everything that use cases need, on *store*."""
    return World(
        store=store,
        authority=make_hierarchy().authority,
        clock=clock,
        entropy=SystemEntropy(),
        workshop=ThreadCrew(NoTurns(), 1),
        key_maker=SoftwareKeyMaker(),
        safe=SoftwareKeySafe(KEK),
        card_keys=SoftwareCardKeys(KEK, SystemEntropy()),
        patterns=Re2Patterns(),
        own_passwords=BasicSignIn(store, CHEAP, clock, SystemEntropy()),
    )


@cache
def make_agent(
    name: str = AGENT_NAME, algorithm: KeyAlgorithm = KeyAlgorithm.ECDSA_P256, bits: int = 256
) -> tuple[SealedKey, RecoveryAgent]:
    """Return an online recovery agent and his key."""
    key_name = f"agent/{name}"
    sealed = generate_key(key_name, algorithm, bits, kek=KEK, now=FOUNDED)
    public, hierarchy = open_key(sealed, KEK).public_key, make_hierarchy()
    serial = SerialNumber(SystemEntropy().bits(64))
    certificate = issue_agent_certificate(name, public, hierarchy.issuer, hierarchy.issuing_key, serial=serial, now=FOUNDED)
    return sealed, RecoveryAgent(name=name, certificate=certificate, key_name=key_name, added=FOUNDED)


class InterruptedAuthority:
    """An authority at whose work something else happens, once: before or after the step that *moment* names."""

    def __init__(self, inner: CertificationAuthority, moment: str, happens: Callable[[], object]) -> None:
        self._inner = inner
        self._moment = moment
        self._happens = [happens]

    @property
    def issuer(self) -> Issuer:
        """Return the issuer of the authority within."""
        return self._inner.issuer

    def prepare(self, cleared: Cleared) -> bytes:
        """Return what the authority within does."""
        self._come("before prepare")
        return self._inner.prepare(cleared)

    def sign_each(self, orders: Sequence[SigningOrder]) -> list[Signed]:
        """Return what the authority within does."""
        self._come("before sign")
        signed = self._inner.sign_each(orders)
        self._come("after sign")
        return signed

    def respond(self, certificate: bytes, form: ResponseForm, digest: HashAlgorithm) -> bytes:
        """Return what the authority within does."""
        self._come("before respond")
        return self._inner.respond(certificate, form, digest)

    def _come(self, moment: str) -> None:
        if moment == self._moment and self._happens:
            self._happens.pop()()
