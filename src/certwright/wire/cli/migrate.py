"""certwright migrate."""

from pathlib import Path

import click

from certwright.adapters.sql.tables import SCHEMA_VERSION
from certwright.bootstrap_creation import migrate_installation
from certwright.wire.cli.console import show_result, show_waiting
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option


@click.command("migrate")
@data_option
@json_option
def command(data: Path, *, as_json: bool) -> None:
    """Bring the database of an installation, made by any older version of the program, to this version.

    All of it or nothing. Stop the servers and back the database up first: an older program does not open it afterwards.

    \b
    Examples:
      certwright migrate --data /var/lib/certwright
    """
    with show_waiting("Bringing the database to this version"):
        migrate_installation(data, operator=find_operator())
    show_result({"schema": SCHEMA_VERSION}, ["The database is of this version."], as_json=as_json)
