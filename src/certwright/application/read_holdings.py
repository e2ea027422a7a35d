"""Read what people hold: profiles and certificates."""

from certwright.application.request_parties import get_principal, get_request
from certwright.application.world import World
from certwright.domain.access import check_allowed, decide_reading_profile
from certwright.domain.certificates import Certificate
from certwright.domain.identities import Caller
from certwright.domain.ports import Session
from certwright.domain.profiles import Profile, ProfileId, ProfileStatus
from certwright.domain.requests import RequestId
from certwright.domain.security_descriptors import RequestPermission


def list_profiles(*, by: Caller, world: World, statuses: frozenset[ProfileStatus] | None = None) -> tuple[Profile, ...]:
    """Return the caller's own profiles, newest first, of *statuses* or of any."""
    with world.store.reading() as session:
        return session.profiles.list_of(by.user.id, statuses)


def read_profile(profile_id: ProfileId, *, by: Caller, world: World) -> Profile:
    """Return the profile. Errors: ProfileNotFound; AccessDenied."""
    with world.store.reading() as session:
        return _get_profile(profile_id, by, session)


def list_request_profiles(request_id: RequestId, *, by: Caller, world: World) -> tuple[Profile, ...]:
    """Return the profile that the request makes and the one that it is about, as far as there are any.

    Errors: RequestNotFound; AccessDenied unless *by* may read the request and the profiles.
    """
    with world.store.reading() as session:
        request = get_request(request_id, RequestPermission.READ, by=by, session=session).request
        wanted = dict.fromkeys(each for each in (request.profile_id, request.old_profile_id) if each is not None)
        return tuple(_get_profile(each, by, session) for each in wanted)


def list_profile_certificates(profile_id: ProfileId, *, by: Caller, world: World) -> tuple[Certificate, ...]:
    """Return the profile's certificates, newest first. Errors: ProfileNotFound; AccessDenied."""
    with world.store.reading() as session:
        _get_profile(profile_id, by, session)
        return session.certificates.list_of_profile(profile_id)


def list_own_certificates(*, by: Caller, world: World) -> tuple[Certificate, ...]:
    """Return the caller's own certificates, newest first."""
    with world.store.reading() as session:
        return session.certificates.list_of_subject(by.user.id)


def _get_profile(profile_id: ProfileId, by: Caller, session: Session) -> Profile:
    profile = session.profiles.get(profile_id)
    owner = get_principal(profile.owner_id, session)
    check_allowed(decide_reading_profile(by, owner, profile, session.directory.load_grants()))
    return profile
