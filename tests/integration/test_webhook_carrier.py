"""Webhooks over real HTTPS, to receivers that behave and to such as do not."""

import hmac
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest

from certwright.adapters.webhooks.signed import WebhookCarrier, WebhookReceiver
from certwright.domain.errors import CertwrightError, DeliveryDeferred, ReceiverUnavailable, SecretUnavailable
from certwright.domain.identities import UserId
from certwright.domain.notifications import NotificationType
from certwright.domain.outbox import DETAIL_LIMIT_CHARACTERS, OutboxMessage, OutboxMessageId
from certwright.domain.requests import RequestId
from worlds.contoso import NOW
from worlds.receivers import Hook, disconnect, drip, find_free_port, hang, make_server_tls, misbehaving, receiving_calls

SECRET = "0123456789abcdef0123456789abcdef"
BODY = '{"id": "1", "comment": "Grüße"}'.encode()
LIMIT = timedelta(seconds=1)
TOLERANCE_SECONDS = 300


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    return make_server_tls(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def hook(tls: tuple[ssl.SSLContext, Path]) -> Iterator[Hook]:
    with receiving_calls(tls[0]) as received:
        yield received


@pytest.fixture
def receiver(tls: tuple[ssl.SSLContext, Path]) -> WebhookReceiver:
    return WebhookReceiver(
        name="siem",
        url="https://localhost:1/hook",
        time_limit=timedelta(seconds=30),
        tls=ssl.create_default_context(cafile=tls[1]),
        read_secret=lambda: SECRET,
    )


def message(number: int = 1) -> OutboxMessage:
    return OutboxMessage(
        id=OutboxMessageId(UUID(int=number)),
        sink="webhook:siem",
        recipient="",
        notification=NotificationType.CREATE_REQUEST,
        subject_id=UserId(UUID(int=7)),
        request_id=RequestId(UUID(int=8)),
        created=NOW,
        due=NOW,
        payload=BODY,
    )


def call(receiver: WebhookReceiver, each: OutboxMessage | None = None, now=NOW) -> CertwrightError | None:
    with WebhookCarrier(receiver).carrying() as carry:
        try:
            carry(each or message(), now)
        except CertwrightError as error:
            return error
    return None


def at(receiver: WebhookReceiver, port: int, **changed) -> WebhookReceiver:
    return replace(receiver, url=f"https://localhost:{port}/hook", **changed)


def is_ours(headers: dict[str, str], body: bytes, now_seconds: float, seen: set[str]) -> bool:
    """Verify a call as docs/how-to/send-mail-and-webhooks.md tells a receiver to."""
    timestamp = headers["Certwright-Timestamp"]
    wanted = "v1=" + hmac.new(SECRET.encode(), timestamp.encode() + b"." + body, sha256).hexdigest()
    if not hmac.compare_digest(wanted, headers["Certwright-Signature"]):
        return False
    if abs(now_seconds - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    is_new = headers["Idempotency-Key"] not in seen
    seen.add(headers["Idempotency-Key"])
    return is_new


def test_a_call_brings_the_body_as_it_is_signed_and_named(receiver: WebhookReceiver, hook: Hook) -> None:
    assert call(at(receiver, hook.port)) is None
    ((path, headers, body),) = hook.calls
    assert (path, body) == ("/hook", BODY)
    assert headers["Content-Type"] == "application/json"
    assert headers["Idempotency-Key"] == str(UUID(int=1))
    assert is_ours(headers, body, NOW.timestamp(), set())


def test_a_receiver_can_tell_what_is_forged_old_or_a_second_copy(receiver: WebhookReceiver, hook: Hook) -> None:
    call(at(receiver, hook.port))
    ((_, headers, body),) = hook.calls
    now, seen = NOW.timestamp(), set[str]()
    assert not is_ours(headers, body + b" ", now, set())
    assert not is_ours(headers | {"Certwright-Timestamp": str(int(now) + 1)}, body, now, set())
    assert not is_ours(headers, body, now + TOLERANCE_SECONDS + 2, set())
    assert is_ours(headers, body, now + 5, seen)
    assert not is_ours(headers, body, now + 5, seen)


def test_a_second_try_has_a_new_time_and_the_same_key(receiver: WebhookReceiver, hook: Hook) -> None:
    call(at(receiver, hook.port))
    later = NOW + timedelta(hours=1)
    call(at(receiver, hook.port), now=later)
    first, second = (headers for _, headers, _ in hook.calls)
    assert first["Idempotency-Key"] == second["Idempotency-Key"]
    assert is_ours(second, BODY, later.timestamp(), set())


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410, 429, 500, 503])
def test_every_answer_but_success_is_tried_again_later(receiver: WebhookReceiver, hook: Hook, status: int) -> None:
    hook.answer = lambda _: status
    became = call(at(receiver, hook.port))
    assert isinstance(became, DeliveryDeferred)
    assert str(status) in became.detail
    assert [path for path, _, _ in hook.calls] == ["/hook"], "no redirect is followed"


def test_a_receiver_that_nobody_vouches_for_is_told_nothing(receiver: WebhookReceiver, hook: Hook) -> None:
    became = call(at(receiver, hook.port, tls=ssl.create_default_context()))
    assert isinstance(became, ReceiverUnavailable)
    assert hook.calls == []


def test_a_secret_that_is_not_to_be_found_is_told_and_nothing_is_sent_unsigned(receiver: WebhookReceiver, hook: Hook) -> None:
    def read() -> str:
        raise SecretUnavailable("file:siem-secret", "no such file")

    became = call(at(receiver, hook.port, read_secret=read))
    assert isinstance(became, ReceiverUnavailable)
    assert "file:siem-secret" in became.text
    assert hook.calls == []


@pytest.mark.parametrize("act", [hang, drip, disconnect])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_receiver_that_misbehaves_is_given_up(receiver: WebhookReceiver, act: Callable[..., None], scheme: str) -> None:
    with misbehaving(act) as port:
        became = call(replace(receiver, url=f"{scheme}://localhost:{port}/", time_limit=LIMIT))
    assert isinstance(became, ReceiverUnavailable)
    assert became.receiver == "the webhook siem"


def test_a_receiver_that_is_not_there_is_told(receiver: WebhookReceiver) -> None:
    assert isinstance(call(at(receiver, find_free_port())), ReceiverUnavailable)


def test_what_a_receiver_says_can_be_listed_whatever_it_is(receiver: WebhookReceiver) -> None:
    def swear(connection: socket.socket, _: Event) -> None:
        connection.recv(65_536)
        connection.sendall(b"\x1b[2J\x00 spoofed \xff" + b"x" * 500 + b"\r\n\r\n")

    with misbehaving(swear) as port:
        became = call(replace(receiver, url=f"http://localhost:{port}/", time_limit=LIMIT))
    assert isinstance(became, ReceiverUnavailable)
    assert became.detail.isprintable()
    assert len(became.detail) <= DETAIL_LIMIT_CHARACTERS
