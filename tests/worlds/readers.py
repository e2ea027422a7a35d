"""Readers of pages with an installation of their own, beside a server that runs."""

import shutil
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from certwright.adapters.signin.argon2 import Argon2Hasher
from certwright.bootstrap import open_installation
from certwright.settings import encode_settings_template
from worlds.commands import FAST_SETTINGS, certwright, serving
from worlds.pages import Reader, put_settings, reading
from worlds.served import PASSWORD, ROOT


@dataclass(frozen=True)
class House:
    """An installation with the demo world for one page. Shape: *folder*, the reader's, has it as ``data``."""

    folder: Path

    @property
    def data(self) -> Path:
        """Return the folder of the installation."""
        return self.folder / "data"

    @property
    def scripts(self) -> Path:
        """Return a folder that the reader does not see."""
        return self.folder.parent

    def client(self, url: str, user: str) -> httpx.Client:
        """Return a client that signs in as *user*."""
        return httpx.Client(
            base_url=url + ROOT,
            verify=ssl.create_default_context(cafile=self.data / "ca.pem"),
            auth=(user, PASSWORD),
            timeout=120,
        )


def make_installation(data: Path) -> None:
    """Make an installation with the settings file that "init" writes, but for the keys of the authorities, and with the demo
    world, whose people all have one password.
    """
    data.mkdir()
    settings = data / "certwright.toml"
    settings.write_text(encode_settings_template())
    put_settings(settings, f"{FAST_SETTINGS}[server]\nprocesses = 1\n")
    for words in (["init"], ["load", "demo"]):
        assert certwright(*words, "--data", data).returncode == 0
    password_hash = Argon2Hasher(passes=1, memory_kib=64, lanes=1).hash(PASSWORD)
    with open_installation(data) as installation, installation.world.store.writing() as session:
        for user in session.directory.list_users():
            session.directory.save_password_hash(user.id, password_hash)


def make_house(installed: Path, folder: Path) -> House:
    """Return a copy of the installation for one reader, under *folder*."""
    shutil.copytree(installed, folder / "reader" / "data")
    return House(folder / "reader")


@contextmanager
def doing(page: str, house: House, **places: str) -> Iterator[tuple[Reader, str]]:
    """Give a reader of the page beside a running server, and the server's address."""
    with (
        serving(house.data) as server,
        reading(page, house.folder, {"localhost:8443": server.url[8:], **places}, house.scripts) as reader,
    ):
        yield reader, server.url
