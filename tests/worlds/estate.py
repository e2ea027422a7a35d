"""A house whose rows are marked, with something of every kind in it, and the database's own tools on it."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import create_engine

from certwright.adapters.keys.sealing_key import HistorySealingKey
from certwright.adapters.sql.event_marks import EventMarker
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.application.verify_history import HistoryReport, verify_history
from certwright.domain.ports import Session
from certwright.domain.profiles import ProfileId
from certwright.domain.requests import Approval, RequestId
from certwright.domain.workflows import Operation
from worlds.authorities import KEK, make_key
from worlds.contoso import APPROVER, NOW, SUBSCRIBER
from worlds.holdings import list_requests_of
from worlds.house import ONE, House, found_house

KEY = HistorySealingKey(make_key(name="sealing-key"))
SECRET = bytes(range(32))
ROW_SECRET = bytes(range(32, 64))


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
def found_estate(url: str) -> Iterator[Estate]:
    """Give out an estate in the empty database of *url*."""
    with closing(open_marked(url)) as store:
        house = found_house(store)
        profile_id = house.run(Operation.ENROLL, None, ("one", "two"))
        with store.writing() as session:
            session.directory.save_password_hash(SUBSCRIBER.user.id, "a hash")
            session.templates.withdraw(ONE.id)
            open_id = next(each.id for each in list_requests_of(session) if each.profile_id == profile_id)
            session.requests.add_approval(Approval(request_id=open_id, approver_id=APPROVER.user.id, at=NOW, comment=""))
        yield Estate(house, url, profile_id, open_id)
