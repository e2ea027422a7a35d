"""Spans of one person's profiles: what belongs to a page of them is looked up at once, whatever else the person has."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, select

from certwright.adapters.sql.tables import profiles
from certwright.domain.profiles import Profile

_NEWEST, _OLDEST = profiles.alias("newest"), profiles.alias("oldest")


def in_span() -> ColumnElement[bool]:
    """Return that a profile is one of *owner_id* from *oldest* to *newest*."""
    oldest = select(_OLDEST.c.number).where(_OLDEST.c.id == bindparam("oldest")).scalar_subquery()
    newest = select(_NEWEST.c.number).where(_NEWEST.c.id == bindparam("newest")).scalar_subquery()
    return and_(profiles.c.owner_id == bindparam("owner_id"), profiles.c.number >= oldest, profiles.c.number <= newest)


def span_values(page: Sequence[Profile]) -> dict[str, Any]:
    """Return the values for the profiles of *page*, which are one person's, newest first, and at least one."""
    return {"owner_id": page[0].owner_id, "newest": page[0].id, "oldest": page[-1].id}
