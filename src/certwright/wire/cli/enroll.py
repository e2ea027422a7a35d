"""certwright enroll."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import click

from certwright.client.enrollment import Enrollment, Wish, enroll, execute
from certwright.client.files import check_writable
from certwright.client.rest import RestClient, Server, get_host
from certwright.domain.counts import count_of
from certwright.wire.cli.certificates import list_certificate_lines
from certwright.wire.cli.console import show_progress, show_result
from certwright.wire.cli.files import check_private, read_text_file
from certwright.wire.cli.options import json_option, password_file_option, read_password

ONE_TIME_VARIABLE = "CERTWRIGHT_ONE_TIME_PASSWORDS"


@click.command("enroll")
@click.option("--url", required=True, help="Where the server is, such as https://ca.example.com:8443.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PEM file with the root to trust.")
@click.option("--template", help="Name or UUID of the profile template.")
@click.option("--request", "request_id", type=click.UUID, help="Execute this request, instead of opening one for yourself.")
@click.option("--user", required=True, help="Account, DOMAIN\\account or name@domain.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the files.")
@click.option("--comment", default="", help="Words for the event history.")
@click.option("--item", "items", multiple=True, metavar="NAME=VALUE", help="Answer to a question of the template; repeatable.")
@click.option("--card", "card_id", type=click.UUID, help="The card that the keys are for, where the template is for cards.")
@password_file_option
@click.option(
    "--one-time-passwords-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"Read one-time passwords from this file; otherwise from {ONE_TIME_VARIABLE}, otherwise they are asked for.",
)
@click.option(
    "--pfx-password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Keep keys that the server makes as PFX files, under the password in this file.",
)
@json_option
def command(
    *,
    url: str,
    ca: Path | None,
    template: str | None,
    request_id: UUID | None,
    user: str,
    out: Path,
    comment: str,
    items: tuple[str, ...],
    card_id: UUID | None,
    password_file: Path | None,
    one_time_passwords_file: Path | None,
    pfx_password_file: Path | None,
    as_json: bool,
) -> None:
    """Get a certificate from a server, for yourself.

    The key is made here, as the server's generation options say, and never leaves this machine; unless the template wants it
    made by the server, whose answer then brings it. The answer is checked before it is believed: its status, that the
    certificate is for the key, and that each certificate of the chain was signed by the next.
    Into the folder come NAME.key.pem (the private key, readable by you alone), NAME.pem (the certificate) and NAME.chain.pem
    (its issuers); nothing there is overwritten. With --pfx-password-file, keys that the server made stay in NAME.p12.

    A request that somebody else has started for you is executed with --request; its one-time passwords are asked for.

    The password is asked for, or read from --password-file or from CERTWRIGHT_PASSWORD.

    \b
    Examples:
      certwright enroll --url https://localhost:8443 --ca data/ca.pem \\
        --template "Software Certificate" --user subscriber --out certificates
      certwright enroll --url https://localhost:8443 --ca data/ca.pem --template "Virtual Smartcard VPN" \\
        --user subscriber --item "Request Reason=Working from home" --out vpn --password-file secret --json
      certwright enroll --url https://localhost:8443 --ca data/ca.pem --request 4c8b1eb4-4f1e-4ccf-8372-a2a784a67245 \\
        --user subscriber --out certificates
    """
    _check_one_named(template, request_id, items)
    answers = dict(_parse_item(each) for each in items)
    get_host(url)
    check_writable(out)
    password = read_password(password_file, f"Password of {user}")
    wish = replace(
        Wish(template=template or "", out=out, comment=comment, data=answers, card_id=card_id),
        pfx_password="" if pfx_password_file is None else read_password(pfx_password_file, ""),
    )
    with RestClient(Server(url=url, user=user, password=password, ca=ca)) as client:
        one_time_passwords = _find_one_time_passwords(client, request_id, one_time_passwords_file)
        _show(_fulfil(client, request_id, wish, one_time_passwords), as_json=as_json)


def _fulfil(client: RestClient, request_id: UUID | None, wish: Wish, one_time_passwords: list[str]) -> Enrollment:
    with show_progress("Enrolling") as tell:
        if request_id is None:
            return enroll(client, wish, tell=tell)
        return execute(client, request_id, wish, one_time_passwords, tell=tell)


def _check_one_named(template: str | None, request_id: UUID | None, items: tuple[str, ...]) -> None:
    """Errors: click.UsageError."""
    if (template is None) == (request_id is None):
        raise click.UsageError("Name either a --template to enroll for, or a --request to execute.")
    if request_id is not None and items:
        raise click.UsageError("--item is for a request that is opened now.")


def _show(enrollment: Enrollment, *, as_json: bool) -> None:
    lines = [line for each in enrollment.certificates for line in list_certificate_lines(each)]
    faults = [f"Not given back: {each}" for each in enrollment.faults]
    show_result(_describe(enrollment), lines, as_json=as_json, remark="\n".join(faults))


def _find_one_time_passwords(client: RestClient, request_id: UUID | None, file: Path | None) -> list[str]:
    """Return the passwords that the request has, from the file, the environment or the terminal.

    Errors: click.UsageError when there are none and nobody to ask.
    """
    count = 0 if request_id is None else client.count_one_time_passwords(client.get_request(request_id))
    if not count:
        return []
    if file is not None:
        check_private(file)
        return read_text_file(file, "one-time passwords").split()
    from_environment = os.environ.get(ONE_TIME_VARIABLE, "").split()
    if from_environment:
        return from_environment
    if not sys.stdin.isatty():
        wanted = count_of(count, "one-time password")
        raise click.UsageError(f"The request asks for {wanted}: use --one-time-passwords-file or {ONE_TIME_VARIABLE}.")
    return [click.prompt(f"One-time password {each} of {count}", err=True) for each in range(1, count + 1)]


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
                "key_file": None if each.key_file is None else str(each.key_file),
                "certificate_file": str(each.certificate_file),
                "chain_file": None if each.chain_file is None else str(each.chain_file),
                "external": each.is_external,
                "key_history": each.is_key_history,
            }
            for each in enrollment.certificates
        ],
        "faults": list(enrollment.faults),
    }
