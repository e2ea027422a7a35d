"""A rotation that is killed in its middle while a server serves, on each database; and what the commands say of it."""

import json
import signal
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest

from certwright.adapters.signin.argon2 import Argon2Hasher
from certwright.bootstrap import open_installation
from certwright.bootstrap_creation import create_installation
from certwright.domain.keys import SealedKey
from certwright.wire.cli.load import load_world_file
from worlds.commands import FAST_SETTINGS, PROGRAM, certwright, serving
from worlds.contoso import NOW
from worlds.rest_steps import open_request
from worlds.served import PASSWORD, ROOT
from worlds.workflow_steps import MANAGED

KEYS = 4_000
ATTEMPTS = 20
"""A rotation may be faster than the signal."""
SECRET = b"a private key"
RESEALED_BEFORE_KILL = "keys.sealed: sealed 1,000 rows again"


@pytest.fixture
def data(empty_url: str, tmp_path: Path) -> Path:
    """An installation with people who can sign in, and thousands of keys."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "certwright.toml").write_text(f'{FAST_SETTINGS}[database]\nurl = "{empty_url}"\n')
    create_installation(folder)
    with open_installation(folder) as installation:
        load_world_file("demo", installation)
        password_hash = Argon2Hasher(passes=1, memory_kib=64, lanes=1).hash(PASSWORD)
        kek = installation.keyring
        with installation.world.store.writing() as session:
            for user in session.directory.list_users():
                session.directory.save_password_hash(user.id, password_hash)
            for number in range(KEYS):
                name = f"key {number:05}"
                session.keys.save_key(SealedKey(name=name, public=b"", sealed=kek.seal(SECRET, name), created=NOW))
    return folder


def kill_in_the_middle(data: Path) -> bool:
    """Start a rotation, kill it when it tells that it is in its middle, and return whether it was not done all the same."""
    command = [PROGRAM, "keys", "rotate", "--data", str(data)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        for line in process.stderr or ():
            if RESEALED_BEFORE_KILL in line:
                process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL


def find_subscriber(data: Path) -> str:
    with open_installation(data) as installation, installation.world.store.reading() as session:
        (found,) = (each.id for each in session.directory.list_users() if each.account_name == "subscriber")
    return str(found)


def give_badge(subscriber: httpx.Client, request: str, badge: str) -> None:
    given = subscriber.put(f"/requests/{request}", json={"datacollection": [{"Name": "Badge", "Value": badge}]})
    assert given.status_code == 200, given.text


def read_badge(subscriber: httpx.Client, request: str) -> str:
    items = subscriber.get(f"/requests/{request}").json()["DataCollection"]
    return next(str(each["Value"]) for each in items if each["Name"] == "Badge")


def list_versions(data: Path) -> dict[int, int]:
    report = json.loads(certwright("keys", "list", "--data", data, "--json").stdout)
    assert (report["by_passphrase"], report["unknown"], report["missing"]) == (0, 0, {})
    return {each["version"]: each["values"] for each in report["versions"]}


def test_a_rotation_that_is_killed_is_continued_and_the_server_never_minds(data: Path) -> None:
    tls = ssl.create_default_context(cafile=data / "ca.pem")
    with serving(data) as server:
        manager, subscriber = (
            httpx.Client(base_url=server.url + ROOT, verify=tls, auth=(user, PASSWORD), timeout=120, trust_env=False)
            for user in ("manager", "subscriber")
        )
        with manager, subscriber:
            first, second = (open_request(manager, MANAGED, target=find_subscriber(data)) for _ in range(2))
            give_badge(subscriber, first, "31337")
            assert any(kill_in_the_middle(data) for _ in range(ATTEMPTS))
            half = list_versions(data)
            *_, old, new = sorted(half)
            assert half[old] > 0
            assert half[new] >= 1_000
            give_badge(subscriber, second, "4711")
            assert list_versions(data) == half | {new: half[new] + 1}
            assert [read_badge(subscriber, each) for each in (first, second)] == ["31337", "4711"]
            again = certwright("keys", "rotate", "--data", data)
            assert (again.returncode, "had been broken off" in again.stdout) == (0, True), again.stderr
            assert list_versions(data) == half | {old: 0, new: half[old] + half[new] + 1}
            assert [read_badge(subscriber, each) for each in (first, second)] == ["31337", "4711"]
        assert server.stop() == 0
    with open_installation(data) as installation, installation.world.store.reading() as session:
        for number in (0, 1_000, KEYS - 1):
            found = session.keys.find_key(f"key {number:05}")
            assert found is not None
            assert installation.keyring.open(found.sealed, found.name) == SECRET
