"""Webhooks: signed calls over HTTPS."""

import http.client
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from certwright.adapters.leash import Leash, connect
from certwright.application.notify_by_webhook import WEBHOOK
from certwright.domain.errors import DeliveryDeferred, ReceiverUnavailable, SecretUnavailable
from certwright.domain.outbox import OutboxMessage, plain_detail
from certwright.formats.webhook_signatures import sign_webhook

ANSWER_LIMIT_OCTETS = 65_536
_FAULTS = (http.client.HTTPException, OSError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReceiver:
    """A webhook and how it is called. Shape: *read_secret* is asked at each call; *tls* verifies an ``https`` receiver."""

    name: str
    url: str
    time_limit: timedelta
    tls: ssl.SSLContext
    read_secret: Callable[[], str]


class WebhookCarrier:
    """Keeps `work_ports.Carrier`. Redirects are not followed: the settings say where things go."""

    def __init__(self, receiver: WebhookReceiver) -> None:
        self._receiver = receiver
        self._name = f"the webhook {receiver.name}"
        self._seconds = receiver.time_limit.total_seconds()

    @property
    def sink(self) -> str:
        """Return the sink."""
        return f"{WEBHOOK}{self._receiver.name}"

    @contextmanager
    def carrying(self) -> Iterator[Callable[[OutboxMessage, datetime], None]]:
        """Give what makes one call.

        Errors, of what is given: DeliveryDeferred for every answer but one of success; ReceiverUnavailable.
        """
        yield self._carry

    def _carry(self, message: OutboxMessage, at: datetime) -> None:
        headers = self._list_headers(message, int(at.timestamp()))
        leash: Leash | None = None
        try:
            url = urlsplit(self._receiver.url)
            host, is_tls = url.hostname or "", url.scheme == "https"
            port = url.port or (443 if is_tls else 80)
            connected, leash = connect(host, port, self._seconds)
            connection = http.client.HTTPConnection(url.netloc, timeout=self._seconds)
            connection.sock = connected
            try:
                with leash.within(self._seconds):
                    if is_tls:
                        connection.sock = self._receiver.tls.wrap_socket(connected, server_hostname=host)
                    connection.request("POST", url.path or "/", message.payload, headers)
                    status = _read_status(connection)
            finally:
                connection.close()
        except _FAULTS as fault:
            raise self._describe(fault, leash) from fault
        finally:
            if leash is not None:
                leash.close()
        if not 200 <= status < 300:
            raise DeliveryDeferred(self._name, f"it answered {status}")

    def _list_headers(self, message: OutboxMessage, timestamp: int) -> dict[str, str]:
        """Return what tells the receiver whose call it is, when it was made, and which message is in it, at each try anew."""
        try:
            secret = self._receiver.read_secret()
        except SecretUnavailable as unavailable:
            raise ReceiverUnavailable(self._name, unavailable.text.rstrip(".")) from unavailable
        return {
            "Content-Type": "application/json",
            "User-Agent": "Certwright",
            "Idempotency-Key": str(message.id),
            "Certwright-Timestamp": str(timestamp),
            "Certwright-Signature": sign_webhook(secret, timestamp, message.payload),
            "Connection": "close",
        }

    def _describe(self, fault: Exception, leash: Leash | None) -> ReceiverUnavailable:
        if (leash is not None and leash.was_cut) or isinstance(fault, TimeoutError):
            return ReceiverUnavailable(self._name, f"it took longer than {self._seconds:g} s")
        return ReceiverUnavailable(self._name, plain_detail(str(fault) or type(fault).__name__))


def _read_status(connection: http.client.HTTPConnection) -> int:
    """Return the status, after the answer was read to its end, so that the receiver is not cut off in it."""
    answer = connection.getresponse()
    answer.read(ANSWER_LIMIT_OCTETS)
    return answer.status
