"""Programs that are not ours, opening PFX files."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12


def open_with_openssl(pfx: bytes, password: str) -> bytes:
    """Return the public half of the key that openssl finds in the file, as SubjectPublicKeyInfo."""
    with TemporaryDirectory() as folder:
        printed = _run(folder, pfx, "openssl", "pkcs12", "-in", "file.p12", "-passin", f"pass:{password}", "-nodes", "-nocerts")
    key = printed[printed.index(b"-----BEGIN PRIVATE KEY") :]
    return load_pem_private_key(key, None).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def describe_with_openssl(pfx: bytes, password: str) -> str:
    """Return what openssl says about the file: algorithms, rounds, attributes, certificates."""
    with TemporaryDirectory() as folder:
        command = ["openssl", "pkcs12", "-in", "file.p12", "-passin", f"pass:{password}", "-info", "-nodes"]
        (Path(folder) / "file.p12").write_bytes(pfx)
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return (done.stderr + done.stdout).decode(errors="backslashreplace")


def list_certificates(pfx: bytes, password: str) -> list[bytes]:
    """Return the certificates of the file, DER: the one of the key first."""
    store = load_pkcs12(pfx, password.encode())
    assert store.cert is not None
    return [each.certificate.public_bytes(Encoding.DER) for each in (store.cert, *store.additional_certs)]


def is_opened_by_openssl(pfx: bytes, password: str) -> bool:
    """Return whether openssl opens the file with the password."""
    with TemporaryDirectory() as folder:
        try:
            _run(folder, pfx, "openssl", "pkcs12", "-in", "file.p12", "-passin", f"pass:{password}", "-nodes")
        except subprocess.CalledProcessError:
            return False
    return True


def _judge_openssl(folder: str, pfx: bytes, password: str) -> bool:
    out = _run(folder, pfx, "openssl", "pkcs12", "-in", "file.p12", "-passin", f"pass:{password}", "-nodes")
    return b"BEGIN PRIVATE KEY" in out and out.count(b"BEGIN CERTIFICATE") == 3


def _judge_certtool(folder: str, pfx: bytes, password: str) -> bool:
    out = _run(folder, pfx, "certtool", "--p12-info", "--inder", "--infile", "file.p12", "--password", password)
    # It prints the key as it is in the file, still encrypted, and opens it when it is asked to.
    key = re.search(rb"-----BEGIN ENCRYPTED PRIVATE KEY.*END ENCRYPTED PRIVATE KEY-----\n", out, re.DOTALL)
    opened = _run(
        folder, key[0] if key else b"", "certtool", "--key-info", "--pkcs8", "--infile", "file.p12", "--password", password
    )
    return b"Public Key ID" in opened and out.count(b"BEGIN CERTIFICATE") == 3


def _judge_keytool(folder: str, pfx: bytes, password: str) -> bool:
    out = _run(folder, pfx, "keytool", "-list", "-v", "-keystore", "file.p12", "-storetype", "PKCS12", "-storepass", password)
    return b"PrivateKeyEntry" in out and re.search(rb"chain length: 3", out) is not None


def _judge_pk12util(folder: str, pfx: bytes, password: str) -> bool:
    _run(folder, pfx, "certutil", "-N", "-d", "sql:.", "--empty-password")
    _run(folder, pfx, "pk12util", "-i", "file.p12", "-d", "sql:.", "-W", password, "-K", "")
    return b"Contoso" in _run(folder, pfx, "certutil", "-K", "-d", "sql:.")


def _run(folder: str, pfx: bytes, *command: str) -> bytes:
    if which(command[0]) is None:
        pytest.skip(f"{command[0]} is missing: scripts/install-test-programs")
    (Path(folder) / "file.p12").write_bytes(pfx)
    return subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout


Judge = Callable[[str, bytes, str], bool]
JUDGES: dict[str, Judge] = {
    "openssl": _judge_openssl,
    "certtool": _judge_certtool,
    "keytool": _judge_keytool,
    "pk12util": _judge_pk12util,
}
"""Each says whether it finds the private key and its chain of three certificates."""


def is_judged_good(judge: str, pfx: bytes, password: str) -> bool:
    """Return whether the program finds everything in the file."""
    with TemporaryDirectory() as folder:
        return JUDGES[judge](folder, pfx, password)
