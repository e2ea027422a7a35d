"""Certificate templates through which somebody could become somebody else, one test a path."""

from dataclasses import replace

import pytest

from certwright.domain.errors import EscalationPath
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
from certwright.domain.rules.escalation import list_escalation_paths
from worlds.contoso import CERTIFICATE_TEMPLATE

SIGN_IN = [CLIENT_AUTHENTICATION, SMARTCARD_LOGON, PKINIT_CLIENT_AUTHENTICATION]


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
    assert paths(replace(template, include_security_identifier=False)) == []


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
