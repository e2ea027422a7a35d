"""certwright serve."""

from pathlib import Path

import click

from certwright.bootstrap_database import find_settings
from certwright.wire.cli.logs import configure_logs
from certwright.wire.cli.options import data_option
from certwright.wire.cli.serving import Address, run_server

port_option = click.option(
    "--port", type=click.IntRange(0, 65_535), help="TCP port, instead of server.port; 0 takes a free one."
)


@click.command("serve")
@data_option
@click.option("--host", help="Address to listen on, instead of server.host of the settings.")
@port_option
@click.option("--http", "is_plain", is_flag=True, help="Plain HTTP without TLS; on this machine's own addresses only.")
def command(data: Path, host: str | None, port: int | None, *, is_plain: bool) -> None:
    """Serve an installation until Ctrl-C or SIGTERM.

    It answers the REST API over HTTPS with a certificate of its own authority, which it renews by itself at a start; let
    clients trust DATA/ca.pem. Logs go to standard error, as JSON when that is no terminal. A server that is told to stop
    answers what has begun, and seals the event history.

    \b
    Examples:
      certwright serve --data /var/lib/certwright
      certwright serve --data /var/lib/certwright --host 0.0.0.0 --port 443
      certwright serve --data data --http --port 8080       # behind a proxy on the same machine
    """
    settings = find_settings(data)
    address = Address(
        host=host or settings.server.host,
        port=settings.server.port if port is None else port,
        names=settings.server.tls_names,
        is_plain=is_plain,
    )
    if is_plain and not address.is_loopback:
        raise click.UsageError(f"--http is for loopback addresses only: passwords would cross the network to {address.host}.")
    configure_logs(settings.log)
    run_server(data, address)
