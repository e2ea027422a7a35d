"""Renewals that the program begins by itself."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Join, Select, and_, bindparam, exists, func, or_, select

from certwright.adapters.sql.look_indexes import while_open
from certwright.adapters.sql.prepared import Connection
from certwright.adapters.sql.tables import certificate_copies, certificates, profiles, requests
from certwright.adapters.sql.upserts import insert_or_replace
from certwright.adapters.sql.work_tables import renewals
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.profiles import ProfileFlags, ProfileId, ProfileStatus
from certwright.domain.renewals import CERTIFICATES_A_LOOK, RETRY, DueRenewal, DueSlice, Renewal
from certwright.domain.workflows import Operation

_TIME = certificates.c.not_after.type
_IN_USE = and_(
    certificates.c.encoded.is_not(None),
    certificates.c.revocation_reason.is_(None),
    certificates.c.is_key_history.is_(False),
    certificates.c.not_after > bindparam("after", type_=_TIME),
)
_OPEN_RENEWAL = exists().where(
    requests.c.old_profile_id == profiles.c.id,
    requests.c.old_profile_id.is_not(None),
    requests.c.operation == Operation.RENEW.value,
    while_open(),
)
_IS_RETRIED = and_(
    renewals.c.request_id.is_(None),
    or_(
        renewals.c.at <= bindparam("retried_before", type_=_TIME),
        # What was refused in the future was refused under a clock that has been put back since.
        renewals.c.at > bindparam("now", type_=_TIME),
    ),
)


def _select_due(held: Join) -> Select[Any]:
    """Return the profiles whose renewal begins, by the certificates that *held* joins to them."""
    return (
        select(profiles.c.id, profiles.c.template_id, func.min(certificates.c.not_after, type_=_TIME).label("first_end"))
        .select_from(held.outerjoin(renewals, renewals.c.profile_id == profiles.c.id))
        .where(
            _IN_USE,
            certificates.c.not_after <= bindparam("until", type_=_TIME),
            profiles.c.status == int(ProfileStatus.ACTIVE),
            profiles.c.flags.op("&")(int(ProfileFlags.PRIMARY)) != 0,
            ~_OPEN_RENEWAL,
            or_(renewals.c.profile_id.is_(None), renewals.c.last_end < certificates.c.not_after, _IS_RETRIED),
        )
        .group_by(profiles.c.id, profiles.c.template_id)
    )


_DUE = (
    _select_due(certificates.join(profiles, profiles.c.id == certificates.c.profile_id)),
    _select_due(
        certificates.join(
            certificate_copies,
            and_(certificate_copies.c.serial == certificates.c.serial, certificate_copies.c.is_key_history.is_(False)),
        ).join(profiles, profiles.c.id == certificate_copies.c.profile_id)
    ),
)
"""By the certificates that were issued into the profile, and by those that it shares with the one whose place it took."""
_SLICE_END = (
    select(certificates.c.not_after)
    .where(
        certificates.c.not_after > bindparam("after", type_=_TIME), certificates.c.not_after <= bindparam("until", type_=_TIME)
    )
    .order_by(certificates.c.not_after)
    .limit(1)
    .offset(bindparam("certificates"))
)
_FIND_DUE = tuple(each.where(profiles.c.id == bindparam("of_profile")) for each in _DUE)
_RECORD = insert_or_replace(renewals)
_FIND = select(renewals.c.profile_id, renewals.c.last_end, renewals.c.at, renewals.c.request_id, renewals.c.refusal).where(
    renewals.c.profile_id == bindparam("of_profile")
)


@cache
def list_due_statements(templates: int) -> tuple[Select[Any], ...]:
    """Return the statements for so many templates: together, so that the certificates that end are walked once for all."""
    wanted = or_(
        *(
            and_(
                profiles.c.template_id == bindparam(f"template_{number}"),
                certificates.c.not_after <= bindparam(f"until_{number}", type_=_TIME),
            )
            for number in range(templates)
        )
    )
    return tuple(each.where(wanted).order_by(func.min(certificates.c.not_after)).limit(bindparam("most")) for each in _DUE)


class SqlRenewals:
    """Renewals."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_due(
        self,
        until: Mapping[ProfileTemplateId, datetime],
        *,
        now: datetime,
        limit: int,
        after: datetime | None = None,
        among: int = CERTIFICATES_A_LOOK,
    ) -> DueSlice:
        """Return the profiles of the templates whose renewal begins, the first to end first."""
        if not until:
            return DueSlice((), None)
        values: dict[str, Any] = {"now": now, "after": max(now, after or now), "until": max(until.values())}
        reached = self._connection.execute(_SLICE_END, values | {"certificates": among - 1}).scalar()
        values |= {"until": reached or values["until"], "retried_before": now - RETRY, "most": limit}
        for number, (template_id, end) in enumerate(until.items()):
            values |= {f"template_{number}": template_id, f"until_{number}": end}
        found = self._list(list_due_statements(len(until)), values)
        return DueSlice(tuple(sorted(found, key=lambda each: each.first_end)[:limit]), reached)

    def find_due(self, profile_id: ProfileId, *, now: datetime, until: datetime) -> DueRenewal | None:
        """Return the profile if `list_due` would list it."""
        values = {"of_profile": profile_id, "now": now, "after": now, "until": until, "retried_before": now - RETRY}
        return next(iter(self._list(_FIND_DUE, values)), None)

    def record(self, renewal: Renewal) -> None:
        """Store *renewal* in place of what is stored for the profile."""
        row = {
            "profile_id": renewal.profile_id,
            "last_end": renewal.last_end,
            "at": renewal.at,
            "request_id": renewal.request_id,
            "refusal": renewal.refusal,
        }
        _RECORD.run(self._connection, [row])

    def find(self, profile_id: ProfileId) -> Renewal | None:
        """Return what was stored last."""
        row = self._connection.execute(_FIND, {"of_profile": profile_id}).first()
        if row is None:
            return None
        return Renewal(
            profile_id=row.profile_id, last_end=row.last_end, at=row.at, request_id=row.request_id, refusal=row.refusal
        )

    def _list(self, statements: Iterable[Select[Any]], values: dict[str, Any]) -> list[DueRenewal]:
        """Return each profile of the statements once, with the first end that one of them has for it."""
        found: dict[ProfileId, DueRenewal] = {}
        for each in statements:
            for row in self._connection.execute(each, values):
                due = DueRenewal(profile_id=row.id, template_id=row.template_id, first_end=row.first_end)
                found[row.id] = min(due, found.get(row.id, due), key=lambda one: one.first_end)
        return list(found.values())
