"""Data collection: the questions that a policy asks, who answers them, and what counts as an answer.

Source: DataCollectionItem in domain.md 2.8; what is marked as a proposal there is ours.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import islice
from typing import Protocol

from certwright.domain.errors import (
    DataItemNotYours,
    DataItemRepeated,
    DataItemUnknown,
    MalformedValue,
    Refused,
    TextTooLong,
    ValidationDataRequired,
    ValidationDataType,
    ValidationRegularExpression,
)

ITEM_LIMIT_CHARACTERS = 4_000
REPORTED_ITEMS = 20
"""Ten thousand wrong items get an answer of one screen."""


class DataItemOriginator(StrEnum):
    """Who answers a question: the one who starts or approves the request, or its subject."""

    MANAGER = "manager"
    SUBSCRIBER = "subscriber"


class DataItemType(StrEnum):
    """What an answer is. Shape: numbers are whole, dates ``YYYY-MM-DD``, a boolean is ``true`` or ``false``."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class DataItem:
    """An answer to one of the questions that a policy asks; None where it was left open.

    Shape: the store encrypts what *is_sensitive*; no answer shows where the item is printed for a log.
    """

    name: str
    value: str | None = field(repr=False)
    is_sensitive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DataItemDefinition:
    """A question that a policy asks.

    Shape: *pattern* is a regular expression of RE2 for the whole answer, empty for any; *default* answers for who does not.
    """

    name: str
    description: str = ""
    type: DataItemType = DataItemType.TEXT
    required: bool = False
    originator: DataItemOriginator = DataItemOriginator.SUBSCRIBER
    pattern: str = ""
    default: str | None = None
    sensitive: bool = False


class Patterns(Protocol):
    """Regular expressions whose cost grows with the text alone, whatever the expression."""

    def is_match(self, pattern: str, text: str) -> bool:
        """Return whether *pattern* matches the whole of *text*. Errors: MalformedValue for a pattern that is none."""

    def find_fault(self, pattern: str) -> str | None:
        """Return why *pattern* cannot be used."""


Definitions = tuple[DataItemDefinition, ...]
Sides = frozenset[DataItemOriginator]


def list_broken_by_items(
    definitions: Definitions, given: tuple[DataItem, ...], *, sides: Sides, patterns: Patterns
) -> list[Refused]:
    """Return in which ways the answers of *sides* are none; what is missing is asked of `list_missing`.

    Shape: of items that nobody asked for, and of values that do not fit, at most `REPORTED_ITEMS` each.
    """
    known = {each.name: each for each in definitions}
    counted = Counter(each.name for each in given)
    return [
        *[DataItemUnknown(name) for name in counted if name not in known][:REPORTED_ITEMS],
        *[DataItemRepeated(name) for name, times in counted.items() if times > 1 and name in known],
        *[
            DataItemNotYours(name, known[name].originator.value)
            for name in counted
            if name in known and known[name].originator not in sides
        ],
        *islice(_find_value_faults(known, given, patterns), REPORTED_ITEMS),
    ]


def list_value_faults(definition: DataItemDefinition, value: str | None, patterns: Patterns) -> list[Refused]:
    """Return why *value* does not answer *definition*; nothing for an open answer. What was answered is not told."""
    if not value:
        return []
    if faults := list_text_faults(definition.name, value, ITEM_LIMIT_CHARACTERS):
        return faults
    wanted = _find_form_fault(definition.type, value)
    if wanted is not None:
        return [ValidationDataType(definition.name, wanted)]
    if definition.pattern and not patterns.is_match(definition.pattern, value):
        return [ValidationRegularExpression(definition.name, definition.pattern)]
    return []


def merge_items(
    definitions: Definitions, before: Iterable[DataItem], given: Iterable[DataItem], *, sides: Sides
) -> tuple[DataItem, ...]:
    """Return *before* with what was *given* in it, and the defaults of *sides* for what nobody answered.

    Shape: each name once, in the order in which it came first.
    """
    sensitive = {each.name for each in definitions if each.sensitive}
    answers = {each.name: each.value for each in before} | {each.name: each.value for each in given}
    for each in definitions:
        if each.default is not None and each.originator in sides and not answers.get(each.name):
            answers[each.name] = each.default
    return tuple(DataItem(name, value, name in sensitive) for name, value in answers.items())


def list_items(definitions: Definitions, data: tuple[DataItem, ...]) -> tuple[DataItem, ...]:
    """Return every item that the policy collects, in its order, with its answer in *data*, or with None.

    Source: domain.md, correction 4: a request has the policy's items from the start.
    """
    answers = {each.name: each for each in data}
    return tuple(answers.get(each.name, DataItem(each.name, None, each.sensitive)) for each in definitions)


def list_missing(definitions: Definitions, data: Iterable[DataItem], *, sides: Sides) -> list[Refused]:
    """Return the required items of *sides* that *data* does not answer."""
    answered = {each.name for each in data if each.value}
    wanted = [each.name for each in definitions if each.required and each.originator in sides]
    return [ValidationDataRequired(name) for name in wanted if name not in answered]


def list_text_faults(field_name: str, text: str, limit_characters: int) -> list[Refused]:
    """Return why *text* cannot be kept: its length, or the NUL character, which some databases take for an end."""
    faults: list[Refused] = []
    if len(text) > limit_characters:
        faults.append(TextTooLong(field_name, limit_characters))
    if "\0" in text:
        faults.append(MalformedValue(field_name, "it has a NUL character"))
    return faults


def _find_value_faults(
    known: Mapping[str, DataItemDefinition], given: tuple[DataItem, ...], patterns: Patterns
) -> Iterator[Refused]:
    for each in given:
        if each.name in known:
            yield from list_value_faults(known[each.name], each.value, patterns)


def _find_form_fault(wanted: DataItemType, value: str) -> str | None:
    match wanted:
        case DataItemType.NUMBER:
            digits = value.removeprefix("-")
            return None if digits.isascii() and digits.isdigit() else "a whole number is wanted"
        case DataItemType.DATE:
            return None if _is_date(value) else "a date of the form YYYY-MM-DD is wanted"
        case DataItemType.BOOLEAN:
            return None if value in ("true", "false") else "true or false is wanted"
        case DataItemType.TEXT:
            return None


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
