"""Read what people hold: profiles and certificates."""

from dataclasses import dataclass

from certwright.application.request_parties import get_principal, get_request
from certwright.application.startable import list_operations, list_own_operations
from certwright.application.world import World
from certwright.domain.access import ReadProfile, check_allowed, decide
from certwright.domain.external_certificates import HeldCertificate
from certwright.domain.identities import Caller
from certwright.domain.ports import Session
from certwright.domain.profiles import Profile, ProfileId, ProfileStatus
from certwright.domain.requests import RequestId
from certwright.domain.security_descriptors import RequestPermission
from certwright.domain.workflows import Operation


@dataclass(frozen=True, slots=True)
class HeldProfile:
    """A profile with what the one who looks at it may start with it now."""

    profile: Profile
    operations: tuple[Operation, ...]


def list_profiles(*, by: Caller, world: World, statuses: frozenset[ProfileStatus] | None = None) -> tuple[HeldProfile, ...]:
    """Return the caller's own profiles, newest first, of *statuses* or of any."""
    with world.store.reading() as session:
        held = session.profiles.list_of(by.user.id)
        operations = list_own_operations(held, by=by, session=session, world=world)
        wanted = (each for each in held if statuses is None or each.status in statuses)
        return tuple(HeldProfile(each, operations.get(each.id, ())) for each in wanted)


def read_profile(profile_id: ProfileId, *, by: Caller, world: World) -> HeldProfile:
    """Return the profile. Errors: ProfileNotFound; AccessDenied."""
    with world.store.reading() as session:
        return _with_operations(_get_profile(profile_id, by, session), by, session, world)


def list_request_profiles(request_id: RequestId, *, by: Caller, world: World) -> tuple[HeldProfile, ...]:
    """Return the profile that the request makes and the one that it is about, as far as there are any.

    Errors: RequestNotFound; AccessDenied unless *by* may read the request and the profiles.
    """
    with world.store.reading() as session:
        request = get_request(request_id, RequestPermission.READ, by=by, session=session).request
        wanted = dict.fromkeys(each for each in (request.profile_id, request.old_profile_id) if each is not None)
        seen = [_get_profile(each, by, session) for each in wanted]
        return tuple(_with_operations(each, by, session, world) for each in seen)


def list_profile_certificates(profile_id: ProfileId, *, by: Caller, world: World) -> tuple[HeldCertificate, ...]:
    """Return the profile's certificates as `list_held_certificates` does. Errors: ProfileNotFound; AccessDenied."""
    with world.store.reading() as session:
        return list_held_certificates(_get_profile(profile_id, by, session), session)


def list_own_certificates(*, by: Caller, world: World) -> tuple[HeldCertificate, ...]:
    """Return the caller's own certificates, newest first, and then those from elsewhere in the order in which they came."""
    with world.store.reading() as session:
        return (*session.certificates.list_of_subject(by.user.id), *session.external.list_of(by.user.id))


def list_held_certificates(profile: Profile, session: Session) -> tuple[HeldCertificate, ...]:
    """Return the certificates of the profile, newest first, and then those from elsewhere in the order in which they came.

    These belong to it while it is active: they are attached to its owner and its template, and to no single profile.
    """
    issued = session.certificates.list_of_profile(profile.id)
    if profile.status is not ProfileStatus.ACTIVE:
        return issued
    return (*issued, *session.external.list_of(profile.owner_id, profile.template_id))


def _with_operations(profile: Profile, by: Caller, session: Session, world: World) -> HeldProfile:
    return HeldProfile(profile, list_operations(profile, by=by, session=session, world=world))


def _get_profile(profile_id: ProfileId, by: Caller, session: Session) -> Profile:
    profile = session.profiles.get(profile_id)
    owner = get_principal(profile.owner_id, session)
    check_allowed(decide(by, ReadProfile(profile, owner), session.directory.load_grants()))
    return profile
