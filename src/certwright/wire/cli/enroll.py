"""certwright enroll."""

import json
from pathlib import Path
from uuid import UUID

import click

from certwright.client.enrollment import Enrollment, Wish, enroll
from certwright.client.rest import RestClient, Server
from certwright.wire.cli.certificates import list_certificate_lines
from certwright.wire.cli.console import make_console, show_progress
from certwright.wire.cli.options import json_option, password_file_option, read_password


@click.command("enroll")
@click.option("--url", required=True, help="Where the server is, such as https://ca.example.com:8443.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PEM file with the root to trust.")
@click.option("--template", required=True, help="Name or UUID of the profile template.")
@click.option("--user", required=True, help="Account, DOMAIN\\account or name@domain.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the files.")
@click.option("--comment", default="", help="Words for the event history.")
@click.option("--item", "items", multiple=True, metavar="NAME=VALUE", help="Answer to a question of the template; repeatable.")
@click.option("--card", "card_id", type=click.UUID, help="The card that the keys are for, where the template is for cards.")
@password_file_option
@json_option
def command(
    *,
    url: str,
    ca: Path | None,
    template: str,
    user: str,
    out: Path,
    comment: str,
    items: tuple[str, ...],
    card_id: UUID | None,
    password_file: Path | None,
    as_json: bool,
) -> None:
    """Get a certificate from a server, for yourself.

    The key is made here, as the server's generation options say, and never leaves this machine. The answer is checked before it
    is believed: its status, that the certificate is for the key, and that each certificate of the chain was signed by the next.
    Into the folder come NAME.key.pem (the private key, readable by you alone), NAME.pem (the certificate) and NAME.chain.pem
    (its issuers); nothing there is overwritten.

    The password is asked for, or read from --password-file or from CERTWRIGHT_PASSWORD.

    \b
    Examples:
      certwright enroll --url https://localhost:8443 --ca data/ca.pem \\
        --template "Software Certificate" --user subscriber --out certificates
      certwright enroll --url https://localhost:8443 --ca data/ca.pem --template "Virtual Smartcard VPN" \\
        --user subscriber --item "Request Reason=Working from home" --out vpn --password-file secret --json
    """
    answers = dict(_parse_item(each) for each in items)
    password = read_password(password_file, f"Password of {user}")
    wish = Wish(template=template, out=out, comment=comment, data=answers, card_id=card_id)
    with (
        show_progress(f"Enrolling {user}") as tell,
        RestClient(Server(url=url, user=user, password=password, ca=ca)) as client,
    ):
        enrollment = enroll(client, wish, tell=tell)
    if as_json:
        click.echo(json.dumps(_describe(enrollment)))
        return
    console = make_console()
    for each in enrollment.certificates:
        for line in list_certificate_lines(each):
            console.print(line)


def _parse_item(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"{text!r} has not the form NAME=VALUE.", param_hint="--item")
    return name, value


def _describe(enrollment: Enrollment) -> dict[str, object]:
    return {
        "request": str(enrollment.request_id),
        "profile_template": enrollment.template.name,
        "certificates": [
            {
                "template": each.template,
                "subject": each.certificate.subject.rfc4514_string(),
                "issuer": each.certificate.issuer.rfc4514_string(),
                "serial": f"{each.certificate.serial_number:X}",
                "not_before": each.certificate.not_valid_before_utc.isoformat(),
                "not_after": each.certificate.not_valid_after_utc.isoformat(),
                "key_file": str(each.key_file),
                "certificate_file": str(each.certificate_file),
                "chain_file": str(each.chain_file),
            }
            for each in enrollment.certificates
        ],
    }
