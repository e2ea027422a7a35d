"""Pages with commands, done as they stand: each block in the order of the page, on an installation of its own, beside a
server that runs. What cannot be run here stands in `worlds.pages.PASSED_OVER` with its reason.
"""

import csv
import json
import os
import shutil
import stat
import sys
from base64 import b64decode
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from certwright.formats.spoken_codes import parse_spoken
from worlds.card_steps import ACTIVE, RETIRED, enroll_card
from worlds.commands import certwright, serving
from worlds.elsewhere import found_elsewhere
from worlds.openssl import as_base64, request_of
from worlds.pages import NEW_PASSWORD, Reader, put_settings, read_blocks
from worlds.readers import House, doing
from worlds.rest_steps import ARCHIVED, close, open_request, submit
from worlds.served import PASSWORD, ROOT
from worlds.software_card import SoftwareCard
from worlds.units import needs_systemd, verify_unit

needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="jq (Debian: jq) is not installed")


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
        assert " ".join(reader.take("text", "definition-invalid").split()) in " ".join(refused.split())
        assert "Load this?" not in reader.run("--dry-run")


PFX_PASSWORD = "a password for PFX files"
CURL_PAGE = """umask 022
api={url}{root} request={request}
sign_in() {{ printf 'Authorization: Basic '; printf %s "{user}" | base64 -w 0; }}
ask() {{ curl -sS --fail-with-body -w '\n' --cacert data/ca.pem -H @<(sign_in) -H 'Content-Type: application/json' "$@"; }}
"""


@needs_jq
def test_recover_a_key(house: House) -> None:
    with doing("docs/how-to/recover-a-key.md", house, DATA="data") as (reader, url), house.client(url, "subscriber") as client:
        posted = as_base64(request_of("page S1")).replace("\r\n", "")

        def enroll() -> str:
            request = open_request(client, ARCHIVED)
            assert submit(client, request, posted, pfxpassword=PFX_PASSWORD).status_code == 200
            return str(close(client, request).json()["NewProfileUuid"])

        def sign_in(user: str) -> None:
            reader.terminal.run(CURL_PAGE.format(url=url, root=ROOT, user=f"{user}:{PASSWORD}", request=posted))

        reader.places["PROFILE"] = profile = enroll()
        sign_in("subscriber")
        listed = reader.run("select(.Status == 2)").splitlines()
        assert f"{profile}\t{ARCHIVED}" in listed
        assert any(each.startswith(f"{ARCHIVED}\t") for each in listed)
        assert '"Status":8' in reader.run("read -rs pfxpassword", typed=f"{PFX_PASSWORD}\n")
        reader.run("openssl pkcs12")
        assert "ENCRYPTED PRIVATE KEY" in (house.folder / "history.pem").read_text()
        private = ("recovered.json", "history.p12", "history.pem")
        assert [stat.S_IMODE((house.folder / each).stat().st_mode) for each in private] == [0o600] * 3
        reader.run("shred -u recovered.json")
        assert not any((house.folder / each).exists() for each in private)
        recover_on_behalf(reader, house, sign_in, enroll())
        profile = enroll()
        sign_in("subscriber")
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


def recover_on_behalf(reader: Reader, house: House, sign_in: Callable[[str], None], profile: str) -> None:
    """Do the part about somebody else's key: three people, each with a terminal that the test signs in."""
    reader.places["PROFILE"] = profile
    events = certwright("audit", "list", "--user", "subscriber", "--type", "profile.changed", "--data", house.data)
    assert profile in events.stdout
    sign_in("manager")
    reader.places["ID"] = reader.run("RecoverOnBehalf").strip().strip('"').rpartition("/")[2]
    reader.run("requests approve")
    sign_in("helpdesk")
    assert '"Status":8' in reader.run("read -rs pfxpassword", typed=f"{PFX_PASSWORD}\n")
    file = house.folder / "recovered.json"
    (recovered,) = json.loads(file.read_text())
    assert (recovered["Error"], bool(recovered["Pfx"])) == (None, True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def list_key_values(data: Path, variables: Mapping[str, str] | None = None) -> dict[int, int]:
    """Return how many values are sealed by each version of the key-encryption key."""
    done = certwright("keys", "list", "--json", "--data", data, variables=variables)
    assert done.returncode == 0, done.stderr
    return {each["version"]: each["values"] for each in json.loads(done.stdout)["versions"]}


@needs_systemd
def test_move_the_passphrase(house: House) -> None:
    etc = house.folder / "etc"
    etc.mkdir()
    with doing(
        "docs/how-to/move-the-passphrase.md", house, **{"/etc/certwright": str(etc), "-o certwright": f"-o {os.getuid()}"}
    ) as (reader, url):
        settings = house.data / "certwright.toml"
        reader.run("install -m 600")
        assert stat.S_IMODE((etc / "passphrase").stat().st_mode) == 0o600
        in_file = reader.fill('[keys]\npassphrase = "file:/etc/certwright/passphrase"\n')
        reader.settle(settings, '/passphrase"')
        with serving(house.data) as server, house.client(server.url, "subscriber") as client:
            assert client.get("/profiletemplates").status_code == 200
        reader.settle(settings, "env:")
        variables = {"CERTWRIGHT_PASSPHRASE": (etc / "passphrase").read_text().strip()}
        assert list_key_values(house.data, variables).keys() == {1}
        reader.pass_over("systemd-creds")
        verify_unit(house.folder, f"[Unit]\n{reader.take('ini', 'LoadCredential')}ExecStart=/bin/true\n")
        reader.settle(settings, "credential:")
        # What systemd does with a credential, once it has decrypted it.
        (etc / "certwright-passphrase").write_bytes((etc / "passphrase").read_bytes())
        (etc / "certwright-passphrase").chmod(0o440)
        assert list_key_values(house.data, {"CREDENTIALS_DIRECTORY": str(etc)}).keys() == {1}
        reader.pass_over("systemd-run")
        put_settings(settings, in_file)
        reader.run("shred -u data/passphrase")
        assert not (house.data / "passphrase").exists()
        with serving(house.data):
            pass
        reader.run("keys passphrase")
        assert stat.S_IMODE((etc / "passphrase-2").stat().st_mode) == 0o600
        assert certwright("keys", "list", "--data", house.data).returncode == 1
        reader.settle(settings, "passphrase-2")
        sealed = list_key_values(house.data)
        reader.run("keys rotate")
        assert list_key_values(house.data) == {1: 0, 2: sealed[1]}
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
        _, name, key = reader.take("toml", "external_certificates").splitlines()
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


def test_migrate_cards(house: House) -> None:
    key = bytes(range(24)).hex()
    places = {"0123...": key, "alice": "subscriber"}
    with doing("docs/how-to/migrate-cards.md", house, **places) as (reader, url):
        file = house.folder / "cards.csv"
        file.touch(0o600)
        file.write_text(reader.take("text", "card,atr"))
        assert "2 cards were taken over." in reader.run("card import")
        assert not file.exists()
        shown = reader.run("card list")
        assert "CORP\\subscriber" in shown
        assert "imported" in shown
        assert key not in shown
        (listed,) = csv.DictReader((house.folder / "inventory.csv").open())
        assert listed["card"] in shown
        with house.client(url, "subscriber") as client:
            assert client.get("/smartcards", params={"cardid": listed["card"]}).json()["Status"] == ACTIVE
        assert "The master key has version 1 now." in reader.run("rotate-master-key")


def test_unblock_a_card(house: House) -> None:
    card = SoftwareCard()
    places = {"CARD": card.card_id, "D611 43F9 CCFF D2CA": card.get_challenge().hex(" ", 2).upper()}
    with doing("docs/how-to/unblock-a-card.md", house, **places) as (reader, url), house.client(url, "subscriber") as client:
        assigned = enroll_card(client, card=card.card_id)
        told = dict(line.split(":", 1) for line in reader.run("offline-unblock").splitlines() if line.count(":") == 1)
        answer = bytes.fromhex(told["In hexadecimal"])
        assert parse_spoken(told["Read out"].strip()) == answer
        assert card.authenticate(answer)
        told = reader.run("card retire")
        assert "The card is retired." in told
        assert "lost: in the tram" in told
        assert client.get(f"/smartcards/{assigned}").json()["Status"] == RETIRED


def test_prove_the_history(house: House) -> None:
    elsewhere = house.folder / "elsewhere"
    elsewhere.mkdir()
    assert certwright("work", "--once", "--data", house.data).returncode == 0
    copy = Path(shutil.copy(house.data / "history.checkpoints", elsewhere))
    places = {"/var/lib/certwright": str(house.data), "/mnt/elsewhere": str(elsewhere)}
    with doing("docs/how-to/prove-the-history.md", house, **places) as (reader, _):
        reader.run("audit verify")
        mailed = house.folder / "mailed"
        reader.terminal.run(f"mail() {{ cat > {mailed}; }}")
        whole = copy.read_text()
        copy.write_text(whole.replace('"chain":"', '"chain":"00', 1))
        reader.run("case $?", status=0)
        assert "FAULT" in mailed.read_text()
        check_alarms(reader, copy, mailed)
        reader.run("audit export")
        (house.folder / "prove.py").write_text(reader.take("python", "import base64"))
        proven = reader.terminal.run(f"{sys.executable} -I prove.py")[1]
        assert "is proven" in proven
        seal = json.loads((house.folder / "seals.jsonl").read_text().splitlines()[-1])
        check_signed(reader.take("text", "certwright seal"), seal, house.folder / "history.pem")


def check_alarms(reader: Reader, copy: Path, mailed: Path) -> None:
    """See that a copy that is not there is an alarm, too, which says so."""
    (script,) = [each.text for each in read_blocks(reader.page) if "case $?" in each.text]
    copy.unlink()
    reader.terminal.run(reader.fill(script), must_do=False)
    assert f"{copy.name}' does not exist" in mailed.read_text()


def check_signed(form: str, seal: Mapping[str, object], key: Path) -> None:
    """See that the seal's signature is over what the page shows, with the seal's values."""
    first, *names = [line.rpartition(" ")[0] for line in form.splitlines()]
    text = "".join(f"{name} {value}\n" for name, value in [(first, seal["version"]), *((each, seal[each]) for each in names)])
    public = load_pem_public_key(key.read_bytes())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(b64decode(str(seal["signature"])), text.encode(), ec.ECDSA(hashes.SHA256()))
