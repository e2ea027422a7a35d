"""Open Renew requests by itself when the renewal of a profile begins."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from certwright.application.create_request import start_request
from certwright.application.due_work import Due
from certwright.application.startable import look_at
from certwright.application.world import World
from certwright.domain.errors import ChangedMeanwhile, Refused, RequestAlreadyOpen, RulesBroken
from certwright.domain.events import EventType, tell
from certwright.domain.policies import Answers
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.profiles import ProfileId
from certwright.domain.program import THE_PROGRAM
from certwright.domain.renewals import CERTIFICATES_A_LOOK, DueRenewal, Renewal
from certwright.domain.request_types import RequestType
from certwright.domain.workflows import Operation


def list_due_renewals(limit: int, *, world: World, among: int = CERTIFICATES_A_LOOK) -> Sequence[Due]:
    """Return the opening of a Renew request for each profile whose renewal begins.

    That is the template's renewal period before the first of its certificates ends. Profiles whose last certificate has
    ended are left alone, as are templates that are withdrawn or have no policy for renewals.

    Source: domain.md 4.2 (renewal notice).
    """
    found: dict[ProfileId, Due] = {}
    following: datetime | None = None
    while len(found) < limit:
        some, following = _look(limit - len(found), following, world, among)
        # A profile may have certificates in several parts; the first to end says since when it is due.
        found |= {profile_id: due for profile_id, due in some.items() if profile_id not in found}
        if following is None:
            break
    return list(found.values())


class RenewalsInTurn:
    """Looks for due renewals again and again: each time along a part of the renewal period, so that no look takes long."""

    def __init__(self, world: World, among: int = CERTIFICATES_A_LOOK) -> None:
        self._world = world
        self._among = among
        self._after: datetime | None = None

    def list_due(self, limit: int) -> Sequence[Due]:
        """Return what `list_due_renewals` does, of the part whose turn it is: the next one once nothing is left in this one."""
        found, following = _look(limit, self._after, self._world, self._among)
        if not found:
            self._after = following
        return list(found.values())


def open_renewal(profile_id: ProfileId, *, world: World) -> bool:
    """Open a Renew request with the program as its originator, or record why that is refused; return whether either was done.

    The policy's approvals hold. A refusal is recorded as an event when its reason is a new one, and tried again after a day.
    """
    try:
        with world.store.writing() as session:
            if not _is_due(profile_id, session, world.clock.now()):
                return False
            start = look_at(session.profiles.get_locked(profile_id), Operation.RENEW, session)
            request = start_request(start, Answers(), by=THE_PROGRAM, session=session, world=world)
            last_end = _find_last_end(profile_id, session)
            session.renewals.record(
                Renewal(profile_id=profile_id, last_end=last_end, at=request.submitted, request_id=request.id)
            )
    except (RequestAlreadyOpen, ChangedMeanwhile):
        # Somebody was first, which is as good.
        return False
    except Refused as refused:
        return _record_refusal(profile_id, refused, world)
    return True


def _look(limit: int, after: datetime | None, world: World, among: int) -> tuple[dict[ProfileId, Due], datetime | None]:
    """Return what is due among the certificates of one look, and after which end the next one goes on."""
    now = world.clock.now()
    with world.store.reading() as session:
        periods = {
            each.id: (each, period) for each in session.templates.list_newest() if (period := _find_period(each)) is not None
        }
        until = {template_id: now + period for template_id, (_, period) in periods.items()}
        found = session.renewals.list_due(until, now=now, limit=limit, after=after, among=among)
    return {each.profile_id: _describe(each, *periods[each.template_id], world) for each in found.due}, found.following


def _find_period(template: ProfileTemplate) -> timedelta | None:
    policy = template.policies.get(RequestType.RENEW)
    return policy.renewal_period if policy is not None and policy.enabled else None


def _is_due(profile_id: ProfileId, session: Session, now: datetime) -> bool:
    """Return whether `list_due_renewals` would still list the profile."""
    profile = session.profiles.get(profile_id)
    period = _find_period(session.templates.get(profile.template_id))
    return period is not None and session.renewals.find_due(profile_id, now=now, until=now + period) is not None


def _find_last_end(profile_id: ProfileId, session: Session) -> datetime:
    return max(each.not_after for each in session.certificates.list_of_profile(profile_id) if not each.is_key_history)


def _record_refusal(profile_id: ProfileId, refused: Refused, world: World) -> bool:
    with world.store.writing() as session:
        now = world.clock.now()
        if not _is_due(profile_id, session, now):
            return False
        before = session.renewals.find(profile_id)
        code = refused.broken[0].code if isinstance(refused, RulesBroken) else refused.code
        session.renewals.record(
            Renewal(profile_id=profile_id, last_end=_find_last_end(profile_id, session), at=now, refusal=code)
        )
        if before is None or before.refusal != code:
            owner = session.profiles.get(profile_id).owner_id
            told = tell(
                EventType.RENEWAL_REFUSED,
                THE_PROGRAM,
                now,
                subject_id=owner,
                profile=str(profile_id),
                error=code,
                reason=str(refused),
            )
            session.history.append([told])
    return True


def _describe(due: DueRenewal, template: ProfileTemplate, period: timedelta, world: World) -> Due:
    return Due(
        what=f"renewal of profile {due.profile_id}, {template.name}, which ends {due.first_end:%Y-%m-%d}",
        carry_out=partial(open_renewal, due.profile_id, world=world),
        since=due.first_end - period,
    )
