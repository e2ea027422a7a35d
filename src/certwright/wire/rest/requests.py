"""Routes of requests: open one, read it, close it."""

from certwright.application.close_request import abandon_request, cancel_request, complete_request
from certwright.application.create_request import EnrollmentWish, create_enroll_request
from certwright.application.read_requests import list_requests, read_request
from certwright.domain.errors import RequestTypeUnsupported
from certwright.domain.identities import UserId
from certwright.domain.policies import Answers
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId
from certwright.wire.rest.bodies import RequestBody
from certwright.wire.rest.calls import Answer, Call, Route, created, found, listed
from certwright.wire.rest.names import REQUEST_STATUSES, REQUEST_TYPES, fold_name
from certwright.wire.rest.properties import Properties

_CLOSING = {
    "completed": complete_request,
    "canceled": cancel_request,
    "cancelled": cancel_request,
    "abandoned": abandon_request,
    "abandon": abandon_request,
}
"""Source: domain.md 8, number 28."""


def post_request(call: Call) -> Answer:
    """Open a request and answer where it is. Source: create-request.

    Errors: RequestTypeUnsupported for the kinds that cannot be run yet.
    """
    properties = call.parse_body()
    template_id = properties.read_identifier("profiletemplateuuid")
    target_id = properties.read_identifier("target")
    answers = _read_answers(properties)
    name = properties.read_text("type").strip()
    request_type = REQUEST_TYPES.get(fold_name(name))
    if request_type is None:
        properties.fail("type", "the name of a kind of request is wanted, such as Enroll")
    if request_type is not RequestType.ENROLL:
        properties.check_readable()
        raise RequestTypeUnsupported(name)
    if template_id is None:
        properties.fail("profiletemplateuuid", "the GUID of a profile template is wanted")
    properties.check_readable()
    wish = EnrollmentWish(
        template_id=ProfileTemplateId(template_id),
        target_id=None if target_id is None else UserId(target_id),
        answers=answers,
    )
    request = create_enroll_request(wish, by=call.caller, world=call.world)
    return created(f"requests/{request.id}")


def get_requests(call: Call) -> Answer:
    """Answer the requests that the caller may read. Source: get-request; domain.md 8, numbers 31 and 32."""
    only_own = fold_name(call.query.get("targetuser", "")) == "current"
    name = fold_name(call.query.get("status", ""))
    if name and name not in REQUEST_STATUSES:
        return listed([])
    statuses = frozenset({REQUEST_STATUSES[name]}) if name else None
    requests = list_requests(by=call.caller, world=call.world, only_own=only_own, statuses=statuses)
    return listed([RequestBody.of(each) for each in requests])


def get_request(call: Call) -> Answer:
    """Answer one request."""
    request_id = RequestId(call.get_identifier("request_id"))
    return found(RequestBody.of(read_request(request_id, by=call.caller, world=call.world)))


def put_request(call: Call) -> Answer:
    """Close a request and answer it as it is then. Source: cancel-abandon-complete-request."""
    request_id = RequestId(call.get_identifier("request_id"))
    properties = call.parse_body()
    comment = properties.read_text("comment")
    close = _CLOSING.get(fold_name(properties.read_text("status")))
    if close is None:
        properties.fail("status", "one of Completed, Canceled and Abandoned is wanted")
    properties.check_readable()
    return found(RequestBody.of(close(request_id, by=call.caller, world=call.world, comment=comment)))


def _read_answers(properties: Properties) -> Answers:
    return Answers(
        comment=properties.read_text("comment"),
        priority=properties.read_whole_number("priority"),
        data=properties.read_items("datacollection"),
    )


ROUTES = (
    Route("POST", "/requests", post_request),
    Route("GET", "/requests", get_requests),
    Route("GET", "/requests/{request_id}", get_request),
    Route("PUT", "/requests/{request_id}", put_request),
)
