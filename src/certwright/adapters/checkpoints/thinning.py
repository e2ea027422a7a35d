"""Which lines of a long file of checkpoints stay: the first, the newest, and one of each day between them.

A line stands for everything before it, because the chain of its seal does. So what is taken away proves nothing that a line
which stays does not prove; only how exactly it is said which seals were rewritten becomes a day instead of a second.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from certwright.adapters.files import PERMISSIONS, open_draft
from certwright.domain.errors import MalformedValue
from certwright.formats.checkpoint_lines import parse_checkpoint

LIMIT_OCTETS = 4 * 2**20
"""A file above it is thinned: after about four hours in which something was sealed each second, or in many years of quiet."""
LINE_LIMIT_OCTETS = 4_096
"""No line of ours is near it: a longer one is cut, and cannot be read."""
COPY_OCTETS = 2**20

Stretch = tuple[int, int]
"""Where a part of the file begins and ends, in octets."""


def thin(path: Path, descriptor: int, newest_octets: int) -> int:
    """Replace the file, in one step, by one with the lines that stay, and return how long that is.

    Shape: *descriptor* is the file at *path*, locked by the caller. Units: the newest lines have *newest_octets* at most.
    Errors: OSError; the file is then as it was.
    """
    target = path.resolve()
    draft = target.with_name(f".{target.name}.draft")
    try:
        octets = _write_draft(draft, descriptor, newest_octets)
        draft.replace(target)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    _synchronize(target.parent)
    return octets


def _write_draft(draft: Path, descriptor: int, newest_octets: int) -> int:
    status = os.fstat(descriptor)
    with os.fdopen(open_draft(draft, status.st_mode & PERMISSIONS, status), "wb") as file:
        for stretch in list_staying(descriptor, status.st_size, newest_octets):
            for chunk in _read(descriptor, stretch):
                file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def list_staying(descriptor: int, size: int, newest_octets: int) -> list[Stretch]:
    """Return what stays of the first *size* octets, in its order: lines that cannot be read stay, too, for all to see."""
    last_of_day: dict[str, Stretch] = {}
    unreadable: list[Stretch] = []
    first: list[Stretch] = []
    newest = size
    for stretch, line in _list_lines(descriptor, size):
        if size - stretch[0] <= newest_octets:
            newest = stretch[0]
            break
        first = first or [stretch]
        try:
            sealed_at = parse_checkpoint(line).statement.sealed_at
        except MalformedValue:
            unreadable.append(stretch)
        else:
            last_of_day[f"{sealed_at:%Y-%m-%d}"] = stretch
    return [*sorted({*first, *unreadable, *last_of_day.values()}), (newest, size)]


def _list_lines(descriptor: int, size: int) -> Iterator[tuple[Stretch, bytes]]:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        begin = 0
        while begin < size and (line := file.readline(LINE_LIMIT_OCTETS)):
            yield (begin, begin + len(line)), line
            begin += len(line)


def _read(descriptor: int, stretch: Stretch) -> Iterator[bytes]:
    begin, end = stretch
    while begin < end and (chunk := os.pread(descriptor, min(COPY_OCTETS, end - begin), begin)):
        yield chunk
        begin += len(chunk)


def _synchronize(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
