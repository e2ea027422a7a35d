"""What pkilint, which shares no code with us, says of everything that the embedded authority issues.

Source of the rules: RFC 5280, as pkilint's own command `lint_pkix_cert` checks them.
"""

import itertools
from dataclasses import replace
from importlib.resources import files

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pkilint import loader
from pkilint.pkix import certificate, extension, name
from pkilint.validation import ValidationFindingSeverity

from certwright.adapters.authorities.tls import issue_server_identity
from certwright.domain.certificates import SerialNumber
from certwright.domain.issuing import Cleared, clear
from certwright.domain.profile_templates import (
    CLIENT_AUTHENTICATION,
    EMAIL_PROTECTION,
    SMARTCARD_LOGON,
    AlternativeName,
    CertificateTemplate,
    SubjectSource,
    X509KeyUsage,
)
from certwright.domain.public_keys import KeyAlgorithm
from certwright.formats.definitions import parse_world
from worlds.authorities import FOUNDED, KEY_KINDS, make_hierarchy, make_subject_key, request_for
from worlds.contoso import CERTIFICATE_TEMPLATE, draft_of, make_user

LINTER = certificate.create_pkix_certificate_validator_container(
    certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
    [
        certificate.create_issuer_validator_container([]),
        certificate.create_validity_validator_container(),
        certificate.create_subject_validator_container([]),
        certificate.create_extensions_validator_container([]),
        certificate.create_spki_validator_container([]),
    ],
)
BOTH_NAMES = (AlternativeName.PRINCIPAL_NAME, AlternativeName.EMAIL)
ENCRYPTS = frozenset({X509KeyUsage.KEY_ENCIPHERMENT, X509KeyUsage.KEY_AGREEMENT})
SIGNS = frozenset({X509KeyUsage.DIGITAL_SIGNATURE, X509KeyUsage.CONTENT_COMMITMENT})
SHAPES = {
    "as a template is by default": CERTIFICATE_TEMPLATE,
    "smart card logon and mail": replace(
        CERTIFICATE_TEMPLATE,
        alternative_names=BOTH_NAMES,
        extended_key_usages=(SMARTCARD_LOGON, CLIENT_AUTHENTICATION, EMAIL_PROTECTION),
        certificate_policies=("1.3.6.1.4.1.311.42.1.5", "1.3.6.1.4.1.32473.1"),
    ),
    "encryption only": replace(
        CERTIFICATE_TEMPLATE, key_usages=ENCRYPTS, extended_key_usages=(EMAIL_PROTECTION,), include_security_identifier=False
    ),
    "signature only": replace(CERTIFICATE_TEMPLATE, key_usages=SIGNS, alternative_names=BOTH_NAMES),
    "no subject": replace(CERTIFICATE_TEMPLATE, subject=SubjectSource.NONE, alternative_names=BOTH_NAMES),
    "common name and no alternative names": replace(
        CERTIFICATE_TEMPLATE, subject=SubjectSource.COMMON_NAME, alternative_names=()
    ),
}
DEMO_TEMPLATES = {
    template.common_name: template
    for profile_template in parse_world((files("certwright") / "worlds" / "demo.toml").read_text()).templates
    for template in profile_template.certificate_templates
}
SUBJECT = replace(
    make_user("subscriber", 1101),
    display_name="Łukasz Söder, 管理者",
    distinguished_name="CN=Łukasz\\, S.,OU=Nutzer,DC=corp,DC=com",
)


def list_findings(encoded: bytes) -> list[str]:
    """Return what is worse than information; the judge counts its severities down from fatal, 0."""
    document = loader.RFC5280CertificateDocumentLoader().load_der_document(encoded, "certificate")
    return [
        f"{found.finding.code} {found.message or ''}"
        for result in LINTER.validate(document.root)
        for found in result.finding_descriptions
        if found.finding.severity < ValidationFindingSeverity.INFO
    ]


def issue(template: CertificateTemplate, authority_kind: tuple[KeyAlgorithm, int], key_kind: tuple[KeyAlgorithm, int]) -> bytes:
    authority = make_hierarchy(*authority_kind).authority
    key = make_subject_key(*key_kind)
    wanted = replace(template, key=replace(template.key, algorithm=key_kind[0], bits=key_kind[1]))
    request = replace(request_for(key), signature_hash=template.key.hash)
    issuer = replace(authority.issuer, certificate_policies=frozenset(template.certificate_policies))
    draft = draft_of(wanted, request, SUBJECT, issuer)
    return authority.sign(authority.prepare(clear(draft, subject=SUBJECT, issuer=issuer, key_holder=None)))


def name_kind(kind: tuple[KeyAlgorithm, int]) -> str:
    return f"{kind[0].value}-{kind[1]}"


def test_the_judge_finds_faults() -> None:
    authority = make_hierarchy().authority
    draft = draft_of(request=request_for(make_subject_key(*KEY_KINDS[0])), issuer=authority.issuer)
    too_long = replace(draft, serial=SerialNumber(2**170))
    assert len(list_findings(authority.sign(authority.prepare(Cleared(too_long))))) == 1


@pytest.mark.parametrize("key_kind", KEY_KINDS, ids=name_kind)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_template_and_kind_of_key_is_clean(shape: str, key_kind: tuple[KeyAlgorithm, int]) -> None:
    assert list_findings(issue(SHAPES[shape], (KeyAlgorithm.ECDSA_P256, 256), key_kind)) == []


@pytest.mark.parametrize("common_name", DEMO_TEMPLATES)
def test_every_template_of_the_demo_world_is_clean_with_every_key_that_it_takes(common_name: str) -> None:
    template = DEMO_TEMPLATES[common_name]
    taken = [kind for kind in KEY_KINDS if kind[0] is template.key.algorithm and kind[1] >= template.key.bits]
    assert taken
    for kind in taken:
        assert list_findings(issue(template, (KeyAlgorithm.RSA, 2048), kind)) == []


@pytest.mark.parametrize(("authority_kind", "key_kind"), list(itertools.product(KEY_KINDS, KEY_KINDS)), ids=name_kind)
def test_every_kind_of_authority_issues_clean_certificates(
    authority_kind: tuple[KeyAlgorithm, int], key_kind: tuple[KeyAlgorithm, int]
) -> None:
    assert list_findings(issue(SHAPES["smart card logon and mail"], authority_kind, key_kind)) == []


@pytest.mark.parametrize("authority_kind", KEY_KINDS, ids=name_kind)
def test_the_authorities_own_certificates_are_clean(authority_kind: tuple[KeyAlgorithm, int]) -> None:
    hierarchy = make_hierarchy(*authority_kind)
    assert list_findings(hierarchy.root.certificate) == []
    assert list_findings(hierarchy.issuing.certificate) == []


def test_the_servers_certificate_is_clean() -> None:
    assert list_findings(issue_server_certificate(["cm.corp.contoso.com", "192.0.2.1", "2001:db8::1"])) == []


def test_the_servers_certificate_for_localhost_only_has_a_name_that_the_judge_takes_for_no_domain() -> None:
    # RFC 1034's preferred syntax allows a single label; browsers look for exactly this name.
    (finding,) = list_findings(issue_server_certificate(["localhost", "127.0.0.1"]))
    assert finding == 'pkix.invalid_domain_name_syntax Invalid domain name syntax: "localhost"'


def issue_server_certificate(names: list[str]) -> bytes:
    hierarchy = make_hierarchy()
    identity = issue_server_identity(
        names, hierarchy.issuer, hierarchy.issuing_key, serial=SerialNumber(2**120), now=FOUNDED, password="p"
    )
    return x509.load_pem_x509_certificate(identity.certificates).public_bytes(Encoding.DER)
