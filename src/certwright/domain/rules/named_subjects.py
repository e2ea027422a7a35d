"""Subjects that clients name: only with an approval, and only the name that was approved."""

from collections.abc import Iterable

from certwright.domain.data_items import DataItem, DataItemDefinition, DataItemOriginator
from certwright.domain.errors import EscalationPath, NameRefused, Refused, ValidationDataRequired
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import CertificateTemplate, KeyOrigin, ProfileTemplate, SubjectSource
from certwright.domain.workflows import WORKFLOWS

SUBJECT_ITEM = "Subject"
"""The data item that holds the name which approvers see; the certificate request comes later, and has to repeat it."""

ISSUING_TYPES = frozenset(each.request_type for each in WORKFLOWS.values() if each.delivers and not each.is_for_somebody_else)


def list_named_subject_faults(template: ProfileTemplate, where: str) -> list[Refused]:
    """Return how a profile template lets clients name subjects that nobody approves. Shape: *where* is its dotted path.

    Source: the certificate request comes after the approvals (domain.md 4.1), so that those are for a name only where the
    request for them states it.
    """
    named = [each for each in template.certificate_templates if each.subject is SubjectSource.REQUEST]
    if not named:
        return []
    faults: list[Refused] = [
        EscalationPath(
            f"certificate_templates.{each.common_name}.subject", "ESC1", "no client names the subject of a server's key"
        )
        for each in named
        if each.key.origin is KeyOrigin.SERVER
    ]
    for kind, policy in template.policies.items():
        if kind in ISSUING_TYPES and policy.enabled:
            faults += _list_policy_faults(policy, f"{where}.policies.{kind.name.lower().replace('_', '-')}")
    return faults


def list_missing_subject(template: ProfileTemplate, data: Iterable[DataItem]) -> list[Refused]:
    """Return that the name is open which the client is to name: nobody approves a request before it states that."""
    named = any(each.subject is SubjectSource.REQUEST for each in template.certificate_templates)
    is_there = any(each.name == SUBJECT_ITEM and each.value for each in data)
    return [ValidationDataRequired(SUBJECT_ITEM)] if named and not is_there else []


def list_unapproved_subject_faults(template: CertificateTemplate, subject: str, approved_subject: str | None) -> list[Refused]:
    """Return that a certificate would get a name from the client that is not the approved one."""
    if template.subject is not SubjectSource.REQUEST or (approved_subject is not None and subject == approved_subject):
        return []
    approved = "no name was approved" if approved_subject is None else f"{approved_subject!r:.200} was approved"
    return [NameRefused(f"the certificate request names {subject!r:.200}, and {approved}")]


def _list_policy_faults(policy: Policy, where: str) -> list[Refused]:
    faults: list[Refused] = []
    if policy.approvals_needed < 1:
        detail = "clients name the subject (subject = request), so at least one approval is needed"
        faults.append(EscalationPath(f"{where}.approvals_needed", "ESC1", detail))
    if not any(_is_subject_item(each) for each in policy.data_items):
        detail = f'approvers have to see the subject: a data item called "{SUBJECT_ITEM}", of managers and required, is missing'
        faults.append(EscalationPath(f"{where}.data_items", "ESC1", detail))
    return faults


def _is_subject_item(item: DataItemDefinition) -> bool:
    return item.name == SUBJECT_ITEM and item.required and item.originator is DataItemOriginator.MANAGER and not item.default
