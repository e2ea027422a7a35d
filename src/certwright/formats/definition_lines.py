"""In which line of a world file a key stands: the reader of TOML forgets it."""

import re
from collections.abc import Mapping
from typing import Any

HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]\]?\s*(#.*)?")
ASSIGNMENT = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=")
NAMING_KEYS = {
    "users": "account",
    "groups": "name",
    "certificate_templates": "common_name",
    "profile_templates": "name",
}
"""What the faults of `DefinitionReader` call the tables of each list by, instead of their place in it."""


class DefinitionLines:
    """Finds keys in one file, whose content *raw* is already known to be TOML.

    Shape: headers and keys count where they begin a line; what stands inside an inline table has the line of its key.
    """

    def __init__(self, text: str, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self._lines: dict[str, int] = {}
        places: dict[str, int] = {}
        here = ""
        for number, line in enumerate(text.splitlines(), 1):
            if header := HEADER.fullmatch(line):
                name = header[2].strip()
                if header[1] == "[[":
                    places[name] = places.get(name, -1) + 1
                first, dot, rest = name.partition(".")
                here = (f"{first}[{places[first]}]" if first in places else first) + dot + rest
                self._lines.setdefault(here, number)
            elif key := ASSIGNMENT.match(line):
                self._lines.setdefault(f"{here}.{key[1]}".lstrip("."), number)

    def find(self, where: str) -> int | None:
        """Return the line of the key at the dotted path *where*, or of the closest table around it; None for none."""
        path = self._number(where)
        while path and path not in self._lines:
            path = re.sub(r"(\.[^.\[]*|\[[^\[]*|^[^.\[]*)$", "", path)
        return self._lines.get(path)

    def _number(self, where: str) -> str:
        """Return *where* with places in lists for the names of their tables: names may have dots, places have not."""
        for table, naming_key in NAMING_KEYS.items():
            for place, each in enumerate(self._raw.get(table, ())):
                named = f"{table}.{each.get(naming_key)}"
                if where == named or where.startswith(f"{named}."):
                    return f"{table}[{place}]{where.removeprefix(named)}"
        return where
