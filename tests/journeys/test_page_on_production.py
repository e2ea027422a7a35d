"""The page on production, done by root with a PostgreSQL of its own, in folders of its own instead of the machine's.

What needs another account runs as the one of the test: no account is made on this machine.
"""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from postgresql import PACKAGE, PostgresqlServer, find_programs, run_postgresql
from worlds.commands import TIMEOUT_SECONDS, ServingProcess, serving
from worlds.pages import REPOSITORY, reading
from worlds.receivers import TLS_PASSWORD, make_server_tls
from worlds.served import PASSWORD, ROOT
from worlds.system import await_that
from worlds.units import needs_systemd, verify_unit

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="not root, as the page says")
DATABASE = "certwright@db.example.com/certwright"
PEOPLE = ("passwd", "group", "shadow", "gshadow", "login.defs")
"""The files of /etc that hold and rule the accounts of a machine."""


@pytest.fixture
def postgresql() -> Iterator[PostgresqlServer]:
    programs = find_programs()
    if programs is None:
        pytest.skip(f"no PostgreSQL here: apt-get install {PACKAGE}")
    with run_postgresql(programs) as server:
        yield server


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The machine's folders that the page names, with a copy of its accounts and with the program."""
    made = tmp_path / "machine"
    for each in ("etc", "opt/certwright", "usr/local/bin", "var/lib"):
        (made / each).mkdir(parents=True)
    for name in PEOPLE:
        shutil.copy(f"/etc/{name}", made / "etc")
    (made / "src").symlink_to(REPOSITORY / "src")
    (made / "opt/certwright/.venv").symlink_to(Path(sys.executable).parent.parent)
    return made


def places_on(machine: Path, address: str) -> dict[str, str]:
    """Return what the names of the page are here; keys are curves, which are made in no time."""
    folders = ("/opt/certwright", "/usr/local/bin/certwright", "/var/lib/certwright", "/etc/certwright")
    return {
        **{each: f"{machine}{each}" for each in folders},
        "useradd": f"useradd --prefix {machine}",
        "-o certwright -g certwright": f"-o {os.getuid()} -g {os.getgid()}",
        "runuser -u certwright": "runuser -u root",
        "db.example.com": address,
        '"rsa-4096"': '"p-256"',
        '"rsa-3072"': '"p-256"',
        "ACCOUNT": "subscriber",
    }


@needs_root
@needs_systemd
def test_run_in_production(machine: Path, postgresql: PostgresqlServer, tmp_path: Path) -> None:
    address = postgresql.url_of("").rpartition("@")[2].strip("/")
    data = machine / "var/lib/certwright"
    with reading("docs/how-to/run-in-production.md", machine, places_on(machine, address), tmp_path) as reader:
        reader.pass_over("pip install")
        reader.run("useradd")
        check_account(machine)
        (data / "certwright.toml").write_text(reader.take("toml", "public_url"))
        host, _, port = address.partition(":")
        reader.terminal.run(f"export PGHOST={host} PGPORT={port}")
        reader.run("createuser")
        serve_tls(postgresql, machine / "database-ca.pem", tmp_path)
        let_in_by_password(postgresql)
        reader.run("database-password", typed=f"{PASSWORD}\n")
        reader.run("install -m 644")
        told = reader.run("certwright init")
        assert "http://pki.example.com" in told
        assert "10 users" in told
        reader.run("certwright password")
        unit = reader.take("ini", "ExecStart")
        verify_unit(tmp_path, unit)
        program = machine / "opt/certwright/.venv/bin/certwright"
        assert f"ExecStart={program} serve --data {data}" in unit.splitlines()
        reader.pass_over("systemctl")
        with serving(data) as server:
            assert server.url == f"https://ca.example.com:{server.port}"
            assert "Software Certificate" in ask(server, data / "ca.pem", f"{ROOT}/profiletemplates")
            await_that(lambda: are_all_over_tls(postgresql), "nothing of the server's is over TLS")
            assert '"status":"ok"' in ask(server, data / "ca.pem", "/health")
        for each in ("VACUUM INTO", "pg_dump", "certwright.db-wal", "pg_restore", "checkpoints.before"):
            reader.pass_over(each)
        check_modes(machine)


def check_account(machine: Path) -> None:
    """See that the account has a group of its own name, which the next command of the page needs."""
    for name in ("passwd", "group"):
        assert [each for each in (machine / "etc" / name).read_text().splitlines() if each.startswith("certwright:")]
    assert (machine / "usr/local/bin/certwright").resolve() == Path(sys.executable).parent / "certwright"


def check_modes(machine: Path) -> None:
    """See that the service alone can read what it keeps."""
    folders = [machine / "var/lib/certwright", machine / "etc/certwright"]
    secrets = [machine / "etc/certwright" / each for each in ("passphrase", "database-password")]
    assert [stat.S_IMODE(each.stat().st_mode) for each in (*folders, *secrets)] == [0o700] * 2 + [0o600] * 2


def serve_tls(postgresql: PostgresqlServer, root: Path, folder: Path) -> None:
    """Let the database serve TLS from now on, with a certificate of the root that is written."""
    _, made = make_server_tls(folder)
    shutil.copy(made, root)
    pem = (folder / "server.pem").read_bytes()
    key = load_pem_private_key(pem, TLS_PASSWORD.encode())
    clear = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with psycopg.connect(postgresql.url_of("postgres"), autocommit=True) as connection:
        ((cluster,),) = connection.execute("SHOW data_directory").fetchall()
        for name, content in (("server.crt", pem), ("server.key", clear)):
            file = Path(cluster, name)
            file.touch(0o600)
            file.write_bytes(content)
            os.chown(file, Path(cluster).stat().st_uid, Path(cluster).stat().st_gid)
        connection.execute("ALTER SYSTEM SET ssl = on")
        connection.execute("SELECT pg_reload_conf()")
        await_that(lambda: connection.execute("SHOW ssl").fetchall() == [("on",)], "the database does not serve TLS")


def are_all_over_tls(postgresql: PostgresqlServer) -> bool:
    """Return whether every session of our role is over TLS, and there are some."""
    with psycopg.connect(postgresql.url_of("postgres")) as connection:
        found = connection.execute("SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'certwright'")
        return {each for (each,) in found} == {True}


def let_in_by_password(postgresql: PostgresqlServer) -> None:
    """Add the page's line for this machine, before those of the cluster that let everybody in."""
    with psycopg.connect(postgresql.url_of("postgres"), autocommit=True) as connection:
        ((file,),) = connection.execute("SHOW hba_file").fetchall()
        rules = Path(file)
        rules.write_text(f"hostssl certwright certwright 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        connection.execute("SELECT pg_reload_conf()")
        owner = connection.execute(
            "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'certwright'"
        )
        assert owner.fetchall() == [("certwright", "UTF8")]


def ask(server: ServingProcess, root: Path, path: str) -> str:
    """Return what the server answers under its documented name."""
    place = f"ca.example.com:{server.port}"
    words = ["curl", "-sS", "--fail-with-body", "--cacert", str(root), "--resolve", f"{place}:127.0.0.1", "--noproxy", "*"]
    done = subprocess.run(
        [*words, "-u", f"subscriber:{PASSWORD}", f"https://{place}{path}"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
