"""certwright keys."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from certwright.adapters.secret_places import read_secret
from certwright.application.rotate_keys import KeyReport, change_passphrase, list_key_versions, rotate_keys
from certwright.domain.counts import count_of
from certwright.domain.errors import MalformedValue
from certwright.domain.keys import PASSPHRASE_VERSION
from certwright.setting_values import parse_secret_reference
from certwright.wire.cli.console import Fault, show_progress, show_result
from certwright.wire.cli.groups import CommandGroup
from certwright.wire.cli.key_archive import agents_group, rearchive, recover
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option


@click.group("keys", cls=CommandGroup)
def command() -> None:
    """Look after the key under which everything private is sealed, and after archived keys and their recovery agents.

    Private keys and sensitive answers rest sealed under a key-encryption key, which rests wrapped by the passphrase.
    docs/explanation/keys-at-rest.md tells how.
    """


for each in (agents_group, recover, rearchive):
    command.add_command(each)


@command.command("list")
@data_option
@json_option
def list_them(data: Path, *, as_json: bool) -> None:
    """List the versions of the key-encryption key, and how many values are sealed by each.

    \b
    Example:
      certwright keys list --data /var/lib/certwright
    """
    with opened_installation(data) as installation:
        report = list_key_versions(keyring=installation.keyring, files=installation.sealed_files, world=installation.world)
    show_result(_describe(report), _list_lines(report), as_json=as_json)


@command.command("rotate")
@data_option
@json_option
def rotate(data: Path, *, as_json: bool) -> None:
    """Make a new version of the key-encryption key and seal everything again under it, while servers go on serving.

    Servers take up the new version by themselves, with the next value they seal. Both versions open all the time, so that
    this may be broken off at any moment: run again, it goes on where it was. What cannot be opened is named and left alone.

    Exit status: 0 when everything is sealed by the newest version, 1 when something could not be opened.

    \b
    Example:
      certwright keys rotate --data /var/lib/certwright
    """
    with opened_installation(data) as installation, show_progress("Sealing again") as tell:
        done = rotate_keys(
            keyring=installation.keyring,
            files=installation.sealed_files,
            operator=find_operator(),
            world=installation.world,
            tell=tell,
        )
    lines = ["An earlier rotation had been broken off; this one brought it to its end."] if done.is_continued else []
    rows = count_of(done.resealed, "row was", "rows were")
    lines += [f"Version {done.version} of the key-encryption key is in use; {rows} sealed again."]
    lines += [Fault(f"  FAULT {each}") for each in done.unreadable]
    described = {"version": done.version, "resealed": done.resealed, "unreadable": [str(each) for each in done.unreadable]}
    show_result(described, lines, as_json=as_json)
    sys.exit(1 if done.unreadable else 0)


@command.command("passphrase")
@click.argument("place", metavar="PLACE")
@data_option
@json_option
def passphrase(place: str, data: Path, *, as_json: bool) -> None:
    """Change the passphrase to the one that is kept in PLACE: file:NAME, env:NAME or credential:NAME.

    From then on, the old passphrase opens nothing, so let keys.passphrase of the settings name PLACE next. Only the wrapping
    of the key-encryption key is made anew; servers that run need no restart.

    \b
    Example:
      (umask 077; openssl rand -base64 32 > /etc/certwright/passphrase-2)
      certwright keys passphrase file:/etc/certwright/passphrase-2 --data /var/lib/certwright
    """
    try:
        reference = parse_secret_reference(place, "PLACE")
    except MalformedValue as malformed:
        raise click.UsageError(malformed.text) from malformed
    with opened_installation(data) as installation:
        wrapped = change_passphrase(
            read_secret(reference, data),
            keyring=installation.keyring,
            files=installation.sealed_files,
            operator=find_operator(),
            world=installation.world,
        )
    versions = count_of(len(wrapped), "version of the key is", "versions of the key are")
    lines = [
        f"The passphrase is now the one in {reference}; {versions} wrapped by it.",
        f'Write into {data / "certwright.toml"} now, under [keys]:  passphrase = "{reference}"',
    ]
    show_result({"passphrase": str(reference), "wrapped": len(wrapped)}, lines, as_json=as_json)


def _list_lines(report: KeyReport) -> Iterator[str]:
    for each in report.versions:
        values = count_of(report.counts.get(each.number, 0), "value")
        yield f"version {each.number}, made {each.created:%Y-%m-%d %H:%M} UTC: {values}"
    known = {each.number for each in report.versions}
    for number, count in report.counts.items():
        values = count_of(count, "value")
        if number == PASSPHRASE_VERSION:
            yield f"the passphrase itself: {values}; certwright keys rotate brings them under a version"
        elif number is None:
            yield Fault(f"unknown: {values} that no version of this program sealed")
        elif number not in known:
            yield Fault(f"version {number}, which is MISSING: {values}")


def _describe(report: KeyReport) -> dict[str, object]:
    known = {each.number: each for each in report.versions}
    return {
        "versions": [
            {"version": each.number, "created": each.created.isoformat(), "values": report.counts.get(each.number, 0)}
            for each in report.versions
        ],
        "by_passphrase": report.counts.get(PASSPHRASE_VERSION, 0),
        "unknown": report.counts.get(None, 0),
        "missing": {str(each): count for each, count in report.counts.items() if each and each not in known},
    }
