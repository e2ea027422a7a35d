"""The event history on the command line, and proven by programs that are not ours."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from certwright.adapters.checkpoints.thinning import thin
from certwright.bootstrap import open_installation
from certwright.domain.events import Event, EventType
from certwright.wire.cli import main
from certwright.wire.cli.audit import NOT_COMPARED
from worlds.commands import FAST_SETTINGS

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "prove-the-history.md"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with the demo world, sealed twice."""
    data = tmp_path_factory.mktemp("audited") / "data"
    data.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS)
    for words in (["init"], ["work", "--once"], ["load", "demo"], ["work", "--once"]):
        assert run(*words, "--data", data).exit_code == 0
    return data


@pytest.fixture
def data(installed: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "data"
    shutil.copytree(installed, copy)
    return copy


def read_lines(text: str) -> list[dict[str, object]]:
    return [json.loads(each) for each in text.splitlines()]


def test_the_newest_events_are_listed_and_that_somebody_read_them(data: Path) -> None:
    listed = run("audit", "list", "--limit", 3, "--data", data)
    assert listed.exit_code == 0
    assert "history.read" in listed.stdout.splitlines()[-1]
    found = read_lines(run("audit", "list", "--type", "history.read", "--json", "--data", data).output)
    assert [each["details"]["how"] for each in found] == ["list", "list"]


def test_an_event_is_shown_with_the_seal_over_it(data: Path) -> None:
    (shown,) = read_lines(run("audit", "show", 1, "--json", "--data", data).output)
    assert (shown["type"], shown["seal"]) == ("service.initialized", 1)
    assert "service.initialized" in run("audit", "show", 1, "--data", data).output
    missing = run("audit", "show", 10_000, "--data", data)
    assert missing.exit_code == 1
    assert "There is no event 10000" in missing.output


def test_what_is_no_date_is_refused_and_nothing_is_written(data: Path) -> None:
    refused = run("audit", "export", "--since", "yesterday", "--out", data / "events.jsonl", "--data", data)
    assert refused.exit_code == 1
    assert "since" in refused.output
    assert not (data / "events.jsonl").exists()


def test_seals_have_no_filter(data: Path) -> None:
    assert run("audit", "export", "--what", "seals", "--user", "root", "--data", data).exit_code == 2


def test_an_export_goes_through_many_batches_and_has_every_event_once(data: Path) -> None:
    with sqlite3.connect(data / "certwright.db") as database:
        database.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) "
            "INSERT INTO events (type, at, actor, source, comment, details) "
            "SELECT 'sign-in.failed', '2026-01-01 00:00:00.000000', i, '', '', '{}' FROM n"
        )
    database.close()
    assert run("audit", "export", "--out", data / "events.jsonl", "--data", data).exit_code == 0
    numbers = [each["sequence"] for each in read_lines((data / "events.jsonl").read_text())]
    assert len(numbers) > 9_000
    assert numbers == sorted(set(numbers))


def test_what_was_pruned_is_signed_for_and_the_rest_stays_proven(data: Path, tmp_path: Path) -> None:
    with open_installation(data) as opened, opened.world.store.writing() as session:
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)
        session.history.append([Event(type=EventType.SIGN_IN_FAILED, at=long_ago, actor="x", source="")])
    assert run("work", "--once", "--data", data).exit_code == 0
    assert "1 event would be removed." in run("audit", "prune", "--before", "2021-01-01", "--dry-run", "--data", data).output
    assert (
        "1 event was removed, with 1 signed record of it."
        in run("audit", "prune", "--before", "2021-01-01", "--data", data).output
    )
    assert run("work", "--once", "--data", data).exit_code == 0
    report = json.loads(run("audit", "verify", "--json", "--data", data).output)
    assert (report["faults"], report["removed"]) == ([], 1)
    proven = prove(take_along(data, tmp_path))
    assert (proven.stderr, proven.returncode) == ("", 0)
    assert run("audit", "prune", "--before", "nonsense", "--data", data).exit_code == 1
    assert run("audit", "prune", "--before", "2999-01-01", "--data", data).exit_code == 1


def test_an_event_that_came_past_the_program_is_named_also_after_the_keys_were_rotated(data: Path) -> None:
    assert run("keys", "rotate", "--data", data).exit_code == 0
    assert run("work", "--once", "--data", data).exit_code == 0
    assert json.loads(run("audit", "verify", "--json", "--data", data).output)["faults"] == []
    with sqlite3.connect(data / "certwright.db") as database:
        number = database.execute(
            "INSERT INTO events (type, at, actor, source, comment, details) "
            "SELECT type, at, 'somebody', source, comment, details FROM events WHERE sequence = 1"
        ).lastrowid
    database.close()
    assert run("work", "--once", "--data", data).exit_code == 0
    verified = run("audit", "verify", "--data", data)
    assert verified.exit_code == 1
    assert f"FAULT event {number} is not as this installation wrote it" in verified.output


def test_an_installation_from_before_marks_gets_their_key_and_stays_whole(data: Path) -> None:
    with sqlite3.connect(data / "certwright.db") as database:
        database.execute("DELETE FROM keys WHERE name = 'event-marks'")
        database.execute("DELETE FROM seals")
        database.execute("UPDATE events SET mark = NULL")
    database.close()
    (data / "history.checkpoints").unlink()
    for _ in range(2):
        assert run("work", "--once", "--data", data).exit_code == 0
        assert json.loads(run("audit", "verify", "--json", "--data", data).output)["faults"] == []
    seals = read_seals(data)
    assert [each["version"] for each in seals][:2] == [2, 3]
    (told,) = read_lines(run("audit", "show", seals[1]["first"], "--json", "--data", data).output)
    assert (told["type"], told["details"]) == ("key.created", {"key": "event-marks"})


def read_seals(data: Path) -> list[dict[str, object]]:
    out = data / "seals.jsonl"
    assert run("audit", "export", "--what", "seals", "--out", out, "--data", data).exit_code == 0
    return read_lines(out.read_text())


# -- another program ---------------------------------------------------------------------------------------------------


@pytest.fixture
def exported(data: Path, tmp_path: Path) -> Path:
    return take_along(data, tmp_path)


def take_along(data: Path, tmp_path: Path, *, is_busy: bool = False) -> Path:
    """Return what the guide tells an auditor to take with him, and its program."""
    folder = tmp_path / "auditor"
    folder.mkdir()
    (folder / "history.pem").write_text(run("audit", "key", "--data", data).output)
    shutil.copy(data / "history.checkpoints", folder)
    for what in ("seals", "events", "retention"):
        assert run("audit", "export", "--what", what, "--out", folder / f"{what}.jsonl", "--data", data).exit_code == 0
        if is_busy:
            assert run("work", "--once", "--data", data).exit_code == 0
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (folder / "prove.py").write_text(program)
    return folder


def prove(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "prove.py"], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


def test_what_happens_between_the_guides_commands_is_no_fault(data: Path, tmp_path: Path) -> None:
    proven = prove(take_along(data, tmp_path, is_busy=True))
    assert (proven.stderr, proven.returncode) == ("", 0), proven.stdout


def test_the_guides_program_proves_a_whole_history_with_openssl_alone(exported: Path) -> None:
    proven = prove(exported)
    assert proven.stderr == ""
    assert proven.stdout.startswith("2 seals, everything up to event ")
    assert proven.returncode == 0


@pytest.mark.parametrize(
    ("name", "before", "after", "found"),
    [
        ("events.jsonl", '"actor":"certwright"', '"actor":"somebody"', "event 1 is not as it was sealed"),
        ("events.jsonl", '"sequence":1,', '"sequence":0,', "event 1 is missing"),
        ("seals.jsonl", '"sealed":"2', '"sealed":"3', "seal 1 is not proven"),
        ("seals.jsonl", '"events":', '"events":1', "seal 1 is not proven"),
        ("seals.jsonl", '"version":3', '"version":2', "seal 1 is not proven"),
        ("seals.jsonl", '"chain":"', '"chain":"00', "seal 1 is not proven"),
        ("history.checkpoints", '"chain":"', '"chain":"00', "line 1 of the checkpoints is not signed"),
    ],
)
def test_the_guides_program_finds_what_was_changed(exported: Path, name: str, before: str, after: str, found: str) -> None:
    text = (exported / name).read_text()
    assert before in text
    (exported / name).write_text(text.replace(before, after, 1))
    proven = prove(exported)
    assert proven.returncode == 1
    assert found in proven.stdout.splitlines()


def test_the_guides_program_finds_a_history_that_was_cut_off(exported: Path) -> None:
    seals = (exported / "seals.jsonl").read_text().splitlines(keepends=True)
    (exported / "seals.jsonl").write_text(seals[0])
    assert "line 2 of the checkpoints says otherwise" in prove(exported).stdout


def test_a_thinned_file_of_checkpoints_proves_what_the_whole_one_did(data: Path, tmp_path: Path) -> None:
    for _ in range(5):
        assert run("audit", "list", "--limit", 1, "--data", data).exit_code == 0
        assert run("work", "--once", "--data", data).exit_code == 0
    path = data / "history.checkpoints"
    with path.open("rb") as file:
        lines = len(file.readlines())
        thin(path, file.fileno(), newest_octets=0)
    kept = json.loads(run("audit", "verify", "--json", "--data", data).output)
    assert (kept["faults"], kept["checkpoints"]) == ([], 2)
    assert lines > 5
    assert prove(take_along(data, tmp_path)).returncode == 0
    seals = read_seals(data)
    rewritten = cut(data, "UPDATE events SET comment = 'another' WHERE sequence = 2", "DELETE FROM seals WHERE number > 1")
    assert f"the checkpoints tell of seal {seals[-1]['number']}" in rewritten.output


# -- what is said of what cannot be known ------------------------------------------------------------------------------


def test_a_proof_without_a_copy_from_elsewhere_says_so_first_and_by_its_status(data: Path, tmp_path: Path) -> None:
    own, copy = data / "history.checkpoints", tmp_path / "copy"
    copy.write_bytes(own.read_bytes())
    for words in ([], ["--checkpoints", own]):
        verified = run("audit", "verify", "--data", data, *words)
        assert (verified.exit_code, verified.output.splitlines()[0][:20]) == (NOT_COMPARED, "No copy of the check")
        assert "The history is whole" not in verified.output
    compared = run("audit", "verify", "--data", data, "--checkpoints", copy)
    assert (compared.exit_code, compared.output.splitlines()[-1]) == (0, "The history is whole.")
    assert compared.output.startswith("Compared with a copy of the checkpoints, which goes up to event ")


def cut(data: Path, *statements: str) -> Result:
    with sqlite3.connect(data / "certwright.db") as database:
        for each in statements:
            database.execute(each)
    database.close()
    return run("audit", "verify", "--json", "--data", data)


def test_a_history_that_was_removed_with_all_checkpoints_is_not_whole(data: Path) -> None:
    (data / "history.checkpoints").write_text("")
    removed = cut(data, "DELETE FROM events", "DELETE FROM seals", "DELETE FROM sqlite_sequence")
    assert removed.exit_code == 1
    assert json.loads(removed.output)["faults"][0] == (
        "the first event is missing: that of an installation is service.initialized"
    )


def test_an_end_that_was_cut_off_with_its_checkpoints_is_named(data: Path) -> None:
    (data / "history.checkpoints").write_text("".join((data / "history.checkpoints").read_text().splitlines(True)[:1]))
    last = read_seals(data)[0]["last"]
    removed = cut(data, f"DELETE FROM events WHERE sequence > {last}", "DELETE FROM seals WHERE number > 1")
    assert removed.exit_code == 1
    assert f"events {last + 1} to " in json.loads(removed.output)["faults"][0]


# -- rows that were changed past the server ----------------------------------------------------------------------------


def test_a_changed_row_is_named_refused_and_can_be_accepted_by_an_operator(data: Path) -> None:
    changed = cut(data, "UPDATE users SET distinguished_name = 'CN=administrator' WHERE account_name = 'subscriber'")
    (fault,) = json.loads(changed.output)["faults"]
    assert fault.endswith("subscriber) is not as this installation wrote it")
    listed = run("users", "list", "--data", data)
    assert (listed.exit_code, "stored-row-altered" in listed.output) == (1, True)
    looked = run("audit", "accept-rows", "--data", data)
    assert fault in looked.output
    assert json.loads(run("audit", "verify", "--json", "--data", data).output)["faults"] == [fault]
    accepted = json.loads(run("audit", "accept-rows", "--yes", "--json", "--data", data).output)
    assert accepted == {"accepted": True, "faults": [fault], "lasting": []}
    report = json.loads(run("audit", "verify", "--json", "--data", data).output)
    assert report["faults"] == []
    assert "accepted rows as they were" in report["remarks"][0]
    assert run("users", "list", "--data", data).exit_code == 0
