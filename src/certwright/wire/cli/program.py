"""What a person types to run this program."""

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from shlex import quote

NAME = "certwright"


def find_program() -> str:
    """Return the words that run this program where it runs now: its name where the shell finds it under that, or its path."""
    path = Path(sys.argv[0])
    if path.name == "__main__.py":
        return f"{quote(sys.executable)} -m {NAME}"
    found = shutil.which(NAME)
    with suppress(OSError):
        if found is not None and os.path.samefile(found, path):
            return NAME
    return quote(str(path))
