"""Pages with commands, done as they stand: each block in the order of the page, on an installation of its own, beside a
server that runs.

A block that cannot run here has the reason in a comment before it, which readers do not see.
"""

import os
import shutil
import ssl
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from certwright.adapters.signin.argon2 import Argon2Hasher
from certwright.bootstrap import open_installation
from certwright.settings import encode_settings_template
from worlds.commands import FAST_SETTINGS, certwright, serving
from worlds.elsewhere import found_elsewhere
from worlds.openssl import as_base64, request_of
from worlds.pages import NEW_PASSWORD, Reader, put_settings, reading
from worlds.rest_steps import ARCHIVED, close, open_request, submit
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
    """An installation with the settings file that "init" writes, but for the keys of the authorities, and with the demo
    world, whose people all have one password.
    """
    data = tmp_path_factory.mktemp("pages") / "data"
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


MANAGED = "4c8b1eb4-4f1e-4ccf-8372-a2a784a67245"
TARGET = "8f1590dc-d932-4b66-8e68-2e91c5880780"
MAIL_SERVER = '[mail]\nhost = "localhost"\nport = 9\nsecurity = "none"\nsender = "ca@contoso.com"\n'
"""One that never answers: what is to be mailed waits."""


def test_administer(house: House) -> None:
    put_settings(house.data / "certwright.toml", MAIL_SERVER)
    with doing("docs/how-to/administer.md", house) as (reader, url):
        with house.client(url, "manager") as client:
            reader.places["REQUEST"] = request = open_request(client, MANAGED, target=TARGET)
        assert "1 of 2 approvals" in reader.run("requests approve")
        with house.client(url, "approver2") as client:
            assert client.put(f"/requests/{request}", json={"status": "Approved"}).status_code == 200
        assert "Shown: 1. By mail: 1." in reader.run("requests distribute")
        told = reader.run("access explain")
        assert "helpdesk may NOT start this request" in told
        assert "approver may approve or deny this request" in told
        assert "The right is given." in reader.run("rights grant")
        reader.run("password --self")
        with house.client(url, "alice") as client:
            client.auth = ("alice", NEW_PASSWORD)
            assert client.get("/profiletemplates").status_code == 200
            reader.run("users disable")
            assert client.get("/profiletemplates").status_code == 401
        reader.run("templates export")
        file = house.folder / "software.toml"
        exported = file.read_text()
        enroll = "[profile_templates.policies.enroll]\n"
        file.write_text(exported.replace(enroll, f'{enroll}approvals_needed = 3\napprovers = ["Approvers"]\n'))
        status, refused = reader.terminal.run("certwright templates import software.toml --data data", must_do=False)
        assert status == 1
        file.write_text(exported.replace("maximum_duplicates = 2", "maximum_duplicates = 3"))
        told = reader.run("templates import")
        assert "Software Certificate, version 2" in told
        assert told.count("+maximum_duplicates = 3") == 2
        assert " ".join(reader.next("text", "definition-invalid").split()) in " ".join(refused.split())
        assert "Load this?" not in reader.run("--dry-run")


PFX_PASSWORD = "a password for PFX files"
CURL_PAGE = """umask 022
api={url}{root} request={request}
ask() {{ curl -sS --fail-with-body -w '\n' --cacert data/ca.pem -u "{user}" -H 'Content-Type: application/json' "$@"; }}
"""


def test_recover_a_key(house: House) -> None:
    with doing("docs/how-to/recover-a-key.md", house, DATA="data") as (reader, url), house.client(url, "subscriber") as client:
        posted = as_base64(request_of("page S1")).replace("\r\n", "")

        def enroll() -> str:
            request = open_request(client, ARCHIVED)
            assert submit(client, request, posted, pfxpassword=PFX_PASSWORD).status_code == 200
            return str(close(client, request).json()["NewProfileUuid"])

        reader.places["PROFILE"] = enroll()
        reader.terminal.run(CURL_PAGE.format(url=url, root=ROOT, user=f"subscriber:{PASSWORD}", request=posted))
        assert '"Status":8' in reader.run("read -rs pfxpassword", typed=f"{PFX_PASSWORD}\n")
        reader.run("openssl pkcs12")
        assert "PRIVATE KEY" in (house.folder / "history.pem").read_text()
        profile = enroll()
        reader.terminal.run("umask 022")
        reader.run("openssl req -x509")
        reader.run("agents retire online")
        started = client.post("/requests", json={"type": "Recover", "profile": profile})
        reader.places["ID"] = request = str(started.json()).rpartition("/")[2]
        waiting = submit(client, request, posted, pfxpassword=PFX_PASSWORD).json()
        assert waiting[-1]["Error"]["ErrorCode"] == "recovery-agent-offline"
        reader.run("--export")
        (exported,) = (house.folder / "out").iterdir()
        reader.places["SERIAL"] = exported.stem
        reader.terminal.run("umask 022")
        reader.run("cms -decrypt")
        assert stat.S_IMODE((house.folder / f"{exported.stem}.key").stat().st_mode) == 0o600
        reader.run("--import")
        given = submit(client, request, posted, pfxpassword=PFX_PASSWORD).json()
        assert [each["Error"] for each in given] == [None] * len(given)
        assert close(client, request).status_code == 200
        assert "second" in reader.run("agents add second")


def test_move_the_passphrase(house: House) -> None:
    etc = house.folder / "etc"
    etc.mkdir()
    with doing(
        "docs/how-to/move-the-passphrase.md", house, **{"/etc/certwright": str(etc), "-o certwright": f"-o {os.getuid()}"}
    ) as (reader, url):
        settings = house.data / "certwright.toml"
        reader.run("install -m 600")
        reader.settle(settings, '/passphrase"')
        with serving(house.data) as server, house.client(server.url, "subscriber") as client:
            assert client.get("/profiletemplates").status_code == 200
        reader.run("shred -u data/passphrase")
        assert not (house.data / "passphrase").exists()
        with serving(house.data):
            pass
        reader.run("keys passphrase")
        assert certwright("keys", "list", "--data", house.data).returncode == 1
        reader.settle(settings, "passphrase-2")
        assert certwright("keys", "list", "--data", house.data).returncode == 0
        reader.run("keys rotate")
        with house.client(url, "subscriber") as client:
            assert client.get("/profiletemplates").status_code == 200


def test_attach_external_certificates(house: House, tmp_path: Path) -> None:
    elsewhere = found_elsewhere(tmp_path)
    elsewhere.issue("alice", "rsa:2048")
    elsewhere.pack("alice", "-passout", f"pass:{PASSWORD}")
    shutil.copy(tmp_path / "alice.p12", house.folder)
    places = {"DATA": "data", "--user alice": "--user subscriber"}
    with doing("docs/how-to/attach-external-certificates.md", house, **places) as (reader, url):
        reader.run("templates export")
        file = house.folder / "software.toml"
        _, name, key = reader.next("toml", "external_certificates").splitlines()
        file.write_text(file.read_text().replace(name, f"{key}\n{name}", 1))
        assert "version 2" in reader.run("templates import")
        reader.run("certificates import")
        assert not (house.folder / "alice.p12").exists()
        with house.client(url, "subscriber") as client:
            assert [each["CertificateType"] for each in client.get("/certificates").json()] == [2]
            request = open_request(client)
            posted = as_base64(request_of("page S1"))
            given = submit(client, request, posted, pfxpassword=PFX_PASSWORD).json()
            assert [each["Error"] for each in given] == [None, None]
            assert (given[1]["IsExternal"], given[1]["isPfx"]) == (True, True)
