"""What people read of a profile template."""

from collections.abc import Iterable, Iterator

from certwright.application.manage_templates import SeenTemplate
from certwright.domain.counts import count_of
from certwright.domain.grants import ObjectKind, Right
from certwright.domain.identities import EVERYONE, Sid
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import CertificateTemplate


def list_template_lines(seen: SeenTemplate) -> Iterator[str]:
    """Yield what it issues, who gets it, and a line for each kind of request."""
    template = seen.template
    yield f"{template.name}, version {template.version} of {seen.versions}"
    yield f"{template.id}"
    yield from ([template.description] if template.description else [])
    yield ""
    for each in template.certificate_templates:
        yield from _list_certificate_lines(each, seen)
    for right in (Right.READ, Right.ENROLL):
        held = seen.grants.find_trustees(ObjectKind.PROFILE_TEMPLATE, str(template.id), right)
        yield f"{right.value:12}{_name(held, seen)}"
    yield ""
    for kind, policy in sorted(template.policies.items()):
        state = _tell_policy(policy, seen) if policy.enabled else "switched off"
        yield f"{kind.name.lower().replace('_', '-'):24}{state}"


def _list_certificate_lines(template: CertificateTemplate, seen: SeenTemplate) -> Iterator[str]:
    made = f"{template.key.algorithm}, {template.key.bits} bits, made by the {template.key.origin}"
    archived = ", archived" if template.key.archived else ""
    held = seen.grants.find_trustees(ObjectKind.CERTIFICATE_TEMPLATE, template.common_name, Right.ENROLL)
    days = count_of(template.validity.days, "day")
    yield f"certificate {template.common_name}: {made}{archived}; {days}; enroll: {_name(held, seen)}"


def _tell_policy(policy: Policy, seen: SeenTemplate) -> str:
    starters = ", ".join([*(["the subject"] if policy.self_service else []), *_list_names(policy.initiators, seen)])
    needed = count_of(policy.approvals_needed, "approval")
    approvals = f"; {needed} by {_name(policy.approvers, seen)}" if policy.approvals_needed else ""
    agents = f"; executed by {_name(policy.enrollment_agents, seen)}" if policy.enrollment_agent_required else ""
    asked = f"; asks {', '.join(each.name for each in policy.data_items)}" if policy.data_items else ""
    return f"started by {starters}{approvals}{agents}{asked}"


def _name(sids: Iterable[Sid], seen: SeenTemplate) -> str:
    return ", ".join(_list_names(sids, seen)) or "nobody"


def _list_names(sids: Iterable[Sid], seen: SeenTemplate) -> list[str]:
    return sorted("everyone" if each == EVERYONE else seen.names.get(each, each) for each in sids)
