"""Ways in which one person gets a certificate of another, tried on a whole installation; docs/explanation/escalation-paths.md
names the test of each."""

import re
from base64 import b64encode
from dataclasses import replace
from functools import cache
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certwright.application.approve_request import approve_request
from certwright.application.manage_people import RIGHTS_ON, grant_right
from certwright.application.places import Delivered
from certwright.domain.data_items import DataItem, DataItemDefinition, DataItemOriginator
from certwright.domain.errors import AccessDenied, EscalationPath, NameRefused, ValidationDataRequired
from certwright.domain.grants import ObjectKind, Right
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import EMAIL_PROTECTION, ProfileTemplate, SubjectSource
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId
from certwright.domain.rules.named_subjects import SUBJECT_ITEM
from certwright.formats.cmc import parse_response
from certwright.formats.microsoft import APPLICATION_POLICIES
from certwright.wire.rest.app import ROUTES
from worlds.contoso import ADMINISTRATOR, APPROVER, APPROVERS, SUBSCRIBER
from worlds.house import ONE, SIGNING, House, signed_in

REPOSITORY = Path(__file__).parents[3]
SECURITY_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.4.1.311.25.2")
SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1"
NAMED = replace(SIGNING, subject=SubjectSource.REQUEST, extended_key_usages=(SERVER_AUTHENTICATION, EMAIL_PROTECTION))
APPROVED = Policy(
    self_service=True,
    approvals_needed=1,
    approvers=frozenset({APPROVERS}),
    data_items=(DataItemDefinition(name=SUBJECT_ITEM, required=True, originator=DataItemOriginator.MANAGER),),
)


@cache
def make_key(_owner: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def request_for(key: ec.EllipticCurvePrivateKey, *names: tuple[x509.ObjectIdentifier, str], greedy: bool = False) -> str:
    """Return a certificate request that names somebody and, when *greedy*, asks for everything that an attacker wants."""
    subject = x509.Name([x509.NameAttribute(kind, value) for kind, value in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if greedy:
        other = ADMINISTRATOR.user.principal_name.encode()
        everything = (
            x509.SubjectAlternativeName(
                [
                    x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), bytes([0x0C, len(other)]) + other),
                    x509.DNSName("dc.corp.contoso.com"),
                    x509.IPAddress(ip_address("192.0.2.1")),
                ]
            ),
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING, ExtendedKeyUsageOID.SMARTCARD_LOGON]),
            x509.BasicConstraints(ca=True, path_length=None),
            x509.UnrecognizedExtension(APPLICATION_POLICIES, bytes.fromhex("300e300c060a2b060104018237140201")),
            x509.UnrecognizedExtension(SECURITY_IDENTIFIER, ADMINISTRATOR.user.sid.encode()),
        )
        for each in everything:
            builder = builder.add_extension(each, critical=False)
    return b64encode(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)).decode()


def read_issued(delivered: Delivered) -> x509.Certificate:
    assert delivered.error is None
    issued = parse_response(delivered.response or b"").issued
    assert issued is not None
    return x509.load_der_x509_certificate(issued)


def test_esc6_and_esc15_nothing_that_a_certificate_request_asks_for_is_certified(house: House) -> None:
    plain, greedy = make_key("plain"), make_key("greedy")
    names = ((NameOID.COMMON_NAME, "administrator"),)
    wanted = read_issued(house.post(house.open(), request_for(plain))[0])
    issued = read_issued(house.post(house.open(), request_for(greedy, *names, greedy=True))[0])
    assert issued.subject == wanted.subject
    of_the_key = x509.SubjectKeyIdentifier.oid
    assert [each for each in issued.extensions if each.oid != of_the_key] == [
        each for each in wanted.extensions if each.oid != of_the_key
    ]
    assert ADMINISTRATOR.user.sid.encode() not in issued.public_bytes(Encoding.DER)
    assert SUBSCRIBER.user.sid.encode() in issued.public_bytes(Encoding.DER)


# -- subjects that clients name (ESC1) -------------------------------------------------------------------------------------


def open_named(house: House, subject: str) -> RequestId:
    """Return an approved request for a certificate with that subject."""
    template: ProfileTemplate = replace(ONE, certificate_templates=(NAMED,), policies={RequestType.ENROLL: APPROVED})
    house.save(template)
    request_id = house.open(template)
    data = (DataItem(SUBJECT_ITEM, subject),)
    approve_request(request_id, by=signed_in(APPROVER), world=house.world, data=data)
    return request_id


@pytest.mark.parametrize("approved", ["CN=www.contoso.com,O=Contoso", "cn=www.contoso.com, o=Contoso"])
def test_esc1_approved_subject_is_certified(house: House, approved: str) -> None:
    request_id = open_named(house, approved)
    names = ((NameOID.ORGANIZATION_NAME, "Contoso"), (NameOID.COMMON_NAME, "www.contoso.com"))
    issued = read_issued(house.post(request_id, request_for(make_key("server"), *names))[0])
    assert issued.subject.rfc4514_string() == "CN=www.contoso.com,O=Contoso"


@pytest.mark.parametrize("approved", ["CN=www.contoso.com", "no name"])
def test_esc1_other_subject_than_the_approved_one_is_not_certified(house: House, approved: str) -> None:
    request_id = open_named(house, approved)
    for names in ((NameOID.COMMON_NAME, "ceo.contoso.com"),), ():
        (refused,) = house.post(request_id, request_for(make_key("server"), *names))
        assert isinstance(refused.error, NameRefused)
    assert house.certificates(request_id) == ()


@pytest.mark.parametrize("subject", [None, ""])
def test_esc1_nobody_approves_before_the_name_is_there(house: House, subject: str | None) -> None:
    several = replace(APPROVED, approvals_needed=2)
    house.save(replace(ONE, certificate_templates=(NAMED,), policies={RequestType.ENROLL: several}))
    request_id = house.open()
    for data in (), (DataItem(SUBJECT_ITEM, subject),):
        with pytest.raises(ValidationDataRequired):
            approve_request(request_id, by=signed_in(APPROVER), world=house.world, data=data)


def test_esc1_template_from_before_subjects_were_approved_issues_nothing(house: House) -> None:
    house.save(replace(ONE, certificate_templates=(NAMED,)))
    request_id = house.open()
    (refused,) = house.post(request_id, request_for(make_key("server"), (NameOID.COMMON_NAME, "www.contoso.com")))
    assert isinstance(refused.error, NameRefused)
    assert "no name was approved" in refused.error.text


# -- rights ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "kind", "place"),
    [
        (Right.ENROLL, ObjectKind.PROFILE_TEMPLATE, ONE.name),
        (Right.ENROLL, ObjectKind.CERTIFICATE_TEMPLATE, SIGNING.common_name),
        (Right.ADMINISTER, ObjectKind.SERVICE, ""),
        (Right.REQUEST_RECOVER, ObjectKind.PRINCIPAL, "subscriber"),
        (Right.ENROLLMENT_AGENT, ObjectKind.PRINCIPAL, "subscriber"),
    ],
)
def test_everyone_is_given_no_right_but_read(house: House, right: Right, kind: ObjectKind, place: str) -> None:
    with pytest.raises(EscalationPath, match="everyone may hold no right but read"):
        grant_right(right, kind, place, "everyone", operator="root", world=house.world)
    grant_right(Right.READ, ObjectKind.PROFILE_TEMPLATE, ONE.name, "everyone", operator="root", world=house.world)


def test_esc4_no_right_and_no_call_changes_a_template() -> None:
    assert RIGHTS_ON[ObjectKind.PROFILE_TEMPLATE] | RIGHTS_ON[ObjectKind.CERTIFICATE_TEMPLATE] == {Right.READ, Right.ENROLL}
    about_templates = {each.method for each in ROUTES if "template" in each.path.lower()}
    assert about_templates == {"GET"}


def test_esc4_right_to_enroll_that_was_taken_away_ends_what_is_under_way(house: House) -> None:
    request_id = house.open()
    with house.store.writing() as session:
        kept = [each for each in session.directory.load_grants() if each.right is not Right.ENROLL]
        session.directory.replace_grants(kept)
    with pytest.raises(AccessDenied, match="has no enroll on certificate-template SigningUser"):
        house.post(request_id, request_for(make_key("late")))
    assert house.certificates(request_id) == ()


# -- the page --------------------------------------------------------------------------------------------------------------


def test_every_path_has_a_row_and_every_named_test_exists() -> None:
    rows = re.findall(
        r"^\| (ESC\d+) \|(.*)$", (REPOSITORY / "docs/explanation/escalation-paths.md").read_text("utf-8"), re.MULTILINE
    )
    assert [path for path, _ in rows] == [f"ESC{number}" for number in range(1, 17)]
    sources = "\n".join(each.read_text("utf-8") for each in (REPOSITORY / "tests").rglob("test_*.py"))
    for path, row in rows:
        named = re.findall(r"`(test_\w+)`", row)
        assert named or "Cannot apply" in row, path
        assert [each for each in named if f"def {each}(" not in sources] == [], path
