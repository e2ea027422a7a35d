"""Files from elsewhere, made by openssl and keytool."""

import subprocess
from pathlib import Path
from shutil import which

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certwright.domain.errors import ExternalFileUnreadable, ExternalKeyMisfit, ExternalKeysSeveral, ExternalPasswordWrong
from certwright.domain.external_certificates import ExternalFile
from certwright.formats.external_files import is_protected, parse_external_file
from worlds.elsewhere import FILE_PASSWORD, Elsewhere, found_elsewhere

EMPTY_PEM = b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    made = found_elsewhere(tmp_path_factory.mktemp("elsewhere"))
    made.issue("alice")
    made.issue("other")
    made.run(f"openssl ec -in alice.key -aes256 -passout pass:{FILE_PASSWORD.replace(' ', '')} -out encrypted.key")
    return made


def parse(content: bytes, password: str = FILE_PASSWORD) -> ExternalFile:
    return parse_external_file("file", content, password)


def test_a_pfx_brings_the_certificate_with_its_key_and_no_chain(elsewhere: Elsewhere) -> None:
    found = parse(elsewhere.read("alice.p12"))
    (certificate,) = found.certificates
    known = x509.load_pem_x509_certificate(elsewhere.read("alice.pem"))
    assert found.key is not None
    assert found.key.public_key == certificate.public_key
    assert certificate.encoded == known.public_bytes(Encoding.DER)
    assert (certificate.subject_name, certificate.issuer_name) == ("CN=alice,O=Elsewhere", "CN=Elsewhere")
    assert (certificate.serial, certificate.is_authority) == (known.serial_number, False)
    assert "BEGIN" not in repr(found.key)


@pytest.mark.parametrize("options", [("-keypbe", "NONE", "-certpbe", "NONE"), ("-keypbe", "PBE-SHA1-3DES"), ("-nomac",)])
def test_a_pfx_of_older_makes_is_read_alike(elsewhere: Elsewhere, options: tuple[str, ...]) -> None:
    elsewhere.pack("alice", *options)
    assert parse(elsewhere.read("alice.p12")).key is not None
    elsewhere.pack("alice")


def test_pem_and_der_bring_certificates_and_pem_a_key_where_there_is_one(elsewhere: Elsewhere) -> None:
    alone, der = parse(elsewhere.read("alice.pem")), parse(elsewhere.read("alice.der"))
    assert alone == der
    assert alone.key is None
    with_key = parse(elsewhere.read("alice.key") + elsewhere.read("ca.pem") + elsewhere.read("alice.pem"))
    assert with_key == parse(elsewhere.read("alice.p12"))
    assert len(parse(elsewhere.read("alice.pem") + elsewhere.read("other.pem")).certificates) == 2


def test_an_encrypted_key_in_pem_takes_its_password(elsewhere: Elsewhere) -> None:
    content = elsewhere.read("encrypted.key") + elsewhere.read("alice.pem")
    assert parse(content, FILE_PASSWORD.replace(" ", "")).key is not None
    with pytest.raises(ExternalPasswordWrong):
        parse(content, "another")


def test_the_password_is_asked_for_where_it_is_needed(elsewhere: Elsewhere) -> None:
    files = ("alice.p12", "encrypted.key", "alice.key", "alice.pem", "alice.der")
    assert [is_protected(elsewhere.read(each)) for each in files] == [True, True, False, False, False]


def test_a_pfx_does_not_open_under_another_password(elsewhere: Elsewhere) -> None:
    with pytest.raises(ExternalPasswordWrong):
        parse(elsewhere.read("alice.p12"), "another")
    with pytest.raises(ExternalPasswordWrong):
        parse(elsewhere.read("alice.p12")[:-40])


def test_two_keys_are_one_too_many(elsewhere: Elsewhere, tmp_path: Path) -> None:
    pem = elsewhere.read("alice.key") + elsewhere.read("alice.pem")
    for more in (elsewhere.read("other.key"), elsewhere.read("other.pem")):
        with pytest.raises(ExternalKeysSeveral):
            parse(pem + more)
    if which("keytool") is None:
        pytest.skip("keytool is missing: scripts/install-test-programs")
    for name in ("one", "two"):
        command = "keytool -genkeypair -keyalg EC -storetype PKCS12 -keystore two.p12 -dname CN=x -storepass password -alias"
        subprocess.run([*command.split(), name], cwd=tmp_path, check=True, capture_output=True)
    with pytest.raises(ExternalKeysSeveral):
        parse((tmp_path / "two.p12").read_bytes(), "password")


def test_a_key_has_to_fit_its_certificate(elsewhere: Elsewhere) -> None:
    with pytest.raises(ExternalKeyMisfit):
        parse(elsewhere.read("other.key") + elsewhere.read("alice.pem"))


@pytest.mark.parametrize(
    "content", [b"", b"nothing", b"\x30\x03\x02\x01\x03", b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"]
)
def test_what_is_no_certificate_is_named(content: bytes) -> None:
    with pytest.raises(ExternalFileUnreadable, match="file cannot be read as PFX, PEM or DER"):
        parse(content)


def test_a_key_alone_is_no_certificate(elsewhere: Elsewhere) -> None:
    with pytest.raises(ExternalFileUnreadable, match="no certificate"):
        parse(elsewhere.read("alice.key"))


def test_the_certificate_of_an_authority_is_known_as_one(elsewhere: Elsewhere) -> None:
    (found,) = parse(elsewhere.read("ca.pem")).certificates
    assert found.is_authority


def test_one_without_extensions_is_a_persons_and_one_with_an_extension_twice_is_none(elsewhere: Elsewhere) -> None:
    elsewhere.run("openssl x509 -req -in alice.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 -out old.pem")
    (old,) = parse(elsewhere.read("old.pem")).certificates
    assert not old.is_authority
    (elsewhere.folder / "twice.cnf").write_text("1.2.3.4=ASN1:NULL\n1.2.3.5=ASN1:NULL\n")
    elsewhere.run(
        "openssl x509 -req -in alice.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 -extfile twice.cnf -out two.pem"
    )
    twice = elsewhere.run("openssl x509 -in two.pem -outform DER").replace(b"\x06\x03\x2a\x03\x05", b"\x06\x03\x2a\x03\x04")
    with pytest.raises(ExternalFileUnreadable, match="no kind that we know"):
        parse(twice)


@pytest.mark.parametrize("password", ["", "\udc80", "a" * 10_000, "\U0001f511"])
def test_any_wrong_password_is_refused_alike(elsewhere: Elsewhere, password: str) -> None:
    for content in (elsewhere.read("alice.p12"), elsewhere.read("encrypted.key") + elsewhere.read("alice.pem")):
        with pytest.raises(ExternalPasswordWrong):
            parse(content, password)


def test_a_password_beyond_the_basic_plane_opens_what_openssl_made_with_it(elsewhere: Elsewhere) -> None:
    elsewhere.pack("other", "-passout", "pass:\U0001f511 schl\u00fcssel")
    assert parse(elsewhere.read("other.p12"), "\U0001f511 schl\u00fcssel").key is not None
    elsewhere.pack("other")


def test_a_panic_of_the_library_is_a_file_that_cannot_be_read() -> None:
    content = (Path(__file__).parents[3] / "fuzz" / "findings" / "pfx" / "short-initialization-vector").read_bytes()
    with pytest.raises(ExternalFileUnreadable):
        parse_external_file("file.pem", content, "secret")
