"""The rules about what an administrator writes down."""

from dataclasses import replace

import pytest

from certwright.adapters.patterns import Re2Patterns
from certwright.domain.data_items import DataItemDefinition
from certwright.domain.policies import LOWEST_PRIORITY, Policy
from certwright.domain.profile_templates import (
    ANY_EXTENDED_KEY_USAGE,
    CLIENT_AUTHENTICATION,
    EMAIL_PROTECTION,
    PKINIT_CLIENT_AUTHENTICATION,
    SMARTCARD_LOGON,
    CertificateTemplate,
    KeyOrigin,
    KeySpecification,
    X509KeyUsage,
)
from certwright.domain.public_keys import KeyAlgorithm
from certwright.domain.request_types import RequestType
from certwright.domain.rules.archival import list_archival_faults
from certwright.domain.rules.key_definition import list_key_definition_faults
from certwright.domain.rules.policy_parties import list_policy_faults
from worlds.contoso import APPROVERS, CERTIFICATE_TEMPLATE, MANAGERS, POLICY

ARCHIVED = KeySpecification(origin=KeyOrigin.SERVER, archived=True)


def template(key: KeySpecification, *usages: X509KeyUsage) -> CertificateTemplate:
    return replace(CERTIFICATE_TEMPLATE, key=key, key_usages=frozenset(usages), extended_key_usages=(EMAIL_PROTECTION,))


# -- archiving -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("usage", [X509KeyUsage.KEY_ENCIPHERMENT, X509KeyUsage.KEY_AGREEMENT])
def test_an_encryption_key_that_the_server_makes_is_archived(usage: X509KeyUsage) -> None:
    assert list_archival_faults(template(ARCHIVED, usage)) == []


def test_a_key_that_is_not_archived_may_do_anything() -> None:
    assert list_archival_faults(template(KeySpecification(), X509KeyUsage.DIGITAL_SIGNATURE)) == []


def test_a_key_that_only_signs_is_not_archived() -> None:
    (fault,) = list_archival_faults(template(ARCHIVED, X509KeyUsage.DIGITAL_SIGNATURE, X509KeyUsage.CONTENT_COMMITMENT))
    assert "only signs" in fault.text


@pytest.mark.parametrize(
    "usages",
    [(CLIENT_AUTHENTICATION,), (EMAIL_PROTECTION, SMARTCARD_LOGON), (PKINIT_CLIENT_AUTHENTICATION,), (ANY_EXTENDED_KEY_USAGE,)],
)
def test_a_key_that_people_authenticate_with_is_not_archived(usages: tuple[str, ...]) -> None:
    asked = template(ARCHIVED, X509KeyUsage.DIGITAL_SIGNATURE, X509KeyUsage.KEY_ENCIPHERMENT)
    assert list_archival_faults(asked) == []
    (fault,) = list_archival_faults(replace(asked, extended_key_usages=usages))
    assert "authenticate" in fault.text


def test_a_key_for_any_use_is_archived_unless_it_signs() -> None:
    signing = template(ARCHIVED, X509KeyUsage.DIGITAL_SIGNATURE, X509KeyUsage.KEY_ENCIPHERMENT)
    (fault,) = list_archival_faults(replace(signing, extended_key_usages=()))
    assert "authenticate" in fault.text
    assert list_archival_faults(replace(template(ARCHIVED, X509KeyUsage.KEY_ENCIPHERMENT), extended_key_usages=())) == []


def test_a_key_whose_signature_commits_its_owner_is_not_archived() -> None:
    (fault,) = list_archival_faults(template(ARCHIVED, X509KeyUsage.CONTENT_COMMITMENT, X509KeyUsage.KEY_ENCIPHERMENT))
    assert "commits" in fault.text


def test_a_key_that_the_client_makes_cannot_be_archived() -> None:
    (fault,) = list_archival_faults(template(replace(ARCHIVED, origin=KeyOrigin.CLIENT), X509KeyUsage.KEY_ENCIPHERMENT))
    assert "the server makes" in fault.text


# -- keys ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("algorithm", "bits", "fits"),
    [
        (KeyAlgorithm.RSA, 1024, False),
        (KeyAlgorithm.RSA, 2048, True),
        (KeyAlgorithm.RSA, 3072, True),
        (KeyAlgorithm.RSA, 4096, True),
        (KeyAlgorithm.RSA, 2049, False),
        (KeyAlgorithm.ECDSA_P256, 256, True),
        (KeyAlgorithm.ECDSA_P256, 384, False),
        (KeyAlgorithm.ECDSA_P384, 384, True),
        (KeyAlgorithm.OTHER, 256, False),
    ],
)
def test_a_template_asks_for_keys_that_are_certified(algorithm: KeyAlgorithm, bits: int, fits: bool) -> None:
    faults = list_key_definition_faults(
        template(KeySpecification(algorithm=algorithm, bits=bits), X509KeyUsage.DIGITAL_SIGNATURE)
    )
    assert (faults == []) is fits


@pytest.mark.parametrize(
    ("algorithm", "bits", "usage", "fits"),
    [
        (KeyAlgorithm.RSA, 2048, X509KeyUsage.KEY_ENCIPHERMENT, True),
        (KeyAlgorithm.RSA, 2048, X509KeyUsage.KEY_AGREEMENT, False),
        (KeyAlgorithm.ECDSA_P256, 256, X509KeyUsage.KEY_AGREEMENT, True),
        (KeyAlgorithm.ECDSA_P256, 256, X509KeyUsage.KEY_ENCIPHERMENT, False),
    ],
)
def test_a_template_has_a_usage_that_fits_its_key(algorithm: KeyAlgorithm, bits: int, usage: X509KeyUsage, fits: bool) -> None:
    key = KeySpecification(algorithm=algorithm, bits=bits)
    assert (list_key_definition_faults(template(key, usage)) == []) is fits
    assert list_key_definition_faults(template(key, usage, X509KeyUsage.DIGITAL_SIGNATURE)) == []


# -- policies ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "policy",
    [
        POLICY,
        Policy(self_service=True),
        Policy(initiators=frozenset({MANAGERS})),
        Policy(self_service=True, approvals_needed=2, approvers=frozenset({APPROVERS}), default_priority=LOWEST_PRIORITY),
        replace(POLICY, enrollment_agent_required=True),
    ],
)
def test_a_policy_that_people_can_use_is_taken(policy: Policy) -> None:
    assert list_policy_faults(policy, "policies.enroll", RequestType.ENROLL, Re2Patterns()) == []


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (Policy(), "self_service: nobody can start a request"),
        (Policy(self_service=True, approvals_needed=1), "approvals_needed: approvals are needed, but no approvers are named"),
        (Policy(self_service=True, approvals_needed=-1), "approvals_needed: the number of approvals may not be negative"),
        (Policy(self_service=True, enrollment_agent_required=True), "enrollment_agent_required: an enrollment agent is"),
        (Policy(self_service=True, default_priority=256), "default_priority: a number from 0 to 255"),
        (Policy(self_service=True, data_items=(DataItemDefinition(name="a"), DataItemDefinition(name="a"))), "data_items.a: "),
    ],
)
def test_a_policy_that_leads_nowhere_is_refused(policy: Policy, words: str) -> None:
    (fault,) = list_policy_faults(policy, "policies.enroll", RequestType.ENROLL, Re2Patterns())
    assert fault.text.startswith(f"policies.enroll.{words}")
