"""Codes for the telephone: what is misheard is found, and where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certwright.domain.errors import MalformedValue
from certwright.formats.spoken_codes import encode_spoken, parse_spoken

OCTETS = st.binary(min_size=8, max_size=8) | st.binary(min_size=16, max_size=16)


@given(OCTETS)
def test_a_code_gives_back_what_it_was_made_of(octets: bytes) -> None:
    code = encode_spoken(octets)
    assert parse_spoken(code) == octets
    assert parse_spoken(f" {code.replace('-', ' ')}.") == octets
    assert [len(each) for each in code.split("-")] == [6] * (len(octets) // 2)


@given(OCTETS)
def test_plain_hexadecimal_digits_are_taken(octets: bytes) -> None:
    assert parse_spoken(octets.hex(" ", 2).upper()) == octets


@given(OCTETS, st.data())
def test_every_misheard_digit_is_found_with_its_group(octets: bytes, data: st.DataObject) -> None:
    code = encode_spoken(octets).replace("-", "")
    place = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from([each for each in "0123456789" if each != code[place]]))
    with pytest.raises(MalformedValue) as refused:
        parse_spoken(code[:place] + other + code[place + 1 :])
    assert f"group {place // 6 + 1} " in refused.value.detail


@given(OCTETS, st.data())
def test_two_digits_of_a_group_that_were_swapped_are_found(octets: bytes, data: st.DataObject) -> None:
    code = encode_spoken(octets).replace("-", "")
    place = data.draw(st.integers(0, len(code) - 2).filter(lambda each: each % 6 != 5))
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    if swapped != code:
        with pytest.raises(MalformedValue):
            parse_spoken(swapped)


def test_two_groups_that_were_swapped_are_found() -> None:
    groups = encode_spoken(bytes.fromhex("0001000200030004")).split("-")
    with pytest.raises(MalformedValue):
        parse_spoken("-".join([groups[1], groups[0], *groups[2:]]))


@pytest.mark.parametrize("text", ["", "123", "1" * 23, "1" * 25, "zz" * 8, "\u0661" * 24, "655369-" * 4])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(MalformedValue):
        parse_spoken(text)
