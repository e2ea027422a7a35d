"""certwright password."""

from pathlib import Path

import click

from certwright.application.set_password import set_password
from certwright.bootstrap import open_installation
from certwright.wire.cli.console import make_console
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, password_file_option, read_password


@click.command("password")
@click.argument("account")
@data_option
@password_file_option
def command(account: str, data: Path, password_file: Path | None) -> None:
    """Set the password of ACCOUNT: account, DOMAIN\\account or name@domain. It counts at once, also for a running server.

    \b
    Examples:
      certwright password subscriber --data data
      certwright password 'CORP\\manager' --data data --password-file /run/secrets/manager
    """
    password = read_password(password_file, f"New password of {account}", confirm=True)
    with open_installation(data) as installation:
        set_password(account, password, operator=find_operator(), world=installation.world, hasher=installation.hasher)
    make_console(stderr=True).print(f"The password of {account} is set.")
