from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certwright.domain.data_items import DataItem
from certwright.domain.errors import MalformedValue, RulesBroken
from certwright.wire.rest.properties import FAULTS_LIMIT, Properties

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def faults_of(properties: Properties) -> list[str]:
    """Return the fields that were found broken."""
    try:
        properties.check_readable()
    except MalformedValue as one:
        return [one.field]
    except RulesBroken as several:
        return [each.field for each in several.broken if isinstance(each, MalformedValue)]
    return []


def test_names_are_read_in_any_case() -> None:
    assert Properties({"PfxPassword": "a"}).read_text("pfxpassword") == "a"


def test_names_with_stray_blanks_are_read() -> None:
    assert Properties({" type ": "Enroll"}).read_text("type") == "Enroll"


@pytest.mark.parametrize("values", [{}, {"x": None}])
def test_null_is_as_good_as_missing(values: dict[str, object]) -> None:
    properties = Properties(values)
    assert properties.read_text("x") == ""
    assert properties.read_identifier("x") is None
    assert properties.read_whole_number("x") is None
    assert properties.read_texts("x") == ()
    assert properties.read_items("x") == ()
    properties.check_readable()


@pytest.mark.parametrize("value", [4, "4", " 4 "])
def test_a_priority_may_be_a_number_or_a_string_of_digits(value: object) -> None:
    assert Properties({"priority": value}).read_whole_number("priority") == 4


@pytest.mark.parametrize("value", [True, 4.5, "four", "4.5", "-", [], {}, "9" * 5_000])
def test_what_is_no_whole_number_is_noted(value: object) -> None:
    properties = Properties({"priority": value})
    assert properties.read_whole_number("priority") is None
    assert faults_of(properties) == ["priority"]


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_priority_is_missing(value: str) -> None:
    properties = Properties({"priority": value})
    assert properties.read_whole_number("priority") is None
    properties.check_readable()


def test_a_guid_with_braces_and_blanks_is_read() -> None:
    properties = Properties({"target": " {97CC3493-F556-4C9B-9D8B-982434201527} "})
    assert properties.read_identifier("target") == UUID("97cc3493-f556-4c9b-9d8b-982434201527")


@pytest.mark.parametrize("value", ["", " ", "00000000-0000-0000-0000-000000000000", "{00000000000000000000000000000000}"])
def test_an_empty_guid_and_one_of_zeros_are_none(value: str) -> None:
    properties = Properties({"smartcard": value})
    assert properties.read_identifier("smartcard") is None
    properties.check_readable()


@pytest.mark.parametrize(("value", "read"), [([], ()), ("", ()), ("one", ("one",)), (["one", "two"], ("one", "two"))])
def test_a_list_of_strings_may_be_a_single_one(value: object, read: tuple[str, ...]) -> None:
    assert Properties({"certificaterequests": value}).read_texts("certificaterequests") == read


def test_entries_that_are_no_strings_are_named_by_their_place() -> None:
    properties = Properties({"certificaterequests": ["fine", 7, None]})
    properties.read_texts("certificaterequests")
    assert faults_of(properties) == ["certificaterequests[1]", "certificaterequests[2]"]


@pytest.mark.parametrize("value", ["", "[]", " [ ] ", [], "null"])
def test_no_data_items_can_be_said_in_several_ways(value: object) -> None:
    properties = Properties({"datacollection": value})
    assert properties.read_items("datacollection") == ()
    properties.check_readable()


@pytest.mark.parametrize(
    "value",
    [
        [{"Request Reason": "Need VPN Certs"}],
        '[{"Request Reason":"Need VPN Certs"}]',
        "[{\u201cRequest Reason\u201d:\u201cNeed VPN Certs\u201d}]",
        [{"Name": "Request Reason", "Value": "Need VPN Certs"}],
        [{"name": "Request Reason", "VALUE": "Need VPN Certs"}],
    ],
)
def test_a_data_item_is_read_in_every_documented_form(value: object) -> None:
    assert Properties({"datacollection": value}).read_items("datacollection") == (DataItem("Request Reason", "Need VPN Certs"),)


def test_typographic_quotes_inside_of_a_proper_string_are_what_somebody_wrote() -> None:
    properties = Properties({"datacollection": '[{"Reason": "\u201curgent\u201d"}]'})
    assert properties.read_items("datacollection") == (DataItem("Reason", "\u201curgent\u201d"),)


def test_an_item_may_be_called_name() -> None:
    items = Properties({"datacollection": [{"name": "pavle"}, {"city": "seattle"}]}).read_items("datacollection")
    assert items == (DataItem("name", "pavle"), DataItem("city", "seattle"))


def test_an_item_may_be_left_open() -> None:
    items = Properties({"datacollection": [{"Name": "Reason", "Value": None}]}).read_items("datacollection")
    assert items == (DataItem("Reason", None),)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (7, "datacollection"),
        ({"a": "b"}, "datacollection"),
        ("not json", "datacollection"),
        ('"a string"', "datacollection"),
        (["a"], "datacollection[0]"),
        ([{"a": 1}], "datacollection[0].a"),
        ([{"Name": 1, "Value": "x"}], "datacollection[0].Name"),
    ],
)
def test_data_items_of_a_wrong_type_are_named(value: object, field: str) -> None:
    properties = Properties({"datacollection": value})
    properties.read_items("datacollection")
    assert faults_of(properties) == [field]


def test_every_broken_property_is_reported() -> None:
    properties = Properties({"type": 1, "comment": [], "priority": "high", "target": "me"})
    properties.read_text("type")
    properties.read_text("comment")
    properties.read_whole_number("priority")
    properties.read_identifier("target")
    assert faults_of(properties) == ["type", "comment", "priority", "target"]


def test_a_property_is_reported_once_with_its_first_fault() -> None:
    properties = Properties({"target": "me"})
    properties.read_identifier("target")
    with pytest.raises(MalformedValue) as refused:
        properties.fail("target", "something else")
    assert refused.value.detail == "a GUID is wanted"


def test_a_thousand_faults_are_reported_as_a_screenful() -> None:
    properties = Properties({"certificaterequests": [1] * 1_000})
    properties.read_texts("certificaterequests")
    assert len(faults_of(properties)) == FAULTS_LIMIT


def test_the_character_nul_is_refused_where_a_database_could_not_keep_it() -> None:
    properties = Properties({"comment": "a\x00b"})
    properties.read_text("comment")
    assert faults_of(properties) == ["comment"]


@given(JSON)
def test_whatever_json_there_is_becomes_a_value_or_a_refusal(value: object) -> None:
    properties = Properties({"x": value})
    properties.read_text("x")
    properties.read_identifier("x")
    properties.read_whole_number("x")
    properties.read_texts("x")
    properties.read_items("x")
    with suppress(MalformedValue, RulesBroken):
        properties.check_readable()
