"""certwright init."""

from pathlib import Path

import click

from certwright.bootstrap_authorities import list_publication_urls
from certwright.bootstrap_creation import create_installation
from certwright.bootstrap_keys import ISSUING, ROOT
from certwright.settings import SETTINGS_FILE, load_settings
from certwright.wire.cli.console import show_progress, show_result
from certwright.wire.cli.options import json_option, new_data_option


@click.command("init")
@new_data_option
@json_option
def command(data: Path, *, as_json: bool) -> None:
    """Make an installation in a folder that has none.

    It makes a root and an issuing certification authority, their keys encrypted at rest, the key that seals the event
    history, the database, a TLS certificate, and a settings file that explains itself. The passphrase that protects the keys
    is written to DATA/passphrase, readable by you alone, so that "certwright serve" can start by itself; how to keep it
    elsewhere is in docs/how-to/move-the-passphrase.md.

    A certwright.toml that is in the folder already is used: put one there first to choose other keys, names or PostgreSQL.
    An init that was broken off is simply run again; an installation that is complete is never touched.

    \b
    Examples:
      certwright init --data /var/lib/certwright
      certwright load demo --data /var/lib/certwright       # then people, rights and templates
    """
    with show_progress("Making the installation") as tell:
        create_installation(data, tell=tell)
    settings = load_settings(data / SETTINGS_FILE)
    addresses = [each for name in (ISSUING, ROOT) for urls in list_publication_urls(settings, name).values() for each in urls]
    described = {"data": str(data), "settings": str(data / SETTINGS_FILE), "root": str(data / "ca.pem"), "addresses": addresses}
    lines = [
        f"The installation is ready in {data}.",
        f"  settings                    {data / SETTINGS_FILE}",
        f"  root for clients to trust   {data / 'ca.pem'}",
        *_list_warning_lines(addresses),
        f"Next: certwright load FILE --data {data}, certwright serve --data {data}",
    ]
    show_result(described, lines, as_json=as_json)


def _list_warning_lines(addresses: list[str]) -> list[str]:
    """Return what to know of the addresses that all certificates will name: this version serves nothing there."""
    return [
        "Certificates will name these addresses of revocation lists and issuers (from server.public_url):",
        *(f"  {each}" for each in addresses),
        "  NOTHING IS SERVED THERE YET: this version makes no revocation lists. Programs that insist on one will refuse the",
        "  certificates. For an address of your own, set server.public_url before the first certificate is issued.",
    ]
