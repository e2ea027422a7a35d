"""What a template and a directory entry become in a certificate."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from certwright.adapters.authorities.embedded import EmbeddedAuthority
from certwright.domain.errors import DefinitionInvalid, NameRefused
from certwright.domain.issuing import Cleared, Draft, Issuer
from certwright.domain.profile_templates import (
    CLIENT_AUTHENTICATION,
    SMARTCARD_LOGON,
    AlternativeName,
    SubjectSource,
    X509KeyUsage,
)
from certwright.domain.public_keys import CertificateRequest, KeyAlgorithm
from certwright.formats.microsoft import APPLICATION_POLICIES, PRINCIPAL_NAME, SECURITY_EXTENSION
from worlds.authorities import make_hierarchy, make_subject_key, request_for
from worlds.contoso import CERTIFICATE_TEMPLATE, SUBSCRIBER, draft_of

HIERARCHY = make_hierarchy()
RSA = request_for(make_subject_key(KeyAlgorithm.RSA, 2048))
P256 = request_for(make_subject_key(KeyAlgorithm.ECDSA_P256, 256))
TEMPLATE = replace(
    CERTIFICATE_TEMPLATE,
    alternative_names=(AlternativeName.PRINCIPAL_NAME, AlternativeName.EMAIL),
    extended_key_usages=(CLIENT_AUTHENTICATION, SMARTCARD_LOGON),
    certificate_policies=("1.3.6.1.4.1.311.42.1.5",),
)
DRAFT = draft_of(TEMPLATE, RSA, issuer=HIERARCHY.issuer)


def issue(draft: Draft) -> x509.Certificate:
    authority = HIERARCHY.authority
    return x509.load_der_x509_certificate(authority.sign(authority.prepare(Cleared(draft))))


def find(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> x509.Extension[x509.ExtensionType]:
    return certificate.extensions.get_extension_for_oid(oid)


def test_the_fields_are_those_of_the_draft() -> None:
    certificate = issue(DRAFT)
    assert certificate.version is x509.Version.v3
    assert certificate.serial_number == DRAFT.serial
    assert certificate.subject.rfc4514_string() == SUBSCRIBER.user.distinguished_name
    assert (certificate.not_valid_before_utc, certificate.not_valid_after_utc) == (DRAFT.not_before, DRAFT.not_after)
    assert certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == RSA.public_key.encoded


def test_extensions_come_in_the_order_of_the_documented_certificate() -> None:
    assert [each.oid for each in issue(DRAFT).extensions] == [
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.MS_CERTIFICATE_TEMPLATE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        APPLICATION_POLICIES,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        SECURITY_EXTENSION,
    ]


def test_only_the_key_usage_is_critical_when_there_is_a_subject() -> None:
    assert [each.oid for each in issue(DRAFT).extensions if each.critical] == [ExtensionOID.KEY_USAGE]


def test_key_identifiers_are_those_of_subject_and_issuer() -> None:
    certificate = issue(DRAFT)
    subject = find(certificate, ExtensionOID.SUBJECT_KEY_IDENTIFIER).value
    assert subject == x509.SubjectKeyIdentifier.from_public_key(certificate.public_key())
    authority = find(certificate, ExtensionOID.AUTHORITY_KEY_IDENTIFIER).value
    assert isinstance(authority, x509.AuthorityKeyIdentifier)
    assert authority.key_identifier == HIERARCHY.issuer.key_identifier


def test_the_alternative_names_are_the_principal_name_as_utf8_and_the_mail_address() -> None:
    names = find(issue(DRAFT), ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    text = SUBSCRIBER.user.principal_name
    principal = x509.OtherName(PRINCIPAL_NAME, b"\x0c" + bytes([len(text)]) + text.encode())
    assert names == x509.SubjectAlternativeName([principal, x509.RFC822Name(SUBSCRIBER.user.email)])


def test_the_security_identifier_stands_as_text_in_an_other_name() -> None:
    extension = find(issue(DRAFT), SECURITY_EXTENSION).value
    assert isinstance(extension, x509.UnrecognizedExtension)
    text = SUBSCRIBER.user.sid.encode()
    octets = b"\x04" + bytes([len(text)]) + text
    identifier = bytes.fromhex("060a2b060104018237190201")
    inner = identifier + b"\xa0" + bytes([len(octets)]) + octets
    other_name = b"\xa0" + bytes([len(inner)]) + inner
    assert extension.value == b"\x30" + bytes([len(other_name)]) + other_name


def test_the_template_and_its_purposes_are_named_for_windows_too() -> None:
    certificate = issue(DRAFT)
    template = find(certificate, ExtensionOID.MS_CERTIFICATE_TEMPLATE).value
    assert template == x509.MSCertificateTemplate(x509.ObjectIdentifier(TEMPLATE.oid), 100, 0)
    usages = find(certificate, ExtensionOID.EXTENDED_KEY_USAGE).value
    assert usages == x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SMARTCARD_LOGON])
    policies = find(certificate, APPLICATION_POLICIES).value
    assert isinstance(policies, x509.UnrecognizedExtension)
    assert policies.value.hex() == "301a" + "300a06082b06010505070302" + "300c060a2b060104018237140202"


def test_revocation_list_and_issuer_certificate_are_pointed_to() -> None:
    certificate = issue(DRAFT)
    points = find(certificate, ExtensionOID.CRL_DISTRIBUTION_POINTS).value
    assert isinstance(points, x509.CRLDistributionPoints)
    assert tuple(each.value for point in points for each in point.full_name or ()) == HIERARCHY.issuer.crl_urls
    access = find(certificate, ExtensionOID.AUTHORITY_INFORMATION_ACCESS).value
    assert isinstance(access, x509.AuthorityInformationAccess)
    assert tuple(each.access_location.value for each in access) == HIERARCHY.issuer.certificate_urls


def test_an_empty_subject_makes_the_alternative_names_critical() -> None:
    certificate = issue(draft_of(replace(TEMPLATE, subject=SubjectSource.NONE), RSA, issuer=HIERARCHY.issuer))
    assert list(certificate.subject) == []
    assert find(certificate, ExtensionOID.SUBJECT_ALTERNATIVE_NAME).critical


def test_extensions_that_a_template_leaves_out_are_absent() -> None:
    bare = replace(
        TEMPLATE, alternative_names=(), certificate_policies=(), extended_key_usages=(), include_security_identifier=False
    )
    issuer = replace(HIERARCHY.issuer, crl_urls=(), certificate_urls=())
    found = {each.oid for each in issue_by(issuer, draft_of(bare, RSA, issuer=issuer)).extensions}
    assert found == {
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.MS_CERTIFICATE_TEMPLATE,
    }


@pytest.mark.parametrize(
    ("request_", "wanted", "given"),
    [
        (RSA, {X509KeyUsage.DIGITAL_SIGNATURE, X509KeyUsage.KEY_ENCIPHERMENT}, {"digital_signature", "key_encipherment"}),
        (P256, {X509KeyUsage.DIGITAL_SIGNATURE, X509KeyUsage.KEY_ENCIPHERMENT}, {"digital_signature"}),
        (P256, {X509KeyUsage.DIGITAL_SIGNATURE, X509KeyUsage.KEY_AGREEMENT}, {"digital_signature", "key_agreement"}),
        (RSA, {X509KeyUsage.CONTENT_COMMITMENT, X509KeyUsage.KEY_AGREEMENT}, {"content_commitment"}),
    ],
)
def test_key_usages_that_do_not_fit_the_key_are_left_out(
    request_: CertificateRequest, wanted: set[X509KeyUsage], given: set[str]
) -> None:
    template = replace(TEMPLATE, key_usages=frozenset(wanted))
    usage = find(issue(draft_of(template, request_, issuer=HIERARCHY.issuer)), ExtensionOID.KEY_USAGE).value
    possible = ("digital_signature", "content_commitment", "key_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
    assert {name for name in possible if getattr(usage, name)} == given


def test_a_template_whose_key_usages_all_misfit_is_refused() -> None:
    template = replace(TEMPLATE, key_usages=frozenset({X509KeyUsage.KEY_ENCIPHERMENT}))
    with pytest.raises(DefinitionInvalid):
        issue(draft_of(template, P256, issuer=HIERARCHY.issuer))


def test_a_subject_that_no_certificate_can_hold_is_refused() -> None:
    with pytest.raises(NameRefused):
        issue(replace(DRAFT, subject="CN=" + "x" * 65))


def test_a_mail_address_that_no_certificate_can_hold_is_refused() -> None:
    with pytest.raises(NameRefused):
        issue(replace(DRAFT, alternative_names=((AlternativeName.EMAIL, "käse@example.org"),)))


@pytest.mark.parametrize(("year", "tag"), [(2049, b"\x17\x0d491231235959Z"), (2050, b"\x18\x0f20501231235959Z")])
def test_dates_are_short_until_2049_and_long_after(year: int, tag: bytes) -> None:
    ends = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert tag in HIERARCHY.authority.prepare(Cleared(replace(DRAFT, not_after=ends)))


def issue_by(issuer: Issuer, draft: Draft) -> x509.Certificate:
    authority = EmbeddedAuthority(issuer, HIERARCHY.issuing_key)
    return x509.load_der_x509_certificate(authority.sign(authority.prepare(Cleared(draft))))
