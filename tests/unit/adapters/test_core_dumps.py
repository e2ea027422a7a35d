"""Processes with keys in memory leave no cores."""

import subprocess
import sys

import pytest

LOOK = "import ctypes, resource; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), *resource.getrlimit(resource.RLIMIT_CORE))"
"""Prints PR_GET_DUMPABLE and the limits."""


def run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split("\n")[-2]


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_process_can_be_dumped_until_it_forbids_it() -> None:
    assert run(LOOK).startswith("1 ")
    assert run(f"from certwright.adapters.core_dumps import forbid_core_dumps; forbid_core_dumps(); {LOOK}") == "0 0 0"


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_every_command_forbids_it() -> None:
    program = f"from certwright.wire.cli import main; main(['settings', 'reference'], standalone_mode=False); {LOOK}"
    assert run(program) == "0 0 0"
