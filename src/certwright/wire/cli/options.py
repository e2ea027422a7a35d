"""Options that several commands share, and where passwords come from."""

import os
import sys
from pathlib import Path

import click

PASSWORD_VARIABLE = "CERTWRIGHT_PASSWORD"

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder of the installation.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
password_file_option = click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"Read the password from this file; otherwise from {PASSWORD_VARIABLE}, otherwise it is asked for.",
)


def read_password(password_file: Path | None, prompt: str, *, confirm: bool = False) -> str:
    """Return the password, from the file, the environment or the terminal; never from the command line, which others see.

    Errors: click.UsageError when there is none and nobody to ask.
    """
    if password_file is not None:
        return password_file.read_text("utf-8").rstrip("\r\n")
    from_environment = os.environ.get(PASSWORD_VARIABLE)
    if from_environment:
        return from_environment
    if not sys.stdin.isatty():
        raise click.UsageError(f"There is nobody to ask for the password: use --password-file or {PASSWORD_VARIABLE}.")
    password: str = click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
    return password
