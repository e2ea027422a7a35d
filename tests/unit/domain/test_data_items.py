"""What counts as an answer to a data item."""

import pytest

from certwright.adapters.patterns import Re2Patterns
from certwright.domain.data_items import (
    DataItem,
    DataItemDefinition,
    DataItemOriginator,
    DataItemType,
    list_broken_by_items,
    list_value_faults,
    merge_items,
)
from certwright.domain.errors import DataItemInvalid, DataItemNotYours, MalformedValue

BOTH = frozenset(DataItemOriginator)
PATTERNS = Re2Patterns()


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (DataItemType.NUMBER, ["0", "-17", "007"], ["", "1.5", "--1", "1e3", "\u0661"]),
        (DataItemType.DATE, ["2026-11-24", "2024-02-29"], ["2025-02-29", "24.11.2026", "20261124", "2026-11-24T00:00"]),
        (DataItemType.BOOLEAN, ["true", "false"], ["True", "1", "yes"]),
    ],
)
def test_an_answer_has_the_form_of_its_type(kind: DataItemType, good: list[str], bad: list[str]) -> None:
    definition = DataItemDefinition(name="item", type=kind)
    assert [value for value in good if list_value_faults(definition, value, PATTERNS)] == []
    assert [value for value in bad if value and not list_value_faults(definition, value, PATTERNS)] == []


@pytest.mark.parametrize(("value", "fits"), [("4711", True), ("471", False), ("47111", False), ("x4711", False)])
def test_a_pattern_is_for_the_whole_answer(value: str, fits: bool) -> None:
    definition = DataItemDefinition(name="Cost Centre", pattern="[0-9]{4}")
    faults = list_value_faults(definition, value, PATTERNS)
    assert (faults == []) is fits
    assert not any(value in each.text for each in faults if value != "471")


def test_an_expression_that_blows_up_elsewhere_answers_at_once() -> None:
    # Python's own engine would take longer than the age of the universe for this one.
    definition = DataItemDefinition(name="item", pattern="(a+)+$")
    (fault,) = list_value_faults(definition, "a" * 3_999 + "b", PATTERNS)
    assert isinstance(fault, DataItemInvalid)


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?=a)a", "(", "[", "a{2000}", "x" * 1_001])
def test_what_re2_does_not_take_is_refused_with_a_reason(pattern: str) -> None:
    assert PATTERNS.find_fault(pattern)
    with pytest.raises(MalformedValue):
        PATTERNS.is_match(pattern, "a")


def test_an_answer_of_the_other_side_is_refused() -> None:
    definitions = (DataItemDefinition(name="Cost Centre", originator=DataItemOriginator.MANAGER),)
    given = (DataItem("Cost Centre", "4711"),)
    subscriber = frozenset({DataItemOriginator.SUBSCRIBER})
    (fault,) = list_broken_by_items(definitions, given, sides=subscriber, patterns=PATTERNS)
    assert isinstance(fault, DataItemNotYours)


def test_answers_are_merged_by_name_and_defaults_fill_what_is_open() -> None:
    definitions = (
        DataItemDefinition(name="a", default="1"),
        DataItemDefinition(name="b", sensitive=True),
        DataItemDefinition(name="c", default="3", originator=DataItemOriginator.MANAGER),
    )
    merged = merge_items(definitions, (DataItem("b", "old"),), (DataItem("b", "new"), DataItem("a", "")), sides=BOTH)
    assert [(each.name, each.value, each.is_sensitive) for each in merged] == [
        ("b", "new", True),
        ("a", "1", False),
        ("c", "3", False),
    ]


def test_no_answer_shows_where_an_item_is_printed() -> None:
    assert "31337" not in repr(DataItem("Badge", "31337", is_sensitive=True))
