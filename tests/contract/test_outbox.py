"""The outbox: lines, claims, what becomes of a message, and secrets that rest encrypted."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from certwright.adapters.keys.key_encryption import KeyEncryptionKey
from certwright.adapters.sql.outbox import WINDOW
from certwright.adapters.sql.store import SqlStore, open_store
from certwright.domain.errors import KeyUnavailable, OutboxMessageNotFound
from certwright.domain.events import Event, EventType
from certwright.domain.notifications import NotificationType
from certwright.domain.outbox import MAIL, OutboxMessage, OutboxMessageId, OutboxState
from certwright.domain.ports import Session
from certwright.domain.requests import RequestId
from worlds.contoso import NOW
from worlds.holdings import ALICE, BOB

SECOND = timedelta(seconds=1)
LATER = NOW + timedelta(minutes=10)
LATEST = NOW + timedelta(hours=1)
SECRET = b"one-time password 4711"


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    opened = open_store(url, cipher=KeyEncryptionKey("passphrase"))
    yield opened
    opened.close()


def message(**changed) -> OutboxMessage:
    plain = {
        "id": OutboxMessageId(uuid4()),
        "sink": MAIL,
        "recipient": "alice@contoso.com",
        "notification": NotificationType.CREATE_REQUEST,
        "subject_id": ALICE,
        "request_id": RequestId(uuid4()),
        "created": NOW,
        "due": NOW,
        "payload": b"{}",
    }
    return OutboxMessage(**(plain | changed))


def put(store: SqlStore, *messages: OutboxMessage) -> None:
    with store.writing() as session:
        session.outbox.add(messages)


def list_due(store: SqlStore, sink: str = MAIL, now=NOW, latest=LATEST) -> list[OutboxMessage]:
    with store.reading() as session:
        return list(session.outbox.list_due(sink, now=now, latest=latest, limit=100))


def claim(store: SqlStore, each: OutboxMessage, until=LATER) -> OutboxMessage | None:
    with store.writing() as session:
        return session.outbox.claim(each, until=until)


def record(store: SqlStore, each: OutboxMessage) -> bool:
    with store.writing() as session:
        return session.outbox.record(each)


def find(store: SqlStore, each: OutboxMessage) -> OutboxMessage:
    with store.reading() as session:
        return session.outbox.get(each.id)


def test_a_message_comes_back_as_it_was_with_a_number(store: SqlStore) -> None:
    first, second = message(error="before"), message(subject_id=BOB, sink="webhook:siem", recipient="")
    put(store, first, second)
    found = [find(store, each) for each in (first, second)]
    assert [replace(each, number=0) for each in found] == [first, second]
    assert 0 < found[0].number < found[1].number


def test_a_message_that_nobody_put_there_is_not_found(store: SqlStore) -> None:
    with pytest.raises(OutboxMessageNotFound):
        find(store, message())


def test_of_each_subject_only_the_first_is_due(store: SqlStore) -> None:
    of_alice, of_bob = [message(), message()], [message(subject_id=BOB), message(subject_id=BOB)]
    elsewhere = message(sink="webhook:siem")
    put(store, *of_alice, *of_bob, elsewhere)
    assert [each.id for each in list_due(store)] == [of_alice[0].id, of_bob[0].id]
    assert [each.id for each in list_due(store, "webhook:siem")] == [elsewhere.id]


def test_what_waits_holds_the_later_ones_of_its_line_and_no_others(store: SqlStore) -> None:
    stuck, behind, of_bob = message(due=LATER), message(), message(subject_id=BOB)
    put(store, stuck, behind, of_bob)
    assert [each.id for each in list_due(store)] == [of_bob.id]
    assert [each.id for each in list_due(store, now=LATER)] == [of_bob.id, stuck.id]


def test_a_long_line_behind_one_that_waits_hides_nobody_elses_turn(store: SqlStore) -> None:
    put(store, message(due=LATER), *(message() for _ in range(WINDOW)), other := message(subject_id=BOB))
    assert [each.id for each in list_due(store)] == [other.id]


@pytest.mark.parametrize("end", [OutboxState.SENT, OutboxState.DEAD])
def test_when_one_has_ended_the_next_has_its_turn(store: SqlStore, end: OutboxState) -> None:
    first, second = message(), message()
    put(store, first, second)
    claimed = claim(store, list_due(store)[0])
    assert claimed is not None
    assert list_due(store) == []
    assert record(store, replace(claimed, state=end, error="as it ended"))
    assert [each.id for each in list_due(store)] == [second.id]
    assert (find(store, first).state, find(store, first).error, find(store, first).attempts) == (end, "as it ended", 1)


def test_a_claim_counts_and_is_one_senders_alone(store: SqlStore) -> None:
    put(store, message())
    (due,) = list_due(store)
    claimed = claim(store, due)
    assert claimed is not None
    assert (claimed.attempts, claimed.due, claimed.payload) == (1, LATER, b"{}")
    assert claim(store, due) is None
    assert list_due(store) == []


def test_of_two_who_claim_at_once_one_gets_it(store: SqlStore) -> None:
    put(store, message())
    (due,) = list_due(store)
    start = Barrier(2)

    def try_it(_: int) -> bool:
        start.wait()
        return claim(store, due) is not None

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(try_it, range(2))) == [False, True]


def test_what_a_dead_sender_had_in_hand_is_due_again_and_his_word_counts_no_more(store: SqlStore) -> None:
    put(store, message())
    by_the_dead = claim(store, list_due(store)[0])
    assert by_the_dead is not None
    (again,) = list_due(store, now=LATER)
    claimed = claim(store, again, until=LATER + SECOND)
    assert claimed is not None
    assert claimed.attempts == 2
    assert not record(store, replace(by_the_dead, state=OutboxState.SENT))
    assert record(store, replace(claimed, state=OutboxState.SENT))


def test_a_clock_that_was_put_back_keeps_nothing_waiting_for_a_day(store: SqlStore) -> None:
    put(store, message(due=NOW + timedelta(days=1)))
    assert len(list_due(store)) == 1
    assert list_due(store, latest=NOW + timedelta(days=2)) == []


def test_a_dead_message_waits_again_as_if_it_were_new(store: SqlStore) -> None:
    put(store, message())
    claimed = claim(store, list_due(store)[0])
    assert claimed is not None
    assert record(store, replace(claimed, state=OutboxState.DEAD))
    fresh = replace(find(store, claimed), recipient="alice2@contoso.com", created=LATER, due=LATER)
    with store.writing() as session:
        assert session.outbox.release(fresh)
        assert not session.outbox.release(fresh), "it is dead no more"
    found = find(store, claimed)
    assert (found.state, found.attempts, found.created, found.due) == (OutboxState.WAITING, 0, LATER, LATER)
    assert found.recipient == "alice2@contoso.com"


def test_the_newest_are_listed_first_of_one_state_or_of_all(store: SqlStore) -> None:
    sent, dead, waiting = message(state=OutboxState.SENT), message(state=OutboxState.DEAD), message()
    put(store, sent, dead, waiting)
    with store.reading() as session:
        assert [each.id for each in session.outbox.list_all(None, 10)] == [waiting.id, dead.id, sent.id]
        assert [each.id for each in session.outbox.list_all(OutboxState.DEAD, 10)] == [dead.id]
        assert [each.id for each in session.outbox.list_all(None, 1)] == [waiting.id]


def test_what_was_sent_is_forgotten_after_a_while_and_nothing_else(store: SqlStore) -> None:
    put(store, message(state=OutboxState.SENT), message(state=OutboxState.SENT, due=LATER), message(state=OutboxState.DEAD))
    with store.writing() as session:
        assert session.outbox.count_sent(NOW + SECOND, 10) == 1
        assert session.outbox.forget_sent(NOW + SECOND, 10) == 1
    with store.reading() as session:
        assert [each.state for each in session.outbox.list_all(None, 10)] == [OutboxState.DEAD, OutboxState.SENT]


def test_a_secret_rests_encrypted_comes_back_with_a_claim_only_and_is_gone_when_it_was_sent(store: SqlStore, url: str) -> None:
    put(store, message(payload=SECRET, has_secret=True))
    (due,) = list_due(store)
    assert (due.payload, find(store, due).payload) == (b"", b"")
    assert SECRET not in read_row(url)
    claimed = claim(store, due)
    assert claimed is not None
    assert claimed.payload == SECRET
    assert "4711" not in repr(claimed)
    assert record(store, replace(claimed, state=OutboxState.SENT))
    assert b"certwright" not in read_row(url), "not even its sealed form is kept"


def test_a_sealed_payload_opens_in_its_own_message_only(store: SqlStore, url: str) -> None:
    mine, other = message(payload=SECRET, has_secret=True), message(payload=b"x", has_secret=True, subject_id=BOB)
    put(store, mine, other)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        numbers = [find(store, each).number for each in (mine, other)]
        taken = connection.execute(text("SELECT sealed FROM outbox WHERE number = :n"), {"n": numbers[0]}).scalar()
        connection.execute(text("UPDATE outbox SET sealed = :s WHERE number = :n"), {"s": taken, "n": numbers[1]})
    engine.dispose()
    with pytest.raises(KeyUnavailable):
        claim(store, find(store, other))


def read_row(url: str) -> bytes:
    """Return everything that the database has in the columns of the one message."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM outbox")).one()
    engine.dispose()
    return b" ".join(bytes(each) if isinstance(each, bytes | memoryview) else str(each).encode() for each in row)


# -- the door for events ---------------------------------------------------------------------------------------------------


class Listener:
    """Puts a message into the outbox for each event, and remembers what it has heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def hear(self, events: Sequence[Event], session: Session) -> None:
        self.heard += [each.actor for each in events]
        session.outbox.add([message(recipient=each.actor) for each in events])


def make_event(number: int) -> Event:
    return Event(type=EventType.PASSWORD_SET, at=NOW, actor=str(number), source="test")


def test_whoever_appends_an_event_is_heard_in_his_transaction(url: str) -> None:
    listener = Listener()
    store = open_store(url, listener=listener)
    with store.writing() as session:
        session.history.append([make_event(1), make_event(2)])
        session.history.append([])
        assert len(session.outbox.list_all(None, 10)) == 2

    def write(number: int, session: Session) -> None:
        session.history.append([make_event(number)])
        if number < 5:
            raise OutboxMessageNotFound("refused")

    with pytest.raises(OutboxMessageNotFound), store.writing() as session:
        write(3, session)
    store.writing_each([partial(write, 4), partial(write, 5)])
    with store.reading() as session:
        assert [each.recipient for each in session.outbox.list_all(None, 10)] == ["5", "2", "1"]
    assert set(listener.heard) == {"1", "2", "3", "4", "5"}
    store.close()


def test_the_messages_about_a_request_are_listed_oldest_first_without_their_secrets(store: SqlStore) -> None:
    about = RequestId(uuid4())
    first, second = message(request_id=about, has_secret=True), message(request_id=about)
    put(store, first, message(), second)
    with store.reading() as session:
        found = session.outbox.list_of_request(about)
    assert [each.id for each in found] == [first.id, second.id]
    assert found[0].payload == b""


def test_oldest_message_that_waits_is_found(store: SqlStore) -> None:
    with store.reading() as session:
        assert session.outbox.find_oldest_waiting() is None
    first, second, third = (message(created=NOW + each * SECOND, due=LATER - each * SECOND) for each in range(3))
    put(store, first, second, third)
    claimed = claim(store, find(store, first))
    assert claimed is not None
    assert record(store, replace(claimed, state=OutboxState.SENT))
    with store.reading() as session:
        found = session.outbox.find_oldest_waiting()
    assert found is not None
    assert found.id == second.id
