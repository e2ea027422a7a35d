"""Where the text of definition files comes from."""

from importlib.resources import files
from pathlib import Path

from certwright.domain.errors import MalformedValue

DEMO = "demo"


def read_definition_file(name: str) -> tuple[str, str]:
    """Return the text of the file *name*, or of the demo's world file, and what faults call it.

    Errors: MalformedValue; OSError.
    """
    path = files("certwright.worlds") / "demo.toml" if name == DEMO else Path(name)
    try:
        return path.read_text("utf-8-sig"), path.name
    except UnicodeDecodeError as error:
        raise MalformedValue(name, "it is not text in UTF-8") from error
