"""A policy that waits for somebody must say for whom, and ask nothing that cannot be answered."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import combinations

from certwright.domain.counts import count_of
from certwright.domain.data_items import DataItemDefinition, DataItemOriginator, Patterns, list_value_faults
from certwright.domain.errors import DefinitionInvalid, Refused
from certwright.domain.identities import EVERYONE, Group, Principal, Sid
from certwright.domain.mail_addresses import find_address_fault
from certwright.domain.notifications import NotificationType, Recipient
from certwright.domain.policies import LOWEST_PRIORITY, Policy
from certwright.domain.request_types import RequestType
from certwright.domain.revocation import LONGEST_DELAY, RevocationReason, RevocationSettings
from certwright.domain.rules.password_rules import list_password_faults

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


def list_policy_faults(
    policy: Policy, where: str, request_type: RequestType, patterns: Patterns, *, takes_several: bool = False
) -> list[Refused]:
    """Return why requests under *policy* could never be started, approved or executed, or their data items never given.

    Shape: *takes_several* as `policy_takes_several_people` says.
    Source: domain.md 2.8: approvals need approvers, agents are named, and a priority is a byte.
    """
    others_only = request_type is RequestType.RECOVER_ON_BEHALF
    has_agent, with_agent = bool(policy.enrollment_agents), policy.enrollment_agent_required
    found = (
        ("self_service", "nobody can start a request: neither self service nor initiators", not _has_initiator(policy)),
        ("self_service", "nobody recovers keys for somebody else by self service", others_only and policy.self_service),
        ("approvals_needed", "the number of approvals may not be negative", policy.approvals_needed < 0),
        (
            "approvals_needed",
            "approvals are needed, but no approvers are named",
            policy.approvals_needed > 0 and not policy.approvers,
        ),
        (
            "approvals_needed",
            "a request that gives private keys to another than their owner takes at least one approval",
            (others_only or takes_several) and 0 <= policy.approvals_needed < 1,
        ),
        ("enrollment_agent_required", "an enrollment agent is required, but none is named", with_agent and not has_agent),
        (
            "enrollment_agent_required",
            "no enrollment agent executes this kind of request",
            with_agent and request_type in WITHOUT_AGENT,
        ),
        ("enrollment_agent_required", "an enrollment agent has to be required", others_only and not with_agent),
        (
            "default_priority",
            f"a number from 0 to {LOWEST_PRIORITY} is wanted",
            not 0 <= policy.default_priority <= LOWEST_PRIORITY,
        ),
    )
    return [
        *_list_broken(found, where),
        *_list_broken(_list_limits(policy), where),
        *_list_broken(_list_parties(policy), where),
        *_list_broken(_look_for_misplaced(policy, request_type), where),
        *_list_revocation_faults(policy.revocation, f"{where}.revocation"),
        *_list_revocation_faults(policy.revocation_for_duplicates, f"{where}.revocation_for_duplicates"),
        *_list_notification_faults(policy, f"{where}.notifications"),
        *list_password_faults(policy.one_time_passwords, f"{where}.one_time_passwords", request_type),
        *_list_item_faults(policy.data_items, f"{where}.data_items", patterns, managers_only=others_only),
    ]


def _list_limits(policy: Policy) -> Iterator[tuple[str, str, bool]]:
    limits = {
        "maximum_active_profiles": policy.maximum_active_profiles,
        "maximum_duplicates": policy.maximum_duplicates,
        "temporary_cards.maximum_issued": policy.temporary_cards.maximum_issued,
    }
    yield from ((name, "a limit may not be negative", limit < 0) for name, limit in limits.items())


def _list_parties(policy: Policy) -> Iterator[tuple[str, str, bool]]:
    parties = {"initiators": policy.initiators, "approvers": policy.approvers, "enrollment_agents": policy.enrollment_agents}
    detail = "everyone may not be named: name the people or groups"
    yield from ((name, detail, EVERYONE in trustees) for name, trustees in parties.items())


def list_approver_faults(policy: Policy, where: str, principals: Iterable[Principal]) -> list[Refused]:
    """Return that fewer people can approve than have to; accounts that are switched off approve nothing."""
    people = sum(each.user.enabled and bool(policy.approvers & each.sids) for each in principals)
    if policy.approvals_needed <= people:
        return []
    needed = count_of(policy.approvals_needed, "approval is needed", "approvals are needed")
    detail = f"{needed}, and {count_of(people, 'person', 'people')} can give one"
    return [DefinitionInvalid(f"{where}.approvals_needed", detail)]


def list_separation_faults(
    policy: Policy, where: str, principals: Iterable[Principal], *, takes_several: bool
) -> list[Refused]:
    """Return that too few people are there to give out keys of others: one starts it, others approve it, another executes it.

    Where there is self service, a subject starts it, who is not counted.

    Shape: *takes_several* as `policy_takes_several_people` says. By Hall's theorem there are enough people when each choice of
    roles has as many as it takes.
    """
    if not takes_several:
        return []
    enabled = [each for each in principals if each.user.enabled]
    initiators = () if policy.self_service else ((policy.initiators, 1),)
    roles = (*initiators, (policy.approvers, policy.approvals_needed), (policy.enrollment_agents, 1))
    for size in range(1, len(roles) + 1):
        for chosen in combinations(roles, size):
            named = frozenset[Sid]().union(*(trustees for trustees, _ in chosen))
            if sum(bool(named & each.sids) for each in enabled) < sum(count for _, count in chosen):
                detail = "too few people: keys for somebody else are asked for, approved and received by different ones"
                return [DefinitionInvalid(f"{where}.enrollment_agents", detail)]
    return []


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
                    detail = f"they hold each other: {' > '.join(ring)}"
                    faults.append(DefinitionInvalid(f"groups.{ring[0]}.members", detail))
                elif following not in finished:
                    path.append(following)
                    waiting.append(_list_groups_in(by_sid, following))
            else:
                finished.add(path.pop())
                waiting.pop()
    return faults


def _list_groups_in(by_sid: dict[Sid, Group], sid: Sid) -> list[Sid]:
    return sorted((each for each in by_sid[sid].members if each in by_sid), reverse=True)


def _look_for_misplaced(policy: Policy, request_type: RequestType) -> Iterable[tuple[str, str, bool]]:
    """Return the settings that mean nothing for the kind of request, each with whether it is made all the same."""
    yield (
        "reissue_archived_certificates",
        "only recover has it: renew issues every certificate anew, copies share what is archived",
        policy.reissue_archived_certificates and request_type is not RequestType.RECOVER,
    )
    yield (
        "revocation",
        "a hold counts at once, and has no reason to choose",
        request_type is RequestType.SUSPEND_OR_REINSTATE and _is_chosen(policy.revocation),
    )


def _is_chosen(settings: RevocationSettings) -> bool:
    return settings.allow_specify_reason or settings.allow_specify_delay or bool(settings.delay)


def _has_initiator(policy: Policy) -> bool:
    return policy.self_service or bool(policy.initiators)


def _list_broken(found: Iterable[tuple[str, str, bool]], where: str) -> list[Refused]:
    """Return a fault for each key whose condition holds."""
    return [DefinitionInvalid(f"{where}.{key}", detail) for key, detail, is_broken in found if is_broken]


def _list_revocation_faults(settings: RevocationSettings, where: str) -> list[Refused]:
    found = (
        ("delay", f"from 0 to {LONGEST_DELAY.days} days are wanted", not timedelta() <= settings.delay <= LONGEST_DELAY),
        ("reason", "holds are for suspend and reinstate", settings.reason in _FOR_OPERATIONS),
    )
    return _list_broken(found, where)


def _list_notification_faults(policy: Policy, where: str) -> list[Refused]:
    """Return which notifications would reach nobody, or something that is no mailbox."""
    faults: list[Refused] = []
    if len(policy.notifications) > MOST_NOTIFICATIONS:
        faults.append(DefinitionInvalid(where, f"no more than {MOST_NOTIFICATIONS} notifications are sent"))
    for each in policy.notifications:
        place = f"{where}.{each.type}.to"
        is_for_secrets = each.type is NotificationType.DISTRIBUTE_SECRETS and each.template is not None
        if not each.to and not is_for_secrets:
            faults.append(DefinitionInvalid(place, "somebody is to be told"))
        strange = [name for name in each.to if name not in frozenset(Recipient) and find_address_fault(name)]
        wanted = f"neither one of {', '.join(Recipient)}, nor an address such as name@example.com"
        faults += [DefinitionInvalid(place, f"{name!r:.100} is {wanted}") for name in strange]
    return faults


def _list_item_faults(
    items: tuple[DataItemDefinition, ...], where: str, patterns: Patterns, *, managers_only: bool
) -> list[Refused]:
    faults: list[Refused] = [
        DefinitionInvalid(f"{where}.{name}", "this data item is defined twice")
        for name, times in Counter(each.name for each in items).items()
        if times > 1
    ]
    if len(items) > MOST_DATA_ITEMS:
        faults.append(DefinitionInvalid(where, f"no more than {MOST_DATA_ITEMS} data items are asked for"))
    for each in items:
        pattern_fault = patterns.find_fault(each.pattern) if each.pattern else None
        found = (
            ("name", "a data item has a name", not each.name.strip()),
            (
                "originator",
                "the subject has no part in it: only managers are asked",
                managers_only and each.originator is not DataItemOriginator.MANAGER,
            ),
            ("pattern", f"{pattern_fault}", pattern_fault is not None),
            (
                "default",
                "it would not be accepted as an answer",
                pattern_fault is None and bool(list_value_faults(each, each.default, patterns)),
            ),
        )
        faults += _list_broken(found, f"{where}.{each.name}")
    return faults
