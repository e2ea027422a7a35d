"""A policy that waits for somebody must say for whom."""

from certwright.domain.errors import DefinitionInvalid, Refused
from certwright.domain.policies import LOWEST_PRIORITY, Policy


def list_policy_faults(policy: Policy, where: str) -> list[Refused]:
    """Return why requests under *policy* could never be started, approved or executed.

    Source: domain.md 2.8: approvals need approvers, agents are named, and a priority is a byte.
    """
    found = {
        "nobody can start a request: neither self service nor initiators": not (policy.self_service or policy.initiators),
        "approvals are needed, but no approvers are named": policy.approvals_needed > 0 and not policy.approvers,
        "the number of approvals may not be negative": policy.approvals_needed < 0,
        "an enrollment agent is required, but none is named": policy.enrollment_agent_required and not policy.enrollment_agents,
        f"default_priority: a number from 0 to {LOWEST_PRIORITY} is wanted": not 0
        <= policy.default_priority
        <= LOWEST_PRIORITY,
        "a data item is defined twice": len({each.name for each in policy.data_items}) < len(policy.data_items),
    }
    return [DefinitionInvalid(where, detail) for detail, is_broken in found.items() if is_broken]
