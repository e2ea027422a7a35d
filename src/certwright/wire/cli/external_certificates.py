"""certwright certificates."""

from pathlib import Path

import click

from certwright.application.import_external import ExternalImport, import_external
from certwright.domain.certificates import format_serial_number
from certwright.domain.external_certificates import ExternalCertificate
from certwright.formats.external_files import is_protected
from certwright.wire.cli.bounded import check_opens_in_time
from certwright.wire.cli.console import Rows, show_result
from certwright.wire.cli.files import read_octets
from certwright.wire.cli.groups import CommandGroup
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option, password_file_option, read_password

LARGEST_FILE = 4 * 1024 * 1024


@click.group("certificates", cls=CommandGroup)
def command() -> None:
    """Attach certificates that were issued elsewhere to people."""


@command.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--user", required=True, help="Whose they are: account, DOMAIN\\account or name@domain.")
@click.option("--template", required=True, help="The profile template with whose certificates they come back.")
@data_option
@json_option
@password_file_option
def import_them(
    files: tuple[Path, ...], *, user: str, template: str, data: Path, as_json: bool, password_file: Path | None
) -> None:
    """Attach the certificates in FILES to a user and a profile template that takes some: PFX, PEM or DER.

    They come back to the user with the certificates of that template, and stand in his lists until and after they expire. A
    private key in a file is kept sealed, and comes back as PFX. All files are taken, or none; the password is for all of them.
    Remove the files afterwards if they have keys.

    \b
    Examples:
      certwright certificates import alice.p12 --user alice --template "Software Certificate" --data data
      certwright certificates import *.pem --user 'CORP\\alice' --template "Software Certificate" --data data
    """
    contents = {str(each): read_octets(each, "PFX, PEM or DER", limit_octets=LARGEST_FILE) for each in files}
    needs_password = any(map(is_protected, contents.values()))
    password = read_password(password_file, "Password of the files") if needs_password else ""
    for name, content in contents.items():
        check_opens_in_time(name, content, password)
    wish = ExternalImport(user=user, template=template, contents=contents, password=password)
    with opened_installation(data) as installation:
        taken = import_external(wish, operator=find_operator(), world=installation.world)
    described = [_describe(each) for each in taken]
    rows = [
        (told["serial"], told["subject"], f"{each.not_after:%Y-%m-%d}", "yes" if told["key"] else "no")
        for each, told in zip(taken, described, strict=True)
    ]
    show_result(described, Rows(("Serial number", "Subject", "Until", "Key"), rows), as_json=as_json)


def _describe(certificate: ExternalCertificate) -> dict[str, object]:
    return {
        "serial": format_serial_number(certificate.serial),
        "thumbprint": certificate.thumbprint,
        "subject": certificate.subject_name,
        "issuer": certificate.authority_name,
        "not_after": certificate.not_after.isoformat(),
        "key": certificate.sealed_key is not None,
    }
