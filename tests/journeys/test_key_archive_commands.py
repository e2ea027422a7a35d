"""Recovery agents at the command line, and a client that gets keys from the server."""

import json
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509 import load_pem_x509_certificate

from worlds.commands import certwright
from worlds.openssl import as_base64, request_of
from worlds.rest_steps import ARCHIVED, close, open_request, refusal_of, submit
from worlds.served import PASSWORD, Served, install, serve

PFX_PASSWORD = "a password for PFX files"
TEMPLATE = "Signing and Archived Encryption"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of its own, because its recovery agents change."""
    with install(tmp_path_factory.mktemp("archive") / "data") as installation, serve(installation) as served:
        yield served


def command(served: Served, *arguments: str | Path, status: int = 0) -> str:
    done = certwright("keys", *arguments, "--data", served.installation.data)
    assert done.returncode == status, done.stderr + done.stdout
    return done.stdout if status == 0 else done.stderr


def enroll(served: Served, out: Path, *arguments: str | Path) -> dict[str, object]:
    secret = out.with_suffix(".password")
    secret.touch(0o600)
    secret.write_text(PASSWORD)
    done = certwright(
        *("enroll", "--url", f"https://localhost:{served.port}", "--ca", served.installation.ca_file, "--user", "subscriber"),
        *("--template", TEMPLATE, "--out", out, "--password-file", secret, "--json", *arguments),
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def run(folder: Path, text: str) -> bytes:
    return subprocess.run(text.split(), cwd=folder, check=True, capture_output=True).stdout


def test_the_client_writes_a_key_that_the_server_made_like_its_own(own: Served, tmp_path: Path) -> None:
    out = tmp_path / "out"
    signing, encryption = enroll(own, out)["certificates"]  # type: ignore[misc]
    assert [each["template"] for each in (signing, encryption)] == ["SigningUser", "ArchivedEncryptionUser"]
    for each in (signing, encryption):
        key = load_pem_private_key(Path(each["key_file"]).read_bytes(), None)
        certificate = load_pem_x509_certificate(Path(each["certificate_file"]).read_bytes())
        assert key.public_key() == certificate.public_key()
        assert stat.S_IMODE(Path(each["key_file"]).stat().st_mode) == 0o600
        run(
            out, f"openssl verify -CAfile {own.installation.ca_file} -untrusted {each['chain_file']} {each['certificate_file']}"
        )


def test_the_client_keeps_it_in_a_pfx_where_it_is_told_to(own: Served, tmp_path: Path) -> None:
    chosen = tmp_path / "pfx-password"
    chosen.touch(0o600)
    chosen.write_text(f"{PFX_PASSWORD}\n")
    _, encryption = enroll(own, tmp_path / "out", "--pfx-password-file", chosen)["certificates"]  # type: ignore[misc]
    file = Path(encryption["key_file"])
    assert file.suffix == ".p12"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    store = load_pkcs12(file.read_bytes(), PFX_PASSWORD.encode())
    assert store.cert is not None
    assert store.cert.certificate == load_pem_x509_certificate(Path(encryption["certificate_file"]).read_bytes())
    assert not list((tmp_path / "out").glob("*-2.key.pem"))


def test_keys_for_an_offline_agent_go_out_and_come_back(own: Served, tmp_path: Path) -> None:
    run(tmp_path, "openssl req -x509 -newkey rsa:2048 -nodes -keyout agent.key -out agent.pem -subj /CN=Vault -days 30")
    assert "offline" in command(own, "agents", "add", "vault", "--certificate", tmp_path / "agent.pem")
    assert "recovery-agent-exists" in command(own, "agents", "add", "vault", status=1)
    command(own, "agents", "retire", "online")
    listed = json.loads(command(own, "agents", "list", "--json"))
    assert [(each["name"], each["kind"], each["retired"] is None) for each in listed] == [
        ("online", "online", False),
        ("vault", "offline", True),
    ]
    with own.client("subscriber") as client:
        request = open_request(client, ARCHIVED)
        made = submit(client, request, as_base64(request_of("vault S1")), pfxpassword=PFX_PASSWORD).json()
        assert [each["Error"] for each in made] == [None, None]
        profile = close(client, request).json()["NewProfileUuid"]
        started = client.post("/requests", json={"type": "Recover", "profile": profile})
        request = str(started.json()).rpartition("/")[2]
        waiting = submit(client, request, as_base64(request_of("vault S3")), pfxpassword=PFX_PASSWORD).json()
        assert waiting[2]["Error"]["ErrorCode"] == "recovery-agent-offline"
        assert (waiting[2]["Pfx"], waiting[2]["isPfx"], waiting[2]["isKeyHistory"]) == (None, False, True)

        command(own, "recover", "--request", request, "--export", tmp_path / "out")
        (exported,) = (tmp_path / "out").iterdir()
        assert stat.S_IMODE(exported.stat().st_mode) == 0o600
        shutil.copy(exported, tmp_path / "in.p7m")
        run(tmp_path, "openssl cms -decrypt -inform DER -in in.p7m -inkey agent.key -recip agent.pem -out out.key")
        (tmp_path / "out.key").chmod(0o644)
        refused = command(own, "recover", "--request", request, "--import", tmp_path / "out.key", status=1)
        assert "holds a secret, and everybody may read or write it; run: chmod 600" in " ".join(refused.split())
        (tmp_path / "out.key").chmod(0o600)
        assert exported.stem in command(own, "recover", "--request", request, "--import", tmp_path / "out.key")

        given = submit(client, request, as_base64(request_of("vault S3")), pfxpassword=PFX_PASSWORD).json()
        assert [each["Error"] for each in given] == [None, None, None]
        assert given[2]["isKeyHistory"]
        assert close(client, request).status_code == 200
        assert refusal_of(submit(client, request, pfxpassword=PFX_PASSWORD)) == (409, "transition-refused")
    assert "transition-refused" in command(own, "recover", "--request", request, "--export", tmp_path / "late", status=1)
    command(own, "agents", "add", "second")
    failed = command(own, "rearchive", status=1)
    assert "none of its agents is online" in failed


def test_an_agent_needs_a_certificate_that_encrypts(own: Served, tmp_path: Path) -> None:
    run(tmp_path, "openssl req -x509 -newkey ed25519 -nodes -keyout agent.key -out agent.pem -subj /CN=Signs -days 30")
    assert "definition-invalid" in command(own, "agents", "add", "signs", "--certificate", tmp_path / "agent.pem", status=1)
    (tmp_path / "none.pem").write_text("nothing")
    assert "malformed-value" in command(own, "agents", "add", "none", "--certificate", tmp_path / "none.pem", status=1)
    assert "recovery-agent-not-found" in command(own, "agents", "retire", "nobody", status=1)


def test_archives_are_encrypted_to_new_agents_while_the_server_runs(tmp_path: Path) -> None:
    with install(tmp_path / "data") as installation, serve(installation) as served, served.client("subscriber") as client:
        request = open_request(client, ARCHIVED)
        assert submit(client, request, as_base64(request_of("S1")), pfxpassword=PFX_PASSWORD).status_code == 200
        profile = close(client, request).json()["NewProfileUuid"]
        command(served, "agents", "add", "second")
        command(served, "agents", "retire", "online")
        assert json.loads(command(served, "rearchive", "--json")) == {"done": 1, "failed": []}
        assert json.loads(command(served, "rearchive", "--json")) == {"done": 0, "failed": []}
        with installation.world.store.writing() as session:
            session.keys.delete_keys(["agent/online"])
        started = client.post("/requests", json={"type": "Recover", "profile": profile})
        request = str(started.json()).rpartition("/")[2]
        given = submit(client, request, as_base64(request_of("S3")), pfxpassword=PFX_PASSWORD).json()
        assert [each["Error"] for each in given] == [None, None, None]
