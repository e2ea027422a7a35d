"""PINs of cards: what they are made of, and how long they are."""

from collections.abc import Callable

from certwright.domain.smartcard_configuration import PinCharacters, PinPolicy

SHORTEST_PIN, LONGEST_PIN = 4, 64
_DIGITS, _LETTERS = "0123456789", "abcdefghijkmnpqrstuvwxyz"
"""Without the letters l and o, which people read as digits."""
_CHARACTERS = {
    PinCharacters.NONE: _DIGITS,
    PinCharacters.NUMERIC: _DIGITS,
    PinCharacters.ALPHABETIC: _LETTERS,
    PinCharacters.ALPHANUMERIC: _DIGITS + _LETTERS,
}
_SPARE_BITS = 64
"""So many more than an index takes that no character comes noticeably more often than another."""


def make_pin(policy: PinPolicy, bits: Callable[[int], int]) -> str:
    """Return a new PIN, as long as *policy* allows. Shape: *bits* gives a random number of that many bits."""
    characters = _CHARACTERS[PinCharacters(policy.character_set)]
    return "".join(characters[bits(_SPARE_BITS) % len(characters)] for _ in range(policy.max_length))


def list_pin_policy_faults(policy: PinPolicy) -> list[str]:
    """Return why no PIN could be made under *policy*, or why its first PIN is against it."""
    if policy.character_set not in list(PinCharacters):
        return [f"character_set: a number from 0 to {max(PinCharacters)} is wanted"]
    if not SHORTEST_PIN <= policy.min_length <= policy.max_length <= LONGEST_PIN:
        return [f"lengths from {SHORTEST_PIN} to {LONGEST_PIN} are wanted, and min_length not above max_length"]
    if not policy.min_length <= len(policy.default_value) <= policy.max_length:
        return [f"default_value: {policy.min_length} to {policy.max_length} characters are wanted"]
    return []
