"""Routes of issuing: which requests the client is to make, and the certificates for them."""

from certwright.application.enroll import Submission, enroll
from certwright.application.plan_certificate_requests import plan_certificate_requests
from certwright.domain.requests import RequestId
from certwright.wire.rest.bodies import DeliveredBody, GenerationOptionsBody
from certwright.wire.rest.calls import Answer, Call, Route, listed


def get_generation_options(call: Call) -> Answer:
    """Answer how to make each certificate request. Source: get-certificate-request-generation-options."""
    request_id = RequestId(call.get_identifier("request_id"))
    planned = plan_certificate_requests(request_id, by=call.caller, world=call.world)
    return listed([GenerationOptionsBody.of(each) for each in planned])


def post_certificate_data(call: Call) -> Answer:
    """Answer each certificate request with its certificate. Source: get-certificate-responses."""
    request_id = RequestId(call.get_identifier("request_id"))
    properties = call.parse_body()
    submission = Submission(
        certificate_requests=properties.read_texts("certificaterequests"), comment=properties.read_text("comments")
    )
    # The password protects keys that the server makes. It makes none yet, so that a readable one is all that is asked.
    properties.read_text("pfxpassword")
    properties.check_readable()
    delivered = enroll(request_id, submission, by=call.caller, world=call.world)
    return listed([DeliveredBody.of(each) for each in delivered])


ROUTES = (
    Route("GET", "/requests/{request_id}/certificaterequestgenerationoptions", get_generation_options),
    Route("POST", "/requests/{request_id}/certificatedata", post_certificate_data),
)
