"""The command line as people use it: programs of their own, and a server among them."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAM = str(Path(sys.executable).parent / "certwright")
FAST_SETTINGS = '[authority]\nroot_key = "p-256"\nissuing_key = "p-256"\n'
"""Curves are made in no time."""
TIMEOUT_SECONDS = 180


def certwright(*arguments: str | Path, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the program to its end, without a terminal."""
    return subprocess.run(
        [PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        env={**os.environ, **(variables or {})},
        stdin=subprocess.DEVNULL,
        check=False,
    )


def certwright_on_terminal(
    *arguments: str | Path, answers: Mapping[str, str], variables: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Return exit status and output of the program on a terminal, where each question is given its answer once."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **(variables or {})}
    ) as process:
        os.close(theirs)
        told, waiting = "", dict(answers)
        while chunk := _read_terminal(ours):
            told += chunk
            for question in [each for each in waiting if each in told]:
                os.write(ours, f"{waiting.pop(question)}\n".encode())
        os.close(ours)
        return process.wait(TIMEOUT_SECONDS), told


def _read_terminal(terminal: int) -> str:
    """Return what came since; nothing once the program has ended, which Linux says with an error."""
    try:
        return os.read(terminal, 65_536).decode(errors="replace")
    except OSError:
        return ""


@dataclass(frozen=True)
class ServingProcess:
    """A server in a process of its own. Shape: *url* as the server told it."""

    process: subprocess.Popen[str]
    url: str

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Return the exit status after the signal."""
        self.process.send_signal(by)
        return self.process.wait(TIMEOUT_SECONDS)

    def crash(self) -> int:
        """Return the exit status after all its processes were killed at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        return self.process.wait(TIMEOUT_SECONDS)

    def interrupt(self) -> int:
        """Return the exit status after Ctrl-C, which reaches all its processes at once."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(TIMEOUT_SECONDS)

    @property
    def port(self) -> int:
        """Return the port of *url*."""
        return int(self.url.rpartition(":")[2])

    def read_log(self, event: str) -> dict[str, object]:
        """Return the next such line of its log."""
        for line in self.process.stderr or ():
            told: dict[str, object] = json.loads(line)
            if told["event"] == event:
                return told
        raise AssertionError(f"the log ends without {event!r}")


@contextmanager
def serving(data: Path, *arguments: str, variables: Mapping[str, str] | None = None) -> Iterator[ServingProcess]:
    """Run ``certwright serve`` on a free port until the block ends."""
    with subprocess.Popen(
        [PROGRAM, "serve", "--data", str(data), "--port", "0", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
        env={**os.environ, **(variables or {})},
    ) as process:
        try:
            yield ServingProcess(process, _read_url(process))
        finally:
            process.kill()


def _read_url(process: subprocess.Popen[str]) -> str:
    for line in process.stderr or ():
        told = json.loads(line)
        if told["event"] == "service.started":
            return str(told["url"])
    raise AssertionError(f"the server ended with status {process.wait()}")
