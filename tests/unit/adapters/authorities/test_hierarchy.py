"""Root, issuing authority and the server's own certificate."""

import ssl
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from certwright.adapters.authorities.tls import issue_server_identity
from certwright.domain.certificates import SerialNumber
from certwright.domain.errors import DefinitionInvalid, ValidityRefused
from worlds.authorities import FOUNDED, make_hierarchy

HIERARCHY = make_hierarchy()
ROOT = x509.load_der_x509_certificate(HIERARCHY.root.certificate)
ISSUING = x509.load_der_x509_certificate(HIERARCHY.issuing.certificate)
NAMES = ["cm.corp.contoso.com", "localhost", "127.0.0.1", "::1"]
IDENTITY = issue_server_identity(
    NAMES, HIERARCHY.issuer, HIERARCHY.issuing_key, serial=SerialNumber(77), now=FOUNDED, password="a passphrase"
)


def test_the_root_signed_itself_for_twenty_years() -> None:
    ROOT.verify_directly_issued_by(ROOT)
    assert ROOT.not_valid_before_utc == FOUNDED
    assert ROOT.not_valid_after_utc == FOUNDED.replace(year=FOUNDED.year + 20)
    assert HIERARCHY.root.issuer_name == ""


def test_the_issuing_authority_is_certified_by_the_root_for_ten_years() -> None:
    ISSUING.verify_directly_issued_by(ROOT)
    assert ISSUING.not_valid_after_utc - FOUNDED == timedelta(days=3653)
    assert (HIERARCHY.issuing.issuer_name, HIERARCHY.issuing.key_name) == ("root", "issuing-key")


@pytest.mark.parametrize(("certificate", "path_length"), [(ROOT, 1), (ISSUING, 0)])
def test_authorities_say_what_they_are(certificate: x509.Certificate, path_length: int) -> None:
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, path_length)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert usage.value.crl_sign
    assert usage.value.digital_signature
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert identifier == x509.SubjectKeyIdentifier.from_public_key(certificate.public_key())


def test_the_issuing_authority_points_to_the_roots_list_and_certificate() -> None:
    points = ISSUING.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert [each.value for point in points for each in point.full_name or ()] == ["http://pki.contoso.com/root.crl"]
    access = ISSUING.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert [each.access_location.value for each in access] == ["http://pki.contoso.com/root.crt"]


def test_the_issuer_is_described_by_its_own_certificate() -> None:
    issuer = HIERARCHY.issuer
    assert issuer.chain == (HIERARCHY.issuing.certificate, HIERARCHY.root.certificate)
    assert issuer.subject == ISSUING.subject.public_bytes()
    assert (issuer.not_before, issuer.not_after) == (ISSUING.not_valid_before_utc, ISSUING.not_valid_after_utc)
    assert issuer.name == "ca.contoso.com\\Issuing"


def test_the_server_certificate_names_its_hosts_for_397_days() -> None:
    certificate, issuing = x509.load_pem_x509_certificates(IDENTITY.certificates)
    assert issuing == ISSUING
    certificate.verify_directly_issued_by(ISSUING)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["cm.corp.contoso.com", "localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1"), ip_address("::1")]
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=397)


def test_the_server_key_is_encrypted_and_that_of_the_certificate(tmp_path: Path) -> None:
    assert IDENTITY.private_key.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    with pytest.raises(ValueError):
        load_pem_private_key(IDENTITY.private_key, b"another")
    (tmp_path / "chain.pem").write_bytes(IDENTITY.certificates)
    (tmp_path / "key.pem").write_bytes(IDENTITY.private_key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem", "a passphrase")


def test_a_long_host_name_leaves_the_subject_empty_and_is_critical() -> None:
    name = ".".join(["a" * 60, "b" * 60, "contoso", "com"])
    identity = issue_server_identity(
        [name], HIERARCHY.issuer, HIERARCHY.issuing_key, serial=SerialNumber(78), now=FOUNDED, password="p"
    )
    certificate = x509.load_pem_x509_certificate(identity.certificates)
    assert list(certificate.subject) == []
    assert certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical


@pytest.mark.parametrize("names", [[], ["a b"], ["1.2.3"], ["-a.com"], [""], ["a,CN=b"]])
def test_other_than_host_names_and_addresses_are_refused(names: list[str]) -> None:
    with pytest.raises(DefinitionInvalid):
        issue_server_identity(
            names, HIERARCHY.issuer, HIERARCHY.issuing_key, serial=SerialNumber(79), now=FOUNDED, password="p"
        )


def test_an_expired_authority_issues_no_server_certificate() -> None:
    with pytest.raises(ValidityRefused):
        issue_server_identity(
            NAMES,
            HIERARCHY.issuer,
            HIERARCHY.issuing_key,
            serial=SerialNumber(80),
            now=HIERARCHY.issuer.not_after,
            password="p",
        )
