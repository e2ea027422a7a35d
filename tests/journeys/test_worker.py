"""Work that is due, as who runs the server sees it: programs of their own on one installation."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from certwright.wire.cli.audit import NOT_COMPARED
from worlds.commands import FAST_SETTINGS, PROGRAM, TIMEOUT_SECONDS, certwright, serving

NO_WORKER = "\n[worker]\nenabled = false\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("installed") / "data"
    data.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS)
    assert certwright("init", "--data", data).returncode == 0
    return data


@pytest.fixture
def data(installed: Path, tmp_path: Path) -> Path:
    shutil.copytree(installed, tmp_path / "data")
    return tmp_path / "data"


def work(data: Path, *arguments: str) -> list[dict]:
    ran = certwright("work", "--data", data, "--once", "--json", *arguments)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def count_unsealed(data: Path) -> int:
    audit = certwright("audit", "verify", "--data", data, "--json")
    assert audit.returncode == NOT_COMPARED, audit.stdout
    return json.loads(audit.stdout)["unsealed"]


def test_a_dry_run_shows_what_is_due_and_changes_nothing(data: Path) -> None:
    before = count_unsealed(data)
    due = {each["job"]: each["due"] for each in work(data, "--dry-run")}
    assert due["seal-history"] == [{"what": f"{before} events to be sealed", "since": None}]
    assert count_unsealed(data) == before
    text = certwright("work", "--data", data, "--once", "--dry-run")
    assert f"{before} events to be sealed" in text.stdout


def test_what_is_due_is_done_once(data: Path) -> None:
    assert {each["job"]: each["done"] for each in work(data)}["seal-history"] == 1
    assert count_unsealed(data) == 0
    assert {each["job"]: each["done"] for each in work(data)}["seal-history"] == 0


def test_a_worker_without_a_server_works_until_it_is_told_to_end(data: Path) -> None:
    with subprocess.Popen([PROGRAM, "work", "--data", data], stderr=subprocess.PIPE, text=True) as worker:
        assert worker.stderr is not None
        assert "until Ctrl-C" in worker.stderr.readline()
        worker.terminate()
        assert worker.wait(TIMEOUT_SECONDS) == 0
    assert count_unsealed(data) == 0


def test_a_server_leaves_work_to_others_where_the_settings_say_so(data: Path) -> None:
    with (data / "certwright.toml").open("a") as settings:
        settings.write(NO_WORKER)
    with serving(data) as server:
        assert server.stop() == 0
    assert count_unsealed(data) >= 2
    work(data)
    assert count_unsealed(data) == 0


def test_a_dry_run_without_once_is_a_wrong_command_line(data: Path) -> None:
    assert certwright("work", "--data", data, "--dry-run").returncode == 2
