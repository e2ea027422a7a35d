"""Read what people hold: profiles and certificates."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from certwright.application.request_parties import get_principal, get_request
from certwright.application.startable import list_operations, list_startable, look_at_own
from certwright.application.world import World
from certwright.domain.access import ReadProfile, check_allowed, decide
from certwright.domain.certificates import Certificate, SerialNumber
from certwright.domain.external_certificates import HeldCertificate
from certwright.domain.identities import Caller
from certwright.domain.ports import Session
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.profiles import Profile, ProfileFlags, ProfileId, ProfileStatus
from certwright.domain.requests import RequestId
from certwright.domain.security_descriptors import RequestPermission
from certwright.domain.workflows import Operation

PROFILES_A_SLICE = 1_000
CERTIFICATES_A_SLICE = 1_000


@dataclass(frozen=True, slots=True)
class HeldProfile:
    """A profile with what the one who looks at it may start with it now."""

    profile: Profile
    operations: tuple[Operation, ...]


def list_profiles(*, by: Caller, world: World, statuses: frozenset[ProfileStatus] | None = None) -> tuple[HeldProfile, ...]:
    """Return the caller's own software profiles, newest first, of *statuses* or of any; those on cards are found by the card.

    Source: get-profile-data; domain.md, correction 3.
    """
    slices = list_profiles_in_slices(by=by, world=world, slice_length=PROFILES_A_SLICE, statuses=statuses)
    return tuple(each for held in slices for each in held)


def list_profiles_in_slices(
    *, by: Caller, world: World, slice_length: int, statuses: frozenset[ProfileStatus] | None = None
) -> Iterator[tuple[HeldProfile, ...]]:
    """Return what `list_profiles` does. Shape: a slice has what is wanted of *slice_length* profiles, as of when it is read."""
    after: ProfileId | None = None
    while True:
        with world.store.reading() as session:
            page = session.profiles.list_page_of(by.user.id, after=after, limit=slice_length)
            wanted = [each for each in page if statuses is None or each.status in statuses]
            held = _list_software(wanted, session)
            starts = look_at_own(by, held, session)
            found = [
                HeldProfile(
                    each,
                    list_startable(starts[each.id], by=by, session=session, world=world) if each.id in starts else (),
                )
                for each in held
            ]
        yield tuple(found)
        if len(page) < slice_length:
            return
        after = page[-1].id


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
    """Return the caller's own certificates, newest first, and then those from elsewhere in the order in which they came.

    Certificates are left out that only retired profiles hold. Source: get-user-certificates; domain.md, correction 3.
    """
    slices = list_own_certificates_in_slices(by=by, world=world, slice_length=CERTIFICATES_A_SLICE)
    return tuple(each for held in slices for each in held)


def list_own_certificates_in_slices(*, by: Caller, world: World, slice_length: int) -> Iterator[tuple[HeldCertificate, ...]]:
    """Return what `list_own_certificates` does. Shape: each slice as of when it is read."""
    with world.store.reading() as session:
        history = frozenset(session.certificates.list_key_history(by.user.id))
    after: SerialNumber | None = None
    while True:
        with world.store.reading() as session:
            page = session.certificates.list_page_of_subject(by.user.id, after=after, limit=slice_length)
        yield tuple(replace(each, is_key_history=each.serial in history) for each in page)
        if len(page) < slice_length:
            break
        after = page[-1].serial
    with world.store.reading() as session:
        yield session.external.list_of(by.user.id)


def list_held_certificates(profile: Profile, session: Session, beside: Iterable[Profile] = ()) -> tuple[HeldCertificate, ...]:
    """Return the certificates of the profile and of those *beside* it, each once, newest first, and then those from elsewhere.

    These, in the order in which they came, belong to the profile while it is active: they are attached to its owner and its
    template, and to no single profile.
    """
    held = [certificate for each in (profile, *beside) for certificate in session.certificates.list_of_profile(each.id)]
    issued = mark_key_history({each.serial: each for each in held}.values(), session)
    if profile.status is not ProfileStatus.ACTIVE:
        return issued
    return (*issued, *session.external.list_of(profile.owner_id, profile.template_id))


def mark_key_history(certificates: Iterable[Certificate], session: Session) -> tuple[Certificate, ...]:
    """Return *certificates* with what every list says of each: whether it is key history of its subject.

    It is from when one of the subject's profiles holds it as such. A profile by itself may still have it in use, as a duplicate
    of the one that was renewed has, or hold as history what its owner uses, as one that was recovered for somebody else does.
    """
    listed = tuple(certificates)
    subjects = dict.fromkeys(each.subject_id for each in listed)
    history = {serial for each in subjects for serial in session.certificates.list_key_history(each)}
    return tuple(replace(each, is_key_history=each.serial in history) for each in listed)


def _list_software(profiles: Iterable[Profile], session: Session) -> tuple[Profile, ...]:
    """Return those that are on no card; keys that are read for somebody else are on none, whatever their template is for."""
    versions: dict[tuple[ProfileTemplateId, int], bool] = {}
    found = []
    for each in profiles:
        version = (each.template_id, each.template_version)
        if version not in versions:
            versions[version] = session.templates.get(*version).is_smartcard
        if not versions[version] or ProfileFlags.KEY_ESCROW in each.flags:
            found.append(each)
    return tuple(found)


def _with_operations(profile: Profile, by: Caller, session: Session, world: World) -> HeldProfile:
    return HeldProfile(profile, list_operations(profile, by=by, session=session, world=world))


def _get_profile(profile_id: ProfileId, by: Caller, session: Session) -> Profile:
    profile = session.profiles.get(profile_id)
    owner = get_principal(profile.owner_id, session)
    check_allowed(decide(by, ReadProfile(profile, owner), session.directory.load_grants()))
    return profile
