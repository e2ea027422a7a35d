"""Subjects that clients name: only those that somebody has approved."""

from dataclasses import replace

import pytest

from certwright.domain.data_items import DataItemDefinition, DataItemOriginator
from certwright.domain.errors import EscalationPath, NameRefused
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import EMAIL_PROTECTION, KeyOrigin, KeySpecification, ProfileTemplate, SubjectSource
from certwright.domain.request_types import RequestType
from certwright.domain.rules.named_subjects import (
    ISSUING_TYPES,
    SUBJECT_ITEM,
    list_named_subject_faults,
    list_unapproved_subject_faults,
)
from worlds.contoso import APPROVERS, CERTIFICATE_TEMPLATE, TEMPLATE

SERVER_AUTHENTICATION, CODE_SIGNING = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.3"
NAMED = replace(CERTIFICATE_TEMPLATE, subject=SubjectSource.REQUEST, extended_key_usages=(SERVER_AUTHENTICATION,))
ITEM = DataItemDefinition(name=SUBJECT_ITEM, required=True, originator=DataItemOriginator.MANAGER)
APPROVED = Policy(self_service=True, approvals_needed=1, approvers=frozenset({APPROVERS}), data_items=(ITEM,))


def faults(policy: Policy, kind: RequestType = RequestType.ENROLL, usage: str = SERVER_AUTHENTICATION) -> list[str]:
    named = replace(NAMED, extended_key_usages=(usage,))
    template: ProfileTemplate = replace(TEMPLATE, certificate_templates=(named,), policies={kind: policy})
    found = list_named_subject_faults(template, "here")
    assert {each.path for each in found if isinstance(each, EscalationPath)} <= {"ESC1"}
    return [each.text.partition(": ")[0] for each in found]


@pytest.mark.parametrize("usage", [SERVER_AUTHENTICATION, CODE_SIGNING, EMAIL_PROTECTION])
def test_subject_of_the_client_takes_an_approval(usage: str) -> None:
    assert faults(APPROVED, usage=usage) == []
    assert faults(Policy(self_service=True), usage=usage) == [
        "here.policies.enroll.approvals_needed",
        "here.policies.enroll.data_items",
    ]


@pytest.mark.parametrize(
    "item",
    [
        replace(ITEM, name="Name"),
        replace(ITEM, required=False),
        replace(ITEM, originator=DataItemOriginator.SUBSCRIBER),
        replace(ITEM, default="CN=www.contoso.com"),
    ],
)
def test_approvers_see_the_subject_that_they_approve(item: DataItemDefinition) -> None:
    assert faults(replace(APPROVED, data_items=(item,))) == ["here.policies.enroll.data_items"]


@pytest.mark.parametrize("kind", sorted(ISSUING_TYPES))
def test_every_kind_of_request_that_issues_takes_it(kind: RequestType) -> None:
    assert len(faults(Policy(self_service=True), kind)) == 2
    assert faults(Policy(self_service=True, enabled=False), kind) == []


def test_what_issues_nothing_and_what_names_nobody_takes_none() -> None:
    assert faults(Policy(self_service=True), RequestType.DISABLE) == []
    assert {
        RequestType.ENROLL,
        RequestType.RENEW,
        RequestType.RECOVER,
        RequestType.DUPLICATE,
        RequestType.ONLINE_UPDATE,
        RequestType.TEMPORARY_CARD_ENROLL,
    } == ISSUING_TYPES
    assert list_named_subject_faults(replace(TEMPLATE, policies={RequestType.ENROLL: Policy(self_service=True)}), "here") == []


def test_no_client_names_the_subject_of_a_key_that_the_server_makes() -> None:
    made = replace(NAMED, key=KeySpecification(origin=KeyOrigin.SERVER))
    template = replace(TEMPLATE, certificate_templates=(made,), policies={RequestType.ENROLL: APPROVED})
    (fault,) = list_named_subject_faults(template, "here")
    assert fault.text.startswith("certificate_templates.ContosoUser.subject: ")


def test_only_the_approved_subject_is_certified() -> None:
    assert list_unapproved_subject_faults(NAMED, "CN=a", "CN=a") == []
    for approved in (None, "CN=b", ""):
        (fault,) = list_unapproved_subject_faults(NAMED, "CN=a", approved)
        assert isinstance(fault, NameRefused)
    (fault,) = list_unapproved_subject_faults(NAMED, "", None)
    assert "no name was approved" in fault.text
    assert list_unapproved_subject_faults(CERTIFICATE_TEMPLATE, "CN=a", None) == []
