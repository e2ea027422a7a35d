"""Where the text of definition files comes from."""

from importlib.resources import files
from pathlib import Path

from certwright.wire.cli.files import read_text_file

DEMO = "demo"


def read_definition_file(name: str) -> tuple[str, str]:
    """Return the text of the file *name*, or of the demo's world file, and what faults call it.

    Errors: MalformedValue; OSError.
    """
    if name == DEMO:
        path = files("certwright.worlds") / "demo.toml"
        return path.read_text("utf-8"), path.name
    return read_text_file(Path(name), "TOML"), Path(name).name
