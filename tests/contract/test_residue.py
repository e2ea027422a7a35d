"""Nothing private is left behind: a whole journey with known keys and passwords, then a search of everything it wrote."""

import base64
import json
import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from certwright.adapters.signin.argon2 import Argon2Hasher
from certwright.adapters.sql.tables import metadata
from certwright.bootstrap import open_installation
from certwright.bootstrap_creation import create_installation
from certwright.wire.cli.load import load_world_file
from worlds.commands import FAST_SETTINGS, PROGRAM, certwright
from worlds.openssl import as_base64, request_of
from worlds.rest_steps import ARCHIVED, close, open_request, submit
from worlds.served import ROOT

SIGN_IN_PASSWORD = "7f0b2c1e sign-in"
PFX_PASSWORD = "9d41a6be pfx"
WINDOW_OCTETS = 15
"""So long are the pieces that are looked for, so that no line break of PEM hides all of them."""


def list_octets(key: object) -> list[bytes]:
    """Return the numbers of a private key that are nobody's business."""
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        return [each.to_bytes((each.bit_length() + 7) // 8) for each in (numbers.d, numbers.p, numbers.q)]
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return [key.private_numbers().private_value.to_bytes(key.key_size // 8)]


def spell(octets: bytes) -> set[bytes]:
    """Return pieces of the octets as they are, and in every spelling under which they could rest."""
    pieces = {octets[at : at + WINDOW_OCTETS] for at in range(0, len(octets) - WINDOW_OCTETS + 1, WINDOW_OCTETS)}
    spelled = set(pieces)
    for each in pieces:
        spelled |= {each.hex().encode(), each.hex().upper().encode()}
    for shift in range(3):
        text = base64.b64encode(octets[shift : shift + (len(octets) - shift) // 3 * 3])
        spelled |= {text[at : at + 20] for at in range(0, len(text) - 19, 20)}
    return spelled


def spell_password(password: str) -> set[bytes]:
    plain, wide = password.encode(), password.encode("utf-16-be")
    return {plain, wide, plain.hex().encode(), base64.b64encode(plain).rstrip(b"=")[:-1], password.encode("utf-16-le")}


@contextmanager
def serving_with(data: Path, temporary: Path, log: Path) -> Iterator[str]:
    """Serve; whatever the server prints goes into *log*, its temporary files into *temporary*."""
    command = [PROGRAM, "serve", "--data", str(data), "--port", "0"]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output, env=environment) as process:
        try:
            yield await_url(log, process)
            process.terminate()
            assert process.wait(120) == 0
        finally:
            process.kill()


def await_url(log: Path, process: subprocess.Popen[bytes]) -> str:
    while process.poll() is None:
        for line in log.read_text().splitlines():
            if "service.started" in line:
                return str(json.loads(line)["url"])
        sleep(0.05)
    raise AssertionError(log.read_text())


@pytest.fixture
def data(empty_url: str, tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "certwright.toml").write_text(f'{FAST_SETTINGS}[database]\nurl = "{empty_url}"\n')
    create_installation(folder)
    with open_installation(folder) as installation:
        load_world_file("demo", installation)
        password_hash = Argon2Hasher(passes=1, memory_kib=64, lanes=1).hash(SIGN_IN_PASSWORD)
        with installation.world.store.writing() as session:
            for user in session.directory.list_users():
                session.directory.save_password_hash(user.id, password_hash)
    return folder


def enroll_and_recover(http: httpx.Client) -> list[object]:
    """Enroll, lose, recover; return the private keys that came."""
    request = open_request(http, ARCHIVED)
    answers = [submit(http, request, as_base64(request_of("residue 1")), pfxpassword=PFX_PASSWORD)]
    profile = close(http, request).json()["NewProfileUuid"]
    answer = http.post("/requests", json={"type": "Recover", "profile": profile})
    request = str(answer.json()).rpartition("/")[2]
    answers.append(submit(http, request, as_base64(request_of("residue 2")), pfxpassword=PFX_PASSWORD))
    assert submit(http, request, as_base64(request_of("residue 2")), pfxpassword="short").status_code == 400
    assert close(http, request).status_code == 200
    files = [each["Pfx"] for answer in answers for each in answer.json() if each["Pfx"]]
    return [load_pkcs12(base64.b64decode(each), PFX_PASSWORD.encode()).key for each in files]


def read_everything(url: str, data: Path, *others: Path) -> dict[str, bytes]:
    """Return what is stored, by where."""
    files = [each for top in (data, *others) for each in (top.rglob("*") if top.is_dir() else [top]) if each.is_file()]
    found = {str(each): each.read_bytes() for each in files if each.name != "passphrase"}
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        return found | {each.name: each.read_bytes() for each in path.parent.glob(f"{path.name}*")}
    with psycopg.connect(url) as connection:
        for name in metadata.tables:
            rows = connection.execute(f"SELECT * FROM {name}".encode()).fetchall()
            found[name] = b"\n".join(each if isinstance(each, bytes) else str(each).encode() for row in rows for each in row)
    return found


def list_authority_keys(data: Path) -> list[object]:
    with open_installation(data) as installation, installation.world.store.reading() as session:
        found = [session.keys.find_key(each) for each in ("root", "issuing", "history")]
        opened = [installation.keyring.open(each.sealed, each.name) for each in found if each is not None]
    return [load_der_private_key(each, None) for each in opened]


def test_a_whole_journey_leaves_neither_keys_nor_passwords_behind(data: Path, empty_url: str, tmp_path: Path) -> None:
    temporary, log = tmp_path / "temporary", tmp_path / "log"
    temporary.mkdir()
    with serving_with(data, temporary, log) as url:
        tls = ssl.create_default_context(cafile=data / "ca.pem")
        auth = ("subscriber", SIGN_IN_PASSWORD)
        with httpx.Client(base_url=url + ROOT, verify=tls, auth=auth, timeout=120, trust_env=False) as http:
            keys = enroll_and_recover(http)
            refused = http.get("/requests", auth=("subscriber", f"{SIGN_IN_PASSWORD} wrong"))
            assert refused.status_code == 401
        while_serving = read_everything(empty_url, data, temporary, log)
    printed = [certwright(*each, "--data", data) for each in (("keys", "rotate"), ("audit", "verify"), ("requests", "list"))]
    (tmp_path / "printed").write_text("".join(each.stdout + each.stderr for each in printed))
    everything = [while_serving, read_everything(empty_url, data, temporary, log, tmp_path / "printed")]
    assert len(keys) == 3
    wanted = {piece for key in keys + list_authority_keys(data) for octets in list_octets(key) for piece in spell(octets)}
    wanted |= spell_password(PFX_PASSWORD) | spell_password(SIGN_IN_PASSWORD)
    wanted |= spell_password((data / "passphrase").read_text().strip())
    for places in everything:
        assert [place for place, octets in places.items() for each in wanted if each in octets] == []


def test_the_search_finds_what_is_there(data: Path, empty_url: str, tmp_path: Path) -> None:
    (key,) = [each for each in list_authority_keys(data)[:1] if isinstance(each, ec.EllipticCurvePrivateKey)]
    numbers = key.public_key().public_numbers()
    pieces = spell(numbers.x.to_bytes(32))
    found = [place for place, octets in read_everything(empty_url, data).items() if any(each in octets for each in pieces)]
    assert {Path(each).name for each in found} >= {"ca.pem"}
    assert len(found) > 1
