"""Ctrl-C, once or several times, at moments all over the life of a command: it ends, and prints no traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep

import pytest

from worlds.commands import FAST_SETTINGS, PROGRAM, TIMEOUT_SECONDS, certwright

INTERRUPTED = (-signal.SIGINT, 1)
"""By the signal itself, or after what had to be done at the end."""


def interrupt(arguments: list[str], delay_seconds: float, times: int, gap_seconds: float) -> tuple[int, str]:
    """Return the exit status and all that was printed."""
    with subprocess.Popen(
        [PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
    ) as process:
        try:
            await_imports(process)
            sleep(delay_seconds)
            for _ in range(times):
                # The last one of a group may be gone by now.
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGINT)
                sleep(gap_seconds)
            printed, _ = process.communicate(timeout=TIMEOUT_SECONDS)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return process.returncode, printed


def await_imports(process: subprocess.Popen[str]) -> None:
    """Wait until the program imports its libraries: before, Ctrl-C is Python's own, however long its start takes."""
    while process.poll() is None and "_rust" not in Path(f"/proc/{process.pid}/maps").read_text():
        sleep(0.005)


def check_no_traceback(printed: str) -> None:
    for word in ("Traceback", "Exception", "KeyboardInterrupt"):
        assert word not in printed, printed


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interrupted") / "data"
    folder.mkdir()
    (folder / "certwright.toml").write_text(FAST_SETTINGS)
    assert certwright("init", "--data", folder).returncode == 0
    return folder


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("command", ["init", "demo", "audit"])
def test_a_command_ends_without_a_traceback(command: str, times: int, data: Path, tmp_path: Path) -> None:
    arguments = {
        "init": ["init", "--data", str(tmp_path / "new")],
        "demo": ["demo", "--data", str(tmp_path / "new"), "--port", "0"],
        "audit": ["audit", "verify", "--data", str(data)],
    }[command]
    for delay_seconds in (0, 0.5, 1.5):
        status, printed = interrupt(arguments, delay_seconds, times, 0.02)
        check_no_traceback(printed)
        # It may have been done before.
        assert status in (*INTERRUPTED, 0, 3)


@pytest.mark.parametrize(("times", "gap_seconds"), [(1, 0), (2, 0.01), (3, 0.2)])
def test_a_server_ends_without_a_traceback_however_often_it_is_told(times: int, gap_seconds: float, data: Path) -> None:
    for delay_seconds in (0, 1.0, 4.0):
        status, printed = interrupt(["serve", "--data", str(data), "--port", "0"], delay_seconds, times, gap_seconds)
        check_no_traceback(printed)
        assert status in (*INTERRUPTED, 0)


UNRAISABLE = """
import os, signal, threading
from certwright.interrupts import end_quietly

end_quietly()

class Interrupted:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

{where}
"""


@pytest.mark.parametrize(
    "where",
    [
        "Interrupted()",
        "keep = Interrupted()",
        "os.kill(os.getpid(), signal.SIGINT)",
        "import atexit; atexit.register(os.kill, os.getpid(), signal.SIGINT)",
        "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()",
    ],
    ids=["destructor", "destructor-at-end", "main", "exit", "waiting-for-threads"],
)
def test_a_bad_moment_is_as_good_as_any(where: str) -> None:
    program = UNRAISABLE.format(where=where)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    check_no_traceback(done.stderr + done.stdout)


def test_the_second_ctrl_c_does_not_wait_for_the_end_of_the_first(tmp_path: Path) -> None:
    program = (
        "import signal, os, time\n"
        "from certwright.interrupts import end_quietly\n"
        "end_quietly()\n"
        "try:\n"
        "    os.kill(os.getpid(), signal.SIGINT); time.sleep(600)\n"
        "finally:\n"
        "    os.kill(os.getpid(), signal.SIGINT); time.sleep(600)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


def test_a_background_job_goes_on_ignoring_ctrl_c() -> None:
    program = (
        "import signal, os\n"
        "from certwright.interrupts import end_quietly\n"
        "end_quietly(); os.kill(os.getpid(), signal.SIGINT); print('alive')\n"
    )
    ignoring = (
        "import signal, subprocess, sys\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        f"subprocess.run([sys.executable, '-c', {program!r}])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", ignoring], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    assert done.stdout == "alive\n"
