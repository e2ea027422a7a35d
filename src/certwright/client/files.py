"""The files of one enrollment: none overwrites another, and what did not come to a certificate is removed again."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from certwright.client.errors import FileExists

PRIVATE_MODE = 0o600
PUBLIC_MODE = 0o644
KEY, PFX, CERTIFICATE, CHAIN = ".key.pem", ".p12", ".pem", ".chain.pem"
SUFFIXES = (KEY, PFX, CERTIFICATE, CHAIN)


def check_writable(folder: Path) -> None:
    """Make the folder where it is not there, and refuse one into which no file can be put. Errors: OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


class NewFiles:
    """Files in one folder that one enrollment writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._written: list[Path] = []

    def check_room(self, stem: str) -> None:
        """Refuse when a file of an earlier enrollment would be in the way. Errors: FileExists; OSError."""
        check_writable(self.folder)
        for name in (stem, f"{stem}-1"):
            for suffix in SUFFIXES:
                _check_missing(self.folder / f"{name}{suffix}")

    def write(self, path: Path, content: bytes, mode: int = PUBLIC_MODE) -> None:
        """Write a file that was not there before. Errors: FileExists; OSError."""
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError as error:
            raise _explain(path) from error
        self._written.append(path)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)

    def remove(self, *, kept: Iterable[Path] = ()) -> None:
        """Remove what was written, but for *kept*."""
        for each in set(self._written) - set(kept):
            each.unlink(missing_ok=True)


def _check_missing(path: Path) -> None:
    if path.exists():
        raise _explain(path)


def _explain(path: Path) -> FileExists:
    return FileExists("file-exists", f"{path} is there already: name another folder with --out.")
