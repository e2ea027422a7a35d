"""certwright demo."""

import secrets
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from pathlib import Path
from shlex import quote

import click
from rich.console import Console

from certwright.application.load_world import load_world
from certwright.application.set_password import set_password
from certwright.bootstrap import Installation, open_installation
from certwright.bootstrap_creation import create_installation
from certwright.client.enrollment import Enrollment, Wish, enroll
from certwright.client.errors import ClientError
from certwright.client.rest import Exchange, RestClient, Server
from certwright.domain.errors import InstallationExists
from certwright.wire.cli.certificates import list_certificate_lines
from certwright.wire.cli.console import make_console, show_progress
from certwright.wire.cli.definition_files import DEMO
from certwright.wire.cli.load import read_world_file
from certwright.wire.cli.logs import configure_logs
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option
from certwright.wire.cli.serve import port_option
from certwright.wire.cli.serving import Address, RunningServer, check_address_free, run_server
from certwright.wire.processes import SIGNALS

USER = "subscriber"
TEMPLATE = "Software Certificate"
TEMPLATE_ID = "12bd5120-86a2-4ee1-8d05-131066871578"
PASSWORD_OCTETS = 9
SHOWN_CHARACTERS = 200
HASHES_AT_ONCE = 2


@dataclass(slots=True)
class _Show:
    """One run of the demo, which a process of its own shows, while this one sees to the server."""

    data: Path
    ca_file: Path
    console: Console
    password: str
    is_once: bool
    steps: "count[int]" = field(default_factory=lambda: count(1))
    showing: ForkProcess | None = None

    def begin(self, server: RunningServer) -> None:
        """Begin to show it."""
        self.showing = get_context("fork").Process(target=self._run, args=(server,))
        self.showing.start()

    def has_failed(self) -> bool:
        """Return whether the enrollment went wrong, once that is known; where Ctrl-C broke it off, it did not."""
        if self.showing is not None:
            self.showing.join()
        return self.showing is not None and self.showing.exitcode not in (0, -signal.SIGINT)

    def _run(self, server: RunningServer) -> None:
        """Enroll, and end the server when that went wrong, or was all that was wanted."""
        # Those of the server would make Ctrl-C nothing to this process.
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        console = self.console
        console.print(f"\nServing on {server.url}. Now {USER} enrolls over its REST API.")
        try:
            enrollment = self._enroll(server.url)
        except (ClientError, OSError) as error:
            make_console(stderr=True).print(f"Error: {error}", style="red")
            server.stop()
            sys.exit(1)
        self._show(enrollment, server.url)
        if self.is_once:
            server.stop()
        else:
            console.print(f"\nServing on {server.url} until Ctrl-C.", style="bold")

    def _enroll(self, url: str) -> Enrollment:
        folder = self.data / "demo"
        out = next(path for path in (folder / str(number) for number in count(1)) if not path.exists())
        server = Server(url=url, user=USER, password=self.password, ca=self.ca_file)
        with RestClient(server, watch=self._show_exchange) as client:
            return enroll(client, Wish(template=TEMPLATE, out=out, comment="certwright demo"), tell=self._show_step)

    def _show_step(self, sentence: str) -> None:
        self.console.print(f"\n{next(self.steps)}. {sentence}", style="bold")

    def _show_exchange(self, exchange: Exchange) -> None:
        self.console.print(f"   {exchange.method} {exchange.path}", style="cyan")
        if exchange.sent:
            self.console.print(f"   > {_shorten(exchange.sent)}")
        self.console.print(f"   < {exchange.status} {_shorten(exchange.received)}", style="green")

    def _show(self, enrollment: Enrollment, url: str) -> None:
        for each in enrollment.certificates:
            self.console.print("\nThe certificate", style="bold")
            for line in list_certificate_lines(each):
                self.console.print(line)
        self.console.print("\nThe same with curl", style="bold")
        for line in list_curl_lines(url, self.ca_file, self.password):
            self.console.print(f"  {line}")


@click.command("demo")
@data_option
@port_option
@click.option("--password", help="Password of all demo accounts; a random one by default.")
@click.option("--once", "is_once", is_flag=True, help="End after the enrollment, with status 0, instead of going on serving.")
def command(data: Path, port: int | None, password: str | None, *, is_once: bool) -> None:
    """Show everything at work: make an installation if there is none, load the demo world, serve it over HTTPS, and enroll one
    certificate over the public REST API, showing each step with what was sent and what came back. Then it goes on serving.

    Every run gives all demo accounts the password that --password names, or a new random one, which is shown once and never
    stored in clear. Data is kept: run it again, and certificates from before are still there.

    \b
    Examples:
      certwright demo --data data
      certwright demo --data data --port 9443 --password "correct horse" --once
    """
    console = make_console()
    _install_if_missing(data)
    with open_installation(data) as installation:
        configure_logs(installation.settings.log)
        settings = installation.settings.server
        address = Address(host=settings.host, port=settings.port if port is None else port)
        # Before the passwords change: whoever uses the port may be a demo on the same data, with people signed in.
        check_address_free(address)
        chosen = password or secrets.token_urlsafe(PASSWORD_OCTETS)
        accounts = _prepare_people(installation, chosen)
        console.print(f"Accounts   {', '.join(accounts)}")
        console.print(f"Password   {chosen}   (of all of them; set anew by each demo)")
        show = _Show(data, installation.ca_file, console, chosen, is_once)
    run_server(data, address, when_started=show.begin)
    if show.has_failed():
        sys.exit(1)


def _install_if_missing(data: Path) -> None:
    """Make the installation, also where an earlier run was broken off before it was complete."""
    try:
        with show_progress("Making the installation") as tell:
            create_installation(data, tell=tell)
    except InstallationExists:
        return


def _prepare_people(installation: Installation, password: str) -> list[str]:
    """Return the accounts of the demo world, after they were loaded and given *password*; others keep theirs."""
    with show_progress("Loading the demo world") as tell:
        tell("Loading people, rights and templates")
        definition = read_world_file(DEMO)
        load_world(definition, DEMO, operator=find_operator(), world=installation.world)
        tell(f"Setting {len(definition.users)} passwords")
        with ThreadPoolExecutor(HASHES_AT_ONCE) as threads:
            # Each account has a hash of its own, with a salt of its own; the threads share the time that takes.
            for done in [threads.submit(_set_password, each.nt4_name, password, installation) for each in definition.users]:
                done.result()
    return [each.account_name for each in definition.users]


def _set_password(account: str, password: str, installation: Installation) -> None:
    set_password(account, password, operator=find_operator(), world=installation.world, hasher=installation.hasher)


def list_curl_lines(url: str, ca_file: Path, password: str) -> list[str]:
    """Return the commands that enroll with nothing but curl, openssl and sed."""
    api, ca, user = f"{url}/CertificateManagement/api/v1.0", quote(str(ca_file)), quote(f"{USER}:{password}")
    body = f'{{"type":"Enroll","profiletemplateuuid":"{TEMPLATE_ID}","datacollection":"[]","comment":""}}'
    return [
        f"api={api}",
        f"ask() {{ curl -sS -w '\\n' --cacert {ca} -u {user} -H 'Content-Type: application/json' \"$@\"; }}",
        'ask "$api/profiletemplates"',
        f"id=$(ask -d '{body}' \"$api/requests\" | tr -d '\"' | sed 's,.*/,,')",
        'ask "$api/requests/$id/certificaterequestgenerationoptions"',
        "openssl req -new -newkey rsa:2048 -nodes -subj / -keyout key.pem -out request.pem",
        "request=$(grep -v -- - request.pem | tr -d '\\n')",
        'ask -d "{\\"certificaterequests\\":[\\"$request\\"]}" "$api/requests/$id/certificatedata" > answer.json',
        'sed \'s/.*"Pkcs7":"\\([^"]*\\)".*/\\1/; s/\\\\r\\\\n//g\' answer.json | base64 -d > answer.p7',
        f"openssl cms -verify -inform DER -in answer.p7 -CAfile {ca} -purpose any \\",
        "  -certsout certificates.pem -out /dev/null",
        'ask -X PUT -d \'{"status":"Completed"}\' "$api/requests/$id"',
    ]


def _shorten(body: str) -> str:
    text = " ".join(body.split())
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} ... ({len(text)} characters)"
