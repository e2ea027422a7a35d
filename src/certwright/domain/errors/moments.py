"""Questions that are well formed, but not now."""

from dataclasses import dataclass
from uuid import UUID

from certwright.domain.errors.tree import Refused


class WrongState(Refused):
    """The question is well formed, but not now."""


@dataclass(eq=False)
class TransitionRefused(WrongState):
    """The table of moves has none for this action from this status."""

    code = "transition-refused"
    sentence = "A request that is {status} cannot {action}."
    status: str
    action: str


@dataclass(eq=False)
class ChangedMeanwhile(WrongState):
    """Somebody was first; reading again shows what they did."""

    code = "changed-meanwhile"
    sentence = "The {kind} was changed by somebody else at the same moment: read it again."
    kind: str


@dataclass(eq=False)
class PlaceTaken(WrongState):
    """A place that has its certificate was posted with another certificate request; *number* counts from 1."""

    code = "place-taken"
    sentence = "Certificate request {number} differs from the one that was already answered: repeat that one."
    number: int


@dataclass(eq=False)
class CertificatesMissing(WrongState):
    """A request cannot be completed before all its certificates are delivered."""

    code = "certificates-missing"
    sentence = "The request is not complete: certificates delivered: {delivered} of {planned}."
    delivered: int
    planned: int


@dataclass(eq=False)
class OpenRequestsExhausted(WrongState):
    """As many requests are open as one person may have open for somebody under one profile template."""

    code = "open-requests-exhausted"
    sentence = "You have {limit} open requests of {template} for this person, as many as are allowed: complete or cancel some."
    template: str
    limit: int


@dataclass(eq=False)
class ProfilesExhausted(WrongState):
    """The policy allows no further active profile."""

    code = "profiles-exhausted"
    sentence = "The subject already has {limit} active profiles of {template}, as many as its policy allows."
    template: str
    limit: int


@dataclass(eq=False)
class ProfileStateRefused(WrongState):
    """The table of workflows has no such operation for a profile in that state."""

    code = "profile-state-refused"
    sentence = "The operation {operation} is not for a profile that is {state}."
    operation: str
    state: str


@dataclass(eq=False)
class RequestAlreadyOpen(WrongState):
    """The same is asked for already, and not yet answered."""

    code = "request-already-open"
    sentence = "The request {request_id} asks for {operation} of this profile already: execute it, or cancel it first."
    operation: str
    request_id: UUID


@dataclass(eq=False)
class AlreadyApproved(WrongState):
    """An approver counts once."""

    code = "already-approved"
    sentence = "You have approved this request already: it takes another approver."


@dataclass(eq=False)
class ApprovalsMissing(WrongState):
    """An approval counts while its approver is enabled and may still give it; recovery for others takes at least one."""

    code = "approvals-missing"
    sentence = (
        "{given} of {needed} approvals count (those of approvers who are disabled, or may not approve any more, do not): "
        "another approver has to approve the request first."
    )
    given: int
    needed: int


class AnswersApproved(WrongState):
    """An approval is for what was answered when it was given."""

    code = "answers-approved"
    sentence = "The request was approved with the answers that it has: what somebody approved stays as it was."


@dataclass(eq=False)
class NothingArchived(WrongState):
    """There is no archived key to recover."""

    code = "nothing-archived"
    sentence = "No key of this profile is archived: there is nothing to recover."


@dataclass(eq=False)
class DuplicatesExhausted(WrongState):
    """The policy allows no further duplicate."""

    code = "duplicates-exhausted"
    sentence = "The profile already has as many duplicates as its policy allows: {limit}."
    limit: int


@dataclass(eq=False)
class DeliversNothing(WrongState):
    """A request that certificates do not come of."""

    code = "delivers-nothing"
    sentence = "No certificates come of the operation {operation}: it takes effect when the request is completed."
    operation: str


@dataclass(eq=False)
class DataIncomplete(WrongState):
    """A request cannot go on before its data items are in."""

    code = "data-incomplete"
    sentence = "The request lacks the data items {items}: supply them first."
    items: str


class NoOneTimePasswords(WrongState):
    """The policy has no one-time passwords, or the subject has started the request himself."""

    code = "no-one-time-passwords"
    sentence = "The request needs no one-time passwords."


@dataclass(eq=False)
class OneTimePasswordsOver(WrongState):
    """There is nothing that could be presented, or handed out again; *state* says why."""

    code = "one-time-passwords-over"
    sentence = (
        "The one-time passwords of the request are {state}: while they are not used, an approver or the initiator can "
        "distribute new ones."
    )
    state: str


@dataclass(eq=False)
class OneTimePasswordsUndeliverable(WrongState):
    """A one-time password that is to be mailed reaches nobody."""

    code = "one-time-passwords-undeliverable"
    sentence = "The one-time passwords cannot be delivered: {reason}."
    reason: str


@dataclass(eq=False)
class GroupInUse(WrongState):
    """A group cannot be deleted while something means it. Shape: *uses* says what, in words."""

    code = "group-in-use"
    sentence = "The group {group} cannot be deleted: {uses}. Remove it there first."
    group: str
    uses: str


@dataclass(eq=False)
class TemplateInUse(WrongState):
    """A profile template cannot be withdrawn while people rely on it."""

    code = "template-in-use"
    sentence = "The profile template {template} is in use. End its requests ({requests}) and profiles ({profiles}) first."
    template: str
    requests: int
    profiles: int
