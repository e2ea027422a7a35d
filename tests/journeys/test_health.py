"""GET /health, and what happens while events cannot be written: nothing that needs one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from certwright.adapters.signin.argon2 import Argon2Hasher
from certwright.application.seal_history import seal_history
from certwright.bootstrap import Installation, open_installation
from certwright.bootstrap_creation import create_installation
from certwright.wire.cli.load import load_world_file
from worlds.commands import FAST_SETTINGS
from worlds.holdings import list_requests_of
from worlds.served import PASSWORD, Served, serve

TEMPLATE = "e179f773-a6e0-43c0-9514-b7dde2ad0478"


def ask(served: Served, method: str = "GET") -> httpx.Response:
    with served.client() as client:
        return client.request(method, client.base_url.copy_with(raw_path=b"/health"))


def test_anybody_may_ask_whether_the_server_is_well(served: Served) -> None:
    # This server has no worker, and other tests have been making events for who knows how long.
    seal_history(world=served.installation.world, key=served.installation.sealing_key)
    answer = ask(served)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    body = answer.json()
    assert list(body) == ["status", "faults", "warnings", "store", "history", "checkpoints", "leases"]
    assert (body["status"], body["faults"], body["store"]) == ("ok", [], {"writable": True})
    assert ask(served, "HEAD").content == b""


def test_it_is_only_asked(served: Served) -> None:
    refused = ask(served, "POST")
    assert refused.status_code == 405
    assert refused.headers["allow"] == "GET, HEAD"


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """Mount a small file system of its own."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a small disk takes root and the program mount")
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Leave no room on the disk."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4_096))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def installed(data: Path) -> Iterator[Installation]:
    data.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS)
    create_installation(data)
    with open_installation(data) as installation:
        load_world_file("demo", installation)
        password_hash = Argon2Hasher(passes=1, memory_kib=64, lanes=1).hash(PASSWORD)
        with installation.world.store.writing() as session:
            for user in session.directory.list_users():
                session.directory.save_password_hash(user.id, password_hash)
        yield installation


def count_requests(installation: Installation) -> int:
    with installation.world.store.reading() as session:
        return len(list_requests_of(session))


def test_while_the_disk_is_full_nothing_is_done_that_needs_an_event(tmp_path: Path) -> None:
    order = {"type": "Enroll", "profiletemplateuuid": TEMPLATE, "comment": "x" * 500}
    with (
        small_disk(tmp_path / "disk", 24) as disk,
        installed(disk / "data") as installation,
        serve(installation) as served,
        served.client("subscriber") as client,
        served.client("auditor") as auditor,
    ):
        events = auditor.base_url.copy_with(raw_path=b"/CertificateManagement/api/v1.1/events")
        assert client.post("/requests", json=order).status_code == 201
        assert auditor.get(events).status_code == 200
        done = 1
        with full_disk(disk):
            # What is left in pages that are begun is used up first.
            while (status := client.post("/requests", json=order).status_code) == 201:
                done += 1
            assert status == 503
            assert count_requests(installation) == done
            assert client.get("/requests").status_code == 200
            assert auditor.get(events).status_code == 503
            health = ask_until(served, 503)
            assert health["store"] == {"writable": False}
            assert health["faults"] == ["store: The database cannot be used: the disk is full: make room on it."]
        assert client.post("/requests", json=order).status_code == 201
        assert count_requests(installation) == done + 1
        assert auditor.get(events).status_code == 200
        assert ask_until(served, 200)["store"] == {"writable": True}


def ask_until(served: Served, status: int) -> dict[str, object]:
    """Return the answer when it has *status*: answers are kept for a moment."""
    while True:
        answer = ask(served)
        if answer.status_code == status:
            body: dict[str, object] = answer.json()
            return body
