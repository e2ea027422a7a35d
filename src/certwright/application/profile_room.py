"""Whether somebody may hold one more profile."""

from collections.abc import Iterable

from certwright.application.request_parties import SeenRequest
from certwright.domain.errors import DuplicatesExhausted, ProfilesExhausted, TemporaryCardsExhausted
from certwright.domain.identities import UserId
from certwright.domain.policies import Policy
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.profiles import Profile, ProfileFlags, ProfileId, ProfileStatus
from certwright.domain.request_types import RequestType
from certwright.domain.workflows import Operation

COUNTED = frozenset({ProfileStatus.ACTIVE, ProfileStatus.NEW})


def check_room(
    template: ProfileTemplate,
    request_type: RequestType,
    owner_id: UserId,
    session: Session,
    *,
    without: ProfileId | None = None,
) -> None:
    """Raise unless the policy leaves *owner_id* room for another profile of *template*, of whatever version.

    Asked when a request is opened, so that nobody works for nothing, and again when its profile is made, which is *without*:
    several requests may have been opened before the first was executed, and may be executed at the same moment. What another
    profile took the place of, or a new one is to take the place of, counts once.

    Errors: ProfilesExhausted.
    Source: MaximumActiveProfiles of EnrollPolicy in domain.md 2.9.
    """
    limit = template.policies[request_type].maximum_active_profiles
    if not limit:
        return
    if without is not None:
        session.profiles.lock_room(owner_id, template.id)
    held = [each for each in session.profiles.list_of(owner_id, COUNTED) if each.template_id == template.id]
    if sum(_counts(each) and each.id != without for each in held) >= limit:
        raise ProfilesExhausted(template.name, limit)


def check_duplicates(policy: Policy, duplicates: Iterable[Profile], *, without: ProfileId | None = None) -> None:
    """Raise unless the policy leaves room for another one beside *duplicates*; asked as `check_room` is.

    Errors: DuplicatesExhausted.
    """
    limit = policy.maximum_duplicates
    if not limit:
        return
    held = [each for each in duplicates if each.status in COUNTED]
    if sum(each.id != without for each in held) >= limit:
        raise DuplicatesExhausted(limit)


def check_temporary(
    template: ProfileTemplate, policy: Policy, owner_id: UserId, session: Session, *, without: ProfileId | None = None
) -> None:
    """Raise unless the policy leaves *owner_id* room for another temporary card; asked as `check_room` is.

    Errors: TemporaryCardsExhausted.
    """
    limit = policy.temporary_cards.maximum_issued
    if not limit:
        return
    held = [each for each in session.profiles.list_of(owner_id, COUNTED) if each.template_id == template.id]
    if sum(ProfileFlags.TEMPORARY in each.flags and each.id != without for each in held) >= limit:
        raise TemporaryCardsExhausted(template.name, limit)


def check_room_for(seen: SeenRequest, session: Session, *, without: ProfileId) -> None:
    """Raise unless the profile *without*, which the request has just made, is within the policy's limits.

    Errors: ProfilesExhausted; DuplicatesExhausted; TemporaryCardsExhausted.
    """
    request = seen.request
    if request.operation is Operation.ENROLL:
        check_room(seen.template, request.type, request.target_id, session, without=without)
    if request.operation is Operation.TEMPORARY_CARD_ENROLL:
        check_temporary(seen.template, seen.policy, request.target_id, session, without=without)
    if request.operation is Operation.DUPLICATE and request.old_profile_id is not None:
        check_duplicates(seen.policy, session.profiles.list_duplicates(request.old_profile_id), without=without)


def _counts(profile: Profile) -> bool:
    replaces = profile.status is ProfileStatus.NEW and profile.parent_id is not None
    return bool(profile.flags & ProfileFlags.PRIMARY) and not replaces
