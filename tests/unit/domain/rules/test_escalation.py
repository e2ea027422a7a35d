"""Certificate templates through which somebody could become somebody else, one test a path."""

from dataclasses import replace

import pytest
from cryptography import x509

from certwright.domain.errors import DefinitionInvalid, EscalationPath
from certwright.domain.grants import Grant, Grants, ObjectKind, Right
from certwright.domain.identities import EVERYONE
from certwright.domain.profile_templates import (
    ANY_EXTENDED_KEY_USAGE,
    CERTIFICATE_REQUEST_AGENT,
    CLIENT_AUTHENTICATION,
    EMAIL_PROTECTION,
    PKINIT_CLIENT_AUTHENTICATION,
    SMARTCARD_LOGON,
    CertificateTemplate,
    SubjectSource,
)
from certwright.domain.rules.escalation import (
    ANY_POLICY,
    list_certificate_policy_faults,
    list_escalation_paths,
    list_everyone_faults,
)
from certwright.domain.rules.reserved_usages import RESERVED_USAGES
from certwright.settings import encode_settings_template, parse_settings
from worlds.contoso import CERTIFICATE_TEMPLATE

IPSEC = ["1.3.6.1.5.5.7.3.5", "1.3.6.1.5.5.7.3.6", "1.3.6.1.5.5.7.3.7", "1.3.6.1.5.5.7.3.17", "1.3.6.1.5.5.8.2.2"]
EAP_AND_SSH = ["1.3.6.1.5.5.7.3.13", "1.3.6.1.5.5.7.3.14", "1.3.6.1.5.5.7.3.21"]
SIGN_IN = [CLIENT_AUTHENTICATION, SMARTCARD_LOGON, PKINIT_CLIENT_AUTHENTICATION, *IPSEC, *EAP_AND_SSH]
SPEAKS_FOR_OTHERS = {
    "OCSP signing": "1.3.6.1.5.5.7.3.9",
    "KDC authentication": "1.3.6.1.5.2.3.5",
    "key recovery agent": "1.3.6.1.4.1.311.21.6",
    "CA exchange": "1.3.6.1.4.1.311.21.5",
    "EFS recovery": "1.3.6.1.4.1.311.10.3.4.1",
    "certificate trust lists": "1.3.6.1.4.1.311.10.3.1",
    "lists of root certificates": "1.3.6.1.4.1.311.10.3.9",
    "time stamping": "1.3.6.1.5.5.7.3.8",
    "qualified subordination": "1.3.6.1.4.1.311.10.3.10",
    "key recovery": "1.3.6.1.4.1.311.10.3.11",
    "registration authority": "1.3.6.1.5.5.7.3.28",
}
POLICY_OID = "1.3.6.1.4.1.32473.1"


def paths(template: CertificateTemplate) -> list[str]:
    return [each.path for each in list_escalation_paths(template) if isinstance(each, EscalationPath)]


def with_usages(*usages: str) -> CertificateTemplate:
    return replace(CERTIFICATE_TEMPLATE, extended_key_usages=usages)


@pytest.mark.parametrize("usages", [SIGN_IN, [EMAIL_PROTECTION], [CLIENT_AUTHENTICATION, EMAIL_PROTECTION]])
def test_an_ordinary_template_opens_no_path(usages: list[str]) -> None:
    assert paths(with_usages(*usages)) == []


@pytest.mark.parametrize("usage", SIGN_IN)
def test_esc1_the_client_may_not_name_the_subject_of_a_certificate_that_signs_in(usage: str) -> None:
    template = replace(with_usages(EMAIL_PROTECTION, usage), subject=SubjectSource.REQUEST)
    assert paths(template) == ["ESC1"]
    assert paths(replace(template, subject=SubjectSource.COMMON_NAME)) == []


def test_esc1_does_not_forbid_naming_the_subject_of_a_certificate_that_does_not_sign_in() -> None:
    template = replace(with_usages(EMAIL_PROTECTION), subject=SubjectSource.REQUEST)
    assert paths(replace(template, include_security_identifier=False)) == []  # Who may name it: test_named_subjects.py.


@pytest.mark.parametrize("usages", [(), (ANY_EXTENDED_KEY_USAGE,), (EMAIL_PROTECTION, ANY_EXTENDED_KEY_USAGE)])
def test_esc2_the_purpose_must_be_named_and_not_be_any(usages: tuple[str, ...]) -> None:
    assert paths(with_usages(*usages)) == ["ESC2"]


def test_esc3_no_certificate_makes_an_enrollment_agent() -> None:
    assert paths(with_usages(CERTIFICATE_REQUEST_AGENT)) == ["ESC3"]
    assert paths(with_usages(CLIENT_AUTHENTICATION, CERTIFICATE_REQUEST_AGENT)) == ["ESC3"]


@pytest.mark.parametrize("usage", SIGN_IN)
def test_esc9_a_certificate_that_signs_in_carries_the_security_identifier(usage: str) -> None:
    assert paths(replace(with_usages(usage), include_security_identifier=False)) == ["ESC9"]
    assert paths(replace(with_usages(EMAIL_PROTECTION), include_security_identifier=False)) == []


@pytest.mark.parametrize("usage", [*IPSEC, CLIENT_AUTHENTICATION])
def test_esc16_there_is_no_switch_that_leaves_the_security_identifier_out_of_all_certificates(usage: str) -> None:
    assert "security_identifier" not in encode_settings_template()
    assert paths(replace(with_usages(EMAIL_PROTECTION, usage), include_security_identifier=False)) == ["ESC9"]


@pytest.mark.parametrize(("name", "usage"), SPEAKS_FOR_OTHERS.items())
def test_no_template_issues_what_speaks_for_the_authority(name: str, usage: str) -> None:
    (fault,) = list_escalation_paths(with_usages(EMAIL_PROTECTION, usage))
    assert isinstance(fault, EscalationPath)
    assert (fault.path, name in fault.detail) == ("reserved", True)


def test_no_reserved_usage_is_forgotten_or_one_that_people_have() -> None:
    assert set(SPEAKS_FOR_OTHERS.values()) <= RESERVED_USAGES.keys()
    assert not RESERVED_USAGES.keys() & {*SIGN_IN, EMAIL_PROTECTION}
    assert all(x509.ObjectIdentifier(each).dotted_string == each for each in RESERVED_USAGES)


def test_esc13_policies_are_those_of_the_installation() -> None:
    template = replace(CERTIFICATE_TEMPLATE, certificate_policies=(POLICY_OID,))
    assert list_certificate_policy_faults(template, frozenset({POLICY_OID})) == []
    for allowed in (frozenset[str](), frozenset({"1.3.6.1.4.1.32473.2"})):
        (fault,) = list_certificate_policy_faults(template, allowed)
        assert isinstance(fault, EscalationPath)
        assert (fault.path, POLICY_OID in fault.detail) == ("ESC13", True)


def test_esc13_any_policy_is_asserted_nowhere() -> None:
    template = replace(CERTIFICATE_TEMPLATE, certificate_policies=(ANY_POLICY,))
    for allowed in (frozenset[str](), frozenset({ANY_POLICY})):
        (fault,) = list_certificate_policy_faults(template, allowed)
        assert "anyPolicy" in fault.text
    with pytest.raises(DefinitionInvalid, match=r"issuance\.certificate_policies"):
        parse_settings(f'[issuance]\ncertificate_policies = ["{ANY_POLICY}"]')
    assert parse_settings(f'[issuance]\ncertificate_policies = ["{POLICY_OID}"]').issuance.certificate_policies == (POLICY_OID,)


def test_everyone_holds_no_right_but_read() -> None:
    rights = [Grant(ObjectKind.PROFILE_TEMPLATE, "an id", each, EVERYONE) for each in Right]
    found = [each.text.partition(": ")[0] for each in list_everyone_faults(rights, {"an id": "User"})]
    assert found == [f"profile_templates.User.rights.{each}" for each in Right if each is not Right.READ]
    held = Grants(rights)
    assert [each for each in Right if held.find_trustees(ObjectKind.PROFILE_TEMPLATE, "an id", each)] == [Right.READ]


def test_a_certificate_without_any_named_purpose_counts_as_one_that_signs_in() -> None:
    assert paths(replace(with_usages(), subject=SubjectSource.REQUEST)) == ["ESC1", "ESC2"]
    assert paths(replace(with_usages(), include_security_identifier=False)) == ["ESC2", "ESC9"]


def test_every_open_path_is_named_at_once_with_the_template() -> None:
    worst = replace(
        with_usages(ANY_EXTENDED_KEY_USAGE, CERTIFICATE_REQUEST_AGENT),
        subject=SubjectSource.REQUEST,
        include_security_identifier=False,
    )
    assert paths(worst) == ["ESC1", "ESC2", "ESC3", "ESC9"]
    assert all(each.text.startswith("certificate_templates.ContosoUser.") for each in list_escalation_paths(worst))
