"""Files of an installation that nobody else may read, written so that a crash leaves the old one or the new one."""

import os
import stat
from contextlib import suppress
from pathlib import Path

PRIVATE_MODE = 0o600
PUBLIC_MODE = 0o644
PRIVATE_FOLDER_MODE = 0o700
PERMISSIONS = 0o777
"""The bits of a mode that are kept: none by which a program runs as another account."""
OPEN_TO_GROUP = stat.S_IRGRP | stat.S_IWGRP
OPEN_TO_OTHERS = stat.S_IROTH | stat.S_IWOTH
ROOT = 0
STRANGER = "another account, which owns it,"


def make_private_folder(folder: Path) -> None:
    """Make *folder* and what is missing above it; one that exists keeps its mode."""
    folder.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)


def make_private_folder_within(folder: Path) -> None:
    """Make *folder*, which belongs to whom the one above it belongs, also when root makes it. Errors: OSError."""
    with suppress(FileExistsError):
        folder.mkdir(mode=PRIVATE_FOLDER_MODE)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            _set_owner(descriptor, folder.parent.stat())
        finally:
            os.close(descriptor)


def open_or_create(path: Path, flags: int) -> int:
    """Return a descriptor of the file; one that is not there is made, for the owner of its folder alone. Errors: OSError."""
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_MODE)
    except FileExistsError:
        return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, PRIVATE_MODE)
    _set_owner(descriptor, path.parent.stat())
    return descriptor


def open_draft(path: Path, mode: int, owner: os.stat_result) -> int:
    """Return a descriptor of a new file, which belongs to the *owner* of another one, also when root makes it.

    Errors: OSError.
    """
    # One may be left from before. No link is followed: root would write to what the owner of the folder cannot.
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    _set_owner(descriptor, owner)
    # The umask may take from the mode.
    os.fchmod(descriptor, mode)
    return descriptor


def _set_owner(descriptor: int, owner: os.stat_result) -> None:
    """Give what root has made to the account of *owner*: a command of root's must not lock the server out."""
    if os.geteuid() == ROOT:
        # In a container root may lack the capability; its files are its own then, as those of any other account are.
        with suppress(PermissionError):
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def replace_file(path: Path, content: bytes, *, mode: int = PRIVATE_MODE) -> None:
    """Write *content* to *path*, durably, in one step. Errors: OSError, with the name of the file; it is then as it was.

    Owner and mode are those of the file that is replaced; where there is none, the owner of the folder, and *mode*.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _write_draft(draft, content, *_find_mode_and_owner(path, mode))
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


def _find_mode_and_owner(path: Path, mode: int) -> tuple[int, os.stat_result]:
    with suppress(FileNotFoundError):
        replaced = path.lstat()
        if stat.S_ISREG(replaced.st_mode):
            return replaced.st_mode & PERMISSIONS, replaced
    return mode, path.parent.stat()


def _write_draft(path: Path, content: bytes, mode: int, owner: os.stat_result) -> None:
    with os.fdopen(open_draft(path, mode, owner), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


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
