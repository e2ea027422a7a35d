"""Profiles, changed by compare-and-set."""

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, bindparam, false, func, insert, or_, select, update

from certwright.adapters.sql.marked_rows import PROFILES
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.profile_spans import in_span, span_values
from certwright.adapters.sql.row_marks import RowLedger
from certwright.adapters.sql.tables import profiles
from certwright.domain.errors import ChangedMeanwhile, ProfileNotFound
from certwright.domain.identities import UserId
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.profiles import Profile, ProfileFlags, ProfileId, ProfileStatus

_PROFILE = (
    profiles.c.id,
    profiles.c.status,
    profiles.c.flags,
    profiles.c.owner_id,
    profiles.c.template_id,
    profiles.c.template_version,
    profiles.c.parent_id,
    profiles.c.primary_id,
    profiles.c.comment,
    profiles.c.mark,
)
_ADD = insert(profiles)
_BY_ID = select(*_PROFILE).where(profiles.c.id == bindparam("profile_id"))
_BY_ID_LOCKED = _BY_ID.with_for_update()
"""SQLite has no such words, and one writer at a time."""
_CHANGEABLE = ("status", "flags", "template_version", "parent_id", "primary_id", "comment", "mark")
_CHANGE = (
    update(profiles)
    .where(profiles.c.id == bindparam("of_profile"), profiles.c.status == bindparam("from_status"))
    .values({name: bindparam(name) for name in _CHANGEABLE})
)
"""Whose profile it is, and of which template, is written once."""

ROOMS = 0x526F_6F6D
"""Advisory locks of two numbers are others than those of one; this one reads "Room"."""
_LOCK_ROOM = select(func.pg_advisory_xact_lock(ROOMS, bindparam("room", type_=Integer)))
_DUPLICATES = select(*_PROFILE).where(profiles.c.primary_id == bindparam("primary_id")).order_by(profiles.c.number.desc())

_copies = profiles.alias("duplicates")
_DUPLICATES_OF = (
    select(*(_copies.c[each.name] for each in _PROFILE))
    .join(profiles, profiles.c.id == _copies.c.primary_id)
    .where(in_span(), _copies.c.primary_id.is_not(None))
    .order_by(_copies.c.number.desc())
)
_LAST_NUMBER = select(func.coalesce(func.max(profiles.c.number), 0))
_earlier = profiles.alias("earlier")
_NEWEST_OF = (
    select(*_PROFILE)
    .where(profiles.c.owner_id == bindparam("owner_id"))
    .order_by(profiles.c.number.desc())
    .limit(bindparam("most"))
)
_OLDER_OF = _NEWEST_OF.where(
    profiles.c.number < select(_earlier.c.number).where(_earlier.c.id == bindparam("after")).scalar_subquery()
)


class SqlProfiles:
    """Profiles."""

    def __init__(self, connection: Connection, ledger: RowLedger) -> None:
        self._connection = connection
        self._ledger = ledger

    def add(self, profile: Profile) -> None:
        """Store a new profile."""
        row = self._row(profile)
        self._connection.execute(_ADD, row)
        self._ledger.note(PROFILES, row)

    def get(self, profile_id: ProfileId) -> Profile:
        """Errors: ProfileNotFound."""
        return self._get(_BY_ID, profile_id)

    def get_locked(self, profile_id: ProfileId) -> Profile:
        """Return the profile, which nobody else changes until this session has ended. Errors: ProfileNotFound."""
        return self._get(_BY_ID_LOCKED, profile_id)

    def list_of(self, owner_id: UserId, statuses: frozenset[ProfileStatus] | None = None) -> tuple[Profile, ...]:
        """Return the owner's profiles, newest first."""
        statement = _list_with(frozenset(ProfileStatus) if statuses is None else statuses)
        return tuple(self._read(row) for row in self._connection.execute(statement, {"owner_id": owner_id}))

    def list_page_of(self, owner_id: UserId, *, after: ProfileId | None, limit: int) -> tuple[Profile, ...]:
        """Return the owner's newest profiles, or the newest of those that are older than *after*."""
        values = {"owner_id": owner_id, "after": after, "most": limit}
        return tuple(self._read(row) for row in self._connection.execute(_NEWEST_OF if after is None else _OLDER_OF, values))

    def list_duplicates_of(self, page: Sequence[Profile]) -> tuple[Profile, ...]:
        """Return the duplicates of each profile of a page, newest first."""
        return tuple(self._read(row) for row in self._connection.execute(_DUPLICATES_OF, span_values(page)))

    def list_duplicates(self, primary_id: ProfileId) -> tuple[Profile, ...]:
        """Return the duplicates of the profile, newest first."""
        return tuple(self._read(row) for row in self._connection.execute(_DUPLICATES, {"primary_id": primary_id}))

    def find_last_number(self) -> int:
        """Return the number of the newest profile; 0 when there is none."""
        number: int = self._connection.execute(_LAST_NUMBER).scalar()
        return number

    def count_of_template(self, template_id: ProfileTemplateId, statuses: frozenset[ProfileStatus], *, after: int = 0) -> int:
        """Return how many profiles of *statuses* with a number above *after* any version of the template has."""
        values = {"template_id": template_id, "after": after}
        count: int = self._connection.execute(_count_with(statuses), values).scalar()
        return count

    def lock_room(self, owner_id: UserId, template_id: ProfileTemplateId) -> None:
        """Let nobody else count the owner's profiles of the template until this session has ended.

        There may be no row to lock yet; SQLite has one writer at a time anyhow.
        """
        if self._connection.dialect_name == "postgresql":
            self._connection.execute(_LOCK_ROOM, {"room": _number_room(owner_id, template_id)})

    def change(self, profile: Profile, *, from_status: ProfileStatus) -> None:
        """Store *profile* if its status is still *from_status*. Errors: ChangedMeanwhile."""
        row = self._row(profile)
        values = {name: row[name] for name in _CHANGEABLE}
        keys = {"of_profile": profile.id, "from_status": int(from_status)}
        if self._connection.execute(_CHANGE, values | keys).rowcount != 1:
            raise ChangedMeanwhile("profile")
        self._ledger.note(PROFILES, row)

    def _get(self, statement: Select[Any], profile_id: ProfileId) -> Profile:
        row = self._connection.execute(statement, {"profile_id": profile_id}).first()
        if row is None:
            raise ProfileNotFound(profile_id)
        return self._read(row)

    def _read(self, row: Row) -> Profile:
        self._ledger.check(PROFILES, row)
        return _read(row)

    def _row(self, profile: Profile) -> dict[str, Any]:
        row = _row(profile)
        return row | {"mark": self._ledger.mark(PROFILES, row)}


@cache
def _list_with(statuses: frozenset[ProfileStatus]) -> Select[Any]:
    """Return the one statement for these statuses: `Connection.execute` keeps what it compiles for each."""
    wanted = _among(statuses)
    return select(*_PROFILE).where(profiles.c.owner_id == bindparam("owner_id"), wanted).order_by(profiles.c.number.desc())


@cache
def _count_with(statuses: frozenset[ProfileStatus]) -> Select[Any]:
    above = profiles.c.number > bindparam("after")
    return select(func.count()).where(above, profiles.c.template_id == bindparam("template_id"), _among(statuses))


def _among(statuses: frozenset[ProfileStatus]) -> ColumnElement[bool]:
    return or_(*(profiles.c.status == each for each in sorted(map(int, statuses))), false())


def _number_room(owner_id: UserId, template_id: ProfileTemplateId) -> int:
    """Return the number of the lock; should two rooms have one number, one waits for the other, and nothing else happens."""
    return int.from_bytes(sha256(owner_id.bytes + template_id.bytes).digest()[:4], signed=True)


def _row(profile: Profile) -> dict[str, Any]:
    return {
        "id": profile.id,
        "status": int(profile.status),
        "flags": int(profile.flags),
        "owner_id": profile.owner_id,
        "template_id": profile.template_id,
        "template_version": profile.template_version,
        "parent_id": profile.parent_id,
        "primary_id": profile.primary_id,
        "comment": profile.comment,
    }


def _read(row: Row) -> Profile:
    return Profile(
        id=row.id,
        status=ProfileStatus(row.status),
        flags=ProfileFlags(row.flags),
        owner_id=row.owner_id,
        template_id=row.template_id,
        template_version=row.template_version,
        parent_id=row.parent_id,
        primary_id=row.primary_id,
        comment=row.comment,
    )
