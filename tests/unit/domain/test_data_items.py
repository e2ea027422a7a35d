"""What counts as an answer to a data item."""

import pytest

from certwright.adapters.patterns import Re2Patterns
from certwright.domain.data_items import (
    ITEM_LIMIT_CHARACTERS,
    REPORTED_ITEMS,
    DataItem,
    DataItemDefinition,
    DataItemOriginator,
    DataItemType,
    list_broken_by_items,
    list_items,
    list_missing,
    list_value_faults,
    merge_items,
)
from certwright.domain.errors import (
    DataItemNotYours,
    DataItemRepeated,
    ValidationDataRequired,
    ValidationDataType,
    ValidationRegularExpression,
)

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
    found = [list_value_faults(definition, value, PATTERNS) for value in bad if value]
    assert [[type(each) for each in faults] for faults in found] == [[ValidationDataType]] * len(found)


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
    assert isinstance(fault, ValidationRegularExpression)


@pytest.mark.parametrize("value", ["x", "x" * (ITEM_LIMIT_CHARACTERS + 1)], ids=["wrong form", "too long"])
def test_ten_thousand_wrong_answers_to_one_item_get_an_answer_of_one_screen(value: str) -> None:
    definitions = (DataItemDefinition(name="Badge", type=DataItemType.NUMBER),)
    broken = list_broken_by_items(definitions, (DataItem("Badge", value),) * 10_000, sides=BOTH, patterns=PATTERNS)
    assert [type(each) for each in broken].count(DataItemRepeated) == 1
    assert len(broken) == REPORTED_ITEMS + 1


def test_ten_thousand_fitting_answers_to_as_many_items_break_nothing() -> None:
    definitions = tuple(DataItemDefinition(name=f"item {number}", pattern="[0-9]+") for number in range(10_000))
    given = tuple(DataItem(each.name, "4711") for each in definitions)
    assert list_broken_by_items(definitions, given, sides=BOTH, patterns=PATTERNS) == []
    assert merge_items(definitions, (), given, sides=BOTH) == given


@pytest.mark.parametrize("open_answer", [None, ""])
def test_an_open_answer_breaks_nothing_and_is_missing_where_it_is_required(open_answer: str | None) -> None:
    definitions = (DataItemDefinition(name="Badge", type=DataItemType.NUMBER, required=True),)
    given = (DataItem("Badge", open_answer),)
    assert list_broken_by_items(definitions, given, sides=BOTH, patterns=PATTERNS) == []
    (fault,) = list_missing(definitions, given, sides=BOTH)
    assert isinstance(fault, ValidationDataRequired)
    assert list_missing(definitions, given, sides=frozenset({DataItemOriginator.MANAGER})) == []


def test_every_item_of_a_policy_is_listed_with_its_answer_or_none() -> None:
    definitions = (DataItemDefinition(name="Badge", sensitive=True), DataItemDefinition(name="City"))
    assert list_items(definitions, ()) == (DataItem("Badge", None, True), DataItem("City", None))
    answered = DataItem("City", "Seattle")
    assert list_items(definitions, (answered,)) == (DataItem("Badge", None, True), answered)


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
