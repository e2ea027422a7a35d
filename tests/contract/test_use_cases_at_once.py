"""Use cases at the same moment, and answers that are kept secret, on each database."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier

import pytest
from sqlalchemy import text

from certwright.adapters.keys.key_encryption import KeyEncryptionKey
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.application.approve_request import approve_request, supply_data
from certwright.application.create_request import RequestWish, create_request
from certwright.domain.data_items import DataItem, DataItemDefinition, DataItemOriginator
from certwright.domain.errors import AlreadyApproved, AnswersApproved, CertwrightError, ProfilesExhausted
from certwright.domain.identities import Principal
from certwright.domain.policies import Answers, Policy
from certwright.domain.profiles import ProfileStatus
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId, RequestStatus
from certwright.domain.workflows import Operation
from worlds.contoso import APPROVER, APPROVERS, MANAGER, MANAGERS, OUTSIDER, SUBSCRIBER
from worlds.house import ONE, House, csr, found_house, signed_in

ROUNDS = 5
SECOND_APPROVER = Principal(OUTSIDER.user, OUTSIDER.sids | {APPROVERS})
SECRET = "31337-secret"
ASKING = Policy(
    self_service=True,
    initiators=frozenset({MANAGERS}),
    approvers=frozenset({APPROVERS}),
    approvals_needed=2,
    data_items=(
        DataItemDefinition(name="Cost Centre", originator=DataItemOriginator.MANAGER),
        DataItemDefinition(name="Floor", originator=DataItemOriginator.MANAGER),
        DataItemDefinition(name="Badge", sensitive=True),
    ),
)


@pytest.fixture
def house(url: str) -> Iterator[House]:
    store = open_store(url, cipher=KeyEncryptionKey("correct horse battery staple"))
    house = found_house(store)
    with store.writing() as session:
        (group,) = (each for each in session.directory.list_groups() if each.sid == APPROVERS)
        session.directory.save_group(replace(group, members=group.members | {SECOND_APPROVER.user.sid}))
    yield house
    store.close()


def ask(house: House) -> RequestId:
    """Return a request of the manager for the subscriber that waits for two approvals."""
    house.save(replace(ONE, policies={RequestType.ENROLL: ASKING}))
    return house.open(ONE, MANAGER, SUBSCRIBER)


def attempt(act: Callable[[], object]) -> str:
    """Return what came of it: nothing, or the error's code."""
    try:
        act()
    except CertwrightError as refused:
        return refused.code
    return ""


def run_at_once(acts: list[Callable[[], object]]) -> list[str]:
    met = Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        met.wait()
        return attempt(act)

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def read_answers(house: House, request_id: RequestId) -> dict[str, str | None]:
    with house.store.reading() as session:
        return {each.name: each.value for each in session.requests.get(request_id).data}


def test_of_requests_that_are_executed_at_once_as_many_make_profiles_as_there_is_room_for(house: House) -> None:
    house.save(replace(ONE, policies={RequestType.ENROLL: Policy(self_service=True, maximum_active_profiles=1)}))
    for number in range(ROUNDS):
        requests = [house.open() for _ in range(3)]
        outcomes = run_at_once([partial(house.post, each, csr(f"{number} {each}")) for each in requests])
        assert sorted(outcomes) == ["", ProfilesExhausted.code, ProfilesExhausted.code]
        with house.store.writing() as session:
            live = frozenset({ProfileStatus.NEW, ProfileStatus.ACTIVE})
            (made,) = session.profiles.list_of(SUBSCRIBER.user.id, live)
            session.profiles.change(replace(made, status=ProfileStatus.DISABLED), from_status=made.status)


def test_approvals_that_are_given_at_once_all_count_and_what_one_answers_stays(house: House) -> None:
    for _ in range(ROUNDS):
        request_id = ask(house)
        approve = partial(approve_request, request_id, world=house.world)
        outcomes = run_at_once(
            [
                partial(approve, by=signed_in(APPROVER), data=(DataItem("Cost Centre", "1"),)),
                partial(approve, by=signed_in(SECOND_APPROVER), data=(DataItem("Floor", "2"),)),
                partial(supply_data, request_id, (DataItem("Badge", SECRET),), by=signed_in(SUBSCRIBER), world=house.world),
            ]
        )
        assert outcomes == ["", "", ""]
        assert read_answers(house, request_id) == {"Cost Centre": "1", "Floor": "2", "Badge": SECRET}
        with house.store.reading() as session:
            assert session.requests.get(request_id).status is RequestStatus.APPROVED


def test_the_same_approver_counts_once_also_at_once(house: House) -> None:
    request_id = ask(house)
    approvals = [lambda: approve_request(request_id, by=signed_in(APPROVER), world=house.world)] * 3
    assert sorted(run_at_once(approvals)) == ["", AlreadyApproved.code, AlreadyApproved.code]


def test_what_somebody_approved_is_not_answered_otherwise_afterwards(house: House) -> None:
    request_id = ask(house)

    def approve(by: Principal, *data: DataItem) -> str:
        return attempt(lambda: approve_request(request_id, by=signed_in(by), world=house.world, data=data))

    assert approve(APPROVER, DataItem("Cost Centre", "1")) == ""
    before = house.list_events(request_id)
    for given in ("2", "", None):
        assert approve(SECOND_APPROVER, DataItem("Floor", "3"), DataItem("Cost Centre", given)) == AnswersApproved.code
    assert read_answers(house, request_id) == {"Cost Centre": "1"}
    assert house.list_events(request_id) == before
    assert approve(SECOND_APPROVER, DataItem("Floor", "3"), DataItem("Cost Centre", "1")) == ""
    assert read_answers(house, request_id) == {"Cost Centre": "1", "Floor": "3"}


def dump_requests(store: SqlStore) -> str:
    """Return everything that the database itself has in the table."""
    with store.engines[0].connect() as connection:
        return str(connection.execute(text("SELECT * FROM requests")).all())


def test_sensitive_answers_rest_encrypted_each_in_its_place(house: House, url: str) -> None:
    house.save(replace(ONE, policies={RequestType.ENROLL: replace(ASKING, approvals_needed=0)}))
    wish = RequestWish(
        operation=Operation.ENROLL,
        template_id=ONE.id,
        answers=Answers(data=(DataItem("Badge", SECRET), DataItem("Cost Centre", "plain-answer"))),
    )
    request = create_request(wish, by=signed_in(SUBSCRIBER), world=house.world)
    stored = dump_requests(house.store)
    assert SECRET not in stored
    assert "plain-answer" in stored
    assert read_answers(house, request.id)["Badge"] == SECRET

    supply_data(request.id, (DataItem("Badge", f"{SECRET}-new"),), by=signed_in(SUBSCRIBER), world=house.world)
    assert SECRET not in dump_requests(house.store)
    assert read_answers(house, request.id)["Badge"] == f"{SECRET}-new"
    assert SECRET not in str(house.list_events(request.id))

    thief = open_store(url, cipher=KeyEncryptionKey("another passphrase"))
    with pytest.raises(CertwrightError) as refused, thief.reading() as session:
        session.requests.get(request.id)
    assert SECRET not in str(refused.value)
    thief.close()


def test_a_sensitive_answer_opens_in_no_other_request(house: House) -> None:
    house.save(replace(ONE, policies={RequestType.ENROLL: replace(ASKING, approvals_needed=0)}))
    first, second = (
        create_request(
            RequestWish(operation=Operation.ENROLL, template_id=ONE.id, answers=Answers(data=(DataItem("Badge", answer),))),
            by=signed_in(SUBSCRIBER),
            world=house.world,
        ).id
        for answer in (SECRET, "1")
    )
    with house.store.engines[-1].begin() as connection:
        copy = text("UPDATE requests SET data = (SELECT data FROM requests WHERE id = :first) WHERE id = :second")
        dialect = house.store.engines[0].dialect.name
        ids = {"first": first.hex, "second": second.hex} if dialect == "sqlite" else {"first": first, "second": second}
        assert connection.execute(copy, ids).rowcount == 1
    with pytest.raises(CertwrightError), house.store.reading() as session:
        session.requests.get(second)
