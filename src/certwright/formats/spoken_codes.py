"""Octets as people read them out over a telephone: digits in groups, each with one that tells when it was misheard.

Source: the form is ours; the check digit is H. Michael Damm's, "Total anti-symmetrische Quasigruppen", Marburg 2004: it finds
every digit that was misheard and every two that were swapped.
"""

import re

from certwright.domain.errors import MalformedValue

GROUP_OCTETS = 2
GROUP_DIGITS = 6
"""Five for a number up to 65535, and the check digit."""
CODE_OCTETS = (8, 16)
_SEPARATORS = re.compile(r"[\s.,;:_-]+")
_QUASIGROUP = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)


def encode_spoken(octets: bytes) -> str:
    """Return *octets* as groups of six digits with hyphens between them. Shape: an even number of octets, at most 20."""
    groups = (octets[start : start + GROUP_OCTETS] for start in range(0, len(octets), GROUP_OCTETS))
    numbers = [f"{int.from_bytes(each):05}" for each in groups]
    return "-".join(number + _find_check_digit(place, number) for place, number in enumerate(numbers))


def parse_spoken(text: str) -> bytes:
    """Return the 8 or 16 octets of a code, or of the plain hexadecimal digits that other programs show.

    Errors: MalformedValue, which says which group to read out again.
    """
    digits = _SEPARATORS.sub("", text)
    if len(digits) in [2 * each for each in CODE_OCTETS] and re.fullmatch(r"[0-9A-Fa-f]+", digits):
        return bytes.fromhex(digits)
    wanted = [each // GROUP_OCTETS * GROUP_DIGITS for each in CODE_OCTETS]
    if len(digits) not in wanted or not (digits.isascii() and digits.isdecimal()):
        raise MalformedValue("challenge", f"{wanted[0]} or {wanted[1]} digits are wanted, or 16 or 32 hexadecimal ones")
    groups = [digits[start : start + GROUP_DIGITS] for start in range(0, len(digits), GROUP_DIGITS)]
    return b"".join(_parse_group(place, group) for place, group in enumerate(groups))


def _parse_group(place: int, group: str) -> bytes:
    number = int(group[:-1])
    if _find_check_digit(place, group[:-1]) != group[-1] or number > 0xFFFF:
        raise MalformedValue("challenge", f"group {place + 1} was misheard: have it read out again")
    return number.to_bytes(GROUP_OCTETS)


def _find_check_digit(place: int, number: str) -> str:
    """Return the digit; the place of the group counts, too, so that swapped groups are found."""
    interim = 0
    for digit in f"{place}{number}":
        interim = int(_QUASIGROUP[interim][int(digit)])
    return str(interim)
