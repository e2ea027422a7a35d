"""Whatever goes wrong in a server, its log has no password: in both forms, for errors on every way into the database."""

import re
import sqlite3
import ssl
import subprocess
from base64 import b64encode
from pathlib import Path
from time import sleep
from uuid import uuid4

import httpx
import pytest
from click.testing import CliRunner

from certwright.wire.cli import main
from worlds.commands import FAST_SETTINGS, PROGRAM, TIMEOUT_SECONDS
from worlds.served import ROOT

SIGN_IN_PASSWORD = "Sesame-5f1c-sign-in"
PFX_PASSWORD = "Sesame-81aa-pfx"
ONE_TIME_PASSWORD = "Sesame-c07d-once"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_password_is_in_the_log_when_the_database_is_broken(form: str, tmp_path: Path) -> None:
    data = make_installation(tmp_path / "data", form)
    written = tmp_path / "log"
    command = [PROGRAM, "serve", "--data", str(data), "--port", "0"]
    with written.open("wb") as output, subprocess.Popen(command, stderr=output) as process:
        try:
            statuses = break_and_call(data, await_url(written, process))
            process.terminate()
            process.wait(TIMEOUT_SECONDS)
        finally:
            process.kill()
    log = written.read_text()
    assert set(statuses) == {500}
    # The search proves something only when each layer is in the tracebacks.
    assert [
        layer for layer in ("wire/rest", "application", "adapters/sql", "wire/worker.py") if f"certwright/{layer}" not in log
    ] == []
    header = b64encode(f"subscriber:{SIGN_IN_PASSWORD}".encode()).decode()
    for secret in (SIGN_IN_PASSWORD, PFX_PASSWORD, ONE_TIME_PASSWORD, header, header.rstrip("=")[8:]):
        assert secret not in log


def make_installation(data: Path, form: str) -> Path:
    data.mkdir()
    (data / "certwright.toml").write_text(f'{FAST_SETTINGS}[log]\nform = "{form}"\nlevel = "debug"\n')
    for command in (("init",), ("load", "demo"), ("password", "subscriber")):
        done = CliRunner().invoke(main, [*command, "--data", str(data)], env={"CERTWRIGHT_PASSWORD": SIGN_IN_PASSWORD})
        assert done.exit_code == 0, done.output
    return data


def await_url(log: Path, process: subprocess.Popen[bytes]) -> str:
    while process.poll() is None:
        told = [line for line in log.read_text().splitlines() if "service.started" in line]
        found = re.search(r"https://localhost:\d+", COLOURS.sub("", told[0])) if told else None
        if found is not None:
            return found[0]
        sleep(0.05)
    raise AssertionError(log.read_text())


def break_and_call(data: Path, url: str) -> list[int]:
    """Return the statuses of calls after tables were taken away under the server: first those of requests, then of accounts."""
    tls = ssl.create_default_context(cafile=data / "ca.pem")
    auth = ("subscriber", SIGN_IN_PASSWORD)
    with httpx.Client(base_url=f"{url}{ROOT}", verify=tls, auth=auth, timeout=120, trust_env=False) as client:
        assert client.get("/requests").status_code in (200, 204)
        rename(data, "requests", "leases")
        request = f"/requests/{uuid4()}"
        body = {"certificaterequests": [], "pfxpassword": PFX_PASSWORD, "onetimepasswords": [ONE_TIME_PASSWORD]}
        broken = [client.get(request), client.post(f"{request}/certificatedata", json=body)]
        rename(data, "users", "directory_revision")
        broken += [client.get(request), client.get("/profiletemplates")]
    return [each.status_code for each in broken]


def rename(data: Path, *tables: str) -> None:
    database = sqlite3.connect(data / "certwright.db", timeout=TIMEOUT_SECONDS)
    try:
        for each in tables:
            database.execute(f"ALTER TABLE {each} RENAME TO {each}_gone")
        database.commit()
    finally:
        database.close()
