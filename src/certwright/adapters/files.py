"""Files of an installation that nobody else may read, written so that a crash leaves the old one or the new one."""

import os
import stat
from pathlib import Path

PRIVATE_MODE = 0o600
PUBLIC_MODE = 0o644
PRIVATE_FOLDER_MODE = 0o700


def make_private_folder(folder: Path) -> None:
    """Make *folder* and what is missing above it; one that exists keeps its mode."""
    folder.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)


def replace_file(path: Path, content: bytes, *, mode: int = PRIVATE_MODE) -> None:
    """Write *content* to *path*, durably, in one step."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        # A file of this name may be left from before, and the umask may take from the mode.
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def is_readable_by_others(path: Path) -> bool:
    """Return whether people outside the file's group may read it."""
    return bool(path.stat().st_mode & stat.S_IROTH)
