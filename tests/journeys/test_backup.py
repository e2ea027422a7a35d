"""The backup that the page on production shows, made as it stands there while people enroll, and restored elsewhere."""

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from hashlib import sha1
from pathlib import Path

import pytest

from certwright.wire.cli.audit import NOT_COMPARED
from journeys.test_crashes import STRONG_P256, Town, certificate_in, enrolling, list_delivered, thumbprints_over_rest
from postgresql import PACKAGE, PostgresqlServer, find_programs, run_postgresql
from worlds.commands import FAST_SETTINGS, certwright, serving
from worlds.house import csr
from worlds.pages import REPOSITORY, read_blocks
from worlds.rest_steps import open_request, responses_of, submit
from worlds.served import install
from worlds.system import await_that

PAGE = REPOSITORY / "docs" / "how-to" / "run-in-production.md"
DATABASE = "postgresql://certwright@db.example.com/certwright"
SERVICE, OURS = "-o certwright -g certwright", f"-o {os.getuid()} -g {os.getgid()}"
PATIENCE_SECONDS = 180
BALLAST_MEBIBYTES = 96
MOST_BACKUPS = 50
"""So many at most until a certificate was issued while one was made: a small database is copied in no time."""
needs_sqlite3 = pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3 (Debian: sqlite3) is not installed")


@pytest.fixture
def postgresql() -> Iterator[PostgresqlServer]:
    programs = find_programs()
    if programs is None:
        pytest.skip(f"no PostgreSQL here: apt-get install {PACKAGE}")
    with run_postgresql(programs) as server:
        yield server


def block_with(says: str) -> str:
    """Return the one block of the page that says this."""
    (block,) = [each.text for each in read_blocks(PAGE) if says in each.text]
    return block


def run_block(says: str, places: Mapping[str, str | Path]) -> None:
    """Run the block of the page with its *places* here; all of its commands have to succeed."""
    text = block_with(says)
    for place, here in places.items():
        assert place in text, f"{place} is not in the block: {text}"
        text = text.replace(place, str(here))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), text


def back_up_while_people_enroll(town: Town, copy: Path, says: str, places: Mapping[str, str | Path]) -> dict[str, bytes]:
    """Make the backup while certificates are issued and return those that were delivered before it began, by request."""
    with serving(town.data) as server:
        town.url = server.url
        with enrolling(town) as enrollers:
            await_that(lambda: len(list_delivered(enrollers)) >= len(enrollers), "not everybody enrolls")
            await_that((town.data / "history.checkpoints").exists, "nothing is sealed")
            for _ in range(MOST_BACKUPS):
                copy.unlink(missing_ok=True)
                before = list_delivered(enrollers)
                run_block(says, places)
                if len(list_delivered(enrollers)) > len(before):
                    break
            else:
                raise AssertionError(f"nothing was issued during {MOST_BACKUPS} backups: this test proves nothing")
        assert server.stop() == 0
    return {request: certificate for request, (certificate,) in before.items()}


def make_large(database: Path) -> None:
    """Let a copy take longer than certificates are apart, as in a database of some years: what begins again at each change
    does not end then.
    """
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE ballast (octets BLOB)")
        connection.executemany("INSERT INTO ballast VALUES (zeroblob(?))", [(1 << 20,)] * BALLAST_MEBIBYTES)


def restore_folder(data: Path, target: Path) -> None:
    """Copy the installation's folder, with a newer file of checkpoints than the database's that comes."""
    shutil.copytree(data, target, ignore=shutil.ignore_patterns("certwright.db-*"))


def restore_checkpoints(restored: Path, backups: Path) -> None:
    """Put the checkpoints of the backup back, and see that those that were there tell of what is gone."""
    assert (restored / "history.checkpoints").read_bytes() != (backups / "history.checkpoints").read_bytes()
    run_block("checkpoints.before", {"/var/lib/certwright": restored, "/var/backups": backups, SERVICE: OURS})
    before = restored / "history.checkpoints.before"
    compared = certwright("audit", "verify", "--data", restored, "--checkpoints", before, "--json")
    assert compared.returncode == 1, compared.stderr
    assert any("cut off" in each for each in json.loads(compared.stdout)["faults"])


def check_restored(data: Path, delivered: dict[str, bytes]) -> None:
    """See that the history is whole, that what was *delivered* is there, and that the server issues more."""
    audit = certwright("audit", "verify", "--data", data, "--json")
    assert audit.returncode == NOT_COMPARED, audit.stdout + audit.stderr
    report = json.loads(audit.stdout)
    assert report["faults"] == []
    assert report["checkpoints"] > 0, "nothing was sealed: this test proves nothing"
    town = Town(data)
    with serving(data) as server:
        town.url = server.url
        assert {sha1(each).hexdigest().upper() for each in delivered.values()} <= thumbprints_over_rest(town)
        with town.client("subscriber") as http:
            request = open_request(http, STRONG_P256)
            (answer,) = responses_of(submit(http, request, csr(request)))
        assert certificate_in(request, answer) not in delivered.values()
        assert server.stop() == 0


@needs_sqlite3
def test_the_documented_backup_of_sqlite_ends_while_people_enroll_and_is_an_installation_again(tmp_path: Path) -> None:
    data, backups, restored = tmp_path / "data", tmp_path / "backups", tmp_path / "restored"
    for each in (data, backups):
        each.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS)
    with install(data):
        pass
    make_large(data / "certwright.db")
    copy = backups / "certwright.db"
    places = {"/var/lib/certwright": data, "/var/backups": backups}
    delivered = back_up_while_people_enroll(Town(data), copy, "VACUUM INTO", places)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert {each.name for each in backups.iterdir()} == {copy.name, "history.checkpoints"}
    restore_folder(data, restored)
    run_block("certwright.db-wal", {"/var/lib/certwright": restored, "/var/backups": backups, SERVICE: OURS})
    restore_checkpoints(restored, backups)
    check_restored(restored, delivered)


def test_the_documented_backup_of_postgresql_is_an_installation_again_in_a_new_database(
    postgresql: PostgresqlServer, tmp_path: Path
) -> None:
    data, backups, restored = tmp_path / "data", tmp_path / "backups", tmp_path / "restored"
    for each in (data, backups):
        each.mkdir()
    url, new_url = postgresql.create_database(), postgresql.create_database()
    (data / "certwright.toml").write_text(f'{FAST_SETTINGS}[database]\nurl = "{url}"\n')
    with install(data):
        pass
    copy = backups / "certwright.dump"
    places = {"/var/lib/certwright": data, "/var/backups": backups, DATABASE: url}
    delivered = back_up_while_people_enroll(Town(data), copy, "pg_dump", places)
    assert copy.stat().st_mode & 0o777 == 0o600
    restore_folder(data, restored)
    run_block("pg_restore", {"/var/backups": backups, DATABASE: new_url})
    settings = restored / "certwright.toml"
    settings.write_text(settings.read_text().replace(url, new_url))
    restore_checkpoints(restored, backups)
    check_restored(restored, delivered)
