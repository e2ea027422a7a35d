"""Pages of requests as statements: several looks, each led by an index and ended by the length of the page."""

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, false, literal_column, or_, select, union

from certwright.adapters.sql.tables import requests
from certwright.domain.requests import RequestFilter, RequestStatus

Columns = tuple[Any, ...]

_EARLIER = requests.alias("earlier")
_IS_OLDER = requests.c.number < select(_EARLIER.c.number).where(_EARLIER.c.id == bindparam("after")).scalar_subquery()


def page_statement(columns: Columns, wanted: RequestFilter, *, has_after: bool) -> tuple[Select[Any], dict[str, Any]]:
    """Return the statement, which takes *most* and, for *has_after*, *after* as well, and the values of *wanted*."""
    templates = {f"template_{number}": each for number, each in enumerate(sorted(wanted.templates))}
    people = {"target": wanted.target, "concerning": wanted.concerning}
    asked = tuple(name for name, value in people.items() if value is not None)
    return _make_statement(columns, asked, len(templates), wanted.statuses, has_after=has_after), templates | people


@cache
def _make_statement(
    columns: Columns, people: tuple[str, ...], templates: int, statuses: frozenset[RequestStatus] | None, *, has_after: bool
) -> Select[Any]:
    looks = [_look(each, has_after=has_after) for each in _list_leading(people, templates, statuses)]
    found = union(*(select(each.subquery().c.number) for each in looks))
    return select(*columns).where(requests.c.number.in_(found)).order_by(requests.c.number.desc()).limit(bindparam("most"))


def _look(conditions: list[ColumnElement[bool]], *, has_after: bool) -> Select[Any]:
    older = [_IS_OLDER] if has_after else []
    return select(requests.c.number).where(*conditions, *older).order_by(requests.c.number.desc()).limit(bindparam("most"))


def _list_leading(
    people: tuple[str, ...], templates: int, statuses: frozenset[RequestStatus] | None
) -> list[list[ColumnElement[bool]]]:
    """Return the conditions of each look. The first of them leads, by an index that has the order, too."""
    leading: list[ColumnElement[bool]] = []
    if "target" in people:
        leading.append(requests.c.target_id == bindparam("target"))
    if "concerning" in people:
        leading.append(requests.c.target_id == bindparam("concerning"))
        leading.append(requests.c.originator_id == bindparam("concerning"))
    leading += [requests.c.template_id == bindparam(f"template_{number}") for number in range(templates)]
    if leading:
        return [[each, *_among(statuses)] for each in leading]
    if statuses is None:
        return [[]]
    return [[requests.c.status == literal_column(str(each))] for each in sorted(map(int, statuses))] or [[false()]]


def _among(statuses: frozenset[RequestStatus] | None) -> list[ColumnElement[bool]]:
    if statuses is None:
        return []
    # The sum keeps the index of everybody's requests by status from leading.
    status = requests.c.status + literal_column("0")
    return [or_(*(status == literal_column(str(each)) for each in sorted(map(int, statuses))), false())]
