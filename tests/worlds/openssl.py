"""Certificate requests that openssl made."""

import base64
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEYS = {
    "rsa:1024": ["-newkey", "rsa:1024"],
    "rsa:2048": ["-newkey", "rsa:2048"],
    "rsa:3072": ["-newkey", "rsa:3072"],
    "rsa:4096": ["-newkey", "rsa:4096"],
    "p-256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p-384": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
}


def make_request(key: str, digest: str = "sha256") -> str:
    """Return a certificate request in PEM, over a new key."""
    with TemporaryDirectory() as folder:
        keyfile = Path(folder) / "key.pem"
        made = subprocess.run(
            ["openssl", "req", "-new", *KEYS[key], "-nodes", "-keyout", keyfile, "-subj", "/CN=ignored", f"-{digest}"],
            check=True,
            capture_output=True,
            text=True,
        )
    return made.stdout


@cache
def request_of(owner: str, key: str = "rsa:2048", digest: str = "sha256") -> str:
    """Return the same certificate request each time that the same *owner* asks: keys are slow to make."""
    return make_request(key, digest)


def as_base64(pem: str) -> str:
    """Return the request as the documented client sends it: base64 of DER, in lines of 64 with CR and LF."""
    text = base64.b64encode(der_of(pem)).decode()
    return "".join(f"{text[start : start + 64]}\r\n" for start in range(0, len(text), 64))


def der_of(pem: str) -> bytes:
    """Return the request in DER."""
    return x509.load_pem_x509_csr(pem.encode()).public_bytes(Encoding.DER)


def public_key_of(pem: str) -> bytes:
    """Return the key that the request is for, as SubjectPublicKeyInfo."""
    key = x509.load_pem_x509_csr(pem.encode()).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def verify_response(response: bytes, root: Path) -> None:
    """Raise unless openssl finds the answer signed by an authority that *root* vouches for."""
    subprocess.run(
        ["openssl", "cms", "-verify", "-inform", "DER", "-CAfile", root, "-purpose", "any", "-out", "/dev/null"],
        input=response,
        check=True,
        capture_output=True,
    )


def list_certificates(response: bytes) -> list[x509.Certificate]:
    """Return the certificates of an answer, as openssl reads them."""
    listed = subprocess.run(
        ["openssl", "pkcs7", "-inform", "DER", "-print_certs"], input=response, check=True, capture_output=True
    )
    return x509.load_pem_x509_certificates(listed.stdout)
