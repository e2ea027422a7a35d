"""The time from an event to its mail, with a server as shipped and a mail server on the same machine.

    python -m benchmarks.notifications [--mails N] [--json]

A request is opened over HTTPS, its policy tells the subject, the worker inside the server hands the mail over with STARTTLS.
The time runs from the event's own time to the moment at which the mail server has the mail. First one request now and then:
what is measured is the wait for the worker's next look, one second apart, and the sending. Then all at once, about one person,
whose mails go out one after the other.
"""

import argparse
import base64
import json
import random
import ssl
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from http.client import HTTPSConnection
from importlib.resources import files
from pathlib import Path
from threading import Condition
from typing import Any

from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from benchmarks.server import ACCOUNT, TEMPLATES, Installation, Server, prepare_installation, run_command, run_server

PATH = "/certificatemanagement/api/v1.0/requests"
PATIENCE_SECONDS = 120
POLICY = '[profile_templates.policies.enroll]\nself_service = true\ninitiators = ["Managers"]\n'
RULE = 'notifications = [{ type = "create-request", to = ["subject"], template = { subject = "x", text = "{{ at }}" } }]\n'


@dataclass(frozen=True)
class Times:
    """One line of the result. Units: seconds from event to mail; *per_second* is mails over the time of all of them."""

    what: str
    mails: int
    median_seconds: float
    p99_seconds: float
    per_second: float


class Mailbox:
    """The mail server's side: how long each mail took."""

    def __init__(self) -> None:
        self._seconds: list[float] = []
        self._came = Condition()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keep aiosmtpd's interface of handlers."""
        now = datetime.now(UTC)
        payload = message_from_bytes(envelope.content).get_payload(decode=True)
        event_at = datetime.fromisoformat(bytes(payload).decode().strip())  # type: ignore[arg-type]
        with self._came:
            self._seconds.append((now - event_at).total_seconds())
            self._came.notify_all()
        return "250 OK"

    def take(self, count: int) -> list[float]:
        """Return the times of *count* mails, as soon as they have come."""
        with self._came:
            if not self._came.wait_for(lambda: len(self._seconds) >= count, PATIENCE_SECONDS):
                raise TimeoutError(f"{len(self._seconds)} of {count} mails came")
            taken, self._seconds = self._seconds[:count], self._seconds[count:]
            return taken


@contextmanager
def _receiving(folder: Path) -> Iterator[tuple[Mailbox, int]]:
    """Run a mail server that insists on STARTTLS; its certificate, which is its own authority, is in the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    (folder / "mail.pem").write_bytes(pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "mail.pem")
    mailbox = Mailbox()
    port = random.randint(20_000, 30_000)
    controller = Controller(mailbox, hostname="localhost", port=port, tls_context=context, require_starttls=True)
    controller.start()
    try:
        yield mailbox, port
    finally:
        controller.stop()


def _prepare(data: Path, port: int) -> Installation:
    installation = prepare_installation(data, "P-256")
    with (data / "certwright.toml").open("a") as settings:
        settings.write(f'[mail]\nhost = "localhost"\nport = {port}\nsender = "ca@example.com"\nca_file = "mail.pem"\n')
    world = (files("certwright.worlds") / "demo.toml").read_text("utf-8")
    (data / "world.toml").write_text(world.replace(POLICY, POLICY + RULE))
    run_command(["load", str(data / "world.toml")], data)
    return installation


class Opener:
    """Opens requests, on one connection."""

    def __init__(self, server: Server) -> None:
        token = base64.b64encode(f"{ACCOUNT}:{server.password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        self._body = json.dumps({"type": "Enroll", "profiletemplateuuid": TEMPLATES["RSA-2048"]})
        context = ssl.create_default_context(cafile=server.authority_file)
        self._connection = HTTPSConnection("localhost", server.port, context=context, timeout=PATIENCE_SECONDS)

    def open(self) -> None:
        """Open a request."""
        self._connection.request("POST", PATH, self._body, self._headers)
        answer = self._connection.getresponse()
        answer.read()
        if answer.status != 201:
            raise RuntimeError(f"the server answered {answer.status}")


def _measure(what: str, mailbox: Mailbox, opener: Opener, mails: int, pause_seconds: float) -> Times:
    began = time.perf_counter()
    for _ in range(mails):
        opener.open()
        time.sleep(random.uniform(0, 2 * pause_seconds))
    taken = sorted(mailbox.take(mails))
    elapsed = time.perf_counter() - began
    p99 = taken[min(len(taken) - 1, int(len(taken) * 0.99))]
    return Times(what, mails, statistics.median(taken), p99, mails / elapsed)


def measure(mails: int) -> list[Times]:
    """Return both lines of the result."""
    with tempfile.TemporaryDirectory() as folder, _receiving(Path(folder)) as (mailbox, port):
        installation = _prepare(Path(folder), port)
        with run_server(installation) as server:
            opener = Opener(server)
            opener.open()
            mailbox.take(1)
            return [
                _measure("now and then", mailbox, opener, mails, 0.2),
                _measure("all at once, one person", mailbox, opener, mails, 0),
            ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments.mails)
    if arguments.json:
        print(json.dumps([asdict(each) for each in found]))
        return
    print(f"{'':26}{'mails':>7}{'median s':>10}{'p99 s':>8}{'a second':>10}")
    for each in found:
        times = f"{each.median_seconds:10.3f}{each.p99_seconds:8.3f}{each.per_second:10.1f}"
        print(f"{each.what:26}{each.mails:7}{times}")


if __name__ == "__main__":
    main()
