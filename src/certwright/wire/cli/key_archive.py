"""certwright keys agents, keys recover, keys rearchive: the archive of keys, and who can read it."""

import json
import os
from pathlib import Path
from uuid import UUID

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certwright.application.manage_agents import NewAgent, add_agent, list_agents, retire_agent
from certwright.application.rearchive_keys import Progress, rearchive_keys
from certwright.application.recover_offline import ExportedKey, export_archived_keys, import_recovered_keys
from certwright.bootstrap import open_installation
from certwright.domain.archive import RecoveryAgent
from certwright.domain.certificates import format_serial_number
from certwright.domain.errors import MalformedValue
from certwright.domain.requests import RequestId
from certwright.wire.cli.console import make_console, show_progress
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option


@click.group("agents")
def agents_group() -> None:
    """List, add and retire recovery agents, to whom archived keys are encrypted."""


@agents_group.command("list")
@data_option
@json_option
def list_them(data: Path, *, as_json: bool) -> None:
    """List recovery agents, retired ones included.

    \b
    Example:
      certwright keys agents list --data /var/lib/certwright
    """
    with open_installation(data) as installation:
        found = list_agents(world=installation.world)
    if as_json:
        click.echo(json.dumps([_describe(each) for each in found]))
        return
    console = make_console()
    for each in found:
        retired = "" if each.retired is None else f", retired {each.retired:%Y-%m-%d}"
        console.print(f"{each.name:20}{'online' if each.is_online else 'offline'}, added {each.added:%Y-%m-%d}{retired}")


@agents_group.command("add")
@click.argument("name")
@click.option(
    "--certificate",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="PEM or DER certificate of an offline agent; without it, an online agent is made, with his key.",
)
@data_option
def add(name: str, certificate: Path | None, data: Path) -> None:
    """Add a recovery agent. Keys that are archived from now on are encrypted to him, too; "keys rearchive" does the older ones.

    The certificate's key is RSA with at least 2048 bits, or on the curve P-256 or P-384.

    \b
    Examples:
      certwright keys agents add second --data /var/lib/certwright
      certwright keys agents add vault --certificate vault.pem --data /var/lib/certwright
    """
    with open_installation(data) as installation:
        world = installation.world
        if certificate is None:
            new = installation.make_agent(name)
        else:
            encoded = _read_certificate(certificate)
            new = NewAgent(RecoveryAgent(name=name, certificate=encoded, key_name=None, added=world.clock.now()))
        agent = add_agent(new, operator=find_operator(), world=world)
    make_console().print(f"{agent.name} is an {'online' if agent.is_online else 'offline'} recovery agent.")


@agents_group.command("retire")
@click.argument("name")
@data_option
def retire(name: str, data: Path) -> None:
    """Encrypt nothing more to a recovery agent. What was archived for him he still reads, until "keys rearchive" has run."""
    with open_installation(data) as installation:
        agent = retire_agent(name, operator=find_operator(), world=installation.world)
    make_console().print(f"{agent.name} is retired.")


@click.command("recover")
@click.option("--request", "request_id", type=click.UUID, required=True, help="The request that gives archived keys back.")
@click.option(
    "--export",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the request's archived keys, still encrypted, as SERIAL.p7m into this folder.",
)
@click.option(
    "--import",
    "files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="Take a key that an offline agent has decrypted: PKCS#8, PEM or DER; repeatable.",
)
@data_option
def recover(request_id: UUID, folder: Path | None, files: tuple[Path, ...], data: Path) -> None:
    """Recover archived keys by way of offline agents: out in files, decrypted by an agent, and back.

    The request has been started and approved, as its policy says. After the import, the same certificatedata as before delivers
    the keys to whoever executes the request. Each key that goes out or comes back is an event with your name.

    \b
    Example, with the agent's key on another machine:
      certwright keys recover --request ID --export out --data /var/lib/certwright
      openssl cms -decrypt -inform DER -in SERIAL.p7m -inkey agent.key -recip agent.pem -out SERIAL.key
      certwright keys recover --request ID --import SERIAL.key --data /var/lib/certwright
    """
    if (folder is None) == (not files):
        raise click.UsageError("Either --export or --import is wanted.")
    with open_installation(data) as installation:
        if folder is not None:
            exported = export_archived_keys(RequestId(request_id), operator=find_operator(), world=installation.world)
            _write(exported, folder)
            return
        contents = {str(each): each.read_bytes() for each in files}
        taken = import_recovered_keys(RequestId(request_id), contents, operator=find_operator(), world=installation.world)
    console = make_console()
    for certificate in taken:
        console.print(f"{format_serial_number(certificate.serial)}  {certificate.requester_name}")
    make_console(stderr=True).print("Now delete the files that you imported: the keys in them are not encrypted.")


@click.command("rearchive")
@data_option
@json_option
def rearchive(data: Path, *, as_json: bool) -> None:
    """Encrypt all archived keys to the recovery agents that there are now.

    The server may run meanwhile. A run that was broken off is simply run again. What cannot be read is named and left as it is.

    \b
    Example, to take another agent:
      certwright keys agents add second --data /var/lib/certwright
      certwright keys agents retire online --data /var/lib/certwright
      certwright keys rearchive --data /var/lib/certwright
    """
    with open_installation(data) as installation, show_progress("Encrypting archived keys anew") as tell:
        done = rearchive_keys(
            operator=find_operator(), world=installation.world, tell=lambda progress: tell(_tell_progress(progress))
        )
    if as_json:
        click.echo(json.dumps({"done": done.done, "failed": [str(each) for each in done.failed]}))
    else:
        make_console().print(f"{done.done} archived keys were encrypted anew.")
        for each in done.failed:
            make_console(stderr=True).print(str(each), style="red")
    if done.failed:
        raise click.exceptions.Exit(1)


def _tell_progress(progress: Progress) -> str:
    return f"{progress.done + len(progress.failed)} of {progress.total} archived keys"


def _read_certificate(path: Path) -> bytes:
    content = path.read_bytes()
    try:
        is_text = content.lstrip().startswith(b"-----BEGIN")
        found = x509.load_pem_x509_certificate(content) if is_text else x509.load_der_x509_certificate(content)
    except ValueError as error:
        raise MalformedValue(str(path), "it is no X.509 certificate, PEM or DER") from error
    return found.public_bytes(Encoding.DER)


def _write(exported: tuple[ExportedKey, ...], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    console = make_console()
    for each in exported:
        path = folder / f"{format_serial_number(each.serial)}.p7m"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(each.enveloped)
        console.print(
            f"{path}  {each.requester_name}  {each.template_common_name}  for {', '.join(each.agents) or 'nobody here'}"
        )


def _describe(agent: RecoveryAgent) -> dict[str, object]:
    certificate = x509.load_der_x509_certificate(agent.certificate)
    return {
        "name": agent.name,
        "kind": "online" if agent.is_online else "offline",
        "subject": certificate.subject.rfc4514_string(),
        "serial": f"{certificate.serial_number:X}",
        "added": agent.added.isoformat(),
        "retired": None if agent.retired is None else agent.retired.isoformat(),
    }
