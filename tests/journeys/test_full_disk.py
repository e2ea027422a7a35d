"""Commands that begin on a disk without room: each says what to do, leaves nothing half done, and works when there is room."""

from pathlib import Path

import pytest

from journeys.test_health import full_disk, small_disk
from worlds.commands import FAST_SETTINGS, certwright, serving

MEBIBYTES = 8
NO_ROOM = "store-unavailable: The database cannot be used: the disk is full: make room on it."


def refusal_of(*words: str | Path) -> str:
    done = certwright(*words)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_init_load_and_serve_on_a_full_disk_say_what_to_do_and_work_with_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", MEBIBYTES) as disk:
        data = disk / "data"
        data.mkdir()
        (data / "certwright.toml").write_text(FAST_SETTINGS)
        with full_disk(disk):
            told = refusal_of("init", "--data", data)
            assert f"{data / 'passphrase'}: No space left on device; make room on the disk" in told
            assert [each.name for each in data.iterdir()] == ["certwright.toml"]
        assert certwright("init", "--data", data).returncode == 0
        with full_disk(disk):
            assert NO_ROOM in refusal_of("load", "demo", "--data", data)
            assert NO_ROOM in refusal_of("serve", "--data", data, "--port", "0")
        assert certwright("load", "demo", "--data", data).returncode == 0
        with serving(data) as server:
            assert server.stop() == 0


@pytest.mark.parametrize("fault", ["a file", "a link that leads nowhere"])
def test_a_place_for_tls_files_that_is_no_folder_is_named_by_serve(tmp_path: Path, fault: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS)
    assert certwright("init", "--data", data).returncode == 0
    (data / "tls").rename(tmp_path / "tls")
    if fault == "a file":
        (data / "tls").touch()
    else:
        (data / "tls").symlink_to(tmp_path / "nowhere")
    told = refusal_of("serve", "--data", data, "--port", "0")
    assert "tls-files-unavailable" in told
    assert str(data / "tls") in told
