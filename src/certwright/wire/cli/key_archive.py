"""certwright keys agents, keys recover, keys rearchive: the archive of keys, and who can read it."""

import os
from pathlib import Path
from uuid import UUID

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certwright.application.manage_agents import NewAgent, add_agent, list_agents, retire_agent
from certwright.application.rearchive_keys import Progress, rearchive_keys
from certwright.application.recover_offline import ExportedKey, export_archived_keys, import_recovered_keys
from certwright.domain.archive import RecoveryAgent
from certwright.domain.certificates import format_serial_number
from certwright.domain.counts import count_of
from certwright.domain.errors import MalformedValue
from certwright.domain.requests import RequestId
from certwright.wire.cli.console import Rows, show_progress, show_result, tell_moment
from certwright.wire.cli.files import LARGEST_SECRET_OCTETS, check_private, read_octets
from certwright.wire.cli.groups import CommandGroup
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option


@click.group("agents", cls=CommandGroup)
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
    with opened_installation(data) as installation:
        found = list_agents(world=installation.world)
    described = [_describe(each) for each in found]
    rows = [(each["name"], each["kind"], tell_moment(each["added"]), tell_moment(each["retired"])) for each in described]
    show_result(described, Rows(("Name", "Kind", "Added", "Retired"), rows), as_json=as_json)


@agents_group.command("add")
@click.argument("name")
@click.option(
    "--certificate",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="PEM or DER certificate of an offline agent; without it, an online agent is made, with his key.",
)
@data_option
@json_option
def add(name: str, certificate: Path | None, data: Path, *, as_json: bool) -> None:
    """Add a recovery agent. Keys that are archived from now on are encrypted to him, too; "keys rearchive" does the older ones.

    The certificate's key is RSA with at least 2048 bits, or on the curve P-256 or P-384.

    \b
    Examples:
      certwright keys agents add second --data /var/lib/certwright
      certwright keys agents add vault --certificate vault.pem --data /var/lib/certwright
    """
    with opened_installation(data) as installation:
        world = installation.world
        if certificate is None:
            new = installation.make_agent(name)
        else:
            encoded = _read_certificate(certificate)
            new = NewAgent(RecoveryAgent(name=name, certificate=encoded, key_name=None, added=world.clock.now()))
        agent = add_agent(new, operator=find_operator(), world=world)
    told = f"{agent.name} is an {'online' if agent.is_online else 'offline'} recovery agent."
    show_result(_describe(agent), [told], as_json=as_json)


@agents_group.command("retire")
@click.argument("name")
@data_option
@json_option
def retire(name: str, data: Path, *, as_json: bool) -> None:
    """Encrypt nothing more to a recovery agent. What was archived for him he still reads, until "keys rearchive" has run."""
    with opened_installation(data) as installation:
        agent = retire_agent(name, operator=find_operator(), world=installation.world)
    show_result(_describe(agent), [f"{agent.name} is retired."], as_json=as_json)


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
@json_option
def recover(request_id: UUID, folder: Path | None, files: tuple[Path, ...], data: Path, *, as_json: bool) -> None:
    """Recover archived keys by way of offline agents: out in files, decrypted by an agent, and back.

    The request has been started and approved, as its policy says. After the import, the same certificatedata as before delivers
    the keys to whoever executes the request. Each key that goes out or comes back is an event with your name.

    \b
    Example, with the agent's key on another machine:
      certwright keys recover --request ID --export out --data /var/lib/certwright
      umask 077; openssl cms -decrypt -inform DER -in SERIAL.p7m -inkey agent.key -recip agent.pem -out SERIAL.key
      certwright keys recover --request ID --import SERIAL.key --data /var/lib/certwright
    """
    if (folder is None) == (not files):
        raise click.UsageError("Either --export or --import is wanted.")
    with opened_installation(data) as installation:
        if folder is not None:
            exported = export_archived_keys(RequestId(request_id), operator=find_operator(), world=installation.world)
            _write(exported, folder, as_json=as_json)
            return
        for each in files:
            check_private(each)
        contents = {str(each): read_octets(each, "a private key", limit_octets=LARGEST_SECRET_OCTETS) for each in files}
        taken = import_recovered_keys(RequestId(request_id), contents, operator=find_operator(), world=installation.world)
    described = [{"serial": format_serial_number(each.serial), "requester": each.requester_name} for each in taken]
    lines = [f"{each['serial']}  {each['requester']}" for each in described]
    remark = "Now delete the files that you imported: the keys in them are not encrypted."
    show_result(described, lines, as_json=as_json, remark=remark)


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
    with opened_installation(data) as installation, show_progress("Encrypting archived keys anew") as tell:
        done = rearchive_keys(
            operator=find_operator(), world=installation.world, tell=lambda progress: tell(_tell_progress(progress))
        )
    told = f"{count_of(done.done, 'archived key was', 'archived keys were')} encrypted anew."
    failed = [str(each) for each in done.failed]
    show_result({"done": done.done, "failed": failed}, [told], as_json=as_json, remark="\n".join(failed))
    if done.failed:
        raise click.exceptions.Exit(1)


def _tell_progress(progress: Progress) -> str:
    return f"{progress.done + len(progress.failed)} of {progress.total} archived keys"


def _read_certificate(path: Path) -> bytes:
    content = read_octets(path, "a certificate", limit_octets=LARGEST_SECRET_OCTETS)
    try:
        is_text = content.lstrip().startswith(b"-----BEGIN")
        found = x509.load_pem_x509_certificate(content) if is_text else x509.load_der_x509_certificate(content)
    except ValueError as error:
        raise MalformedValue(str(path), "it is no X.509 certificate, PEM or DER") from error
    return found.public_bytes(Encoding.DER)


def _write(exported: tuple[ExportedKey, ...], folder: Path, *, as_json: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    described = []
    for each in exported:
        path = folder / f"{format_serial_number(each.serial)}.p7m"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(each.enveloped)
        described += [
            {
                "file": str(path),
                "requester": each.requester_name,
                "template": each.template_common_name,
                "agents": list(each.agents),
            }
        ]
    lines = [
        f"{each['file']}  {each['requester']}  {each['template']}  for {', '.join(each['agents']) or 'nobody here'}"
        for each in described
    ]
    show_result(described, lines, as_json=as_json)


def _describe(agent: RecoveryAgent) -> dict[str, str | None]:
    certificate = x509.load_der_x509_certificate(agent.certificate)
    return {
        "name": agent.name,
        "kind": "online" if agent.is_online else "offline",
        "subject": certificate.subject.rfc4514_string(),
        "serial": f"{certificate.serial_number:X}",
        "added": agent.added.isoformat(),
        "retired": None if agent.retired is None else agent.retired.isoformat(),
    }
