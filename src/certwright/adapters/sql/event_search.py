"""Searches of events as statements: one for each set of things that a search can ask for."""

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, bindparam, literal_column, or_, select

from certwright.adapters.sql.tables import certificates, events, requests
from certwright.domain.certificates import format_serial_number
from certwright.domain.event_search import EventSearch


def find_asked(search: EventSearch) -> frozenset[str]:
    """Return what *search* asks for: names of `_CONDITIONS`."""
    asked = {
        "user": bool(search.user) or search.user_id is not None,
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
    return {
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
def search_statement(columns: tuple[Any, ...], asked: frozenset[str], *, newest_first: bool) -> Select[Any]:
    """Return the statement, with the values of what is asked, *after* and *most*."""
    statement = select(*columns).where(events.c.sequence > bindparam("after"))
    for name in sorted(asked):
        statement = statement.where(_CONDITIONS[name]())
    order = events.c.sequence.desc() if newest_first else events.c.sequence
    return statement.order_by(order).limit(bindparam("most"))


def _want_user() -> ColumnElement[bool]:
    return or_(
        events.c.actor == bindparam("user"),
        events.c.actor_id == bindparam("user_id"),
        events.c.subject_id == bindparam("user_id"),
    )


def _want_profile() -> ColumnElement[bool]:
    profile = bindparam("profile", type_=requests.c.profile_id.type)
    about = select(requests.c.id).where(or_(requests.c.profile_id == profile, requests.c.old_profile_id == profile))
    return or_(events.c.request_id.in_(about), events.c.details.like(bindparam("profile_text")))


def _want_certificate() -> ColumnElement[bool]:
    issuing = select(certificates.c.request_id).where(certificates.c.serial == bindparam("serial"))
    return or_(events.c.request_id.in_(issuing), events.c.details.like(bindparam("serial_text")))


def _want_template() -> ColumnElement[bool]:
    under = select(requests.c.id).where(requests.c.template_id == bindparam("template"))
    return or_(events.c.request_id.in_(under), events.c.details.like(bindparam("template_text")))


def _want_types() -> ColumnElement[bool]:
    # One statement for any number of types: their names are of letters, full stops and hyphens.
    return bindparam("types", type_=Text()).like(literal_column("'% '") + events.c.type + literal_column("' %'"))


_CONDITIONS: dict[str, Callable[[], ColumnElement[bool]]] = {
    "user": _want_user,
    "request": lambda: events.c.request_id == bindparam("request"),
    "profile": _want_profile,
    "certificate": _want_certificate,
    "template": _want_template,
    "types": _want_types,
    "since": lambda: events.c.at >= bindparam("since"),
    "until": lambda: events.c.at < bindparam("until"),
}
