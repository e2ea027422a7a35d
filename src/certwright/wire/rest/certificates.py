"""Routes of certificates."""

from certwright.application.read_holdings import list_own_certificates
from certwright.wire.rest.bodies import OwnCertificateBody
from certwright.wire.rest.calls import Answer, Call, Route, listed


def get_certificates(call: Call) -> Answer:
    """Answer the caller's certificates. Source: get-user-certificates."""
    certificates = list_own_certificates(by=call.caller, world=call.world)
    now = call.world.clock.now()
    return listed([OwnCertificateBody.at(each, now) for each in certificates])


ROUTES = (Route("GET", "/certificates", get_certificates),)
