"""Mail over SMTP, encrypted, to a server that has proved who it is."""

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from certwright.adapters.leash import Leash, connect
from certwright.adapters.mail.letters import write_letter
from certwright.domain.errors import DeliveryDeferred, DeliveryRejected, ReceiverUnavailable, SecretUnavailable
from certwright.domain.mail_security import MailSecurity
from certwright.domain.outbox import MAIL, OutboxMessage, plain_detail

QUIT_SECONDS = 2.0
READY, CLOSING = 220, 421
"""Source: RFC 5321 section 4.2.3."""
_FAULTS = (smtplib.SMTPException, OSError, UnicodeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A mail server and how it is used.

    Shape: without a *user* nobody signs in; *read_password* is asked at each connection. *tls* verifies the server.
    """

    host: str
    port: int
    security: MailSecurity
    sender: str
    time_limit: timedelta
    tls: ssl.SSLContext
    user: str = ""
    read_password: Callable[[], str] = lambda: ""


class SmtpCarrier:
    """Keeps `work_ports.Carrier`: one connection for what is carried together, opened for the first message."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    @property
    def sink(self) -> str:
        """Return the sink."""
        return MAIL

    @contextmanager
    def carrying(self) -> Iterator[Callable[[OutboxMessage, datetime], None]]:
        """Give what sends one message.

        Errors, of what is given: DeliveryRejected, for good, when the server says so or no mail can be made of the message;
                DeliveryDeferred when it is to be tried later; ReceiverUnavailable.
        """
        conversation: _Conversation | None = None

        def carry(message: OutboxMessage, at: datetime) -> None:
            nonlocal conversation
            letter = write_letter(message, sender=self._server.sender, at=at).as_bytes()
            if conversation is None:
                conversation = _Conversation(self._server)
            conversation.hand_over(message.recipient, letter)

        try:
            yield carry
        finally:
            if conversation is not None:
                conversation.end()


class _Conversation:
    """One connection, signed in. Errors of making one: ReceiverUnavailable."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._name = f"the mail server {server.host}:{server.port}"
        self._seconds = server.time_limit.total_seconds()
        # The name in EHLO is given, for smtplib would ask the DNS for one, however long that takes.
        self._smtp = smtplib.SMTP(local_hostname=socket.gethostname(), timeout=self._seconds)
        self._leash: Leash | None = None
        try:
            self._begin()
        except _FAULTS as fault:
            self._close()
            raise self._describe(fault) from fault
        except BaseException:
            self._close()
            raise

    def hand_over(self, recipient: str, letter: bytes) -> None:
        """Return when the server has taken the mail. Errors: DeliveryRejected; DeliveryDeferred; ReceiverUnavailable."""
        try:
            with self._limited():
                self._smtp.sendmail(self._server.sender, [recipient], letter)
        except smtplib.SMTPRecipientsRefused as refused:
            raise self._judge(*refused.recipients[recipient]) from refused
        except smtplib.SMTPDataError as refused:
            raise self._judge(refused.smtp_code, refused.smtp_error) from refused
        except _FAULTS as fault:
            # A sender that is refused is among them: that is so for every mail of ours.
            raise self._describe(fault) from fault

    def end(self) -> None:
        """Say good-bye, if the server still listens, and close."""
        with suppress(*_FAULTS), self._limited(QUIT_SECONDS):
            self._smtp.quit()
        self._close()

    def _begin(self) -> None:
        server = self._server
        try:
            password = server.read_password() if server.user else ""
        except SecretUnavailable as unavailable:
            raise ReceiverUnavailable(self._name, unavailable.text.rstrip(".")) from unavailable
        connected, self._leash = connect(server.host, server.port, self._seconds)
        self._smtp.sock = connected
        with self._limited():
            if server.security is MailSecurity.TLS:
                self._smtp.sock = server.tls.wrap_socket(connected, server_hostname=server.host)
            code, answer = self._smtp.getreply()
            if code != READY:
                raise smtplib.SMTPConnectError(code, answer)
            if server.security is MailSecurity.STARTTLS:
                # What the certificate is verified against; smtplib knows it only of connections that it has made itself.
                self._smtp._host = server.host  # type: ignore[attr-defined]
                self._smtp.starttls(context=server.tls)
            if server.user:
                self._smtp.login(server.user, password)

    @contextmanager
    def _limited(self, seconds: float | None = None) -> Iterator[None]:
        if self._leash is None:
            raise OSError("not connected")
        with self._leash.within(seconds or self._seconds):
            yield

    def _judge(self, code: int, answer: bytes | str) -> DeliveryRejected | DeliveryDeferred | ReceiverUnavailable:
        """Return what the server's word about one mail means. Source: RFC 5321 section 4.2.1."""
        detail = _explain(code, answer)
        if code == CLOSING:
            return ReceiverUnavailable(self._name, detail)
        return DeliveryRejected(detail) if code >= 500 else DeliveryDeferred(self._name, detail)

    def _describe(self, fault: Exception) -> ReceiverUnavailable:
        if (self._leash is not None and self._leash.was_cut) or isinstance(fault, TimeoutError):
            return ReceiverUnavailable(self._name, f"it took longer than {self._seconds:g} s")
        if isinstance(fault, smtplib.SMTPResponseException):
            return ReceiverUnavailable(self._name, _explain(fault.smtp_code, fault.smtp_error))
        return ReceiverUnavailable(self._name, plain_detail(str(fault) or type(fault).__name__))

    def _close(self) -> None:
        self._smtp.close()
        if self._leash is not None:
            self._leash.close()


def _explain(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return plain_detail(f"it answered {code} {text}")
