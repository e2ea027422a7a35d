"""Files of an installation that nobody else may read, written so that a crash leaves the old one or the new one."""

import os
import stat
from contextlib import suppress
from pathlib import Path

PRIVATE_MODE = 0o600
PUBLIC_MODE = 0o644
PRIVATE_FOLDER_MODE = 0o700
OPEN_TO_GROUP = stat.S_IRGRP | stat.S_IWGRP
OPEN_TO_OTHERS = stat.S_IROTH | stat.S_IWOTH
ROOT = 0
STRANGER = "another account, which owns it,"


def make_private_folder(folder: Path) -> None:
    """Make *folder* and what is missing above it; one that exists keeps its mode."""
    folder.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)


def replace_file(path: Path, content: bytes, *, mode: int = PRIVATE_MODE) -> None:
    """Write *content* to *path*, durably, in one step. Errors: OSError, with the name of the file; it is then as it was."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _write_file(draft, content, mode)
        draft.replace(path)
    except OSError as error:
        # A full disk is noticed by its descriptor, which has no name.
        error.filename = error.filename or str(path)
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_file(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        # A file of this name may be left from before, and the umask may take from the mode.
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def find_exposure(path: Path, *, is_guarded_by_acl: bool = False) -> str | None:
    """Return who besides its owner can read or write the file of a secret, and what to do about it; None for nobody.

    What is no file, such as a pipe, is open to nobody else. Errors: OSError.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        return None
    who = find_readers(status.st_mode, status.st_uid, os.geteuid(), is_guarded_by_acl=is_guarded_by_acl)
    if who is None:
        return None
    cure = f"chown {os.geteuid()}" if who == STRANGER else "chmod 600"
    return f"{who} may read or write it; run: {cure} {path}"


def find_readers(mode: int, owner: int, reader: int, *, is_guarded_by_acl: bool = False) -> str | None:
    """Return who can read or write a secret that the account *reader* asks for, other than root and itself; None for nobody.

    A group may read what belongs to root, so that root can hand it to a service; with *is_guarded_by_acl* whatever it is,
    because the bits of the group are then the mask of the list.

    Source: the rule of PostgreSQL for ``ssl_key_file``; acl(5) for the mask.
    """
    if owner not in (reader, ROOT) and reader != ROOT:
        return STRANGER
    open_to = mode & (OPEN_TO_GROUP | OPEN_TO_OTHERS)
    if owner == ROOT or is_guarded_by_acl:
        open_to &= ~stat.S_IRGRP
    if open_to & OPEN_TO_OTHERS:
        return "everybody"
    return "its group" if open_to else None
