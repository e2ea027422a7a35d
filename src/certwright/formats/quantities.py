"""Durations as people write them in settings and world files."""

import re
from datetime import timedelta

from certwright.domain.errors import MalformedValue

SECONDS_A_UNIT = {"s": 1, "min": 60, "h": 3_600, "day": 86_400, "days": 86_400, "year": 31_536_000, "years": 31_536_000}


def parse_duration(text: str, field: str) -> timedelta:
    """Return the duration that *text* names; a year is 365 days.

    Shape: a whole number, blanks, one of the units s, min, h, day(s), year(s). Errors: MalformedValue, with *field*.
    """
    found = re.fullmatch(r"([0-9]{1,12})\s*([A-Za-z]+)", text.strip())
    if found is None or found[2] not in SECONDS_A_UNIT:
        units = ", ".join(SECONDS_A_UNIT)
        raise MalformedValue(field, f"a duration such as 5 min is wanted, with one of the units {units}")
    try:
        return timedelta(seconds=int(found[1]) * SECONDS_A_UNIT[found[2]])
    except OverflowError as overflow:
        raise MalformedValue(field, "no calendar reaches that far") from overflow


def encode_duration(duration: timedelta) -> str:
    """Return the text that `parse_duration` reads as *duration*, in the largest unit that leaves a whole number."""
    seconds = int(duration.total_seconds())
    units = {"days": 86_400, "h": 3_600, "min": 60, "s": 1}
    name = next((each for each, length in units.items() if seconds and seconds % length == 0), "s")
    return f"{seconds // units[name]} {name}"
