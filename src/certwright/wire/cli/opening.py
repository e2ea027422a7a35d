"""The installation that a command works on: which one, and what there is in it where a wrong name was given."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from certwright.application.manage_templates import list_templates
from certwright.bootstrap import Installation, open_installation
from certwright.domain.errors import (
    CertificateTemplateNotFound,
    CertwrightError,
    GroupNotFound,
    NotFound,
    ProfileTemplateNotFound,
    UserNotFound,
)
from certwright.domain.spelling import ask_similar
from certwright.settings import SETTINGS_FILE
from certwright.wire.cli.console import show_waiting

DATA_VARIABLE = "CERTWRIGHT_DATA"
MOST_NAMES = 500
"""Of accounts, and of groups, that are compared with a wrong name for each way in which they begin like it."""
NEAR_FOLDER = Path("data")
"""Where ``make run`` makes an installation, as seen from the folder of the repository."""
SERVICE_FOLDER = Path("/var/lib/certwright")
"""Where the service of a machine has it. Source: Filesystem Hierarchy Standard 3.0, section 5.8."""


def find_data_folder() -> Path:
    """Return the folder of the installation that is meant where a command names none. Errors: click.UsageError."""
    if _is_own_installation(NEAR_FOLDER):
        return NEAR_FOLDER
    if (SERVICE_FOLDER / SETTINGS_FILE).exists():
        return SERVICE_FOLDER
    raise click.UsageError(
        f"Which installation? Name its folder with --data or in {DATA_VARIABLE}: "
        f"there is none in ./{NEAR_FOLDER}, and none in {SERVICE_FOLDER}."
    )


def find_demo_folder() -> Path:
    """Return the folder of the demo where none is named. Errors: click.UsageError for one that another account has made."""
    if (NEAR_FOLDER / SETTINGS_FILE).exists() and not _is_own_installation(NEAR_FOLDER):
        raise click.UsageError(f"The installation in ./{NEAR_FOLDER} is another account's: name a folder with --data.")
    return NEAR_FOLDER


@contextmanager
def opened_installation(data: Path, *, is_to_be_proven: bool = False) -> Iterator[Installation]:
    """Open the installation in the folder *data*; a name that is not in it is refused with those that look like it.

    Errors: as `open_installation`.
    """
    with ExitStack() as stack:
        with show_waiting("Opening the installation"):
            installation = stack.enter_context(open_installation(data, is_to_be_proven=is_to_be_proven))
        try:
            yield installation
        except NotFound as missing:
            question = ask_similar(str(missing.name), _list_names(missing, installation))
            if question:
                missing.add_note(question)
            raise


def _is_own_installation(folder: Path) -> bool:
    """Return whether there is one, and not one that another account has put into our way."""
    try:
        return (folder / SETTINGS_FILE).stat().st_uid in (0, os.geteuid())
    except OSError:
        return False


def _list_names(missing: NotFound, installation: Installation) -> list[str]:
    """Return the names of things like the *missing* one. What goes wrong here is less than what went wrong before."""
    try:
        return next((look(str(missing.name), installation) for kind, look in _LOOKS if isinstance(missing, kind)), [])
    except CertwrightError:
        return []


def _list_people(name: str, installation: Installation) -> list[str]:
    """Return names of accounts, with their domain and without, and of groups that begin like *name*, or nearly so.

    Who mistyped a name has most often the beginning of it right; where there are few, all are looked at.
    """
    spelled = name.rpartition("\\")[2]
    with installation.world.store.reading() as session:
        beginnings = dict.fromkeys((spelled[:3], spelled[:1], ""))
        found = [each for first in beginnings for each in session.directory.list_names_from(first, MOST_NAMES)]
    return [*(each.rpartition("\\")[2] for each in found), *found]


def _list_templates(_name: str, installation: Installation) -> list[str]:
    return [each.name for each in list_templates(world=installation.world)]


def _list_certificate_templates(_name: str, installation: Installation) -> list[str]:
    return [one.common_name for each in list_templates(world=installation.world) for one in each.certificate_templates]


_LOOKS: Sequence[tuple[type[NotFound], Callable[[str, Installation], list[str]]]] = (
    (UserNotFound, _list_people),
    (GroupNotFound, _list_people),
    (ProfileTemplateNotFound, _list_templates),
    (CertificateTemplateNotFound, _list_certificate_templates),
)
