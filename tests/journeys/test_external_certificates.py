"""A certificate of another authority: attached by the real command, given back over HTTPS, opened by openssl."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from worlds.commands import certwright
from worlds.elsewhere import FILE_PASSWORD, Elsewhere, found_elsewhere
from worlds.openssl import as_base64, list_certificates, request_of
from worlds.pfx_judges import open_with_openssl
from worlds.rest_steps import ARCHIVED, close, open_request, refusal_of, submit
from worlds.served import PASSWORD, Served, SignedIn

PFX_PASSWORD = "a password for PFX files"
TEMPLATE = "Signing and Archived Encryption"
PKCS7, PFX, EXTERNAL = 0x10000, 0x20000, 0x2


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    made = found_elsewhere(tmp_path)
    made.issue("mail", "rsa:2048")
    made.issue("sign")
    return made


def attach(served: Served, elsewhere: Elsewhere, *files: str, status: int = 0, password: str = FILE_PASSWORD) -> str:
    paths = [elsewhere.folder / each for each in files]
    done = certwright(
        *("certificates", "import", *paths, "--user", "subscriber2", "--template", TEMPLATE, "--json"),
        *("--data", served.installation.data),
        variables={"CERTWRIGHT_PASSWORD": password},
    )
    assert done.returncode == status, done.stderr + done.stdout
    return done.stdout if status == 0 else done.stderr


SEARCH = """
import sys
from pathlib import Path
secret = bytes.fromhex(sys.stdin.read())
print(*(each for each in Path(sys.argv[1]).rglob("*") if each.is_file() and secret in each.read_bytes()))
"""


def find_files_with(secret: bytes, folder: Path) -> list[str]:
    """Return the files with *secret*, found by another process.

    A file of a database must not be opened and closed in a process that has the database open: with the closing, POSIX drops
    the locks that SQLite holds on it, and the next two writers damage it.
    """
    words = [sys.executable, "-c", SEARCH, str(folder)]
    return subprocess.run(words, input=secret.hex(), capture_output=True, text=True, check=True).stdout.split()


def list_external(client: httpx.Client, path: str) -> list[dict[str, object]]:
    return [each for each in client.get(path).json() if each["CertificateType"] == 2]


def test_a_certificate_from_elsewhere_comes_back_with_its_key(served: Served, sign_in: SignedIn, elsewhere: Elsewhere) -> None:
    for files, password, code in (
        (("mail.p12",), "another", "external-password-wrong"),
        (("sign.pem", "ca.pem"), FILE_PASSWORD, "external-authority"),
    ):
        assert code in attach(served, elsewhere, *files, status=1, password=password)
    attached = json.loads(attach(served, elsewhere, "mail.p12", "sign.der"))
    assert [(each["subject"], each["key"]) for each in attached] == [
        ("CN=mail,O=Elsewhere", True),
        ("CN=sign,O=Elsewhere", False),
    ]
    assert "external-known" in attach(served, elsewhere, "mail.pem", status=1)

    client = sign_in("subscriber2")
    request = open_request(client, ARCHIVED)
    posted = as_base64(request_of("owner of external certificates"))
    assert refusal_of(submit(client, request, posted)) == (400, "pfx-password-missing")
    answer = submit(client, request, posted, pfxpassword=PFX_PASSWORD)
    assert answer.status_code == 200, answer.text
    assert [each["IsExternal"] for each in answer.json()] == [False, False, True, True]
    with_key, alone = answer.json()[2:]
    assert (with_key["Flags"], with_key["isPfx"], with_key["Pkcs7"], with_key["Error"]) == (PFX | EXTERNAL, True, None, None)
    assert (alone["Flags"], alone["isPkcs7"], alone["Pfx"], alone["Error"]) == (PKCS7 | EXTERNAL, True, None, None)
    key = open_with_openssl(base64.b64decode(with_key["Pfx"]), PFX_PASSWORD)
    assert key == elsewhere.run("openssl pkey -in mail.key -pubout -outform DER")
    (found,) = list_certificates(base64.b64decode(alone["Pkcs7"]))
    assert found.subject.rfc4514_string() == "CN=sign,O=Elsewhere"

    profile = close(client, request).json()["NewProfileUuid"]
    for path in ("/certificates", f"/profiles/{profile}/certificates"):
        listed = list_external(client, path)
        assert [each["SerialNumber"] for each in listed] == [each["serial"] for each in attached]
        assert [each["Thumbprint"] for each in listed] == [each["thumbprint"] for each in attached]
    assert [(each["Issuer"], each["Status"]) for each in list_external(client, "/certificates")] == [("CN=Elsewhere", 0)] * 2


def test_nothing_of_the_key_or_its_password_is_left_in_clear(served: Served, elsewhere: Elsewhere) -> None:
    attach(served, elsewhere, "mail.p12")
    plain = elsewhere.run("openssl pkcs8 -topk8 -nocrypt -in mail.key -outform DER")
    for secret in (FILE_PASSWORD.encode(), plain[-64:], base64.b64encode(plain)[-84:-4]):
        assert find_files_with(secret, served.installation.data) == []


def test_the_client_takes_what_was_attached_beside_what_it_enrolls(
    served: Served, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    attach(served, elsewhere, "mail.p12", "sign.der")
    out = tmp_path / "out"
    done = certwright(
        *("enroll", "--url", f"https://localhost:{served.port}", "--ca", served.installation.ca_file, "--out", out),
        *("--template", TEMPLATE, "--user", "subscriber2", "--json"),
        variables={"CERTWRIGHT_PASSWORD": PASSWORD},
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["faults"] == []
    external = [each for each in told["certificates"] if each["external"]]
    assert {(each["subject"], each["key_file"] is None) for each in external} >= {
        ("CN=mail,O=Elsewhere", False),
        ("CN=sign,O=Elsewhere", True),
    }
    own = [each for each in told["certificates"] if not each["external"]]
    assert len(own) == 2
    assert all(Path(each[file]).exists() for each in own for file in ("key_file", "certificate_file", "chain_file"))
