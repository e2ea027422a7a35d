"""Searches of events as statements: one for each set of things that a search can ask for."""

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    union,
)

from certwright.adapters.sql.look_indexes import COMMON_EVENTS, of_another, of_rare_types
from certwright.adapters.sql.tables import certificates, events, profiles, requests
from certwright.domain.certificates import format_serial_number
from certwright.domain.event_search import EventSearch

_OWNER = select(profiles.c.owner_id).where(profiles.c.id == bindparam("profile"))
_SUBJECT = select(certificates.c.subject_id).where(certificates.c.serial == bindparam("serial"))
TIMES = frozenset({"since", "until"})
DOMAIN_END = "\\"
"""Stands in every account name, and in no name of a program."""


def find_asked(search: EventSearch) -> frozenset[str]:
    """Return what *search* asks for: names of `_CONDITIONS`."""
    asked = {
        "user": search.user_id is not None,
        "actor": search.user_id is None and bool(search.user),
        "program": search.user_id is None and bool(search.user) and DOMAIN_END not in search.user,
        "request": search.request_id is not None,
        "profile": search.profile_id is not None,
        "certificate": search.serial is not None,
        "template": search.template_id is not None,
        "types": bool(search.types),
        "since": search.since is not None,
        "until": search.until is not None,
    }
    return frozenset(name for name, is_asked in asked.items() if is_asked)


def list_values(search: EventSearch) -> dict[str, Any]:
    """Return the values for every condition."""
    serial = "" if search.serial is None else format_serial_number(search.serial)
    types = {f"type_{number}": each.value for number, each in enumerate(sorted(search.types))}
    return types | {
        "user": search.user,
        "user_id": search.user_id,
        "request": search.request_id,
        "profile": search.profile_id,
        "profile_text": f'%"{search.profile_id}"%',
        "serial": search.serial,
        "serial_text": f'%"{serial}"%',
        "template": search.template_id,
        "template_text": f"%{search.template_id}%",
        "types": f" {' '.join(sorted(search.types))} ",
        "since": search.since,
        "until": search.until,
    }


@cache
def search_statement(columns: tuple[Any, ...], asked: frozenset[str], rare_types: int, *, newest_first: bool) -> Select[Any]:
    """Return the statement, with the values of what is asked, *after*, *before* and *most*.

    An index leads to the events where there is one for something that is asked, in as many looks as it takes, each of which
    ends with the *most*; otherwise the events between *after* and *before* are read one after another.
    """
    order = events.c.sequence.desc() if newest_first else events.c.sequence
    most: BindParameter[int] = bindparam("most")
    leading = _list_leading(asked, rare_types)
    if not leading:
        return _between(columns, asked).order_by(order).limit(most)
    looks = [_between((events.c.sequence,), asked).where(each).order_by(order).limit(most).subquery() for each in leading]
    # The sum keeps the databases from going through the numbers instead.
    number = events.c.sequence + literal_column("0")
    of_requests = [
        _between((events.c.sequence,), asked, number).where(each).subquery() for each in _list_requests_leading(asked)
    ]
    found = union(*(select(each.c.sequence) for each in (*looks, *of_requests)))
    return select(*columns).where(events.c.sequence.in_(found)).order_by(order).limit(most)


def owner_statement(asked: frozenset[str]) -> Select[Any] | None:
    """Return the statement for whose the profile is that is asked for, or whose the certificate; None for neither.

    Whatever is told of them is told as done to their owner, or belongs to a request that is about them.
    """
    if "profile" in asked:
        return _OWNER
    return _SUBJECT if "certificate" in asked else None


def count_rare_types(search: EventSearch) -> int:
    """Return how many types are asked for, 0 when any of them is so common that no index has it."""
    return 0 if search.types & COMMON_EVENTS else len(search.types)


def is_led(asked: frozenset[str], rare_types: int) -> bool:
    """Return whether an index leads to what is asked for."""
    return bool(_list_leading(asked, rare_types))


@cache
def nearest_statement(asked: frozenset[str], *, newest_first: bool) -> Select[Any]:
    """Return the statement for the first number above *after*, or the last one below *before*, in the time that is asked for.

    Shape: with times, the sums keep the databases from walking along the numbers: the index of the times has both.
    """
    times = sorted(asked & TIMES)
    number = events.c.sequence + literal_column("0") if times else events.c.sequence
    nearest = func.max(number) if newest_first else func.min(number)
    statement = select(nearest).where(number > bindparam("after"), number < bindparam("before"))
    return statement.where(*(_CONDITIONS[name]() for name in times))


def _between(columns: tuple[Any, ...], asked: frozenset[str], number: ColumnElement[Any] = events.c.sequence) -> Select[Any]:
    within = (number > bindparam("after"), number < bindparam("before"))
    return select(*columns).where(*within, *(_CONDITIONS[name]() for name in sorted(asked & _CONDITIONS.keys())))


def _list_leading(asked: frozenset[str], rare_types: int) -> list[ColumnElement[bool]]:
    """Return conditions of which an event that is asked for meets one, each with an index of its own."""
    if "request" in asked:
        return [_CONDITIONS["request"]()]
    if "user" in asked:
        acted = events.c.actor_id == bindparam("user_id")
        return [acted, and_(events.c.subject_id == bindparam("user_id"), of_another()), _CONDITIONS["program"]()]
    if "program" in asked:
        return [_CONDITIONS["program"]()]
    if "owner" in asked:
        is_subject = events.c.subject_id == bindparam("owner")
        return [and_(is_subject, events.c.actor_id == bindparam("owner")), and_(is_subject, of_another())]
    return [and_(events.c.type == bindparam(f"type_{number}"), of_rare_types()) for number in range(rare_types)]


def _list_requests_leading(asked: frozenset[str]) -> list[ColumnElement[bool]]:
    """Return conditions beside that of the owner. Those requests are few, and so are their events: these looks have no end."""
    if "owner" not in asked or asked & {"request", "user", "program"}:
        return []
    if "profile" in asked:
        profile = bindparam("profile", type_=requests.c.profile_id.type)
        abouts = [select(requests.c.id).where(each == profile) for each in (requests.c.profile_id, requests.c.old_profile_id)]
    else:
        abouts = [select(certificates.c.request_id).where(certificates.c.serial == bindparam("serial"))]
    return [events.c.request_id.in_(each) for each in abouts]


def _want_user() -> ColumnElement[bool]:
    is_user = (events.c.actor_id == bindparam("user_id"), events.c.subject_id == bindparam("user_id"))
    return or_(*is_user, _CONDITIONS["program"]())


def _want_profile() -> ColumnElement[bool]:
    profile = bindparam("profile", type_=requests.c.profile_id.type)
    about = select(requests.c.id).where(or_(requests.c.profile_id == profile, requests.c.old_profile_id == profile))
    return or_(events.c.request_id.in_(about), events.c.details.like(bindparam("profile_text")))


def _want_certificate() -> ColumnElement[bool]:
    issuing = select(certificates.c.request_id).where(certificates.c.serial == bindparam("serial"))
    return or_(events.c.request_id.in_(issuing), events.c.details.like(bindparam("serial_text")))


def _want_template() -> ColumnElement[bool]:
    # Looked up for each event that is read: all the requests of a template can be nearly all there are.
    under = exists().where(requests.c.id == events.c.request_id, requests.c.template_id == bindparam("template"))
    return or_(under, events.c.details.like(bindparam("template_text")))


def _want_types() -> ColumnElement[bool]:
    # One statement for any number of types: their names are of letters, full stops and hyphens.
    return bindparam("types", type_=Text()).like(literal_column("'% '") + events.c.type + literal_column("' %'"))


_CONDITIONS: dict[str, Callable[[], ColumnElement[bool]]] = {
    "user": _want_user,
    "actor": lambda: events.c.actor == bindparam("user"),
    "program": lambda: and_(events.c.actor == bindparam("user"), events.c.actor_id.is_(None)),
    "request": lambda: events.c.request_id == bindparam("request"),
    "profile": _want_profile,
    "certificate": _want_certificate,
    "template": _want_template,
    "types": _want_types,
    "since": lambda: events.c.at >= bindparam("since"),
    "until": lambda: events.c.at < bindparam("until"),
}
