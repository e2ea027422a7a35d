"""Pages with commands, done as they stand: each block in the order of the page, on an installation of its own, beside a
server that runs.

A block that cannot run here has the reason in a comment before it, which readers do not see.
"""

import shutil
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from certwright.adapters.signin.argon2 import Argon2Hasher
from certwright.bootstrap import open_installation
from worlds.commands import certwright, serving
from worlds.pages import Reader, reading
from worlds.served import PASSWORD, ROOT

RUNNABLE = {"sh", "toml", "python"}
MAY_NOT_RUN = {}


@dataclass(frozen=True)
class House:
    """An installation with the demo world for one page. Shape: *folder* has it as ``data``."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def client(self, url: str, user: str) -> httpx.Client:
        return httpx.Client(
            base_url=url + ROOT,
            verify=ssl.create_default_context(cafile=self.data / "ca.pem"),
            auth=(user, PASSWORD),
            timeout=120,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation as "init" makes it, its settings file too, with the demo world, whose people all have one password."""
    data = tmp_path_factory.mktemp("pages") / "data"
    for words in (["init"], ["load", "demo"]):
        assert certwright(*words, "--data", data).returncode == 0
    settings = data / "certwright.toml"
    settings.write_text(settings.read_text().replace("# processes = 0", "processes = 1"))
    password_hash = Argon2Hasher(passes=1, memory_kib=64, lanes=1).hash(PASSWORD)
    with open_installation(data) as installation, installation.world.store.writing() as session:
        for user in session.directory.list_users():
            session.directory.save_password_hash(user.id, password_hash)
    return data


@pytest.fixture
def house(installed: Path, tmp_path: Path) -> House:
    shutil.copytree(installed, tmp_path / "reader" / "data")
    return House(tmp_path / "reader")


@contextmanager
def doing(page: str, house: House, **places: str) -> Iterator[tuple[Reader, str]]:
    """Give a reader of the page beside a running server, and the server's address."""
    scripts = house.folder.parent / "scripts"
    scripts.mkdir()
    with (
        serving(house.data) as server,
        reading(page, house.folder, {"localhost:8443": server.url[8:], **places}, scripts) as reader,
    ):
        yield reader, server.url


def test_enroll_with_curl_and_openssl(house: House) -> None:
    with doing("docs/how-to/enroll-with-curl-and-openssl.md", house) as (reader, _):
        reader.run("read -rs password", typed=f"{PASSWORD}\n")
        told = reader.run("certificaterequestgenerationoptions")
        assert "subject=DC = com, DC = contoso, DC = corp, OU = People, CN = Sam Subscriber" in told
        assert told.count('"Status":8') == 1
        assert '"Status":8' in reader.run("Completed")
