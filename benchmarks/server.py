"""A fresh installation and its server, started as an administrator would start it."""

import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from time import perf_counter, sleep

from benchmarks.load import Connection, Job, drive

ACCOUNT = "subscriber"
TEMPLATES = {
    "RSA-2048": "12bd5120-86a2-4ee1-8d05-131066871578",
    "P-256": "e179f773-a6e0-43c0-9514-b7dde2ad0478",
}
"""The kinds of key that are measured, each with a profile template of the demo world."""
PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Installation:
    """Shape: *password* is that of `ACCOUNT`."""

    data: Path
    password: str


@dataclass(frozen=True)
class Server:
    """A running server. Units: *start_seconds* from the start of the process to its first answer."""

    pid: int
    port: int
    password: str
    authority_file: str
    start_seconds: float

    def drive(self, work: Callable[[Connection, Job], Awaitable[None]], jobs: Iterable[Job], *, clients: int) -> float:
        """Return the seconds that *clients* connections took for all *jobs*."""
        return drive(jobs, work, clients=clients, port=self.port, authority_file=self.authority_file)

    def read_memory_mib(self) -> float:
        """Return the resident memory of all processes of the server; what several of them share counts once."""
        return sum(_read_share_kib(pid) for pid in (self.pid, *_list_children(self.pid))) / 1_024

    def read_processor_seconds(self) -> float:
        """Return the processor time that all processes of the server have used."""
        return sum(_read_processor_seconds(pid) for pid in (self.pid, *_list_children(self.pid)))


def prepare_installation(data: Path, key: str) -> Installation:
    """Make an installation whose issuing authority has a key of kind *key*, with the demo world."""
    (data / "certwright.toml").write_text(f'[authority]\nissuing_key = "{key.lower()}"\n\n[access]\nopen_requests = 1000000\n')
    password = secrets.token_urlsafe(12)
    for command in (["init"], ["load", "demo"], ["password", ACCOUNT]):
        run_command(command, data, password)
    return Installation(data, password)


def run_command(command: list[str], data: Path, password: str = "") -> None:
    """Run a command of ours on the installation in *data*."""
    subprocess.run(
        [*_certwright(), *command, "--data", str(data)],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"CERTWRIGHT_PASSWORD": password},
    )


@contextmanager
def run_server(installation: Installation) -> Iterator[Server]:
    """Run the server with TLS on a free port while the block runs."""
    port = _find_free_port()
    log = (installation.data / "serve.log").open("wb")
    began = perf_counter()
    command = [*_certwright(), "serve", "--data", str(installation.data), "--port", str(port)]
    with log, subprocess.Popen(command, stderr=log) as process:
        try:
            _wait_for_answer(port, str(installation.data / "ca.pem"), process)
            elapsed = perf_counter() - began
            yield Server(process.pid, port, installation.password, str(installation.data / "ca.pem"), elapsed)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)


def _list_children(pid: int) -> list[int]:
    return [int(each) for task in Path(f"/proc/{pid}/task").iterdir() for each in (task / "children").read_text().split()]


def _read_share_kib(pid: int) -> int:
    """Return the proportional set size: a page that n processes share counts as the nth part of one for each.

    The server lets nobody but root look into its memory so closely; to others it shows its resident set, shared pages included.
    """
    try:
        shown, wanted = Path(f"/proc/{pid}/smaps_rollup").read_text(), "Pss:"
    except PermissionError:
        shown, wanted = Path(f"/proc/{pid}/status").read_text(), "VmRSS:"
    return int(next(line for line in shown.splitlines() if line.startswith(wanted)).split()[1])


def _read_processor_seconds(pid: int) -> float:
    """Return the time in nanoseconds that proc(5) has for each thread, in seconds."""
    return sum(int((each / "schedstat").read_text().split()[0]) for each in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def _certwright() -> list[str]:
    return [sys.executable, "-m", "certwright"]


def _find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_for_answer(port: int, authority_file: str, process: subprocess.Popen[bytes]) -> None:
    """Return when the server has answered a call; that nobody signed in for it does not matter."""
    context = ssl.create_default_context(cafile=authority_file)
    deadline = perf_counter() + PATIENCE_SECONDS
    while perf_counter() < deadline and process.poll() is None:
        try:
            connection = HTTPSConnection("localhost", port, context=context, timeout=PATIENCE_SECONDS)
            connection.request("GET", "/certificatemanagement/api/v1.0/profiletemplates")
            connection.getresponse().read()
            connection.close()
        except OSError:
            sleep(0.01)
        else:
            return
    sys.exit("the server did not start; see serve.log in its folder")
