"""Passphrase and key-encryption key over the years of an installation, by its commands, with a server that goes on."""

import json
import shutil
import ssl
import stat
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from certwright.adapters.keys.key_encryption import KeyEncryptionKey
from certwright.bootstrap import open_installation
from certwright.domain.keys import SealedPart
from certwright.wire.cli.audit import NOT_COMPARED
from worlds.commands import FAST_SETTINGS, certwright, serving
from worlds.rest_steps import open_request
from worlds.served import PASSWORD, ROOT, install
from worlds.workflow_steps import MANAGED

SEALED = 7
"""The keys of two authorities, of the history and of the recovery agent, what events and rows are marked with, and the
password of the TLS key."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("installed") / "data"
    data.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS)
    with install(data) as installation:
        installation.tls.renew()
    return data


@pytest.fixture
def data(installed: Path, tmp_path: Path) -> Path:
    shutil.copytree(installed, tmp_path / "data")
    return tmp_path / "data"


def name_passphrase(data: Path, place: str) -> None:
    (data / "certwright.toml").write_text(f'{FAST_SETTINGS}[keys]\npassphrase = "{place}"\n')


def write_secret(path: Path, secret: str) -> None:
    path.write_text(secret)
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def list_keys(data: Path) -> dict[str, object]:
    listed = certwright("keys", "list", "--data", data, "--json")
    assert listed.returncode == 0, listed.stderr
    report: dict[str, object] = json.loads(listed.stdout)
    return report


def read_counts(data: Path) -> dict[int, int]:
    versions = list_keys(data)["versions"]
    assert isinstance(versions, list)
    return {each["version"]: each["values"] for each in versions}


def test_a_new_installation_has_one_version_which_seals_everything(data: Path) -> None:
    assert read_counts(data) == {1: SEALED}
    assert "version 1, made " in certwright("keys", "list", "--data", data).stdout


def test_a_rotation_takes_the_password_of_the_tls_key_along(data: Path) -> None:
    done = certwright("keys", "rotate", "--data", data)
    assert (done.returncode, f"Version 2 of the key-encryption key is in use; {SEALED} rows" in done.stdout) == (0, True)
    assert f"keys.sealed: sealed {SEALED - 1:,} rows again" in done.stderr
    assert read_counts(data) == {1: 0, 2: SEALED}
    before = (data / "tls" / "server.pem").read_bytes()
    with serving(data) as server:
        assert server.stop() == 0
    assert (data / "tls" / "server.pem").read_bytes() == before
    assert certwright("audit", "verify", "--data", data).returncode == NOT_COMPARED


def test_a_new_passphrase_and_a_new_version_reach_a_server_that_runs(data: Path) -> None:
    write_secret(data / "second", "the second passphrase\n")
    tls = ssl.create_default_context(cafile=data / "ca.pem")
    with open_installation(data) as installation, installation.world.store.reading() as session:
        (subscriber,) = (each.id for each in session.directory.list_users() if each.account_name == "subscriber")
    with serving(data) as server:

        def client(user: str) -> httpx.Client:
            return httpx.Client(base_url=server.url + ROOT, verify=tls, auth=(user, PASSWORD), timeout=120, trust_env=False)

        with client("manager") as http:
            request = open_request(http, MANAGED, target=str(subscriber))
        changed = certwright("keys", "passphrase", "file:second", "--data", data)
        assert (changed.returncode, 'passphrase = "file:second"' in changed.stdout) == (0, True), changed.stderr
        assert "the second passphrase" not in changed.stdout + changed.stderr
        refused = certwright("keys", "list", "--data", data)
        assert (refused.returncode, "key-version-unavailable" in refused.stderr) == (1, True)
        assert "keys.passphrase" in refused.stderr
        name_passphrase(data, "file:second")
        (data / "passphrase").unlink()
        assert certwright("keys", "rotate", "--data", data).returncode == 0
        with client("subscriber") as http:
            badge = {"datacollection": [{"Name": "Badge", "Value": "31337"}]}
            assert http.put(f"/requests/{request}", json=badge).status_code == 200
        assert server.stop() == 0
    assert read_counts(data) == {1: 0, 2: SEALED + 1}


def test_a_systemd_credential_holds_the_passphrase(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    shutil.move(data / "passphrase", folder / "certwright-passphrase")
    name_passphrase(data, "credential:certwright-passphrase")
    outside = certwright("keys", "list", "--data", data)
    assert (outside.returncode, "CREDENTIALS_DIRECTORY is not set" in outside.stderr) == (1, True)
    inside = certwright("keys", "list", "--data", data, variables={"CREDENTIALS_DIRECTORY": str(folder)})
    assert (inside.returncode, "version 1" in inside.stdout) == (0, True), inside.stderr


@pytest.mark.parametrize("place", ["the second passphrase", "credential:../passphrase", "credential:a/b"])
def test_a_passphrase_on_the_command_line_is_refused_and_not_repeated(data: Path, place: str) -> None:
    refused = certwright("keys", "passphrase", place, "--data", data)
    assert refused.returncode == 2
    assert place not in refused.stderr


def make_old(data: Path) -> None:
    """Make the installation what version 2 of the schema had left: sealed by the passphrase, without versions."""
    phrase = KeyEncryptionKey((data / "passphrase").read_text().strip())
    with open_installation(data) as installation:
        store, ring = installation.world.store, installation.keyring

        def by_phrase(part: SealedPart) -> SealedPart:
            return SealedPart(part.name, phrase.seal(ring.open(part.sealed, part.name), part.name))

        with store.writing() as session:
            for row in session.sealed.list_after("keys.sealed", None, 10):
                session.sealed.replace(row, [by_phrase(each) for each in row.parts])
        for file in installation.sealed_files:
            found = file.find_sealed()
            assert found is not None
            file.replace_sealed(by_phrase(found.parts[0]))
        writer = store.engines[-1]  # type: ignore[attr-defined]
        with writer.connect() as connection:
            connection.execute(text("DELETE FROM key_versions"))


def test_an_installation_from_before_there_were_versions_opens_and_comes_under_one(data: Path) -> None:
    make_old(data)
    assert list_keys(data)["by_passphrase"] == SEALED
    write_secret(data / "second", "the second passphrase\n")
    refused = certwright("keys", "passphrase", "file:second", "--data", data)
    assert (refused.returncode, f"by the passphrase itself: {SEALED}" in refused.stderr) == (1, True)
    assert certwright("keys", "rotate", "--data", data).returncode == 0
    assert read_counts(data) == {1: SEALED}
    assert certwright("keys", "passphrase", "file:second", "--data", data).returncode == 0


def test_a_version_that_is_missing_is_named(data: Path) -> None:
    with open_installation(data) as installation:
        writer = installation.world.store.engines[-1]  # type: ignore[attr-defined]
        with writer.connect() as connection:
            connection.execute(text("UPDATE key_versions SET number = 7"))
    refused = certwright("serve", "--data", data, "--port", "0")
    assert refused.returncode == 1
    assert "key-version-unavailable: Version 1 of the key-encryption key is not in the database" in refused.stderr
