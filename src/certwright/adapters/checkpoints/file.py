"""A file of checkpoints: one line each, appended; a long one is replaced by one with fewer of the old lines."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import structlog

from certwright.adapters.checkpoints.thinning import LIMIT_OCTETS, LINE_LIMIT_OCTETS, thin
from certwright.adapters.files import open_or_create
from certwright.domain.checkpoints import CheckpointLine
from certwright.domain.errors import CheckpointUnavailable, MalformedValue
from certwright.domain.events import Checkpoint
from certwright.formats.checkpoint_lines import encode_checkpoint, parse_checkpoint

log = structlog.get_logger(__name__)


class CheckpointFile:
    """Keeps the port `CheckpointSink`. Several processes may have the same file.

    Units: above *limit* octets the file is thinned; half of that stays of its newest lines.
    """

    def __init__(self, path: Path, limit: int = LIMIT_OCTETS) -> None:
        self._path = path
        self._limit = self._thin_above = limit
        self._written: Checkpoint | None = None

    def is_behind(self, checkpoint: Checkpoint, at: datetime) -> bool:  # noqa: ARG002 - the file is always tried
        """Return whether the last line is not that of *checkpoint*."""
        return checkpoint != self._written and checkpoint != self._find_last_kept()

    def write(self, checkpoint: Checkpoint, at: datetime) -> None:  # noqa: ARG002 - as above
        """Append the line unless it is the last one already. Errors: CheckpointUnavailable."""
        self._written = None
        try:
            self._append(encode_checkpoint(checkpoint))
        except OSError as error:
            detail = error.strerror or str(error)
            raise CheckpointUnavailable(checkpoint.statement.number, str(self._path), detail) from error
        self._written = checkpoint

    def is_file(self, path: Path) -> bool:
        """Return whether *path* is another name of this file."""
        return self._path.exists() and path.exists() and self._path.samefile(path)

    def read(self) -> Iterator[CheckpointLine]:
        """Return the lines that are there now; none where there is no file. Errors: OSError."""
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return iter(())
        # Opened at once: the file may be replaced by a shorter one before the first line is wanted.
        return _read_lines(file, os.fstat(file.fileno()).st_size)

    def read_last(self) -> Checkpoint | None:
        """Return what the last line says; None where there is none, or where it says nothing. Errors: OSError."""
        if not self._path.exists():
            return None
        with self._path.open("rb") as file:
            try:
                return parse_checkpoint(_read_last_line(file.fileno()))
            except MalformedValue:
                return None

    def _find_last_kept(self) -> Checkpoint | None:
        try:
            return self.read_last()
        except OSError:
            # Why it cannot be read is told when it is written.
            return None

    def _append(self, line: bytes) -> None:
        with self._locked() as descriptor:
            last = _read_last_line(descriptor)
            if last == line:
                return
            # A line that a crash has left unfinished stays as it is, for all to see.
            _write_whole(descriptor, line if not last or last.endswith(b"\n") else b"\n" + line)
            os.fsync(descriptor)
            self._thin(descriptor)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Open the file while no other process writes to it or replaces it."""
        while True:
            descriptor = open_or_create(self._path, os.O_RDWR | os.O_APPEND)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                # Another process may have replaced the file while this one waited for the lock.
                if self._is_at_path(descriptor):
                    yield descriptor
                    return
            finally:
                os.close(descriptor)

    def _is_at_path(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def _thin(self, descriptor: int) -> None:
        """Thin the file when it has become long; where that is not possible, it is tried again when it is twice as long.

        The line is kept already: what goes wrong here loses nothing.
        """
        octets = os.fstat(descriptor).st_size
        if octets <= self._thin_above:
            return
        try:
            octets = thin(self._path, descriptor, self._limit // 2)
        except OSError as error:
            log.warning("checkpoints not thinned", file=str(self._path), octets=octets, error=error.strerror or str(error))
        self._thin_above = max(self._limit, 2 * octets)


def _read_lines(file: BinaryIO, end: int) -> Iterator[CheckpointLine]:
    with file:
        number = 0
        while file.tell() < end and (line := file.readline(LINE_LIMIT_OCTETS)):
            number += 1
            try:
                yield CheckpointLine(number, parse_checkpoint(line))
            except MalformedValue:
                yield CheckpointLine(number, None)


def _read_last_line(descriptor: int) -> bytes:
    """Return the last line with its end, which may be missing, or nothing where the file is empty."""
    size = os.fstat(descriptor).st_size
    start = max(0, size - LINE_LIMIT_OCTETS)
    lines = os.pread(descriptor, size - start, start).splitlines(keepends=True)
    return lines[-1] if lines else b""


def _write_whole(descriptor: int, octets: bytes) -> None:
    """Write all of it or nothing. Errors: OSError."""
    size = os.fstat(descriptor).st_size
    written = os.write(descriptor, octets)
    if written != len(octets):
        os.ftruncate(descriptor, size)
        raise OSError(None, "the disk is full")
