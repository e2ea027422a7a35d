"""Sending what is in the outbox, to a real mail server and a real webhook, with a clock that is told to go."""

import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Barrier
from uuid import UUID

import msgspec
import pytest

from certwright.adapters.keys.key_encryption import KeyEncryptionKey
from certwright.adapters.mail.smtp import MailServer, SmtpCarrier
from certwright.adapters.sql.store import open_store
from certwright.adapters.webhooks.signed import WebhookCarrier, WebhookReceiver
from certwright.application.manage_outbox import get_message, list_messages, resend_messages
from certwright.application.notify_by_mail import MailContent
from certwright.application.send_outbox import list_forgettable, list_sendable, send_outbox
from certwright.domain.errors import DeliveryRejected, OutboxMessageNotFound, ReceiverUnavailable
from certwright.domain.identities import UserId
from certwright.domain.mail_security import MailSecurity
from certwright.domain.notifications import NotificationType
from certwright.domain.outbox import CLAIM, MAIL, OutboxMessage, OutboxMessageId, OutboxState, Pace
from certwright.domain.requests import RequestId
from certwright.domain.work_ports import Carrier
from certwright.formats.built_in_mails import make_sample_facts
from worlds.contoso import NOW
from worlds.house import House, found_house
from worlds.receivers import (
    Hook,
    Mailbox,
    find_free_port,
    hang,
    make_server_tls,
    misbehaving,
    receiving_calls,
    receiving_mail,
)

PACE = Pace(first_delay=timedelta(seconds=10), longest_delay=timedelta(minutes=15), maximum_age=timedelta(days=2))
ALICE, BOB = UserId(UUID(int=0xA)), UserId(UUID(int=0xB))
SIEM = "webhook:siem"


@pytest.fixture
def house(founded: Path, tmp_path: Path) -> Iterator[House]:
    path = tmp_path / "store.db"
    path.write_bytes(founded.read_bytes())
    store = open_store(f"sqlite:///{path}", cipher=KeyEncryptionKey("passphrase"))
    yield found_house(store)
    store.close()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    return make_server_tls(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def mailbox(tls: tuple[ssl.SSLContext, Path]) -> Iterator[Mailbox]:
    with receiving_mail(tls[0]) as received:
        yield received


@pytest.fixture
def hook(tls: tuple[ssl.SSLContext, Path]) -> Iterator[Hook]:
    with receiving_calls(tls[0]) as received:
        yield received


@pytest.fixture
def by_mail(tls: tuple[ssl.SSLContext, Path]) -> Callable[[int], Carrier]:
    context = ssl.create_default_context(cafile=tls[1])

    def make(port: int) -> Carrier:
        server = MailServer(
            host="localhost",
            port=port,
            security=MailSecurity.STARTTLS,
            sender="ca@contoso.com",
            time_limit=timedelta(seconds=2),
            tls=context,
        )
        return SmtpCarrier(server)

    return make


@pytest.fixture
def by_webhook(tls: tuple[ssl.SSLContext, Path]) -> Callable[[int], Carrier]:
    context = ssl.create_default_context(cafile=tls[1])

    def make(port: int) -> Carrier:
        receiver = WebhookReceiver(
            name="siem",
            url=f"https://localhost:{port}/",
            time_limit=timedelta(seconds=2),
            tls=context,
            read_secret=lambda: "secret",
        )
        return WebhookCarrier(receiver)

    return make


def put(house: House, number: int, subject: UserId = ALICE, sink: str = MAIL, **changed) -> OutboxMessage:
    """Put a message into the outbox; mails say their number in their subject, calls in their body."""
    content = MailContent(make_sample_facts(NotificationType.CREATE_REQUEST) | changed.pop("facts", {}))
    payload = msgspec.json.encode(content) if sink == MAIL else str(number).encode()
    made = OutboxMessage(
        id=OutboxMessageId(UUID(int=number)),
        sink=sink,
        notification=NotificationType.CREATE_REQUEST,
        subject_id=subject,
        request_id=RequestId(UUID(int=8)),
        created=house.clock.now(),
        due=house.clock.now(),
        **({"payload": payload, "recipient": "sam@contoso.com" if sink == MAIL else ""} | changed),
    )
    with house.store.writing() as session:
        session.outbox.add([made])
    return made


def send(house: House, carrier: Carrier) -> tuple[int, int, int]:
    """Return how many were sent, wait again, and are dead."""
    sent = send_outbox(carrier, world=house.world, pace=PACE)
    return sent.sent, sent.failed, sent.dead


def find(house: House, message: OutboxMessage) -> OutboxMessage:
    return get_message(message.id, world=house.world)


def numbers(mailbox: Mailbox) -> list[int]:
    """Return which mails arrived, in their order, by the identifiers that they carry."""
    return [UUID(str(each["Message-ID"])[1:37]).int for each in mailbox.letters]


def calls(hook: Hook) -> list[int]:
    return [int(body) for _, _, body in hook.calls]


# -- what goes out, and in which order -------------------------------------------------------------------------------------


def test_everything_that_is_due_goes_out_each_subjects_in_order(
    house: House, mailbox: Mailbox, by_mail: Callable[[int], Carrier]
) -> None:
    for number in range(1, 7):
        put(house, number, ALICE if number % 2 else BOB)
    put(house, 9, sink=SIEM)
    assert send(house, by_mail(mailbox.port)) == (6, 0, 0)
    arrived = numbers(mailbox)
    assert [each for each in arrived if each % 2] == [1, 3, 5]
    assert [each for each in arrived if not each % 2] == [2, 4, 6]
    assert send(house, by_mail(mailbox.port)) == (0, 0, 0)
    assert [each.sink for each in list_messages(OutboxState.WAITING, world=house.world)] == [SIEM]


def test_a_stuck_message_holds_the_later_ones_of_its_subject_and_no_others(
    house: House, mailbox: Mailbox, by_mail: Callable[[int], Carrier]
) -> None:
    mailbox.to_rcpt["full@contoso.com"] = "452 mailbox full"
    stuck = put(house, 1, ALICE, recipient="full@contoso.com")
    put(house, 2, ALICE)
    put(house, 3, BOB)
    assert send(house, by_mail(mailbox.port)) == (1, 1, 0)
    assert numbers(mailbox) == [3]
    assert "mailbox full" in find(house, stuck).error
    mailbox.to_rcpt.clear()
    assert send(house, by_mail(mailbox.port)) == (0, 0, 0), "it is not its time yet"
    house.clock.step(timedelta(seconds=10))
    assert send(house, by_mail(mailbox.port)) == (2, 0, 0)
    assert numbers(mailbox) == [3, 1, 2]


def test_what_can_never_be_delivered_is_a_dead_letter_at_once_and_lets_the_others_pass(
    house: House, mailbox: Mailbox, by_mail: Callable[[int], Carrier]
) -> None:
    mailbox.to_rcpt["gone@contoso.com"] = "550 no such mailbox"
    gone, unreadable = put(house, 1, recipient="gone@contoso.com"), put(house, 2, payload=b"no json")
    put(house, 3)
    assert send(house, by_mail(mailbox.port)) == (1, 0, 2)
    assert [find(house, each).state for each in (gone, unreadable)] == [OutboxState.DEAD] * 2
    assert "no such mailbox" in find(house, gone).error
    assert numbers(mailbox) == [3]


# -- receivers that fail ---------------------------------------------------------------------------------------------------


def test_a_webhook_that_answers_500_for_an_hour_gets_everything_in_order_afterwards(
    house: House, hook: Hook, by_webhook: Callable[[int], Carrier]
) -> None:
    began = house.clock.now()
    for number in (1, 2, 3):
        put(house, number, sink=SIEM)
    hook.answer = lambda _: 500 if house.clock.now() < began + timedelta(hours=1) else 200
    tried: list[datetime] = []
    while list_messages(OutboxState.WAITING, world=house.world):
        before = len(hook.calls)
        send(house, by_webhook(hook.port))
        tried += [house.clock.now()] * (len(hook.calls) > before)
        house.clock.step(timedelta(seconds=5))
    assert calls(hook)[-3:] == [1, 2, 3]
    assert set(calls(hook)[:-3]) == {1}, "what is behind it waits"
    assert 8 <= len(tried) <= 20, "it is not asked every five seconds"
    waits = [after - before for before, after in pairwise(tried)]
    assert max(waits) <= PACE.longest_delay + timedelta(seconds=5)
    assert house.clock.now() < began + timedelta(hours=1) + PACE.longest_delay + timedelta(seconds=10)
    assert len({headers["Idempotency-Key"] for _, headers, body in hook.calls if body == b"1"}) == 1


def test_what_is_not_taken_for_too_long_is_a_dead_letter_and_can_be_sent_again(
    house: House, hook: Hook, by_webhook: Callable[[int], Carrier]
) -> None:
    first = put(house, 1, sink=SIEM)
    put(house, 2, sink=SIEM)
    hook.answer = lambda _: 503
    while list_messages(OutboxState.WAITING, world=house.world):
        send(house, by_webhook(hook.port))
        house.clock.step(PACE.longest_delay)
    assert house.clock.now() - NOW >= PACE.maximum_age
    assert find(house, first).error == "it answered 503"
    hook.answer = lambda _: 200
    house.clock.step(PACE.longest_delay)
    resend_messages(None, operator="root", world=house.world)
    assert find(house, first).attempts == 0
    while list_messages(OutboxState.WAITING, world=house.world):
        send(house, by_webhook(hook.port))
        house.clock.step(PACE.longest_delay)
    assert calls(hook)[-2:] == [1, 2], "its number is what it was, and so is its place"


@pytest.mark.parametrize("kind", ["hangs", "refuses", "disconnects"])
def test_a_mail_server_that_is_not_there_costs_one_try_a_round_and_everybody_gets_his_mail_afterwards(
    house: House, mailbox: Mailbox, by_mail: Callable[[int], Carrier], kind: str
) -> None:
    for number in range(1, 5):
        put(house, number, UserId(UUID(int=number)))
    with out_of_order(kind) as port:
        for _ in range(2):
            with pytest.raises(ReceiverUnavailable):
                send_outbox(by_mail(port), world=house.world, pace=PACE)
    waiting = list_messages(OutboxState.WAITING, world=house.world)
    assert sorted(each.attempts for each in waiting) == [0, 0, 1, 1], "the others had their turn, and lost nothing"
    house.clock.step(timedelta(seconds=10))
    assert send(house, by_mail(mailbox.port)) == (4, 0, 0)


@contextmanager
def out_of_order(kind: str) -> Iterator[int]:
    if kind == "refuses":
        yield find_free_port()
        return
    with misbehaving(hang if kind == "hangs" else lambda connection, _: None) as port:
        yield port


# -- several senders, and such as die --------------------------------------------------------------------------------------


def test_two_senders_at_once_send_each_message_once(house: House, mailbox: Mailbox, by_mail: Callable[[int], Carrier]) -> None:
    for number in range(1, 21):
        put(house, number, UserId(UUID(int=number % 5)))
    start = Barrier(2)

    def work(_: int) -> int:
        start.wait()
        return send(house, by_mail(mailbox.port))[0]

    with ThreadPoolExecutor(2) as threads:
        sent = sum(threads.map(work, range(2)))
    while again := send(house, by_mail(mailbox.port))[0]:
        sent += again
    assert sent == 20
    assert sorted(numbers(mailbox)) == list(range(1, 21))
    for subject in range(5):
        assert [each for each in numbers(mailbox) if each % 5 == subject] == [
            each for each in range(1, 21) if each % 5 == subject
        ]


def test_what_a_sender_had_in_hand_when_he_died_is_sent_again_under_the_same_name(
    house: House, mailbox: Mailbox, by_mail: Callable[[int], Carrier]
) -> None:
    message = put(house, 1)
    with pytest.raises(PowerFailure):
        send_outbox(Dying(by_mail(mailbox.port)), world=house.world, pace=PACE)
    assert send(house, by_mail(mailbox.port)) == (0, 0, 0), "another sender may still have it in hand"
    house.clock.step(CLAIM)
    assert send(house, by_mail(mailbox.port)) == (1, 0, 0)
    assert numbers(mailbox) == [1, 1]
    assert len({each["Message-ID"] for each in mailbox.letters}) == 1
    assert find(house, message).attempts == 2


class PowerFailure(Exception):
    """The end of a process, as far as a test can have one."""


class Dying:
    """A carrier whose process dies when the receiver has taken the message, before that is written down."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    @property
    def sink(self) -> str:
        return self._carrier.sink

    @contextmanager
    def carrying(self) -> Iterator[Callable[[OutboxMessage, datetime], None]]:
        with self._carrier.carrying() as carry:

            def carry_and_die(message: OutboxMessage, at: datetime) -> None:
                carry(message, at)
                raise PowerFailure

            yield carry_and_die


def test_a_clock_that_jumps_a_day_forward_and_back_keeps_nothing_waiting(
    house: House, hook: Hook, by_webhook: Callable[[int], Carrier]
) -> None:
    put(house, 1, sink=SIEM)
    hook.answer = lambda _: 500
    house.clock.step(timedelta(days=1))
    assert send(house, by_webhook(hook.port)) == (0, 1, 0)
    house.clock.step(timedelta(days=-1))
    hook.answer = lambda _: 200
    assert send(house, by_webhook(hook.port)) == (1, 0, 0)


# -- what is due, and what is forgotten ------------------------------------------------------------------------------------


def test_what_is_due_is_said_without_doing_it(house: House, mailbox: Mailbox, by_mail: Callable[[int], Carrier]) -> None:
    carrier = by_mail(mailbox.port)
    assert list_sendable(carrier, world=house.world, pace=PACE) == ()
    put(house, 1, ALICE)
    (due,) = list_sendable(carrier, world=house.world, pace=PACE)
    assert due.what == "1 message to be sent by mail"
    put(house, 2, BOB)
    (due,) = list_sendable(carrier, world=house.world, pace=PACE)
    assert (due.what, due.since) == ("2 messages to be sent by mail", NOW)
    assert mailbox.taken == []
    assert due.carry_out()
    assert not due.carry_out()
    assert sorted(numbers(mailbox)) == [1, 2]


def test_what_was_sent_long_ago_is_forgotten(house: House, mailbox: Mailbox, by_mail: Callable[[int], Carrier]) -> None:
    keep = timedelta(days=7)
    put(house, 1)
    send(house, by_mail(mailbox.port))
    assert list_forgettable(keep, world=house.world) == ()
    house.clock.step(keep + timedelta(seconds=1))
    (due,) = list_forgettable(keep, world=house.world)
    assert "1 message" in due.what
    assert due.carry_out()
    assert list_messages(None, world=house.world) == ()


# -- resending -------------------------------------------------------------------------------------------------------------


def make_dead(house: House, number: int, **changed) -> OutboxMessage:
    return put(house, number, state=OutboxState.DEAD, error="no", **changed)


def test_all_dead_letters_wait_again_and_the_history_says_who_had_it_so(
    house: House, mailbox: Mailbox, by_mail: Callable[[int], Carrier]
) -> None:
    for number in (1, 2):
        make_dead(house, number)
    house.clock.step(timedelta(days=10))
    resent = resend_messages(None, operator="root", world=house.world)
    assert [each.id.int for each in resent] == [1, 2]
    assert send(house, by_mail(mailbox.port)) == (2, 0, 0)
    with house.store.reading() as session:
        told = [each for each in session.history.list_unsealed(100) if each.type == "message.resent"]  # type: ignore[union-attr]
    assert [(each.actor, each.details["message"]) for each in told] == [  # type: ignore[union-attr]
        ("root", str(UUID(int=1))),
        ("root", str(UUID(int=2))),
    ]


def test_a_mail_can_be_sent_again_to_another_address(house: House, mailbox: Mailbox, by_mail: Callable[[int], Carrier]) -> None:
    message = make_dead(house, 1, recipient="")
    with pytest.raises(DeliveryRejected):
        resend_messages([message.id], operator="root", world=house.world)
    resend_messages([message.id], operator="root", world=house.world, to="new@contoso.com")
    assert send(house, by_mail(mailbox.port)) == (1, 0, 0)
    assert mailbox.taken[0][1] == ["new@contoso.com"]


@pytest.mark.parametrize(
    ("changed", "to"),
    [
        ({"has_secret": True}, "eve@contoso.com"),
        ({"sink": SIEM}, "eve@contoso.com"),
        ({}, "eve@contoso.com\r\nBcc: all@contoso.com"),
    ],
)
def test_nothing_goes_where_it_does_not_belong(house: House, changed: dict, to: str) -> None:
    message = make_dead(house, 1, **changed)
    with pytest.raises(DeliveryRejected):
        resend_messages([message.id], operator="root", world=house.world, to=to)
    assert find(house, message).state is OutboxState.DEAD


def test_what_is_not_dead_is_not_sent_again(house: House) -> None:
    message, dead = put(house, 1), make_dead(house, 2)
    with pytest.raises(OutboxMessageNotFound):
        resend_messages([dead.id, message.id], operator="root", world=house.world)
    assert find(house, dead).state is OutboxState.DEAD, "all or nothing"


def test_a_secret_is_sent_and_is_in_nothing_that_is_listed(
    house: House, mailbox: Mailbox, by_mail: Callable[[int], Carrier]
) -> None:
    content = MailContent(make_sample_facts(NotificationType.DISTRIBUTE_SECRETS) | {"secrets": ["4711-SECRET"]})
    payload = msgspec.json.encode(content)
    message = put(house, 1, payload=payload, has_secret=True)
    with house.store.writing() as session:
        session.outbox.add(
            [replace(message, id=OutboxMessageId(UUID(int=2)), notification=NotificationType.DISTRIBUTE_SECRETS)]
        )
    listed = list_messages(None, world=house.world)
    assert "4711" not in str([(each, each.payload) for each in listed])
    assert send(house, by_mail(mailbox.port)) == (2, 0, 0)
    assert b"4711-SECRET" in mailbox.taken[1][2]
