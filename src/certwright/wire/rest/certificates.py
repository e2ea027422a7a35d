"""Routes of certificates."""

from certwright.application.read_holdings import list_own_certificates_in_slices
from certwright.wire.rest.bodies import OwnCertificateBody
from certwright.wire.rest.calls import Answer, Call, Route, listed_in_slices

CERTIFICATES_A_SLICE = 100


def get_certificates(call: Call) -> Answer:
    """Answer the caller's certificates. Source: get-user-certificates."""
    slices = list_own_certificates_in_slices(by=call.caller, world=call.world, slice_length=CERTIFICATES_A_SLICE)
    now = call.world.clock.now()
    return listed_in_slices([OwnCertificateBody.at(each, now) for each in held] for held in slices)


ROUTES = (Route("GET", "/certificates", get_certificates),)
