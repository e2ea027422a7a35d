"""Renewals that the program begins by itself."""

from datetime import datetime

from sqlalchemy import and_, bindparam, exists, func, or_, select

from certwright.adapters.sql.prepared import Connection
from certwright.adapters.sql.tables import certificates, profiles, requests
from certwright.adapters.sql.upserts import insert_or_replace
from certwright.adapters.sql.work_tables import renewals
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.profiles import ProfileFlags, ProfileId, ProfileStatus
from certwright.domain.renewals import RETRY, DueRenewal, Renewal
from certwright.domain.requests import OPEN_STATUSES
from certwright.domain.workflows import Operation

_TIME = certificates.c.not_after.type
_IN_USE = and_(
    certificates.c.encoded.is_not(None),
    certificates.c.revocation_reason.is_(None),
    certificates.c.is_key_history.is_(False),
    certificates.c.not_after > bindparam("now", type_=_TIME),
)
_OPEN_RENEWAL = exists().where(
    requests.c.old_profile_id == profiles.c.id,
    requests.c.operation == Operation.RENEW.value,
    or_(*(requests.c.status == each for each in sorted(map(int, OPEN_STATUSES)))),
)
_IS_RETRIED = and_(
    renewals.c.request_id.is_(None),
    or_(
        renewals.c.at <= bindparam("retried_before", type_=_TIME),
        # What was refused in the future was refused under a clock that has been put back since.
        renewals.c.at > bindparam("now", type_=_TIME),
    ),
)
_DUE = (
    select(profiles.c.id, func.min(certificates.c.not_after, type_=_TIME).label("first_end"))
    .select_from(
        certificates.join(profiles, profiles.c.id == certificates.c.profile_id).outerjoin(
            renewals, renewals.c.profile_id == profiles.c.id
        )
    )
    .where(
        _IN_USE,
        certificates.c.not_after <= bindparam("until", type_=_TIME),
        profiles.c.status == int(ProfileStatus.ACTIVE),
        profiles.c.flags.op("&")(int(ProfileFlags.PRIMARY)) != 0,
        ~_OPEN_RENEWAL,
        or_(renewals.c.profile_id.is_(None), renewals.c.last_end < certificates.c.not_after, _IS_RETRIED),
    )
    .group_by(profiles.c.id)
)
_LIST_DUE = (
    _DUE.where(profiles.c.template_id == bindparam("template_id"))
    .order_by(func.min(certificates.c.not_after))
    .limit(bindparam("most"))
)
_FIND_DUE = _DUE.where(profiles.c.id == bindparam("of_profile"))
_RECORD = insert_or_replace(renewals)
_FIND = select(renewals.c.profile_id, renewals.c.last_end, renewals.c.at, renewals.c.request_id, renewals.c.refusal).where(
    renewals.c.profile_id == bindparam("of_profile")
)


class SqlRenewals:
    """Renewals."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_due(self, template_id: ProfileTemplateId, *, now: datetime, until: datetime, limit: int) -> tuple[DueRenewal, ...]:
        """Return the profiles of the template whose renewal begins, the first to end first."""
        values = {"template_id": template_id, "now": now, "until": until, "retried_before": now - RETRY, "most": limit}
        rows = self._connection.execute(_LIST_DUE, values)
        return tuple(DueRenewal(profile_id=row.id, first_end=row.first_end) for row in rows)

    def find_due(self, profile_id: ProfileId, *, now: datetime, until: datetime) -> DueRenewal | None:
        """Return the profile if `list_due` would list it."""
        values = {"of_profile": profile_id, "now": now, "until": until, "retried_before": now - RETRY}
        row = self._connection.execute(_FIND_DUE, values).first()
        return None if row is None else DueRenewal(profile_id=row.id, first_end=row.first_end)

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
