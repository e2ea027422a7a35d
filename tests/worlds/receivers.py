"""Receivers of mail and webhooks, real ones on this machine, and such as misbehave."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certwright.adapters.authorities.tls import issue_server_identity
from certwright.adapters.clock import SystemClock
from certwright.domain.certificates import SerialNumber
from worlds.authorities import make_hierarchy

ACCEPTED = "250 OK"
TLS_PASSWORD = "a password"


def make_server_tls(folder: Path, *names: str) -> tuple[ssl.SSLContext, Path]:
    """Return what a server of *names* shows, from our own embedded authority, and the file of the root to trust."""
    hierarchy = make_hierarchy()
    identity = issue_server_identity(
        names or ("localhost", "127.0.0.1"),
        hierarchy.issuer,
        hierarchy.issuing_key,
        serial=SerialNumber(7),
        now=SystemClock().now(),
        password=TLS_PASSWORD,
    )
    pem, root = folder / "server.pem", folder / "root.pem"
    pem.write_bytes(identity.certificates + identity.private_key)
    root.write_bytes(x509.load_der_x509_certificate(hierarchy.issuer.chain[-1]).public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, password=TLS_PASSWORD)
    return context, root


def find_free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


# -- mail ------------------------------------------------------------------------------------------------------------------


@dataclass
class Mailbox:
    """What a mail server has taken; *to_rcpt* and *to_data* are what it says instead of yes, next call first."""

    port: int = 0
    taken: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)
    was_encrypted: list[bool] = field(default_factory=list)
    to_rcpt: dict[str, str] = field(default_factory=dict)
    to_data: list[str] = field(default_factory=list)
    arrived: Event = field(default_factory=Event)

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        """Keep aiosmtpd's interface of handlers."""
        answer = self.to_rcpt.get(address, ACCEPTED)
        if answer == ACCEPTED:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        """Keep aiosmtpd's interface of handlers."""
        answer = self.to_data.pop(0) if self.to_data else ACCEPTED
        if answer == ACCEPTED:
            self.taken.append((envelope.mail_from or "", list(envelope.rcpt_tos), envelope.content or b""))
            self.was_encrypted.append(session.ssl is not None)
            self.arrived.set()
        return answer

    def authenticate(self, server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        """Keep aiosmtpd's interface of authenticators."""
        is_known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"certwright", b"mail password")
        if is_known:
            self.signed_in.append(data.login.decode())
        return AuthResult(success=is_known)

    @property
    def letters(self) -> list[EmailMessage]:
        """Return the mails, read by the standard library."""
        return [message_from_bytes(content, policy=default) for _, _, content in self.taken]  # type: ignore[misc]


@contextmanager
def receiving_mail(tls: ssl.SSLContext, *, at_once: bool = False, signs_in: bool = False) -> Iterator[Mailbox]:
    """Run a mail server that insists on TLS, *at_once* or after STARTTLS, and on a password where it *signs_in*."""
    mailbox = Mailbox(port=find_free_port())
    protected: dict[str, Any] = {"ssl_context": tls} if at_once else {"tls_context": tls, "require_starttls": True}
    signing = (
        {"authenticator": mailbox.authenticate, "auth_required": True, "auth_require_tls": not at_once} if signs_in else {}
    )
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, **protected, **signing)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


# -- webhooks --------------------------------------------------------------------------------------------------------------


@dataclass
class Hook:
    """What a webhook has been told; it answers what *answer* returns for the call's number."""

    port: int = 0
    calls: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answer: Callable[[int], int] = lambda _: 204


@contextmanager
def receiving_calls(tls: ssl.SSLContext) -> Iterator[Hook]:
    """Run a receiver of webhooks."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.calls.append((self.path, dict(self.headers), body))
            status = hook.answer(len(hook.calls))
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", f"https://localhost:{hook.port}/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    hook.port = server.server_address[1]
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# -- such as misbehave -----------------------------------------------------------------------------------------------------


@contextmanager
def misbehaving(act: Callable[[socket.socket, Event], None]) -> Iterator[int]:
    """Give the port of a server that does with each connection what *act* says; the event is set when it is to end."""
    ended = Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while not ended.is_set():
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    act(connection, ended)

        thread = Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ended.set()
            with suppress(OSError), socket.create_connection(listener.getsockname()):
                pass
            thread.join()


def hang(connection: socket.socket, ended: Event) -> None:
    """Accept, and say nothing until the other side has gone."""
    connection.settimeout(0.1)
    while not ended.is_set():
        with suppress(TimeoutError):
            if not connection.recv(4_096):
                return


def drip(connection: socket.socket, ended: Event) -> None:
    """Say a letter now and then, and never come to an end: no timeout for one read is ever met."""
    while not ended.wait(0.05):
        connection.sendall(b"2")


def disconnect(connection: socket.socket, ended: Event) -> None:
    """Accept and leave."""


def greet_and_disconnect(connection: socket.socket, ended: Event) -> None:
    """Begin as a mail server does, and leave in the middle."""
    connection.sendall(b"220 here\r\n")
    connection.recv(4_096)
    connection.sendall(b"250-here\r\n")


def take_and_disconnect(connection: socket.socket, ended: Event) -> None:
    """Be a mail server that takes the mail, and leaves before it has said so."""
    connection.sendall(b"220 here\r\n")
    with connection.makefile("rb") as lines:
        for line in lines:
            if line == b".\r\n":
                return
            verb = line[:4].upper()
            if verb in (b"EHLO", b"MAIL", b"RCPT", b"RSET"):
                connection.sendall(b"250 fine\r\n")
            elif verb == b"DATA":
                connection.sendall(b"354 go on\r\n")
