"""A PostgreSQL of our own for tests: Debian's programs on a free port, in a folder that goes away afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

PACKAGE = "postgresql"
"""Debian's package with the server's programs."""

END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()
"""
"""Ends all other sessions of the database."""


def find_programs() -> Path | None:
    """Return the folder with ``initdb`` and ``pg_ctl`` of the newest PostgreSQL there is."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: int(each.parts[4]))
    return found[-1].parent if found else None


class PostgresqlServer:
    """A running server."""

    def __init__(self, port: int, control: Callable[..., None]) -> None:
        self._port = port
        self._control = control
        self._made = 0

    def create_database(self) -> str:
        """Return the URL of a new database."""
        self._made += 1
        name = f"test_{self._made}"
        self._execute(f"CREATE DATABASE {name}")
        return self.url_of(name)

    def drop_database(self, url: str) -> None:
        """Drop the database, whoever is connected to it."""
        self._execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let there be no server while the block runs; it goes as in a crash."""
        self._control("stop")
        try:
            yield
        finally:
            self._control("start")

    def url_of(self, name: str) -> str:
        """Return the URL under which the store opens the database."""
        return f"postgresql://postgres@127.0.0.1:{self._port}/{name}"

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def run_postgresql(programs: Path) -> Iterator[PostgresqlServer]:
    """Run a server; it refuses to run as root, so root lets the account of Debian's package run it."""
    folder = Path(tempfile.mkdtemp(prefix="certwright-postgresql-"))
    become: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        become = ["runuser", "-u", "postgres", "--"]
    cluster, log, port = folder / "cluster", folder / "log", _find_free_port()
    # Only the tests of SQLite look at durability, so this server need not wait for the disk. What plans follow from must not
    # depend on when the server last looked at a table.
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c autovacuum=off"
    options += " -c max_connections=200 -c shared_buffers=32MB"

    def control(action: str) -> None:
        more = ["-l", str(log), "-o", options] if action == "start" else ["-m", "immediate"]
        _run([*become, str(programs / "pg_ctl"), "-D", str(cluster), "-s", "-w", *more, action], folder)

    initialize = [*become, str(programs / "initdb"), "-D", str(cluster), "-A", "trust", "-U", "postgres", "-E", "UTF8", "-N"]
    try:
        _run([*initialize, "--locale", "C.UTF-8"], folder)
        control("start")
        try:
            yield PostgresqlServer(port, control)
        finally:
            control("stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(words: list[str], folder: Path) -> None:
    done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"{words} said: {done.stdout}{done.stderr}")


def _find_free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
