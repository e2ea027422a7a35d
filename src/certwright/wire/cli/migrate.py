"""certwright migrate."""

from pathlib import Path

import click

from certwright.bootstrap_creation import migrate_installation
from certwright.wire.cli.console import make_console
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option


@click.command("migrate")
@data_option
def command(data: Path) -> None:
    """Bring the database of an installation, made by any older version of the program, to this version.

    All of it or nothing. Stop the servers and back the database up first: an older program does not open it afterwards.

    \b
    Examples:
      certwright migrate --data /var/lib/certwright
    """
    migrate_installation(data, operator=find_operator())
    make_console().print("The database is of this version.")
