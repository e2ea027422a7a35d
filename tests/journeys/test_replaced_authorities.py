"""Who can write to the database cannot put other authorities in place of those that the installation made."""

import shutil
import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from certwright.bootstrap import open_installation
from certwright.domain.errors import RootCertificateDiffers, StoredRowAltered
from certwright.domain.events import Event
from certwright.wire.cli import main
from worlds.commands import FAST_SETTINGS

OWN_IDENTIFIERS = (x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("authorities") / "data"
    data.mkdir()
    (data / "certwright.toml").write_text(FAST_SETTINGS)
    for words in (["init"], ["work", "--once"]):
        assert run(*words, "--data", data).exit_code == 0
    return data


@pytest.fixture
def data(installed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(installed, tmp_path / "data"))


def read_certificates(data: Path) -> dict[str, x509.Certificate]:
    with sqlite3.connect(data / "certwright.db") as database:
        rows = database.execute("SELECT name, certificate FROM authorities").fetchall()
    return {name: x509.load_der_x509_certificate(encoded) for name, encoded in rows}


def write_certificate(data: Path, name: str, certificate: x509.Certificate) -> None:
    encoded = certificate.public_bytes(Encoding.DER)
    with sqlite3.connect(data / "certwright.db") as database:
        database.execute("UPDATE authorities SET certificate = ? WHERE name = ?", (encoded, name))


def certify_like(
    old: x509.Certificate, public_key: CertificateIssuerPublicKeyTypes, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """Return a certificate that says what the *old* one does, of another key, signed by another."""
    builder = x509.CertificateBuilder(
        old.issuer, old.subject, public_key, x509.random_serial_number(), old.not_valid_before_utc, old.not_valid_after_utc
    )
    for each in old.extensions:
        if not isinstance(each.value, OWN_IDENTIFIERS):
            builder = builder.add_extension(each.value, each.critical)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return builder.add_extension(identifier, critical=False).sign(signer, hashes.SHA256())


def replace_both(data: Path) -> None:
    """Put another root in, and have it certify the key that is sealed."""
    mine = ec.generate_private_key(ec.SECP256R1())
    old = read_certificates(data)
    write_certificate(data, "root", certify_like(old["root"], mine.public_key(), mine))
    write_certificate(data, "issuing", certify_like(old["issuing"], old["issuing"].public_key(), mine))  # type: ignore[arg-type]


def replace_root(data: Path) -> None:
    mine = ec.generate_private_key(ec.SECP256R1())
    write_certificate(data, "root", certify_like(read_certificates(data)["root"], mine.public_key(), mine))


def exchange(data: Path) -> None:
    """Give each of the two the certificate of the other: both were made by the installation."""
    old = read_certificates(data)
    write_certificate(data, "root", old["issuing"])
    write_certificate(data, "issuing", old["root"])


def rename(data: Path) -> None:
    with sqlite3.connect(data / "certwright.db") as database:
        database.execute("UPDATE authorities SET config_name = 'another' WHERE name = 'issuing'")


CHANGES = {"both": replace_both, "the root": replace_root, "a name": rename}


def spoil(data: Path) -> None:
    with sqlite3.connect(data / "certwright.db") as database:
        database.execute("UPDATE authorities SET certificate = x'3000' WHERE name = 'issuing'")


@pytest.mark.parametrize("name", CHANGES)
def test_an_altered_authority_is_named_and_not_used(data: Path, name: str) -> None:
    before = (data / "ca.pem").read_bytes()
    CHANGES[name](data)
    for words in (["work", "--once"], ["serve", "--http", "--port", 0], ["users", "list"]):
        refused = run(*words, "--data", data)
        assert refused.exit_code == 1
        assert "The stored authority " in refused.output
    assert (data / "ca.pem").read_bytes() == before
    assert run("audit", "list", "--data", data).exit_code == 0
    proof = run("audit", "verify", "--data", data)
    assert proof.exit_code == 1
    assert "authority " in proof.output
    assert "is not as this installation wrote it" in proof.output


@pytest.mark.parametrize("change", [exchange, spoil], ids=lambda each: each.__name__)
def test_an_authority_that_is_not_of_the_sealed_key_ends_every_command(data: Path, change: Callable[[Path], None]) -> None:
    change(data)
    for words in (["audit", "verify"], ["audit", "list"], ["work", "--once"]):
        refused = run(*words, "--data", data)
        assert refused.exit_code == 1
        assert "The stored authority " in refused.output


@pytest.mark.parametrize("change", [replace_both, replace_root], ids=lambda each: each.__name__)
def test_accepted_rows_make_no_authority_of_another_key(data: Path, change: Callable[[Path], None]) -> None:
    change(data)
    assert run("audit", "accept-rows", "--yes", "--data", data).exit_code == 0
    with pytest.raises(StoredRowAltered), open_installation(data):
        pass


def test_the_file_of_the_root_is_written_once_and_never_over_another(data: Path) -> None:
    path, right = data / "ca.pem", (data / "ca.pem").read_bytes()
    path.write_bytes(b"another")
    with pytest.raises(RootCertificateDiffers) as refused, open_installation(data):
        pass
    assert str(path) in refused.value.text
    assert path.read_bytes() == b"another"
    path.unlink()
    with open_installation(data) as installation:
        assert installation.ca_file.read_bytes() == right


def test_the_first_event_says_which_authorities_were_made(data: Path) -> None:
    made = read_certificates(data)
    with open_installation(data) as installation, installation.world.store.reading() as session:
        first = session.history.find_first()
    assert isinstance(first, Event)
    for name in ("root", "issuing"):
        assert first.details[f"{name}_sha256"] == sha256(made[name].public_bytes(Encoding.DER)).hexdigest()
