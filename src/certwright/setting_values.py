"""Kinds of values that settings have: how each is written, read and looked at."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_network
from typing import Any, Protocol, TypeVar, runtime_checkable
from urllib.parse import SplitResult, urlsplit

from certwright.domain.errors import MalformedValue
from certwright.domain.mail_addresses import find_address_fault
from certwright.domain.rules.escalation import ANY_POLICY
from certwright.formats.quantities import encode_duration, parse_duration

_OBJECT_IDENTIFIER = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
Value = TypeVar("Value")
Check = Callable[[Any], str | None]
"""Returns what is wrong with a value, or None."""


@runtime_checkable
class SettingsThatDepend(Protocol):
    """A group of settings that do not all fit each other."""

    def list_contradictions(self) -> Iterator[tuple[str, str]]:
        """Return which setting does not fit the others, and why."""


def setting(default: Value, meaning: str, check: Check | None = None) -> Value:
    """Return the field of a group for one setting: its default, what it means, and what looks at its values."""
    made: Value = dataclasses.field(default=default, metadata=_describe(meaning, check))
    return made


def wanted_setting(meaning: str, check: Check | None = None) -> Any:
    """Return the field of a group for a setting that has to be given."""
    return dataclasses.field(metadata=_describe(meaning, check))


def _describe(meaning: str, check: Check | None) -> dict[str, Any]:
    return {"meaning": meaning, "check": check or (lambda _: None)}


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret is kept.

    Shape: *kind* is ``file`` (a path, from the data folder), ``env`` (a variable) or ``credential`` (of systemd).
    """

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: what the manual calls it, and what reads it. Errors of *parse*: MalformedValue."""

    title: str
    parse: Callable[[object, str], object]


def _parse_text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise MalformedValue(path, "text is wanted")
    return value


def _parse_number(value: object, path: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedValue(path, "a whole number is wanted")
    return value


def _parse_truth(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise MalformedValue(path, "true or false is wanted")
    return value


def _parse_texts(value: object, path: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise MalformedValue(path, "a list of texts is wanted")
    return tuple(value)


def _parse_span(value: object, path: str) -> timedelta:
    if not isinstance(value, str):
        raise MalformedValue(path, "a duration with its unit is wanted, such as 5 min")
    return parse_duration(value, path)


def parse_secret_reference(value: object, path: str) -> SecretReference:
    """Return the place that *value* names. Errors: MalformedValue, which does not repeat it: it may be a secret."""
    found = re.fullmatch(r"(file|env):(.+)|(credential):([^/.][^/]*)", value) if isinstance(value, str) else None
    if found is None:
        raise MalformedValue(path, 'no secret belongs in here; name its place, "file:NAME", "env:NAME" or "credential:NAME"')
    return SecretReference(found[1] or found[3], found[2] or found[4])


def _choice(choices: type[StrEnum]) -> Callable[[object, str], StrEnum]:
    def parse(value: object, path: str) -> StrEnum:
        try:
            return choices(_parse_text(value, path))
        except ValueError as unknown:
            raise MalformedValue(path, f"one of {', '.join(choices)} is wanted") from unknown

    return parse


_KINDS: dict[object, Kind] = {
    str: Kind("text", _parse_text),
    int: Kind("whole number", _parse_number),
    bool: Kind("true or false", _parse_truth),
    tuple[str, ...]: Kind("list of texts", _parse_texts),
    timedelta: Kind("duration (s, min, h, days, years)", _parse_span),
    SecretReference: Kind("place of a secret (file:NAME, env:NAME, credential:NAME)", parse_secret_reference),
    SecretReference | None: Kind("place of a secret (file:NAME, env:NAME, credential:NAME)", parse_secret_reference),
}


def find_kind(described: object) -> Kind | None:
    """Return the kind of the annotation *described*, or None for a group of settings."""
    if isinstance(described, type) and issubclass(described, StrEnum):
        return Kind(f"one of {', '.join(described)}", _choice(described))
    return _KINDS.get(described)


def encode_value(value: object) -> str:
    """Return *value* as it would stand in the file; nothing for None."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    if isinstance(value, tuple):
        return f"[{', '.join(encode_value(each) for each in value)}]"
    if isinstance(value, timedelta):
        return f'"{encode_duration(value)}"'
    return str(value) if isinstance(value, int) else f'"{value}"'


# -- what is wrong with a value ----------------------------------------------------------------------------------------


def between(lowest: int, highest: int) -> Check:
    """Return the check for whole numbers of a range."""
    return lambda value: None if lowest <= value <= highest else f"a number from {lowest} to {highest} is wanted"


def spanning(shortest: timedelta, longest: timedelta) -> Check:
    """Return the check for durations of a range."""
    wanted = f"a duration from {encode_duration(shortest)} to {encode_duration(longest)} is wanted"
    return lambda value: None if shortest <= value <= longest else wanted


def no_secret_in_url(url: str) -> str | None:
    """Return that *url* holds a password, or is none."""
    parts = _split_url(url)
    if parts is None:
        return "this is no URL"
    return "no password belongs into the URL; name its place in database.password" if parts.password else None


def a_web_address_or_nothing(url: str) -> str | None:
    """Return why *url*, where there is one, is not the plain address of a place on the web."""
    return a_web_address(url) if url else None


def a_web_address(url: str) -> str | None:
    """Return why *url* is not the plain address of a place on the web."""
    parts = _split_url(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return "an http or https address is wanted"
    return "an address without query and user name is wanted" if parts.query or parts.fragment or parts.username else None


def _split_url(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def not_empty(value: str | tuple[str, ...]) -> str | None:
    """Return that nothing is there."""
    return None if value and all(value) else "it must not be empty"


def object_identifiers(values: tuple[str, ...]) -> str | None:
    """Return which of *values* is no certificate policy: no identifier, or anyPolicy."""
    wrong = next((each for each in values if not _OBJECT_IDENTIFIER.fullmatch(each) or each == ANY_POLICY), None)
    return None if wrong is None else f"{wrong!r:.100} is not the identifier of a policy, such as 1.3.6.1.4.1.32473.1"


def a_mailbox(value: str) -> str | None:
    """Return why *value* is neither empty nor the address of a mailbox."""
    return find_address_fault(value) if value else None


def networks(values: tuple[str, ...]) -> str | None:
    """Return which of *values* is neither an address nor a network."""
    for each in values:
        try:
            ip_network(each)
        except ValueError:
            return f"{each} is no address or network, such as 192.0.2.7 or 10.0.0.0/8"
    return None
