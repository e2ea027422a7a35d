"""Routes of profiles."""

from certwright.application.read_holdings import (
    list_profile_certificates,
    list_profiles_in_slices,
    list_request_profiles,
    read_profile,
)
from certwright.domain.errors import ProfileNotFound
from certwright.domain.profiles import ProfileId
from certwright.domain.requests import RequestId
from certwright.wire.rest.bodies import HeldCertificateBody, ProfileBody
from certwright.wire.rest.calls import Answer, Call, Route, found, listed, listed_in_slices
from certwright.wire.rest.names import PROFILE_STATUSES, fold_name

PROFILES_A_SLICE = 20
"""What may be started with a profile takes ten times as long to find as to list a request."""


def get_profiles(call: Call) -> Answer:
    """Answer the caller's profiles. Source: get-profile-data; domain.md 8, number 31."""
    name = fold_name(call.query.get("status", ""))
    if name and name not in PROFILE_STATUSES:
        return listed([])
    statuses = frozenset({PROFILE_STATUSES[name]}) if name else None
    slices = list_profiles_in_slices(by=call.caller, world=call.world, slice_length=PROFILES_A_SLICE, statuses=statuses)
    return listed_in_slices([ProfileBody.of(each) for each in held] for held in slices)


def get_profile(call: Call) -> Answer:
    """Answer one profile."""
    profile_id = ProfileId(call.get_identifier("profile_id"))
    return found(ProfileBody.of(read_profile(profile_id, by=call.caller, world=call.world)))


def get_profile_operations(call: Call) -> Answer:
    """Answer what the caller may start with the profile now. Source: domain.md 4.3."""
    profile_id = ProfileId(call.get_identifier("profile_id"))
    held = read_profile(profile_id, by=call.caller, world=call.world)
    return listed([each.value for each in held.operations])


def get_profile_certificates(call: Call) -> Answer:
    """Answer the certificates of one profile. Source: get-smartcard-profile-certificates."""
    profile_id = ProfileId(call.get_identifier("profile_id"))
    certificates = list_profile_certificates(profile_id, by=call.caller, world=call.world)
    return listed([HeldCertificateBody.of(each) for each in certificates])


def get_request_profiles(call: Call) -> Answer:
    """Answer the profiles that a request makes and is about. Source: get-profile-data."""
    request_id = RequestId(call.get_identifier("request_id"))
    profiles = list_request_profiles(request_id, by=call.caller, world=call.world)
    return listed([ProfileBody.of(each) for each in profiles])


def get_request_profile(call: Call) -> Answer:
    """Answer one of those profiles. Errors: ProfileNotFound. Source: domain.md 8, number 9."""
    request_id = RequestId(call.get_identifier("request_id"))
    profile_id = ProfileId(call.get_identifier("profile_id"))
    for each in list_request_profiles(request_id, by=call.caller, world=call.world):
        if each.profile.id == profile_id:
            return found(ProfileBody.of(each))
    raise ProfileNotFound(profile_id)


ROUTES = (
    Route("GET", "/profiles", get_profiles),
    Route("GET", "/profiles/{profile_id}", get_profile),
    Route("GET", "/profiles/{profile_id}/operations", get_profile_operations),
    Route("GET", "/profiles/{profile_id}/certificates", get_profile_certificates),
    Route("GET", "/requests/{request_id}/profiles", get_request_profiles),
    Route("GET", "/requests/{request_id}/profiles/{profile_id}", get_request_profile),
)
