"""Units of systemd, judged by its own program."""

import shutil
import subprocess
from pathlib import Path

import pytest

from worlds.commands import TIMEOUT_SECONDS

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze (Debian: systemd) is not installed"
)


def verify_unit(folder: Path, text: str) -> None:
    """See that systemd has no complaint about the unit."""
    unit = folder / "certwright.service"
    unit.write_text(text)
    words = ["systemd-analyze", "verify", str(unit)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
