"""A house whose rows are marked, with something of every kind in it, and the database's own tools on it."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import create_engine

from certwright.adapters.keys.sealing_key import HistorySealingKey
from certwright.adapters.sql.event_marks import EventMarker
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.application.verify_history import HistoryReport, verify_history
from certwright.domain.admin_keys import AdminKey, AdminKeyAlgorithm, AdminKeys, AdminKeyScheme
from certwright.domain.archive import RecoveryAgent
from certwright.domain.certificates import SerialNumber
from certwright.domain.delayed_revocations import DelayedRevocation
from certwright.domain.distributed_passwords import DistributedPasswords
from certwright.domain.events import EventType, tell_of_program
from certwright.domain.external_certificates import ExternalCertificate
from certwright.domain.keys import AuthorityRecord
from certwright.domain.one_time_passwords import KEY_OCTETS
from certwright.domain.ports import Session
from certwright.domain.profiles import ProfileId
from certwright.domain.requests import Approval, RequestId
from certwright.domain.workflows import Operation
from worlds.authorities import KEK, make_key
from worlds.contoso import APPROVER, NOW, SUBSCRIBER, SUBSCRIBER2
from worlds.holdings import list_requests_of, make_card, make_profile
from worlds.house import ONE, TWO, House, found_house

KEY = HistorySealingKey(make_key(name="sealing-key"))
SECRET = bytes(range(32))
ROW_SECRET = bytes(range(32, 64))
DAY = timedelta(days=1)
CARD_KEYS = AdminKeys(held=AdminKey(scheme=AdminKeyScheme.IMPORTED, algorithm=AdminKeyAlgorithm.AES_256, sealed=b"sealed"))
EXTERNAL = ExternalCertificate(
    thumbprint="00FF",
    serial=SerialNumber(77),
    subject_id=SUBSCRIBER.user.id,
    template_id=ONE.id,
    requester_name=SUBSCRIBER.user.nt4_name,
    authority_name="CN=Elsewhere",
    subject_name="CN=Subscriber,O=Elsewhere",
    not_before=NOW,
    not_after=NOW + DAY,
    public_key=b"public",
    encoded=b"der",
    imported_at=NOW,
    sealed_key=b"sealed",
)


@dataclass(frozen=True)
class Estate:
    """A house whose rows are marked, with something of every kind in it, and the database's own tools on it."""

    house: House
    url: str
    profile_id: ProfileId
    open_id: RequestId

    def run(self, *statements: Any) -> None:
        engine = create_engine(self.url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            for each in statements:
                connection.execute(each)
        engine.dispose()

    def list_rows(self, statement: Any) -> list[dict[str, Any]]:
        engine = create_engine(self.url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            found = [dict(each._mapping) for each in connection.execute(statement)]
        engine.dispose()
        return found

    def verify(self) -> HistoryReport:
        return verify_history(world=self.house.world, key=KEY)

    def read_fresh(self, use: Callable[[Session], object]) -> object:
        """Return what *use* gives in a process that remembers nothing."""
        with closing(open_marked(self.url)) as store, store.reading() as session:
            return use(session)


def open_marked(url: str) -> SqlStore:
    """Return the store, which marks events and rows."""
    store = open_store(url, cipher=KEK)
    store.mark_with(EventMarker(SECRET))
    store.mark_rows_with(ROW_SECRET)
    return store


@contextmanager
def found_estate(url: str, *, open_it: Callable[[str], SqlStore] = open_marked) -> Iterator[Estate]:
    """Give out an estate in the empty database of *url*."""
    with closing(open_it(url)) as store:
        with store.writing() as session:
            session.history.append([tell_of_program(EventType.SERVICE_INITIALIZED, NOW)])
        house = found_house(store)
        profile_id = house.run(Operation.ENROLL, None, ("one", "two"))
        with store.writing() as session:
            session.directory.save_password_hash(SUBSCRIBER.user.id, "a hash")
            session.templates.withdraw(ONE.id)
            open_id = next(each.id for each in list_requests_of(session) if each.profile_id == profile_id)
            session.requests.add_approval(Approval(request_id=open_id, approver_id=APPROVER.user.id, at=NOW, comment=""))
        estate = Estate(house, url, profile_id, open_id)
        add_rarely_used(estate, store)
        yield estate


def add_rarely_used(estate: Estate, store: SqlStore) -> None:
    """Store one row of each kind that few enrollments touch."""
    request_id = estate.open_id
    other = make_profile(SUBSCRIBER2.user.id, template_id=TWO.id)
    with store.writing() as session:
        (first, second) = session.certificates.list_of_profile(estate.profile_id)
        session.profiles.add(other)
        session.certificates.add_copies(other.id, [first.serial], is_key_history=True)
        session.smartcards.add(make_card(admin_keys=CARD_KEYS, sealed_pin=b"sealed"))
        session.passwords.save(
            DistributedPasswords(
                request_id=request_id,
                key=bytes(range(KEY_OCTETS)),
                digests=(bytes(32),),
                distributed=NOW,
                expires=NOW + DAY,
                tries_left=5,
            )
        )
        session.delayed_revocations.add(
            DelayedRevocation(serial=second.serial, request_id=request_id, effective=NOW + DAY, lists="")
        )
        session.external.add([EXTERNAL])
        session.archive.save_agent(RecoveryAgent(name="vault", certificate=b"der", key_name=None, added=NOW))
        session.keys.save_authority(
            AuthorityRecord(name="issuing", config_name="ca\\Issuing", certificate=b"der", key_name="issuing")
        )
