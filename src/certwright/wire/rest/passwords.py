"""The route by which users change their own password, which the documented API has not: it is under a version of its own."""

from certwright.application.set_password import change_own_password
from certwright.wire.rest.calls import Answer, Call, Route


def put_password(call: Call) -> Answer:
    """Replace the caller's own password, of which *currentpassword* is wanted, by *newpassword*. Source: domain.md has none."""
    body = call.parse_body()
    current, new = body.read_text("currentpassword"), body.read_text("newpassword")
    body.check_readable()
    change_own_password(current, new, by=call.caller, world=call.world)
    return Answer(204)


ROUTES = (Route("PUT", "/password", put_password, version="v1.1"),)
