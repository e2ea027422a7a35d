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


def read_password(
    password_file: Path | None,
    prompt: str,
    *,
    confirm: bool = False,
    variable: str = PASSWORD_VARIABLE,
    option: str = "--password-file",
) -> str:
    """Return the password, from the file, the environment or the terminal; never from the command line, which others see.

    Errors: click.UsageError when there is none and nobody to ask.
    """
    given = find_given_password(password_file, variable)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise click.UsageError(f"There is nobody to ask for the password: use {option} or {variable}.")
    password: str = click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
    return password


def find_given_password(password_file: Path | None, variable: str = PASSWORD_VARIABLE) -> str | None:
    """Return the password from the file, or else from the environment; None where neither has one."""
    if password_file is not None:
        return password_file.read_text("utf-8").rstrip("\r\n")
    return os.environ.get(variable) or None
