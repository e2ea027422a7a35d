"""A server that is killed, stopped, frozen and left without disk while people enroll, and an auditor at the end.

    python -m benchmarks.soak [--seconds S] [--seed N] [--clients N] [--postgresql] [--json]

The order of what happens is drawn from the seed, which is printed. Each kind happens at least once, and each waits until people
enroll again. A full disk takes root and SQLite, whose folder is then a small file system of its own; with PostgreSQL the
database goes away instead. The exit status is 0 when the auditor, which has nothing of the server's code, finds nothing, and
every kind happened; docs/how-to/prove-the-history.md has the proof that it runs.
"""

import argparse
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from benchmarks.server import ACCOUNT, run_command
from benchmarks.soak_audit import Findings, audit, list_open
from benchmarks.soak_clients import Clients
from tests.postgresql import find_programs, run_postgresql

SETTINGS = (
    '[authority]\nroot_key = "p-256"\nissuing_key = "p-256"\n\n[access]\nopen_requests = 1000000\n\n[server]\nprocesses = 2\n'
)
DISK_MIB = 1_024
PATIENCE_SECONDS = 180
PACE_SECONDS = 0.05
HOLDER_TRIES = 400
SEALING_SECONDS = 2


@dataclass(frozen=True)
class Site:
    """Where the soak takes place. Shape: *database* is a path or a URL, *disk* the small file system, where there is one."""

    data: Path
    logs: Path
    database: str
    password: str
    disk: Path | None
    stop_database: Callable[[], object] | None

    @property
    def authority(self) -> Path:
        """Return the file with the root that clients trust."""
        return self.data / "ca.pem"


class Server:
    """The server under trouble: started again on the same port however it ended."""

    def __init__(self, site: Site) -> None:
        self._site = site
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
        self._log = site.logs / "serve.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    @property
    def pid(self) -> int:
        """Return the first process."""
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process.pid

    def start(self) -> None:
        """Start it and return when it listens."""
        deadline = monotonic() + PATIENCE_SECONDS
        while monotonic() < deadline:
            if self.try_to_start():
                return
        raise SystemExit(f"the server does not start; see {self._log}")

    def try_to_start(self) -> bool:
        """Return whether it started, or ended by itself."""
        words = [sys.executable, "-m", "certwright", "serve", "--data", str(self._site.data), "--port", str(self.port)]
        with self._log.open("ab") as log:
            begin = log.tell()
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0)
        self.starts += 1
        while self._process.poll() is None:
            with self._log.open("rb") as log:
                log.seek(begin)
                if b'"service.started"' in log.read():
                    return True
            sleep(0.05)
        return False

    def kill(self) -> None:
        """Kill all its processes at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._wait()

    def stop(self) -> int:
        """Return the exit status after SIGTERM."""
        os.kill(self.pid, signal.SIGTERM)
        return self._wait()

    def list_processes(self) -> list[int]:
        """Return the first process and those below it."""
        return [self.pid, *list_children(self.pid)]

    def read_log(self) -> str:
        """Return what all of them have written."""
        return self._log.read_text(errors="replace")

    def _wait(self) -> int:
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process.wait(PATIENCE_SECONDS)


class Troubles:
    """What is done to the server; each returns when it is over, and the server is there again."""

    def __init__(self, site: Site, server: Server, clients: Clients, source: random.Random) -> None:
        self._site, self._server, self._clients, self._random = site, server, clients, source
        self.counts: Counter[str] = Counter()

    def list_kinds(self) -> list[str]:
        """Return the names of what can be done here."""
        kinds = ["kill_one", "kill_all", "kill_all", "stop", "freeze_one", "freeze_first"]
        kinds += ["freeze_holder"] if self._site.stop_database is None else ["lose_database"]
        return kinds + (["fill_disk", "fill_disk_and_kill"] if self._site.disk else [])

    def kill_one(self) -> None:
        """Kill one of the processes that answer."""
        self._signal(self._choose_child(), signal.SIGKILL)
        self.counts["kills of a process"] += 1

    def kill_all(self) -> None:
        """Kill the whole server, and start it again."""
        self._server.kill()
        self.counts["kills of the server"] += 1
        self._server.start()

    def stop(self) -> None:
        """Stop it as an administrator does."""
        if status := self._server.stop():
            self._clients.faults.append(f"the server ended with status {status} when it was stopped")
        self.counts["stops"] += 1
        self._server.start()

    def freeze_one(self) -> None:
        """Freeze one of the processes that answer, for longer than it takes to be replaced or not."""
        self._freeze(self._choose_child(), self._random.choice((0.5, 2.0, 8.0)))

    def freeze_first(self) -> None:
        """Freeze the process above them."""
        self._freeze(self._server.pid, self._random.choice((0.5, 3.0)))

    def freeze_holder(self) -> None:
        """Freeze a process while it has the lock on the database."""
        for _ in range(HOLDER_TRIES):
            child = self._choose_child()
            self._signal(child, signal.SIGSTOP)
            if holds_lock(child, self._site.data / "certwright.db.lock"):
                sleep(self._random.choice((1.0, 6.0)))
                self._signal(child, signal.SIGCONT)
                self.counts["freezes with the lock"] += 1
                return
            self._signal(child, signal.SIGCONT)
            sleep(self._random.uniform(0.001, 0.02))

    def fill_disk(self) -> None:
        """Leave no room until somebody was refused."""
        with self._full_disk():
            pass

    def fill_disk_and_kill(self) -> None:
        """Kill the server while there is no room, and try to start it there."""
        with self._full_disk():
            self._server.kill()
            self.counts["kills of the server"] += 1
            if not self._server.try_to_start():
                self.counts["starts refused on a full disk"] += 1
            else:
                self._server.kill()
        self._server.start()

    def lose_database(self) -> None:
        """Let the database server go away as in a crash, and come back."""
        if self._site.stop_database is not None:
            self._site.stop_database()
            self.counts["losses of the database"] += 1

    @contextmanager
    def _full_disk(self) -> Iterator[None]:
        if self._site.disk is None:
            raise RuntimeError("there is no small disk")
        filler, refused = self._site.disk / "filler", self._clients.count_refused()
        try:
            with filler.open("wb", buffering=0) as file:
                deadline = monotonic() + PATIENCE_SECONDS
                while self._clients.count_refused() == refused and monotonic() < deadline:
                    with suppress(OSError):
                        while True:
                            file.write(bytes(65_536))
                    with suppress(OSError):
                        while True:
                            file.write(bytes(4_096))
                    sleep(0.01)
            self.counts["full disks"] += 1
            self.counts["refusals on a full disk"] += self._clients.count_refused() - refused
            yield
        finally:
            filler.unlink(missing_ok=True)

    def _freeze(self, pid: int, seconds: float) -> None:
        self._signal(pid, signal.SIGSTOP)
        sleep(seconds)
        self._signal(pid, signal.SIGCONT)
        self.counts["freezes"] += 1

    def _choose_child(self) -> int:
        deadline = monotonic() + PATIENCE_SECONDS
        while not (children := list_children(self._server.pid)) and monotonic() < deadline:
            sleep(0.05)
        return self._random.choice(children)

    @staticmethod
    def _signal(pid: int, which: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, which)


def list_children(pid: int) -> list[int]:
    """Return the processes below *pid*."""
    with suppress(OSError):
        return [int(each) for task in Path(f"/proc/{pid}/task").iterdir() for each in (task / "children").read_text().split()]
    return []


def holds_lock(pid: int, file: Path) -> bool:
    """Return whether the process has the lock on *file*. Source: proc(5), /proc/locks."""
    inode = file.stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if fields[1] == "FLOCK" and fields[4] == str(pid) and fields[5].endswith(f":{inode}"):
            return True
    return False


@dataclass(frozen=True)
class Outcome:
    """What happened, and what the auditor found. Shape: *missing* is what had to happen and did not."""

    seed: int
    seconds: float
    counts: dict[str, int]
    findings: Findings
    missing: list[str]

    @property
    def is_clean(self) -> bool:
        """Return whether nothing was found, and the soak meant something."""
        return self.findings.is_clean and not self.missing


@dataclass(frozen=True)
class Left:
    """What a soak leaves for the auditor."""

    site: Site
    clients: Clients
    history: Path

    def audit(self) -> Findings:
        """Return what the auditor finds."""
        return audit(self.site.database, self.clients.answered, self.site.authority.read_bytes(), self.history)


def soak(
    site: Site, seconds: float, seed: int, clients: int, tell: Callable[[str], None], *, pace_seconds: float = PACE_SECONDS
) -> tuple[Outcome, Left]:
    """Do everything once, then go on until *seconds* are over; *tell* is given the plan as it goes.

    Units: *pace_seconds* between two enrollments of a client.
    """
    source, began = random.Random(seed), monotonic()
    server = Server(site)
    server.start()
    crowd = Clients(server.port, site.authority, site.password, clients, seed, pace_seconds)
    troubles = Troubles(site, server, crowd, source)
    crowd.start()
    try:
        for kind in _draw_plan(troubles.list_kinds(), source, began + seconds):
            _await_progress(crowd)
            sleep(source.uniform(0.0, 1.5))
            tell(f"{monotonic() - began:6.1f} s  {kind}  ({crowd.counts['enrollments']:,} enrollments)")
            getattr(troubles, kind)()
        _await_progress(crowd)
    finally:
        crowd.end()
    stuck = crowd.finish(list_open(site.database))
    if status := server.stop():
        crowd.faults.append(f"the server ended with status {status}")
    left = Left(site, crowd, _export_history(site))
    findings = left.audit()
    faults = [*findings.faults, *crowd.faults, *stuck]
    counts = {**troubles.counts, **crowd.counts, "starts": server.starts, "tracebacks": server.read_log().count("Traceback")}
    found = Findings(**{**vars(findings), "faults": faults})
    return Outcome(seed, monotonic() - began, counts, found, _list_missing(site, counts)), left


def _draw_plan(kinds: list[str], source: random.Random, end: float) -> Iterator[str]:
    is_first = True
    while is_first or monotonic() < end:
        source.shuffle(kinds)
        for each in kinds:
            if is_first or monotonic() < end:
                yield each
        is_first = False


def _await_progress(clients: Clients) -> None:
    """Return when somebody has enrolled since: what comes next is to meet a server that works."""
    before, deadline = clients.counts["enrollments"], monotonic() + PATIENCE_SECONDS
    while clients.counts["enrollments"] == before:
        if monotonic() > deadline:
            raise SystemExit(f"nobody could enroll for {PATIENCE_SECONDS} seconds: {clients.counts}")
        sleep(0.02)


def _list_missing(site: Site, counts: dict[str, int]) -> list[str]:
    wanted = ["kills of a process", "kills of the server", "stops", "freezes", "repeated", "enrollments"]
    wanted += ["freezes with the lock"] if site.stop_database is None else ["losses of the database"]
    wanted += ["refusals on a full disk"] if site.disk else []
    return [each for each in wanted if not counts.get(each)]


def _export_history(site: Site) -> Path:
    """Return a folder with what docs/how-to/prove-the-history.md lets an auditor take along."""
    folder = site.logs / "history"
    folder.mkdir()
    sleep(SEALING_SECONDS)
    for what in ("events", "seals", "retention"):
        run_command(["audit", "export", "--what", what, "--out", str(folder / f"{what}.jsonl")], site.data)
    key = [sys.executable, "-m", "certwright", "audit", "key", "--data", str(site.data)]
    (folder / "history.pem").write_bytes(subprocess.run(key, check=True, capture_output=True).stdout)
    shutil.copy(site.data / "history.checkpoints", folder)
    return folder


@contextmanager
def prepared(folder: Path, *, on_postgresql: bool = False, disk_mib: int = DISK_MIB) -> Iterator[Site]:
    """Make an installation under *folder*: for root, on SQLite, on a small file system of its own."""
    with ExitStack() as stack:
        disk = None if on_postgresql or os.geteuid() else stack.enter_context(_small_disk(folder / "disk", disk_mib))
        data = (disk or folder) / "data"
        data.mkdir()
        url, outage = "", None
        if on_postgresql:
            if (programs := find_programs()) is None:
                raise SystemExit("there is no PostgreSQL here")
            server = stack.enter_context(run_postgresql(programs))
            url = server.create_database()

            def outage() -> None:
                with server.stopped():
                    sleep(2)

        (data / "certwright.toml").write_text(SETTINGS + (f'\n[database]\nurl = "{url}"\n' if url else ""))
        password = secrets.token_urlsafe(12)
        for command in (["init"], ["load", "demo"], ["password", ACCOUNT]):
            run_command(command, data, password)
        yield Site(data, folder, url or str(data / "certwright.db"), password, disk, outage)


@contextmanager
def _small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def main() -> None:
    """Print the plan as it goes, what happened, and what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600, help="how long (default: 600); everything happens once at least")
    parser.add_argument("--seed", type=int, default=None, help="for the order of what happens (default: another one each time)")
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL of its own, from Debian's programs")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    tell = (lambda _: None) if options.json else print
    tell(f"seed {seed}")
    with (
        tempfile.TemporaryDirectory(prefix="certwright-soak-") as folder,
        prepared(Path(folder), on_postgresql=options.postgresql) as site,
    ):
        outcome, _ = soak(site, options.seconds, seed, options.clients, tell)
    if options.json:
        print(
            json.dumps({"seed": seed, "seconds": outcome.seconds, "counts": outcome.counts, "findings": vars(outcome.findings)})
        )
    else:
        for what, count in sorted(outcome.counts.items()):
            print(f"  {what:42} {count:8,}")
        for each in [*outcome.findings.faults[:20], *(f"it proves nothing without {each}" for each in outcome.missing)]:
            print(f"  FAULT {each}")
        print(outcome.findings)
    sys.exit(0 if outcome.is_clean else 1)


if __name__ == "__main__":
    main()
