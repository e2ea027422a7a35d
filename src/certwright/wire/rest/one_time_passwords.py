"""The route of one-time passwords, which the documented API has not: it is under a version of its own."""

from msgspec import Struct, field

from certwright.application.one_time_passwords import HandedOut, distribute_passwords
from certwright.domain.requests import RequestId
from certwright.wire.rest.calls import Answer, Call, Route, found


class HandedOutBody(Struct):
    """The one-time passwords for the caller's screen, told this once, and how each of all of them is distributed."""

    shown: list[str] = field(name="OneTimePasswords")
    expires: str = field(name="Expires")
    distributions: list[int] = field(name="Distributions")

    @classmethod
    def of(cls, handed_out: HandedOut) -> "HandedOutBody":
        """Return *handed_out* as it is answered."""
        return cls(
            shown=list(handed_out.shown),
            expires=f"{handed_out.expires:%Y-%m-%dT%H:%M:%SZ}",
            distributions=[int(each) for each in handed_out.distributions],
        )


def post_one_time_passwords(call: Call) -> Answer:
    """Hand out new one-time passwords of a request, and answer those for the caller's screen.

    Source: DistributeSecrets in domain.md 3; 8, number 38i.
    """
    request_id = RequestId(call.get_identifier("request_id"))
    if call.body:
        call.parse_body()
    return found(HandedOutBody.of(distribute_passwords(request_id, by=call.caller, world=call.world)))


ROUTES = (Route("POST", "/requests/{request_id}/onetimepasswords", post_one_time_passwords, version="v1.1"),)
