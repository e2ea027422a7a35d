"""A server that is killed again and again while people enroll, and one that is administered while they do."""

import base64
import json
import random
import shutil
import signal
import sqlite3
import ssl
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from hashlib import sha1
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from threading import Event
from time import sleep
from uuid import UUID

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from certwright.wire.cli.audit import NOT_COMPARED
from worlds.commands import FAST_SETTINGS, certwright, serving
from worlds.house import csr
from worlds.rest_steps import close, open_request, responses_of, submit
from worlds.served import PASSWORD, ROOT, install
from worlds.system import await_that

KILLS = 8
MOST_KILLS = 60
"""So many kills at most until a post was lost: most are sent while a post waits for its answer."""
LONGEST_LIFE_SECONDS = 1.0
CLIENTS = ("subscriber", "subscriber2", "subscriber", "subscriber2", "subscriber")
PACE_SECONDS = 0.05
"""Between two certificates of a client: what is proved needs many, not all that the machine can do."""
PATIENCE_SECONDS = 120
STRONG_P256 = "e179f773-a6e0-43c0-9514-b7dde2ad0478"
COMPLETED = 8


class Town:
    """Where people enroll. Shape: *url* is where the server is today; *is_closing* asks everybody to come to an end."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.url = ""
        self.is_closing = Event()
        self._tls = ssl.create_default_context(cafile=data / "ca.pem")

    def client(self, user: str, password: str = PASSWORD) -> httpx.Client:
        """Return a client that signs in as *user*, at the server of today."""
        auth = httpx.BasicAuth(user, password)
        return httpx.Client(base_url=self.url + ROOT, verify=self._tls, auth=auth, timeout=120, trust_env=False)

    def await_server_after(self, url: str) -> str:
        """Return where the server is that comes after the one at *url*."""
        await_that(lambda: self.url != url, "no server came after the one that died")
        return self.url


class Enroller:
    """Somebody who enrolls again and again, remembers all that he got, and goes on where a dead server left him."""

    def __init__(self, town: Town, user: str) -> None:
        self._town = town
        self._user = user
        self._url = ""
        self.answers: list[tuple[str, bytes]] = []
        """Each request with what was answered, again for each post."""
        self.interruptions = 0
        self.lost_posts = 0
        self.is_posting = False

    def run(self) -> None:
        """Enroll until the town closes, and finish what was begun."""
        self._url = self._town.await_server_after("")
        with self._town.client(self._user) as http:
            while not self._town.is_closing.is_set():
                request = self._open(http)
                while not self._finish(http, request):
                    pass
                sleep(PACE_SECONDS)

    def _open(self, http: httpx.Client) -> str:
        while True:
            try:
                return open_request(http, STRONG_P256)
            except httpx.TransportError:
                # It may have been opened without our knowledge: nobody will go on with that one.
                self._await_server(http)

    def _finish(self, http: httpx.Client, request: str) -> bool:
        """Post the request's one certificate request and complete; return whether the server lived to answer all of it."""
        try:
            for _ in range(random.choice((1, 1, 2))):
                self._post(http, request)
            closed = close(http, request)
        except httpx.TransportError:
            self._await_server(http)
            return self._is_completed(http, request)
        assert closed.status_code == 200, closed.text
        return True

    def _post(self, http: httpx.Client, request: str) -> None:
        wanted = csr(request)
        self.is_posting = True
        try:
            answer = submit(http, request, wanted)
        except httpx.TransportError:
            self.lost_posts += 1
            raise
        finally:
            self.is_posting = False
        self.answers.append((request, *responses_of(answer)))

    def _is_completed(self, http: httpx.Client, request: str) -> bool:
        """Return whether the server did what it had no time to answer."""
        while True:
            try:
                return bool(http.get(f"/requests/{request}").json()["Status"] == COMPLETED)
            except httpx.TransportError:
                self._await_server(http)

    def _await_server(self, http: httpx.Client) -> None:
        self.interruptions += 1
        self._url = self._town.await_server_after(self._url)
        http.base_url = httpx.URL(self._url + ROOT)


@contextmanager
def enrolling(town: Town) -> Iterator[list[Enroller]]:
    """Let everybody enroll until the block ends; what failed for them fails here."""
    enrollers = [Enroller(town, user) for user in CLIENTS]
    with ThreadPoolExecutor(len(enrollers)) as threads:
        running = [threads.submit(each.run) for each in enrollers]
        try:
            yield enrollers
        finally:
            town.is_closing.set()
        for each in running:
            each.result(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("installed") / "data"
    data.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS)
    with install(data):
        return data


@pytest.fixture
def town(installed: Path, tmp_path: Path) -> Town:
    shutil.copytree(installed, tmp_path / "data")
    return Town(tmp_path / "data")


# -- what there is ---------------------------------------------------------------------------------------------------------


@cache
def key_of(request: str) -> object:
    return x509.load_der_x509_csr(base64.b64decode(csr(request))).public_key()


def certificate_in(request: str, answer: bytes) -> bytes:
    """Return the certificate that the answer delivers: the one for the key of the request."""
    (leaf,) = (each for each in pkcs7.load_der_pkcs7_certificates(answer) if each.public_key() == key_of(request))
    return leaf.public_bytes(Encoding.DER)


def list_delivered(enrollers: list[Enroller]) -> dict[str, set[bytes]]:
    """Return every certificate that reached somebody, by request."""
    delivered: dict[str, set[bytes]] = {}
    for request, answer in (each for enroller in enrollers for each in enroller.answers):
        delivered.setdefault(request, set()).add(certificate_in(request, answer))
    return delivered


def query(data: Path, statement: str) -> list[tuple]:
    with closing(sqlite3.connect(data / "certwright.db")) as database:
        return database.execute(statement).fetchall()


def list_stored(data: Path) -> list[tuple[str, bytes | None]]:
    """Return request and bytes of each certificate in the store."""
    rows = query(data, "SELECT request_id, encoded FROM certificates")
    return [(str(UUID(request)), encoded) for request, encoded in rows]


def thumbprints_over_rest(town: Town) -> set[str]:
    listed = []
    for user in set(CLIENTS):
        with town.client(user) as http:
            listed += http.get("/certificates").json()
    return {each["Thumbprint"] for each in listed}


def statuses_over_rest(town: Town) -> dict[str, int]:
    found = {}
    for user in set(CLIENTS):
        with town.client(user) as http:
            found |= {each["Uuid"]: each["Status"] for each in http.get("/requests").json()}
    return found


def check_history_is_whole(data: Path) -> None:
    audit = certwright("audit", "verify", "--data", data, "--json")
    assert audit.returncode == NOT_COMPARED, audit.stdout + audit.stderr
    report = json.loads(audit.stdout)
    assert (report["unsealed"], report["faults"]) == (0, [])


# -- the stories -----------------------------------------------------------------------------------------------------------


def test_a_server_that_is_killed_again_and_again_delivers_each_certificate_once_and_keeps_all(town: Town) -> None:
    with ExitStack() as last_life:
        with enrolling(town) as enrollers:
            for kill in range(MOST_KILLS):
                if kill >= KILLS and any(each.lost_posts for each in enrollers):
                    break
                with serving(town.data) as server:
                    town.url = server.url
                    if kill % 2:
                        await_that(lambda: any(each.is_posting for each in enrollers), "no post was sent")
                    else:
                        sleep(random.uniform(0, LONGEST_LIFE_SECONDS))
                    assert server.crash() == -signal.SIGKILL
            server = last_life.enter_context(serving(town.data))
            town.url = server.url
        delivered = list_delivered(enrollers)
        assert any(each.interruptions for each in enrollers), "no client was interrupted: this test proves nothing"
        assert any(each.lost_posts for each in enrollers), f"no post was lost in {MOST_KILLS} crashes: this test proves nothing"
        assert {request: len(each) for request, each in delivered.items() if len(each) != 1} == {}
        certificates = {request: certificate for request, (certificate,) in delivered.items()}
        shown = {request: status for request, status in statuses_over_rest(town).items() if request in certificates}
        assert shown == dict.fromkeys(certificates, COMPLETED)
        assert thumbprints_over_rest(town) == {sha1(each).hexdigest().upper() for each in certificates.values()}
        assert server.stop() == 0
    stored = list_stored(town.data)
    assert len(stored) == len(certificates)
    assert dict(stored) == certificates
    serials = Counter(x509.load_der_x509_certificate(each).serial_number for each in certificates.values())
    assert max(serials.values()) == 1
    assert query(town.data, "PRAGMA integrity_check") == [("ok",)]
    assert query(town.data, "PRAGMA foreign_key_check") == []
    check_history_is_whole(town.data)


def test_passwords_and_worlds_are_changed_while_people_enroll(town: Town, tmp_path: Path) -> None:
    demo = (files("certwright.worlds") / "demo.toml").read_text("utf-8")
    world = tmp_path / "world.toml"
    with ExitStack() as life:
        server = life.enter_context(serving(town.data))
        town.url = server.url
        with enrolling(town) as enrollers:
            passwords = [PASSWORD, "the first change of it", "the second change of it"]
            for number, (old, new) in enumerate(pairwise(passwords), start=1):
                before = len(list_delivered(enrollers))
                check_done(certwright("password", "manager", "--data", town.data, variables={"CERTWRIGHT_PASSWORD": new}))
                assert [sign_in(town, "manager", each) for each in (new, old)] == [200, 401]
                check_done(certwright("load", "demo", "--data", town.data))
                world.write_text(demo.replace('"Strong Key P-384"', f'"Strong Key P-384, change {number}"'))
                check_done(certwright("load", world, "--data", town.data))
                assert f"Strong Key P-384, change {number}" in names_of_templates(town)
                await_that(lambda before=before: len(list_delivered(enrollers)) > before, "no certificate was issued meanwhile")
        assert [each.interruptions for each in enrollers] == [0] * len(enrollers)
        assert server.stop() == 0
    check_history_is_whole(town.data)


def check_done(result: subprocess.CompletedProcess[str]) -> None:
    assert result.returncode == 0, result.stdout + result.stderr


def sign_in(town: Town, user: str, password: str) -> int:
    with town.client(user, password) as http:
        return http.get("/requests").status_code


def names_of_templates(town: Town) -> set[str]:
    with town.client("subscriber") as http:
        return {each["Name"] for each in http.get("/profiletemplates").json()}
