"""Files that commands of root's make and replace: they stay those of the account that the server runs as."""

import os
import stat
from pathlib import Path

import pytest

from certwright.adapters.checkpoints.thinning import thin
from certwright.adapters.files import make_private_folder_within, open_draft, open_or_create, replace_file
from certwright.bootstrap import open_installation
from worlds.commands import FAST_SETTINGS, certwright

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to another account")
SERVICE = 64_990
"""An account that this machine does not have to know."""


def find_owner(path: Path) -> tuple[int, int, int]:
    status = path.lstat()
    return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)


def list_strays(folder: Path) -> list[Path]:
    """Return what does not belong to the service."""
    return [each for each in (folder, *folder.rglob("*")) if find_owner(each)[:2] != (SERVICE, SERVICE)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An empty folder of the service."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    os.chown(folder, SERVICE, SERVICE)
    return folder


def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path) -> None:
    for mode in (0o600, 0o640, 0o444):
        file = tmp_path / f"{mode:o}"
        file.write_bytes(b"old")
        file.chmod(mode)
        replace_file(file, b"new", mode=0o644)
        assert (file.read_bytes(), find_owner(file)[2]) == (b"new", mode)


def test_no_mode_by_which_a_program_runs_as_another_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    file.chmod(0o4755)
    replace_file(file, b"new")
    assert find_owner(file)[2] == 0o755


def test_a_new_file_has_the_mode_that_is_asked_for_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        replace_file(tmp_path / "public", b"", mode=0o644)
    finally:
        os.umask(before)
    replace_file(tmp_path / "private", b"")
    assert [find_owner(tmp_path / each)[2] for each in ("public", "private")] == [0o644, 0o600]


def test_a_draft_is_not_written_through_a_link(tmp_path: Path) -> None:
    other, draft = tmp_path / "other", tmp_path / "draft"
    other.write_text("as it was")
    draft.symlink_to(other)
    os.close(open_draft(draft, 0o600, tmp_path.stat()))
    assert other.read_text() == "as it was"
    assert not draft.is_symlink()


@needs_root
def test_a_file_that_root_replaces_keeps_its_owner_and_a_new_one_has_that_of_the_folder(data: Path) -> None:
    file = data / "file"
    file.touch()
    os.chown(file, SERVICE + 1, SERVICE + 2)
    replace_file(file, b"new")
    assert find_owner(file)[:2] == (SERVICE + 1, SERVICE + 2)
    replace_file(data / "another", b"new")
    os.close(open_or_create(data / "lock", os.O_RDWR))
    make_private_folder_within(data / "folder")
    for name in ("another", "lock", "folder"):
        assert find_owner(data / name)[:2] == (SERVICE, SERVICE)


@needs_root
def test_what_is_there_already_is_not_given_away(data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    (data / "lock").symlink_to(other)
    os.close(open_or_create(data / "lock", os.O_RDWR))
    (data / "folder").mkdir()
    make_private_folder_within(data / "folder")
    assert find_owner(other)[:2] == find_owner(data / "folder")[:2] == (0, 0)


@needs_root
def test_thinning_gives_nothing_away_that_a_link_names(data: Path, tmp_path: Path) -> None:
    other, file = tmp_path / "other", data / "history.checkpoints"
    other.touch()
    file.touch()
    os.chown(file, SERVICE, SERVICE)
    (data / f".{file.name}.draft").symlink_to(other)
    descriptor = os.open(file, os.O_RDONLY)
    try:
        thin(file, descriptor, 0)
    finally:
        os.close(descriptor)
    assert find_owner(other)[:2] == (0, 0)
    assert list_strays(data) == []


@needs_root
def test_commands_of_root_leave_everything_to_the_account_of_the_service(data: Path) -> None:
    settings = data / "certwright.toml"
    settings.write_text(FAST_SETTINGS)
    os.chown(settings, SERVICE, SERVICE)
    for words in (["init"], ["load", "demo"], ["work", "--once"], ["keys", "rotate"]):
        done = certwright(*words, "--data", data)
        assert done.returncode == 0, done.stderr
        assert list_strays(data) == [], words
    # Names that have changed make the next start replace the certificate.
    settings.write_text(f'{FAST_SETTINGS}\n[server]\ntls_names = ["ca.example.com"]\n')
    with open_installation(data) as installation:
        assert installation.tls.renew()
    assert list_strays(data) == []
