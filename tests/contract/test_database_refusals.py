"""A database that does not let us in, or may not be written: a sentence with what to do, from real servers."""

import os
import socket
import subprocess
from pathlib import Path

import psycopg
import pytest

from postgresql import PostgresqlServer
from worlds.commands import FAST_SETTINGS, PROGRAM, TIMEOUT_SECONDS, certwright

ROLE = "certwright_stranger"


def init(folder: Path, url: str) -> str:
    """Return what init says of the database that *url* names, after it refused."""
    folder.mkdir(exist_ok=True)
    (folder / "certwright.toml").write_text(f'{FAST_SETTINGS}[database]\nurl = "{url}"\n')
    refused = certwright("init", "--data", folder)
    assert refused.returncode == 1, refused.stdout
    assert "Traceback" not in refused.stderr
    assert "store-unavailable" in refused.stderr
    return refused.stderr


def test_a_missing_database_a_missing_role_and_no_server_are_three_sentences(
    postgresql_server: PostgresqlServer, tmp_path: Path
) -> None:
    missing_database = init(tmp_path / "a", postgresql_server.url_of("certwright_missing"))
    assert "no database certwright_missing" in missing_database
    assert "createdb" in missing_database
    missing_role = init(tmp_path / "b", postgresql_server.url_of("postgres").replace("postgres@", "certwright_missing@"))
    assert "no role certwright_missing" in missing_role
    assert "createuser" in missing_role
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    unreachable = init(tmp_path / "c", f"postgresql://postgres@127.0.0.1:{port}/postgres")
    assert "cannot be reached" in unreachable
    assert "database.url" in unreachable


def test_a_role_that_may_not_make_tables_is_told_so(postgresql_server: PostgresqlServer, tmp_path: Path) -> None:
    url = postgresql_server.create_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {ROLE} LOGIN".encode())
        connection.execute(b"REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    try:
        refused = init(tmp_path / "data", url.replace("postgres@", f"{ROLE}@"))
        assert "make it the owner of the database" in refused
    finally:
        postgresql_server.drop_database(url)
        with psycopg.connect(postgresql_server.url_of("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP ROLE {ROLE}".encode())


def run_without_privileges(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the program; as root, without the privilege to write what its mode forbids."""
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    words = [*drop, PROGRAM, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)


@pytest.mark.parametrize("unwritable", ["certwright.db", "."])
def test_an_unwritable_database_is_a_sentence(unwritable: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS)
    assert certwright("init", "--data", data).returncode == 0
    target = (data / unwritable).resolve()
    target.chmod(0o500 if target.is_dir() else 0o400)
    refused = run_without_privileges("keys", "list", "--data", data)
    target.chmod(0o700)
    assert refused.returncode == 1, refused.stderr
    assert "Traceback" not in refused.stderr
    assert f"this account may not write {target}" in refused.stderr
