"""The named values of a body, read leniently, with every fault noted.

Source: domain.md 8, numbers 16 to 20 and 29, and the decision "reading".
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import NoReturn
from uuid import UUID

from certwright.domain.data_items import DataItem
from certwright.domain.errors import MalformedBody, MalformedValue, RulesBroken, check_none_broken
from certwright.wire.rest.identifiers import UNSET_IDENTIFIER, find_identifier
from certwright.wire.rest.json_values import parse_json

FAULTS_LIMIT = 20
"""Ten thousand bad entries get an answer of one screen."""

_TIME_SPAN = re.compile(r"(?:([0-9]{1,5})\.)?([0-9]{1,2}):([0-9]{2}):([0-9]{2})")
_TYPOGRAPHIC_QUOTES = str.maketrans(dict.fromkeys("\u201c\u201d\u201e\u201f", '"'))


class Properties:
    """The properties of one JSON object, by name in any case.

    Each reader returns what is there, or the default when the property is missing or null. What cannot be read is noted, and
    the default comes back: ask `check_readable` before anything is done with the values.
    """

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = {name.strip().lower(): value for name, value in values.items()}
        self._broken: list[MalformedValue] = []

    def check_readable(self) -> None:
        """Raise everything that could not be read. Errors: MalformedValue; RulesBroken when there is more than one."""
        check_none_broken([*self._broken])

    def refuse(self, name: str, detail: str) -> None:
        """Note what is wrong with the property *name*, unless something is noted already."""
        if len(self._broken) < FAULTS_LIMIT and name not in (each.field for each in self._broken):
            self._broken.append(MalformedValue(name, detail))

    def fail(self, name: str, detail: str) -> NoReturn:
        """Note what is wrong with the property *name*, and raise everything noted: nothing can be done without it.

        Errors: as `check_readable`.
        """
        self.refuse(name, detail)
        raise self._broken[0] if len(self._broken) == 1 else RulesBroken(tuple(self._broken))

    def read_text(self, name: str) -> str:
        """Return a string; empty by default."""
        return self._take_text(name, self._values.get(name)) or ""

    def read_identifier(self, name: str) -> UUID | None:
        """Return a GUID; None by default, and when it is empty or all zeros, as the API itself writes that there is none."""
        text = self.read_text(name).strip()
        identifier = find_identifier(text)
        if text and identifier is None:
            self.refuse(name, "a GUID is wanted")
        return None if identifier == UNSET_IDENTIFIER else identifier

    def read_whole_number(self, name: str) -> int | None:
        """Return a number, also from a string of digits; None by default, and when it is empty."""
        value = self._values.get(name)
        if isinstance(value, str) and value.strip().isdecimal() and len(value.strip()) <= 9:
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int | str | None) or (isinstance(value, str) and value.strip()):
            self.refuse(name, "a whole number is wanted")
            return None
        return value if isinstance(value, int) else None

    def read_time_span(self, name: str) -> timedelta | None:
        """Return a time span of the form ``[d.]hh:mm:ss``, which .NET writes; None by default, and when it is empty."""
        text = self.read_text(name).strip()
        if not text:
            return None
        found = _TIME_SPAN.fullmatch(text)
        if found is None:
            self.refuse(name, "a time span of the form d.hh:mm:ss is wanted")
            return None
        days, hours, minutes, seconds = (int(each or 0) for each in found.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)

    def read_texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings, also from a single one; empty by default."""
        value = self._values.get(name)
        if isinstance(value, str):
            value = [value] if value.strip() else []
        if not isinstance(value, list | None):
            self.refuse(name, "a list of strings is wanted")
            return ()
        return tuple(self._take_entry(f"{name}[{index}]", each) for index, each in enumerate(value or []))

    def read_items(self, name: str) -> tuple[DataItem, ...]:
        """Return data items from a list, or from a string that holds one; empty by default.

        Shape: an entry is ``{"<item>": "<value>"}``, of which there may be several in one object, or has both a Name and a
        Value; an object with a name alone has an item that is called so.
        """
        value = self._values.get(name)
        if isinstance(value, str):
            value = self._parse_inner(name, value)
        if not isinstance(value, list | None):
            self.refuse(name, "a list of name and value pairs is wanted")
            return ()
        return tuple(item for index, each in enumerate(value or []) for item in self._take_items(f"{name}[{index}]", each))

    def _parse_inner(self, name: str, text: str) -> object:
        """Return the JSON value inside of a string; typographic quotes are read as straight ones when it takes that."""
        if not text.strip():
            return None
        for attempt in (text, text.translate(_TYPOGRAPHIC_QUOTES)):
            try:
                return parse_json(attempt.encode())
            except MalformedBody as malformed:
                detail = malformed.detail
        self.refuse(name, f"{detail}, and so cannot be a list of name and value pairs")
        return None

    def _take_items(self, path: str, entry: object) -> list[DataItem]:
        if not isinstance(entry, dict):
            self.refuse(path, "a name and value pair is wanted")
            return []
        folded = {key.strip().lower(): key for key in entry}
        if folded.keys() == {"name", "value"}:
            pairs = [(self._take_text(f"{path}.Name", entry[folded["name"]]) or "", entry[folded["value"]])]
        else:
            pairs = list(entry.items())
        return [DataItem(self._take_text(path, key) or "", self._take_text(f"{path}.{key}", value)) for key, value in pairs]

    def _take_entry(self, path: str, entry: object) -> str:
        if entry is None:
            self.refuse(path, "a string is wanted")
        return self._take_text(path, entry) or ""

    def _take_text(self, path: str, value: object) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            self.refuse(path, "a string is wanted")
            return None
        if "\x00" in value:
            self.refuse(path, "the character NUL is not taken")
            return None
        return value
