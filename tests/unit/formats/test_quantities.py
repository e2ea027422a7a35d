"""Durations as people write them."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certwright.domain.errors import MalformedValue
from certwright.formats.quantities import encode_duration, parse_duration

DURATION = re.compile(r"\s*[0-9]{1,12}\s*(s|min|h|days?|years?)\s*")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5 min", timedelta(minutes=5)),
        ("90s", timedelta(seconds=90)),
        (" 1 year ", timedelta(days=365)),
        ("2 days", timedelta(days=2)),
        ("0 s", timedelta()),
    ],
)
def test_a_number_and_a_unit_make_a_duration(text: str, expected: timedelta) -> None:
    assert parse_duration(text, "x") == expected


@given(st.integers(min_value=0, max_value=10**9))
def test_what_is_written_is_read_as_the_same_duration(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(encode_duration(duration), "x") == duration


@given(st.text().filter(lambda text: not DURATION.fullmatch(text)))
def test_any_other_text_is_refused_by_name(text: str) -> None:
    with pytest.raises(MalformedValue) as malformed:
        parse_duration(text, "sign_in.remember")
    assert malformed.value.field == "sign_in.remember"


def test_a_duration_that_no_calendar_holds_is_refused() -> None:
    with pytest.raises(MalformedValue):
        parse_duration("999999999999 years", "x")
