"""What a route gets and what it gives: one call and its answer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from certwright.application.world import World
from certwright.domain.errors import MalformedValue
from certwright.domain.identities import Caller
from certwright.wire.rest.faults import PLAIN_LIMIT_OCTETS
from certwright.wire.rest.identifiers import find_identifier
from certwright.wire.rest.properties import Properties
from certwright.wire.rest.reading import parse_body
from certwright.wire.rest.slices import Slices

ADDRESS = "/CertificateManagement/api/v1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call by somebody who has signed in.

    Shape: *path* has the named segments of the route, *query* the values by lower-case name; *body* is empty for GET.
    """

    caller: Caller
    world: World
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes = b""
    content_type: str = ""

    def get_identifier(self, name: str) -> UUID:
        """Return the GUID of the path. Errors: MalformedValue."""
        identifier = find_identifier(self.path[name])
        if identifier is None:
            raise MalformedValue(name, "a GUID is wanted")
        return identifier

    def parse_number(self, name: str, default: int, lowest: int, highest: int) -> int:
        """Return the number of the query, *default* where it has none. Errors: MalformedValue."""
        text = self.query.get(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdecimal() and len(text) < 20 and lowest <= int(text) <= highest):
            raise MalformedValue(name, f"a number from {lowest} to {highest} is wanted")
        return int(text)

    def parse_body(self, *, takes_trailing_commas: bool = False) -> Properties:
        """Return the properties of the body. Errors: MalformedBody; WireRefusal (415)."""
        return parse_body(self.body, self.content_type, takes_trailing_commas=takes_trailing_commas)


@dataclass(frozen=True, slots=True)
class Answer:
    """Shape: *body* is encoded as JSON, except with status 204, which has none."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


def found(body: object) -> Answer:
    """Return the answer with one object."""
    return Answer(200, body)


def found_or_nothing(body: object | None) -> Answer:
    """Return the answer with the object, or 204 where there is none."""
    return Answer(204) if body is None else Answer(200, body)


def listed(bodies: Sequence[object]) -> Answer:
    """Return the answer with a list, or 204 where it is empty. Source: the decision "204"."""
    return Answer(200, bodies) if bodies else Answer(204)


def listed_in_slices(pages: Iterable[Sequence[object]]) -> Answer:
    """Return the answer with a list that may be long, as `listed` does."""
    return Answer(200, Slices(iter(pages)))


def created(address: str) -> Answer:
    """Return the answer that says where the new thing is. Source: domain.md 8, number 13.

    Shape: *address* is relative to the root of the API, ``requests/<guid>``.
    """
    return Answer(201, f"api/v1.0/{address}", {"Location": f"{ADDRESS}/{address}"})


@dataclass(frozen=True, slots=True)
class Route:
    """One address and what it does.

    Shape: *path* is under the version, its named segments as ``{name}``. *together*, where there is one, gives for each of
    several calls what *work* returns or raises, for less than they would cost one by one, and None for those that would take
    long: they are done apart. *is_brief* is for what is nearly always done sooner than handed to a thread and back, see `Desk`.
    *version* v1.0 is the documented API, v1.1 is what we add beside it. A body is longer than *body_limit* octets nowhere.
    """

    method: Literal["GET", "POST", "PUT"]
    path: str
    work: Callable[[Call], Answer]
    together: Callable[[Sequence[Call]], Sequence[Answer | Exception | None]] | None = None
    is_brief: bool = False
    version: Literal["v1.0", "v1.1"] = "v1.0"
    body_limit: int = PLAIN_LIMIT_OCTETS

    @property
    def takes_body(self) -> bool:
        """Return whether callers send one."""
        return self.method != "GET"
