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
    """See that systemd has no complaint about the unit, and would have one about a setting that it does not know."""
    assert list_complaints(folder, text) == []
    assert len(list_complaints(folder, f"{text.rstrip()}\nNoSuchSetting=yes\n")) == 1


def list_complaints(folder: Path, text: str) -> list[str]:
    """Return the lines about the unit; there may be others, about units of this machine."""
    unit = folder / "certwright.service"
    unit.write_text(text)
    words = ["systemd-analyze", "verify", str(unit)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    return [each for each in (done.stdout + done.stderr).splitlines() if unit.name in each]
