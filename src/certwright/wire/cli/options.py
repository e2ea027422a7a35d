"""Options that several commands share, and where passwords come from."""

import os
import sys
from pathlib import Path

import click

from certwright.wire.cli.files import read_secret_line
from certwright.wire.cli.opening import DATA_VARIABLE, NEAR_FOLDER, SERVICE_FOLDER, find_data_folder, find_demo_folder
from certwright.wire.cli.refusals import note_json

PASSWORD_VARIABLE = "CERTWRIGHT_PASSWORD"

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar=DATA_VARIABLE,
    default=find_data_folder,
    show_default=f"./{NEAR_FOLDER} if an installation is there, or {SERVICE_FOLDER}",
    show_envvar=True,
    help="The folder of the installation.",
)
new_data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar=DATA_VARIABLE,
    default=SERVICE_FOLDER,
    show_default=True,
    show_envvar=True,
    help="The folder for the installation.",
)
demo_data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar=DATA_VARIABLE,
    default=find_demo_folder,
    show_default=f"./{NEAR_FOLDER}",
    show_envvar=True,
    help="The folder of the installation; it is made where there is none.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, for programs; refusals on stderr, too.", callback=note_json
)
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

    Errors: click.UsageError when there is none and no terminal to ask on; MalformedValue for a file that has not one line.
    """
    given = find_given_password(password_file, variable)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise click.UsageError(f"There is nobody to ask for the password: use {option} or {variable}.")
    password: str = click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
    return password


def find_given_password(password_file: Path | None, variable: str = PASSWORD_VARIABLE) -> str | None:
    """Return the password from the file, or else from the environment; None where neither has one.

    Errors: MalformedValue for a file that has not one line.
    """
    if password_file is not None:
        return read_secret_line(password_file, "a password")
    return os.environ.get(variable) or None
