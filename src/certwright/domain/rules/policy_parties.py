"""A policy that waits for somebody must say for whom, and ask nothing that cannot be answered."""

from collections.abc import Iterable
from datetime import timedelta

from certwright.domain.data_items import DataItemDefinition, DataItemOriginator, Patterns, list_value_faults
from certwright.domain.errors import DefinitionInvalid, Refused
from certwright.domain.identities import Group, Principal, Sid
from certwright.domain.mail_addresses import find_address_fault
from certwright.domain.notifications import Recipient
from certwright.domain.policies import LOWEST_PRIORITY, Policy
from certwright.domain.request_types import RequestType
from certwright.domain.revocation import LONGEST_DELAY, RevocationReason, RevocationSettings

MOST_DATA_ITEMS = 100
MOST_NOTIFICATIONS = 50
WITHOUT_AGENT = frozenset(
    {
        RequestType.DISABLE,
        RequestType.ONLINE_UPDATE,
        RequestType.RETIRE,
        RequestType.SUSPEND_OR_REINSTATE,
        RequestType.UNBLOCK,
    }
)
"""Source: EnrollAgentRequired in domain.md 2.8."""
_FOR_OPERATIONS = frozenset({RevocationReason.CERTIFICATE_HOLD, RevocationReason.REMOVE_FROM_CRL})


def list_policy_faults(policy: Policy, where: str, request_type: RequestType, patterns: Patterns) -> list[Refused]:
    """Return why requests under *policy* could never be started, approved or executed, or their data items never given.

    Source: domain.md 2.8: approvals need approvers, agents are named, and a priority is a byte.
    """
    others_only = request_type is RequestType.RECOVER_ON_BEHALF
    limits = (policy.maximum_active_profiles, policy.maximum_duplicates, policy.temporary_cards.maximum_issued)
    found = {
        "nobody can start a request: neither self service nor initiators": not (policy.self_service or policy.initiators),
        "approvals are needed, but no approvers are named": policy.approvals_needed > 0 and not policy.approvers,
        "the number of approvals may not be negative": policy.approvals_needed < 0,
        "an enrollment agent is required, but none is named": policy.enrollment_agent_required and not policy.enrollment_agents,
        "no enrollment agent executes this kind of request": policy.enrollment_agent_required and request_type in WITHOUT_AGENT,
        "an enrollment agent has to be required": others_only and not policy.enrollment_agent_required,
        "nobody recovers keys for somebody else by self service": others_only and policy.self_service,
        f"default_priority: a number from 0 to {LOWEST_PRIORITY} is wanted": not 0
        <= policy.default_priority
        <= LOWEST_PRIORITY,
        "a limit may not be negative": min(limits) < 0,
    }
    faults: list[Refused] = [DefinitionInvalid(where, detail) for detail, is_broken in found.items() if is_broken]
    for name, settings in (
        ("revocation", policy.revocation),
        ("revocation_for_duplicates", policy.revocation_for_duplicates),
    ):
        faults += _list_revocation_faults(settings, f"{where}.{name}")
    faults += _list_notification_faults(policy, where)
    return faults + _list_item_faults(policy.data_items, where, patterns, managers_only=others_only)


def list_approver_faults(policy: Policy, where: str, principals: Iterable[Principal]) -> list[Refused]:
    """Return that fewer people can approve than have to; accounts that are switched off approve nothing."""
    people = sum(each.user.enabled and bool(policy.approvers & each.sids) for each in principals)
    if policy.approvals_needed <= people:
        return []
    return [DefinitionInvalid(where, f"{policy.approvals_needed} approvals are needed, and {people} people can give one")]


def list_group_rings(groups: Iterable[Group]) -> list[Refused]:
    """Return each ring of groups that hold each other, told once, by the names along it."""
    by_sid = {each.sid: each for each in groups}
    finished: set[Sid] = set()
    faults: list[Refused] = []
    for start in sorted(by_sid):
        path: list[Sid] = [start]
        waiting = [_list_groups_in(by_sid, start)]
        while path:
            if waiting[-1]:
                following = waiting[-1].pop()
                if following in path:
                    ring = [by_sid[each].name for each in (*path[path.index(following) :], following)]
                    faults.append(DefinitionInvalid("groups", f"they hold each other: {' > '.join(ring)}"))
                elif following not in finished:
                    path.append(following)
                    waiting.append(_list_groups_in(by_sid, following))
            else:
                finished.add(path.pop())
                waiting.pop()
    return faults


def _list_groups_in(by_sid: dict[Sid, Group], sid: Sid) -> list[Sid]:
    return sorted((each for each in by_sid[sid].members if each in by_sid), reverse=True)


def _list_revocation_faults(settings: RevocationSettings, where: str) -> list[Refused]:
    found = {
        f"delay: from 0 to {LONGEST_DELAY.days} days are wanted": not timedelta() <= settings.delay <= LONGEST_DELAY,
        "reason: holds are for suspend and reinstate": settings.reason in _FOR_OPERATIONS,
    }
    return [DefinitionInvalid(where, detail) for detail, is_broken in found.items() if is_broken]


def _list_notification_faults(policy: Policy, where: str) -> list[Refused]:
    """Return which notifications would reach nobody, or something that is no mailbox."""
    faults: list[Refused] = []
    if len(policy.notifications) > MOST_NOTIFICATIONS:
        faults.append(DefinitionInvalid(where, f"no more than {MOST_NOTIFICATIONS} notifications are sent"))
    for each in policy.notifications:
        place = f"{where}.notifications.{each.type}.to"
        if not each.to:
            faults.append(DefinitionInvalid(place, "somebody is to be told"))
        strange = [name for name in each.to if name not in frozenset(Recipient) and find_address_fault(name)]
        wanted = f"neither one of {', '.join(Recipient)}, nor an address such as name@example.com"
        faults += [DefinitionInvalid(place, f"{name!r:.100} is {wanted}") for name in strange]
    return faults


def _list_item_faults(
    items: tuple[DataItemDefinition, ...], where: str, patterns: Patterns, *, managers_only: bool
) -> list[Refused]:
    faults: list[Refused] = []
    if len({each.name for each in items}) < len(items):
        faults.append(DefinitionInvalid(where, "a data item is defined twice"))
    if len(items) > MOST_DATA_ITEMS:
        faults.append(DefinitionInvalid(where, f"no more than {MOST_DATA_ITEMS} data items are asked for"))
    for each in items:
        place = f"{where}.data_items.{each.name}"
        pattern_fault = patterns.find_fault(each.pattern) if each.pattern else None
        if not each.name.strip():
            faults.append(DefinitionInvalid(place, "a data item has a name"))
        if managers_only and each.originator is not DataItemOriginator.MANAGER:
            faults.append(DefinitionInvalid(place, "the subject has no part in it: only managers are asked"))
        if pattern_fault is not None:
            faults.append(DefinitionInvalid(place, f"pattern: {pattern_fault}"))
        elif list_value_faults(each, each.default, patterns):
            faults.append(DefinitionInvalid(place, "the default would not be accepted as an answer"))
    return faults
