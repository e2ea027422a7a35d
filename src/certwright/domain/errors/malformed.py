"""Questions that cannot be read, or lack a part."""

from dataclasses import dataclass

from certwright.domain.errors.tree import Refused


class Malformed(Refused):
    """The question itself cannot be read, or lacks a part."""


@dataclass(eq=False)
class MalformedBody(Malformed):
    """The body of a call is no JSON, or not of the wanted shape."""

    code = "malformed-body"
    sentence = "The body is not what this call takes: {detail}."
    detail: str


@dataclass(eq=False)
class MalformedValue(Malformed):
    """One value, named by its *field*, cannot be read."""

    code = "malformed-value"
    sentence = "{field}: {detail}."
    field: str
    detail: str


@dataclass(eq=False)
class TextTooLong(Malformed):
    """A text would not fit where it is kept."""

    code = "text-too-long"
    sentence = "{field} is longer than {limit_characters} characters."
    field: str
    limit_characters: int


@dataclass(eq=False)
class PriorityNotCollected(Malformed):
    """A priority where the policy asks for none."""

    code = "priority-not-collected"
    sentence = "The policy of {template} collects no priority: leave it out."
    template: str


@dataclass(eq=False)
class ValidationDataRequired(Malformed):
    """A required question was not answered. Source: ClmValidationDataRequiredException in domain.md, correction 9."""

    code = "validation-data-required"
    sentence = "The data item {item!r:.100} is required."
    item: str


@dataclass(eq=False)
class DataItemUnknown(Malformed):
    """An answer to a question that was not asked."""

    code = "data-item-unknown"
    sentence = "The policy collects no data item {item!r:.100}."
    item: str


@dataclass(eq=False)
class DataItemRepeated(Malformed):
    """Two answers to one question."""

    code = "data-item-repeated"
    sentence = "The data item {item!r:.100} is given more than once."
    item: str


@dataclass(eq=False)
class ValidationDataType(Malformed):
    """An answer that is not of the type of its data item; the answer is not repeated.

    Source: ClmValidationDataTypeException in domain.md, correction 9.
    """

    code = "validation-data-type"
    sentence = "The data item {item} is not accepted: {detail}."
    item: str
    detail: str


@dataclass(eq=False)
class ValidationRegularExpression(Malformed):
    """An answer that its data item's regular expression does not match; the answer is not repeated.

    Source: ClmValidationRegularExpressionException in domain.md, correction 9.
    """

    code = "validation-regular-expression"
    sentence = "The data item {item} is not accepted: it does not match {pattern}."
    item: str
    pattern: str


@dataclass(eq=False)
class DataItemNotYours(Malformed):
    """An answer to a question that is put to the other side."""

    code = "data-item-not-yours"
    sentence = "The data item {item} is for the {originator} to answer."
    item: str
    originator: str


@dataclass(eq=False)
class ChoiceNotOffered(Malformed):
    """A choice that the policy keeps to itself."""

    code = "choice-not-offered"
    sentence = "{field}: the policy of {template} decides this: leave it out."
    field: str
    template: str
