"""The inputs that fuzzing begins with: good ones, of every kind that there is, and those that once were findings."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from certwright.domain.errors import NameRefused
from certwright.formats.names import encode_name
from fuzz.targets import PFX_PASSWORD

ROOT = Path(__file__).parent.parent
VECTORS = ROOT / "tests" / "vectors"
FINDINGS = Path(__file__).parent / "findings"
NAMES = (
    "CN=Jim\\, Jr \\+ Söhne,UID=jim,OU=Users,O=Contoso,L=Köln,ST=NRW,C=DE,DC=corp,DC=com",
    "UID=jim+CN=Jim, E=jim@example.org",
    "OID.2.5.4.3=\\ J\\2C\\C3\\AB \\ ,serialNumber=12",
    "",
)
SHEETS = (
    'card,atr,user,template,adminkey,algorithm,comment\n{01020304-0506-0708-090a-0b0c0d0e0f10},3b,sam,"a ""b""",00,3des,x\n',
    "sep=;\r\nCard;User\r\n01020304-0506-0708-090a-0b0c0d0e0f10;sam\r\n",
    "card\tadminkey\n01020304-0506-0708-090a-0b0c0d0e0f10\t1,23E+15\n",
)


def list_seeds(target: str) -> Iterator[bytes]:
    """Yield inputs for *target*."""
    yield from {
        "pkcs10": _list_requests,
        "names": _list_names,
        "bodies": _list_bodies,
        "csv": _list_sheets,
        "pfx": _list_files,
    }[target]()
    yield from (path.read_bytes() for path in sorted((FINDINGS / target).glob("*")))


def _list_requests() -> Iterator[bytes]:
    for path in sorted(VECTORS.glob("*/*.pem")):
        text = path.read_text()
        body = text[text.index("-----BEGIN") :].strip().splitlines()[1:-1]
        yield base64.b64decode("".join(body))
    yield text.encode()


def _list_names() -> Iterator[bytes]:
    for name in NAMES:
        yield name.encode()
        yield encode_name(name)
    for path in sorted((VECTORS / "inputs").glob("*.toml")):
        name = path.read_text().partition("distinguished_name = ")[2].strip().strip('"')
        yield name.encode()
        try:
            yield encode_name(name)
        except NameRefused:
            continue


def _list_bodies() -> Iterator[bytes]:
    for example in json.loads((VECTORS / "rest_examples.json").read_text()):
        for part in example.values():
            if isinstance(part, dict):
                yield b"\0" + json.dumps(part).encode()[:4_096]
    yield b'\x80{"type": "Enroll", "priority": 1,}'
    yield b"\x02" + '{"comment": "Zoë", "revocationdelay": "1.02:03:04"}'.encode("utf-16")
    yield b'\0{"datacollection": [{"Name": "Value"}, {"Name": "a", "Value": "b"}], "certificaterequests": ["MII=", "x"]}'


def _list_sheets() -> Iterator[bytes]:
    for sheet in SHEETS:
        yield sheet.encode()
        yield sheet.encode("utf-16")
        yield b"\xef\xbb\xbf" + sheet.encode()


def _list_files() -> Iterator[bytes]:
    """Yield a certificate in every form, with a key and without; derived from one number, so that all runs begin alike."""
    key = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())
    name, moment = x509.Name.from_rfc4514_string("CN=Sam,O=Elsewhere"), datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, moment, moment + timedelta(days=9_000))
    certificate = builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True)
    quick = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(1)
    for encryption in (
        quick.build(PFX_PASSWORD.encode()),
        quick.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).build(PFX_PASSWORD.encode()),
        NoEncryption(),
    ):
        yield pkcs12.serialize_key_and_certificates(b"Sam", key, certificate, [certificate], encryption)
    private = [
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(PFX_PASSWORD.encode())),
    ]
    yield certificate.public_bytes(Encoding.DER)
    yield from (certificate.public_bytes(Encoding.PEM) + each for each in (b"", *private))
    load_pem_private_key(private[1], PFX_PASSWORD.encode())
