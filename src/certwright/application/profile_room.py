"""Whether somebody may hold one more profile."""

from certwright.domain.errors import ProfilesExhausted
from certwright.domain.identities import UserId
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.profiles import ProfileId, ProfileStatus
from certwright.domain.request_types import RequestType

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
    several requests may have been opened before the first was executed.

    Errors: ProfilesExhausted.
    Source: MaximumActiveProfiles of EnrollPolicy in domain.md 2.9.
    """
    limit = template.policies[request_type].maximum_active_profiles
    if not limit:
        return
    held = session.profiles.list_of(owner_id, COUNTED)
    if sum(each.template_id == template.id and each.id != without for each in held) >= limit:
        raise ProfilesExhausted(template.name, limit)
