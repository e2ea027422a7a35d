"""Requests: the units of work of the workflow engine, and what may become of them."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, IntEnum, IntFlag
from typing import NewType
from uuid import UUID

from certwright.domain.data_items import DataItem, DataItemOriginator, Definitions, list_missing
from certwright.domain.errors import TransitionRefused
from certwright.domain.identities import UserId
from certwright.domain.policies import NO_CHOICES, Choices
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.profiles import ProfileId
from certwright.domain.request_types import RequestType
from certwright.domain.smartcards import SmartcardId
from certwright.domain.workflows import WORKFLOWS, Operation, Workflow

RequestId = NewType("RequestId", UUID)


class RequestStatus(IntEnum):
    """Source: domain.md 1.2."""

    APPROVED = 3
    DENIED = 4
    COMPLETED = 8
    FAILED = 9
    PENDING = 16
    CANCELED = 17
    EXECUTING = 18


class RequestAction(Enum):
    """What can be done to a request; the value completes the sentence "a request that is denied cannot ..."."""

    APPROVE = "be approved"
    APPROVE_FINALLY = "be approved finally"
    APPROVE_AGAIN = "be approved again"
    DENY = "be denied"
    EXECUTE = "be executed"
    COMPLETE = "be completed"
    CANCEL = "be canceled"
    ABANDON = "be abandoned"
    FAIL = "fail"
    SUPPLY_DATA = "take data items"


class RequestFlags(IntFlag):
    """Source: domain.md 1.3."""

    NONE = 0
    ENROLLMENT_AGENT = 1
    SMARTCARD = 2


class DataCollectionFlags(IntFlag):
    """Whose data items are in. Source: domain.md 1.4."""

    NONE = 0
    SUBSCRIBER_PROVIDED = 16
    CERTIFICATE_MANAGER_PROVIDED = 32


TRANSITIONS: dict[tuple[RequestStatus, RequestAction], RequestStatus] = {
    (RequestStatus.PENDING, RequestAction.APPROVE): RequestStatus.PENDING,
    (RequestStatus.PENDING, RequestAction.APPROVE_FINALLY): RequestStatus.APPROVED,
    (RequestStatus.PENDING, RequestAction.DENY): RequestStatus.DENIED,
    (RequestStatus.PENDING, RequestAction.SUPPLY_DATA): RequestStatus.PENDING,
    (RequestStatus.PENDING, RequestAction.CANCEL): RequestStatus.CANCELED,
    (RequestStatus.PENDING, RequestAction.ABANDON): RequestStatus.CANCELED,
    (RequestStatus.APPROVED, RequestAction.APPROVE_AGAIN): RequestStatus.APPROVED,
    (RequestStatus.APPROVED, RequestAction.EXECUTE): RequestStatus.EXECUTING,
    (RequestStatus.APPROVED, RequestAction.COMPLETE): RequestStatus.COMPLETED,
    (RequestStatus.APPROVED, RequestAction.SUPPLY_DATA): RequestStatus.APPROVED,
    (RequestStatus.APPROVED, RequestAction.CANCEL): RequestStatus.CANCELED,
    (RequestStatus.APPROVED, RequestAction.ABANDON): RequestStatus.CANCELED,
    (RequestStatus.EXECUTING, RequestAction.APPROVE_AGAIN): RequestStatus.EXECUTING,
    (RequestStatus.EXECUTING, RequestAction.EXECUTE): RequestStatus.EXECUTING,
    (RequestStatus.EXECUTING, RequestAction.COMPLETE): RequestStatus.COMPLETED,
    (RequestStatus.EXECUTING, RequestAction.CANCEL): RequestStatus.CANCELED,
    (RequestStatus.EXECUTING, RequestAction.ABANDON): RequestStatus.CANCELED,
    (RequestStatus.EXECUTING, RequestAction.FAIL): RequestStatus.FAILED,
}
"""Every move there is. Source: domain.md 4.1 and the decisions at its end. Ours: a request whose approvals no longer count can
be approved again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request keeps the version of the profile template that it was created under.

    Shape: *profile_id* is the profile that the request makes or changes in place, *old_profile_id* the one that it is about;
    *smartcard_id* and *old_smartcard_id* are the cards that these are on.
    """

    id: RequestId
    operation: Operation
    status: RequestStatus
    flags: RequestFlags
    template_id: ProfileTemplateId
    template_version: int
    originator_id: UserId
    target_id: UserId
    submitted: datetime
    completed: datetime | None = None
    priority: int = 0
    comment: str = ""
    data: tuple[DataItem, ...] = ()
    data_flags: DataCollectionFlags = DataCollectionFlags.NONE
    profile_id: ProfileId | None = None
    old_profile_id: ProfileId | None = None
    smartcard_id: SmartcardId | None = None
    old_smartcard_id: SmartcardId | None = None
    choices: Choices = NO_CHOICES

    @property
    def type(self) -> RequestType:
        """Return the kind of request, as the wire numbers it."""
        return self.workflow.request_type

    @property
    def workflow(self) -> Workflow:
        """Return what the operation asks and does."""
        return WORKFLOWS[self.operation]

    @property
    def makes_profile(self) -> bool:
        """Return whether a profile comes of it that was not there before."""
        return self.workflow.new_flags is not None

    @property
    def needs_card(self) -> bool:
        """Return whether certificates come of it that are for a card; keys that are read for somebody else need none."""
        return RequestFlags.SMARTCARD in self.flags and self.workflow.delivers and not self.workflow.is_for_somebody_else

    @property
    def is_open(self) -> bool:
        """Return whether it can still become something else."""
        return self.status in OPEN_STATUSES

    @property
    def is_data_complete(self) -> bool:
        """Return whether both sides have given their items."""
        both = DataCollectionFlags.SUBSCRIBER_PROVIDED | DataCollectionFlags.CERTIFICATE_MANAGER_PROVIDED
        return self.data_flags & both == both


def advance(request: Request, action: RequestAction) -> Request:
    """Return *request* as *action* leaves it.

    Errors: TransitionRefused when the table has no such move.
    """
    following = TRANSITIONS.get((request.status, action))
    if following is None:
        raise TransitionRefused(request.status.name.lower(), action.value)
    return replace(request, status=following)


OPEN_STATUSES = frozenset(status for status, _ in TRANSITIONS)
"""Where a request can still become something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    """Which requests are listed.

    Shape: those of which *concerning* is originator or target, of which *target* is the target, or that are under one of
    *templates*; when none of these is said, everybody's. Of *statuses*, or of any.
    """

    concerning: UserId | None = None
    target: UserId | None = None
    templates: frozenset[ProfileTemplateId] = frozenset()
    statuses: frozenset[RequestStatus] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One approver's yes; he counts once."""

    request_id: RequestId
    approver_id: UserId
    at: datetime
    comment: str = ""


def find_data_flags(definitions: Definitions, data: tuple[DataItem, ...]) -> DataCollectionFlags:
    """Return whose items are in.

    Source: domain.md 1.4. The documented requests without any item carry the manager's bit alone, also when they are
    completed; so the subscriber's bit stands for items that were given, not for a policy that asks for none.
    """
    manager, subscriber = frozenset({DataItemOriginator.MANAGER}), frozenset({DataItemOriginator.SUBSCRIBER})
    asked = {each.name for each in definitions if each.originator is DataItemOriginator.SUBSCRIBER}
    flags = DataCollectionFlags.NONE
    if not list_missing(definitions, data, sides=manager):
        flags |= DataCollectionFlags.CERTIFICATE_MANAGER_PROVIDED
    if any(each.name in asked for each in data) and not list_missing(definitions, data, sides=subscriber):
        flags |= DataCollectionFlags.SUBSCRIBER_PROVIDED
    return flags
