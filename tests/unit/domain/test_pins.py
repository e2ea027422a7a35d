"""PINs that the server makes, and policies under which none could be made."""

import secrets

import pytest

from certwright.domain.pins import list_pin_policy_faults, make_pin
from certwright.domain.smartcard_configuration import PinCharacters, PinPolicy


@pytest.mark.parametrize(
    ("characters", "allowed"),
    [
        (PinCharacters.NONE, "0123456789"),
        (PinCharacters.NUMERIC, "0123456789"),
        (PinCharacters.ALPHABETIC, "abcdefghijkmnpqrstuvwxyz"),
        (PinCharacters.ALPHANUMERIC, "0123456789abcdefghijkmnpqrstuvwxyz"),
    ],
)
def test_a_pin_is_as_long_as_allowed_and_made_of_the_policys_characters(characters: PinCharacters, allowed: str) -> None:
    policy = PinPolicy(min_length=6, max_length=12, character_set=characters)
    pins = [make_pin(policy, secrets.randbits) for _ in range(200)]
    assert {len(each) for each in pins} == {12}
    assert set("".join(pins)) == set(allowed)
    assert len(set(pins)) == len(pins)


@pytest.mark.parametrize(
    ("policy", "word"),
    [
        (PinPolicy(min_length=4, max_length=8, default_value="11111111"), None),
        (PinPolicy(min_length=3, max_length=8, default_value="1111"), "lengths"),
        (PinPolicy(min_length=8, max_length=6, default_value="1111111"), "lengths"),
        (PinPolicy(min_length=8, max_length=65, default_value="11111111"), "lengths"),
        (PinPolicy(min_length=6, max_length=8, default_value="1234"), "default_value"),
        (PinPolicy(min_length=4, max_length=6, default_value="12345678"), "default_value"),
        (PinPolicy(character_set=4), "character_set"),
    ],
)
def test_a_policy_under_which_no_pin_or_not_its_own_first_one_fits_is_found(policy: PinPolicy, word: str | None) -> None:
    assert [each.split(":")[0].split(" ")[0] for each in list_pin_policy_faults(policy)] == ([word] if word else [])
