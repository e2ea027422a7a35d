"""Who may do what to a request: the one list that decisions are taken from and that clients see as SDDL."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntFlag

from certwright.domain.grants import Grants, ObjectKind, Right
from certwright.domain.identities import Principal, Sid
from certwright.domain.policies import Policy

SERVICE_SID = Sid("S-1-5-18")
"""The account that the server itself acts as: Windows' name for the local system."""


class RequestPermission(IntFlag):
    """Bits of the access mask. Source: domain.md 5, letters as in its examples; the readings are inferred there."""

    NONE = 0
    EXECUTE = 0x1
    CANCEL = 0x2
    APPROVE = 0x4
    WRITE = 0x8
    DELETE = 0x10000
    READ = 0x20000


@dataclass(frozen=True, slots=True)
class Entry:
    """One access control entry; *reason* says why it is there."""

    trustee: Sid
    permissions: RequestPermission
    reason: str
    is_allowed: bool = True


@dataclass(frozen=True, slots=True)
class SecurityDescriptor:
    """Shape: *entries* in canonical order, refusals first, as in domain.md 5."""

    owner: Sid
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Everybody whom a request concerns."""

    originator: Principal
    target: Principal
    policy: Policy
    grants: Grants


def describe_request_security(parties: Parties) -> SecurityDescriptor:
    """Return the descriptor of the parties' request, in the order of the documented examples.

    Source: domain.md 5. We differ in one entry: the product lets everyone read every request, we do not.
    """
    return SecurityDescriptor(SERVICE_SID, tuple(_list_entries(parties)))


def _list_entries(parties: Parties) -> Iterator[Entry]:
    permission = RequestPermission
    originator, target = parties.originator.user.sid, parties.target.user.sid
    manage = permission.CANCEL | permission.WRITE | permission.READ
    everything = manage | permission.EXECUTE | permission.APPROVE | permission.DELETE
    for sid in dict.fromkeys((originator, target)):
        yield Entry(sid, permission.APPROVE, "nobody approves a request of his own", is_allowed=False)
    yield from _entries_for(parties.policy.initiators, manage, "initiators of the policy")
    yield from _entries_for(parties.policy.approvers, permission.APPROVE | permission.READ, "approvers of the policy")
    administrators = parties.grants.find_trustees(ObjectKind.SERVICE, "", Right.ADMINISTER)
    yield from _entries_for(administrators, permission.WRITE | permission.READ, "administrators of the service")
    yield Entry(SERVICE_SID, everything, "the server itself")
    yield Entry(originator, manage, "originator of the request")
    if parties.policy.enrollment_agent_required:
        yield from _entries_for(_find_agents(parties), permission.EXECUTE | permission.READ, "enrollment agents of the policy")
        yield Entry(target, manage, "subject of the request")
    else:
        yield Entry(target, manage | permission.EXECUTE, "subject of the request")


def _find_agents(parties: Parties) -> Iterable[Sid]:
    """Return the policy's agents who also hold the agent's right over the target: the product asks for both."""
    over_target = {
        sid
        for target_sid in parties.target.sids
        for sid in parties.grants.find_trustees(ObjectKind.PRINCIPAL, target_sid, Right.ENROLLMENT_AGENT)
    }
    return parties.policy.enrollment_agents & over_target


def _entries_for(trustees: Iterable[Sid], permissions: RequestPermission, reason: str) -> Iterator[Entry]:
    for sid in sorted(trustees):
        yield Entry(sid, permissions, reason)
