"""Files that a person names on the command line: read once, no further than they may be long."""

from pathlib import Path

from certwright.adapters.files import find_exposure
from certwright.domain.errors import MalformedValue
from certwright.formats.text_files import parse_line, parse_text

LARGEST_FILE_OCTETS = 64 * 1024 * 1024
LARGEST_SECRET_OCTETS = 64 * 1024


def read_octets(path: Path, wanted: str, *, limit_octets: int = LARGEST_FILE_OCTETS) -> bytes:
    """Return what is in the file. Errors: MalformedValue for more than *limit_octets*; OSError."""
    with path.open("rb") as file:
        content = file.read(limit_octets + 1)
    if len(content) > limit_octets:
        raise MalformedValue(str(path), f"it has more than {limit_octets:,} octets; {wanted} is expected here")
    return content


def read_text_file(path: Path, wanted: str) -> str:
    """Return the text of the file. Errors: as `read_octets` and `parse_text`."""
    return parse_text(read_octets(path, wanted), str(path), wanted)


def read_secret_line(path: Path, wanted: str) -> str:
    """Return the one line of a file with a secret. Errors: as `check_private`, `read_octets` and `parse_line`."""
    check_private(path)
    return parse_line(read_octets(path, wanted, limit_octets=LARGEST_SECRET_OCTETS), str(path), wanted)


def check_private(path: Path) -> None:
    """Raise for the file of a secret that others can read or write, too. Errors: MalformedValue; OSError."""
    exposure = find_exposure(path)
    if exposure is not None:
        raise MalformedValue(str(path), f"it holds a secret, and {exposure}")
