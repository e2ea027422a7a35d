"""certwright init."""

from pathlib import Path

import click

from certwright.bootstrap_creation import create_installation
from certwright.settings import SETTINGS_FILE
from certwright.wire.cli.console import make_console, show_progress
from certwright.wire.cli.options import data_option


@click.command("init")
@data_option
def command(data: Path) -> None:
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
    console = make_console()
    console.print(f"The installation is ready in {data}.")
    console.print(f"  settings      {data / SETTINGS_FILE}")
    console.print(f"  root for clients to trust   {data / 'ca.pem'}")
    console.print(f"Next: certwright load FILE --data {data}, certwright serve --data {data}")
