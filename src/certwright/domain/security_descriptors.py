"""Who may do what to a request: the one list that decisions are taken from and that clients see as SDDL."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntFlag

from certwright.domain.grants import Grants, ObjectKind, Right
from certwright.domain.identities import Principal, Sid
from certwright.domain.policies import Policy
from certwright.domain.workflows import Workflow

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


_MANAGE = RequestPermission.CANCEL | RequestPermission.WRITE | RequestPermission.READ
_EXECUTE = RequestPermission.EXECUTE | RequestPermission.READ
_APPROVE = RequestPermission.APPROVE | RequestPermission.READ
_WATCH = RequestPermission.WRITE | RequestPermission.READ
_EVERYTHING = _MANAGE | _EXECUTE | _APPROVE | RequestPermission.DELETE


@dataclass(frozen=True, slots=True)
class Entry:
    """One access control entry; *reason* says why it is there: who is allowed, or what is refused.

    Shape: it is about whoever has *trustee* among his SIDs and, unless *also_one_of* is empty, one of these too. SDDL of the
    documented form cannot say the second, so clients see the first alone. *shown_only* are those of *permissions* that clients
    see, as in the documented descriptors, and that allow nothing.
    """

    trustee: Sid
    permissions: RequestPermission
    reason: str
    is_allowed: bool = True
    also_one_of: frozenset[Sid] = frozenset()
    shown_only: RequestPermission = RequestPermission.NONE

    def decides(self, permission: RequestPermission) -> bool:
        """Return whether the entry allows or refuses *permission*."""
        return permission in self.permissions & ~self.shown_only

    def is_about(self, sids: frozenset[Sid]) -> bool:
        """Return whether somebody with *sids* is meant."""
        return self.trustee in sids and (not self.also_one_of or not self.also_one_of.isdisjoint(sids))


@dataclass(frozen=True, slots=True)
class SecurityDescriptor:
    """Shape: *entries* in canonical order, refusals first, as in domain.md 5."""

    owner: Sid
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Everybody whom a request concerns.

    Shape: *template_name* is the one under which grants name the profile template; *takes_several_people* says that it gives
    somebody the keys of another; *approved_by* are the SIDs of those who have approved it, looked up where that keeps them from
    executing it.
    """

    originator: Principal
    target: Principal
    workflow: Workflow
    policy: Policy
    template_name: str
    grants: Grants
    takes_several_people: bool = False
    approved_by: frozenset[Sid] = frozenset()


def describe_request_security(parties: Parties) -> SecurityDescriptor:
    """Return the descriptor of the parties' request, in the order of the documented examples.

    What delivers nothing (Revoke, Suspend, Reinstate, Retire) is executed by the subject or the originator. Keys of another
    person are given out by three people: one starts the request, another approves it, a third executes it.

    Source: domain.md 3 (Approve), 5, and the decision "Completed". We differ in two entries: the product lets everyone read
    every request, we do not; that recovery takes three people is ours.
    """
    return SecurityDescriptor(SERVICE_SID, tuple(_list_entries(parties)))


def _list_entries(parties: Parties) -> Iterator[Entry]:
    originator, target = parties.originator.user.sid, parties.target.user.sid
    for sid in dict.fromkeys((originator, target)):
        yield Entry(sid, RequestPermission.APPROVE, "nobody approves a request of his own", is_allowed=False)
    if parties.takes_several_people:
        yield from _refuse_executing(originator, "it is not executed by the one who started it")
        for sid in sorted(parties.approved_by):
            yield from _refuse_executing(sid, "it is not executed by one who approved it")
    yield from _entries_for(parties.policy.initiators, _MANAGE, "one of the policy's initiators")
    yield from _list_approvers(parties)
    administrators = parties.grants.find_trustees(ObjectKind.SERVICE, "", Right.ADMINISTER)
    for sid in sorted(administrators):
        # What the documented SW of administrators is for is not known; answers come from those who take part in a request.
        reason = "an administrator of the service"
        yield Entry(sid, _WATCH, reason, shown_only=RequestPermission.WRITE)
    yield Entry(SERVICE_SID, _EVERYTHING, "the server itself")
    yield Entry(originator, _MANAGE if parties.workflow.delivers else _MANAGE | _EXECUTE, "the originator of the request")
    if parties.policy.enrollment_agent_required:
        yield from _list_agents(parties)
        yield Entry(target, _MANAGE, "the subject of the request")
    else:
        yield Entry(target, _MANAGE | _EXECUTE, "the subject of the request")


def _refuse_executing(sid: Sid, reason: str) -> Iterator[Entry]:
    yield Entry(sid, RequestPermission.EXECUTE, reason, is_allowed=False)


def _list_approvers(parties: Parties) -> Iterator[Entry]:
    """Return the policy's approvers, as far as they may also read the template: the product asks for both."""
    readers = parties.grants.find_trustees(ObjectKind.PROFILE_TEMPLATE, parties.template_name, Right.READ)
    if readers:
        for sid in sorted(parties.policy.approvers):
            yield Entry(sid, _APPROVE, "one of the policy's approvers with read on the profile template", also_one_of=readers)


def _list_agents(parties: Parties) -> Iterator[Entry]:
    """Return the policy's agents, as far as they also hold the agent's right over the target: the product asks for both.

    The policy may name a group and the right another: what counts is that the person is in both.
    """
    rights = (parties.grants.find_trustees(ObjectKind.PRINCIPAL, sid, Right.ENROLLMENT_AGENT) for sid in parties.target.sids)
    over_target = frozenset[Sid]().union(*rights)
    if over_target:
        for sid in sorted(parties.policy.enrollment_agents):
            yield Entry(
                sid, _EXECUTE, "one of the policy's enrollment agents with that right over the subject", also_one_of=over_target
            )


def _entries_for(trustees: Iterable[Sid], permissions: RequestPermission, reason: str) -> Iterator[Entry]:
    for sid in sorted(trustees):
        yield Entry(sid, permissions, reason)
