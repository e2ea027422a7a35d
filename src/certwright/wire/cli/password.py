"""certwright password."""

from pathlib import Path

import click

from certwright.application.set_password import set_password
from certwright.client.rest import RestClient, Server
from certwright.wire.cli.console import show_result
from certwright.wire.cli.opening import DATA_VARIABLE, find_data_folder, opened_installation
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import json_option, password_file_option, read_password

NEW_PASSWORD_VARIABLE = "CERTWRIGHT_NEW_PASSWORD"
_readable = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("password")
@click.argument("account", required=False)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar=DATA_VARIABLE,
    help="The folder of the installation, found as by the other commands where it is not given.",
)
@password_file_option
@click.option("--self", "is_own", is_flag=True, help="Change your own password over the REST API.")
@click.option("--url", help="With --self: where the server is, such as https://ca.example.com:8443.")
@click.option("--ca", type=_readable, help="With --self: PEM file with the root to trust.")
@click.option("--user", help="With --self: your account, DOMAIN\\account or name@domain.")
@click.option(
    "--new-password-file",
    type=_readable,
    help=f"With --self: read the new password from this file; otherwise from {NEW_PASSWORD_VARIABLE}, or it is asked for.",
)
@json_option
def command(
    *,
    account: str | None,
    data: Path | None,
    password_file: Path | None,
    is_own: bool,
    url: str | None,
    ca: Path | None,
    user: str | None,
    new_password_file: Path | None,
    as_json: bool,
) -> None:
    """Set the password of ACCOUNT: account, DOMAIN\\account or name@domain. It counts at once, also for a running server.

    With --self you change your own, from any machine: the current one comes from --password-file, CERTWRIGHT_PASSWORD or the
    terminal.

    A new password has at least 15 characters, such as several words; what is made of names of the account, and what is common,
    is refused. The settings under [passwords] say otherwise.

    \b
    Examples:
      certwright password subscriber --data data
      certwright password 'CORP\\manager' --data data --password-file /run/secrets/manager
      certwright password --self --url https://ca.example.com:8443 --ca ca.pem --user subscriber
    """
    if is_own:
        if account is not None or url is None or user is None:
            raise click.UsageError("--self wants --url and --user, and no ACCOUNT.")
        _change_own(Server(url=url, user=user, password="", ca=ca), password_file, new_password_file, as_json=as_json)
        return
    if account is None:
        raise click.UsageError("ACCOUNT is wanted, or --self with --url and --user.")
    if (url, ca, user, new_password_file) != (None, None, None, None):
        raise click.UsageError("--url, --ca, --user and --new-password-file go with --self.")
    password = read_password(password_file, f"New password of {account}", confirm=True)
    with opened_installation(data or find_data_folder()) as installation:
        set_password(account, password, operator=find_operator(), world=installation.world, hasher=installation.hasher)
    show_result({"account": account, "set": True}, (), as_json=as_json, remark=f"The password of {account} is set.")


def _change_own(server: Server, password_file: Path | None, new_password_file: Path | None, *, as_json: bool) -> None:
    current = read_password(password_file, f"Current password of {server.user}")
    new = read_password(
        new_password_file, "New password", confirm=True, variable=NEW_PASSWORD_VARIABLE, option="--new-password-file"
    )
    with RestClient(Server(url=server.url, user=server.user, password=current, ca=server.ca)) as client:
        client.change_password(new)
    remark = f"The password of {server.user} is changed."
    show_result({"account": server.user, "set": True}, (), as_json=as_json, remark=remark)
