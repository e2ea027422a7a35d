"""In which line of a world file a key stands: the reader of TOML forgets it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from certwright.domain.errors import DefinitionInvalid, EscalationPath, Refused

HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]\]?\s*(#.*)?")
ASSIGNMENT = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=")
ENTRY = re.compile(r"\s*\{")
NAMING_KEYS = {"users": "account", "certificate_templates": "common_name", "notifications": "type"}
"""What faults call the tables of a list by, instead of their place in it; those of all others by their name."""


@dataclass(frozen=True, slots=True)
class DefinitionSource:
    """Where a definition was read from: the name of the file, and its lines; without a name it was no file."""

    name: str
    lines: "DefinitionLines"

    def place(self, faults: Iterable[Refused]) -> list[Refused]:
        """Return *faults* with file and line before the dotted paths that they are about."""
        return [self._place(each) if isinstance(each, (DefinitionInvalid, EscalationPath)) else each for each in faults]

    def _place(self, fault: DefinitionInvalid | EscalationPath) -> Refused:
        if not self.name:
            return fault
        line = self.lines.find(fault.where)
        file = self.name if line is None else f"{self.name} line {line}"
        return replace(fault, where=f"{file}: {fault.where}" if fault.where else file)


class DefinitionLines:
    """Finds keys in one file, whose content *raw* is already known to be TOML.

    Shape: headers and keys count where they begin a line, and so do the tables of a list that is written with one in a line;
    what stands inside an inline table has the line of its key.
    """

    def __init__(self, text: str, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self._lines: dict[str, int] = {}
        self._places: dict[str, int] = {}
        here = key = ""
        for number, line in enumerate(text.splitlines(), 1):
            if header := HEADER.fullmatch(line):
                here = key = self._enter(header[2].strip().replace('"', ""), is_of_list=header[1] == "[[")
            elif assignment := ASSIGNMENT.match(line):
                key = f"{here}.{assignment[1]}".lstrip(".")
            elif ENTRY.match(line):
                self._lines.setdefault(self._count(key), number)
                continue
            else:
                continue
            self._lines.setdefault(key, number)

    def find(self, where: str) -> int | None:
        """Return the line of the key at the dotted path *where*, or of the closest table around it; None for none."""
        path = _number(self._raw, where)
        while path and path not in self._lines:
            path = re.sub(r"(\.[^.\[]*|\[[^.\[]*|^[^.\[]*)$", "", path)
        return self._lines.get(path)

    def _enter(self, name: str, *, is_of_list: bool) -> str:
        """Return the path that a header opens, with the places of the tables in their lists."""
        path = ""
        *around, last = name.split(".")
        for part in around:
            path = f"{path}.{part}".lstrip(".")
            path += f"[{self._places[path]}]" if path in self._places else ""
        path = f"{path}.{last}".lstrip(".")
        return self._count(path) if is_of_list else path

    def _count(self, path: str) -> str:
        """Return the path of the next table in the list at *path*."""
        self._places[path] = self._places.get(path, -1) + 1
        return f"{path}[{self._places[path]}]"


def _number(node: Any, where: str, naming_key: str = "name") -> str:
    """Return *where* as the file spells it, places in lists for the names of their tables; names may have dots."""
    if not where:
        return ""
    if isinstance(node, Sequence) and not isinstance(node, str):
        named = [(str(each.get(naming_key)), place) for place, each in enumerate(node) if isinstance(each, Mapping)]
        fitting = [(name, place) for name, place in named if f"{where}.".startswith(f"{name}.")]
        if not fitting:
            return f".{where}"
        name, place = max(fitting, key=lambda each: len(each[0]))
        return _join(f"[{place}]", _number(node[place], where[len(name) + 1 :]))
    if isinstance(node, Mapping):
        for key, value in node.items():
            # A kind of request may be written in more than one way.
            if f"{where}.".replace("_", "-").lower().startswith(f"{key}.".replace("_", "-").lower()):
                return _join(key, _number(value, where[len(key) + 1 :], NAMING_KEYS.get(key, "name")))
    return where


def _join(before: str, after: str) -> str:
    return f"{before}{'' if not after or after[0] in '[.' else '.'}{after}"
