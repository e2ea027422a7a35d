"""certwright demo."""

import signal
import sys
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from pathlib import Path
from shlex import quote

import click
from rich.console import Console

from certwright.application.find_purpose import find_purpose
from certwright.bootstrap import Installation, open_installation
from certwright.bootstrap_creation import create_installation
from certwright.client.enrollment import Enrollment, Wish, enroll
from certwright.client.errors import ClientError
from certwright.client.rest import Exchange, RestClient, Server
from certwright.domain.counts import count_of
from certwright.domain.errors import InstallationExists, NotOfDemo
from certwright.wire.cli.certificates import list_certificate_lines
from certwright.wire.cli.console import make_console, show_progress
from certwright.wire.cli.demo_people import DemoPeople, prepare_people
from certwright.wire.cli.logs import configure_logs
from certwright.wire.cli.options import PASSWORD_VARIABLE, demo_data_option, find_given_password
from certwright.wire.cli.program import find_program
from certwright.wire.cli.serve import port_option
from certwright.wire.cli.serving import Address, RunningServer, check_address_free, run_server
from certwright.wire.cli.signing_in import sign_in
from certwright.wire.processes import SIGNALS

USER = "subscriber"
TEMPLATE = "Software Certificate"
TEMPLATE_ID = "12bd5120-86a2-4ee1-8d05-131066871578"
PURPOSE = "demo"
"""What the first event of an installation says that the demo has made, and may change."""
SHOWN_CHARACTERS = 200


@dataclass(slots=True)
class _Show:
    """One run of the demo, which a process of its own shows, while this one sees to the server."""

    data: Path
    ca_file: Path
    console: Console
    password: str | None
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
        if self.password is None:
            console.print(f"\nServing on {server.url} until Ctrl-C.", style="bold")
            return
        console.print(f"\nServing on {server.url}. Now {USER} enrolls over its REST API.")
        try:
            enrollment = self._enroll(server.url, self.password)
        except (ClientError, OSError) as error:
            make_console(stderr=True).print(f"Error: {error}", style="red")
            server.stop()
            sys.exit(1)
        self._show(enrollment, server.url)
        if self.is_once:
            server.stop()
        else:
            console.print(f"\nServing on {server.url} until Ctrl-C.", style="bold")

    def _enroll(self, url: str, password: str) -> Enrollment:
        folder = self.data / "demo"
        out = next(path for path in (folder / str(number) for number in count(1)) if not path.exists())
        server = Server(url=url, user=USER, password=password, ca=self.ca_file)
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
        for line in list_curl_lines(url, self.ca_file):
            self.console.print(f"  {line}")


@click.command("demo")
@demo_data_option
@port_option
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"Read the password from this file; otherwise from {PASSWORD_VARIABLE}.",
)
@click.option("--once", "is_once", is_flag=True, help="End after the enrollment, with status 0, instead of going on serving.")
def command(data: Path, port: int | None, password_file: Path | None, *, is_once: bool) -> None:
    """Show everything at work: make an installation if there is none, load the demo world, serve it over HTTPS, and enroll one
    certificate over the public REST API, showing each step with what was sent and what came back. Then it goes on serving.

    The first run gives all demo accounts one password, a random one unless --password-file or CERTWRIGHT_PASSWORD has it; it is
    shown once and never stored in clear. Later runs change nothing that is there: certificates, people, rights, templates and
    passwords stay. They enroll with the password of subscriber, from the same places or asked for on a terminal; without it
    they only serve. An installation that certwright demo has not made is left alone.

    \b
    Examples:
      certwright demo
      certwright demo --data data --port 9443 --password-file secret --once
    """
    console = make_console()
    _install_if_missing(data)
    with open_installation(data) as installation:
        if find_purpose(world=installation.world) != PURPOSE:
            raise NotOfDemo(str(data))
        configure_logs(installation.settings.log)
        settings = installation.settings.server
        address = Address(host=settings.host, port=settings.port if port is None else port, names=settings.tls_names)
        # Before anything changes: whoever uses the port may be a demo on the same data.
        check_address_free(address)
        given = find_given_password(password_file)
        people = prepare_people(installation, given)
        console.print(f"Accounts   {', '.join(people.accounts)}")
        password = _show_passwords(people, given, data, installation, is_once=is_once)
        show = _Show(data, installation.ca_file, console, password, is_once)
    run_server(data, address, when_started=show.begin)
    if show.has_failed():
        sys.exit(1)


def _install_if_missing(data: Path) -> None:
    """Make the installation, also where an earlier run was broken off before it was complete."""
    try:
        with show_progress("Making the installation") as tell:
            create_installation(data, purpose=PURPOSE, tell=tell)
    except InstallationExists:
        return


def _show_passwords(
    people: DemoPeople, given: str | None, data: Path, installation: Installation, *, is_once: bool
) -> str | None:
    """Return the password to enroll with; None to enroll nothing. Errors: CredentialsRejected; click.UsageError."""
    console = make_console()
    if people.with_new_password:
        whose = "of all of them" if people.with_new_password == people.accounts else f"of {', '.join(people.with_new_password)}"
        console.print(f"Password   {people.password}   ({whose}; shown this once)")
    if USER in people.with_new_password:
        return people.password
    how_to_set = f"{find_program()} password {USER} --data {quote(str(data))}"
    console.print(f"Password   as the first run showed it; to set a new one: {how_to_set}")
    password = given or _ask_password(is_once=is_once, how_to_set=how_to_set)
    if password:
        sign_in(USER, password, installation)
    return password or None


def _ask_password(*, is_once: bool, how_to_set: str) -> str:
    """Return what was typed; empty where there is no terminal. Errors: click.UsageError for a run that would do nothing."""
    if sys.stdin.isatty():
        question = f"Password of {USER}, to enroll a certificate; only Enter to serve without"
        typed: str = click.prompt(question, default="", hide_input=True, show_default=False, err=True)
        return typed
    if is_once:
        raise click.UsageError(
            f"To enroll again, give the password of {USER} with --password-file or {PASSWORD_VARIABLE}. "
            f"To set a new one: {how_to_set}"
        )
    return ""


def list_curl_lines(url: str, ca_file: Path) -> list[str]:
    """Return the commands that enroll with nothing but curl, openssl and sed; the password is in no command line."""
    api, ca = f"{url}/CertificateManagement/api/v1.0", quote(str(ca_file))
    body = f'{{"type":"Enroll","profiletemplateuuid":"{TEMPLATE_ID}","datacollection":"[]","comment":""}}'
    return [
        f"api={api}",
        f"read -rsp 'Password of {USER}: ' password",
        f"sign_in() {{ printf 'Authorization: Basic '; printf '{USER}:%s' \"$password\" | base64 -w 0; }}",
        f"ask() {{ curl -sS -w '\\n' --cacert {ca} -H @<(sign_in) -H 'Content-Type: application/json' \"$@\"; }}",
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
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} ... ({count_of(len(text), 'character')})"
