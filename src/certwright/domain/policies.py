"""Policies: for each kind of request, who may start, approve and run it, and what is asked of them.

Source: domain.md 2.8 and 2.9; field names that are marked there as proposals are ours.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from certwright.domain.errors import (
    CommentNotCollected,
    DataItemMissing,
    DataItemRepeated,
    DataItemUnknown,
    MalformedValue,
    PriorityNotCollected,
    Refused,
    TextTooLong,
    check_none_broken,
)
from certwright.domain.identities import Sid
from certwright.domain.revocation import RevocationSettings

COMMENT_LIMIT_CHARACTERS = 4_000
ITEM_LIMIT_CHARACTERS = 4_000
REPORTED_UNKNOWN_ITEMS = 20
"""Ten thousand unknown items get an answer of one screen."""
LOWEST_PRIORITY = 255
"""Priority is a byte; 0 is the highest (domain.md 2.1)."""


class DataItemOriginator(StrEnum):
    """Who answers a question: the one who starts or approves the request, or its subject."""

    MANAGER = "manager"
    SUBSCRIBER = "subscriber"


@dataclass(frozen=True, slots=True)
class DataItem:
    """An answer to one of the questions that a policy asks; None where it was left open."""

    name: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataItemDefinition:
    """A question that a policy asks. Source: the template side of DataCollectionItem, domain.md 2.8."""

    name: str
    description: str = ""
    required: bool = False
    originator: DataItemOriginator = DataItemOriginator.SUBSCRIBER


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of one kind of request in one profile template.

    Shape: *initiators*, *approvers* and *enrollment_agents* are SIDs of users or groups; self service comes on top.
    The settings below *data_items* mean something only to the kinds of request that domain.md 2.9 lists them for.
    """

    enabled: bool = True
    self_service: bool = False
    approvals_needed: int = 0
    initiators: frozenset[Sid] = frozenset()
    approvers: frozenset[Sid] = frozenset()
    enrollment_agents: frozenset[Sid] = frozenset()
    enrollment_agent_required: bool = False
    collect_comments: bool = True
    collect_priority: bool = True
    default_priority: int = 0
    data_items: tuple[DataItemDefinition, ...] = ()
    maximum_active_profiles: int = 0
    reissue_archived_certificates: bool = False
    revocation: RevocationSettings = RevocationSettings()
    revocation_for_duplicates: RevocationSettings = RevocationSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What an initiator gives with a request; None where the policy's default is to hold."""

    comment: str = ""
    priority: int | None = None
    data: tuple[DataItem, ...] = ()


def list_broken_by_answers(
    policy: Policy, answers: Answers, template_name: str, *, required_of: frozenset[DataItemOriginator]
) -> list[Refused]:
    """Return every way in which *answers* do not fit what *policy* collects; an empty list when they do.

    Items that *required_of* does not name may come later, from the other side.
    """
    broken = list_text_faults("comment", answers.comment, COMMENT_LIMIT_CHARACTERS)
    if answers.comment and not policy.collect_comments:
        broken.append(CommentNotCollected(template_name))
    if answers.priority is not None and not policy.collect_priority:
        broken.append(PriorityNotCollected(template_name))
    if answers.priority is not None and not 0 <= answers.priority <= LOWEST_PRIORITY:
        broken.append(MalformedValue("priority", f"a number from 0 to {LOWEST_PRIORITY} is wanted"))
    return broken + _list_broken_by_items(policy, answers.data, required_of)


def list_text_faults(field: str, text: str, limit_characters: int) -> list[Refused]:
    """Return why *text* cannot be kept: its length, or the NUL character, which some databases take for an end."""
    faults: list[Refused] = []
    if len(text) > limit_characters:
        faults.append(TextTooLong(field, limit_characters))
    if "\0" in text:
        faults.append(MalformedValue(field, "it has a NUL character"))
    return faults


def check_comment(field: str, comment: str) -> None:
    """Raise unless *comment* can go into the history.

    Errors: TextTooLong; MalformedValue.
    """
    check_none_broken(list_text_faults(field, comment, COMMENT_LIMIT_CHARACTERS))


def _list_broken_by_items(
    policy: Policy, data: tuple[DataItem, ...], required_of: frozenset[DataItemOriginator]
) -> list[Refused]:
    known = {definition.name for definition in policy.data_items}
    counted = Counter(item.name for item in data)
    given = {item.name for item in data if item.value}
    required = [each.name for each in policy.data_items if each.required and each.originator in required_of]
    return [
        *[DataItemUnknown(name) for name in counted if name not in known][:REPORTED_UNKNOWN_ITEMS],
        *[DataItemRepeated(name) for name, times in counted.items() if times > 1 and name in known],
        *[DataItemMissing(name) for name in required if name not in given],
        *[fault for each in data if each.name in known for fault in _list_value_faults(each)],
    ]


def _list_value_faults(item: DataItem) -> list[Refused]:
    return list_text_faults(item.name, item.value or "", ITEM_LIMIT_CHARACTERS)
