"""Routes of issuing: which requests the client is to make, and the certificates for them."""

from collections.abc import Iterator, Sequence

from certwright.application.enroll import Order, Outcome, Submission, enroll, enroll_each
from certwright.application.places import Delivered
from certwright.application.plan_certificate_requests import plan_certificate_requests
from certwright.domain.errors import CertwrightError
from certwright.domain.requests import RequestId
from certwright.wire.rest.bodies import DeliveredBody, GenerationOptionsBody
from certwright.wire.rest.calls import Answer, Call, Route, listed
from certwright.wire.rest.faults import LIMIT_OCTETS, WireRefusal


def get_generation_options(call: Call) -> Answer:
    """Answer how to make each certificate request. Source: get-certificate-request-generation-options."""
    request_id = RequestId(call.get_identifier("request_id"))
    planned = plan_certificate_requests(request_id, by=call.caller, world=call.world)
    return listed([GenerationOptionsBody.of(each) for each in planned])


def post_certificate_data(call: Call) -> Answer:
    """Answer each certificate request with its certificate.

    Ours: *onetimepasswords*, a list of strings, for requests that have some.

    Errors: as `enroll`; MalformedBody, MalformedValue and WireRefusal for what cannot be read.
    Source: get-certificate-responses.
    """
    order = _read_order(call)
    if isinstance(order, Exception):
        raise order
    return _list_places(enroll(order.request_id, order.submission, by=order.by, world=call.world))


def post_certificate_data_together(calls: Sequence[Call]) -> list[Answer | Exception | None]:
    """Answer several such calls, for each what `post_certificate_data` returns or raises; None where that would take long."""
    read = [_read_order(each) for each in calls]
    quick = [each for each in read if isinstance(each, Order) and not each.submission.takes_long]
    outcomes = iter(enroll_each(quick, world=calls[0].world))
    return [_answer(each, outcomes) for each in read]


def _answer(order: Order | Exception, outcomes: Iterator[Outcome]) -> Answer | Exception | None:
    if isinstance(order, Exception):
        return order
    if order.submission.takes_long:
        return None
    outcome = next(outcomes)
    return outcome if isinstance(outcome, Exception) else _list_places(outcome)


def _list_places(delivered: Sequence[Delivered]) -> Answer:
    return listed([DeliveredBody.of(each) for each in delivered])


def _read_order(call: Call) -> Order | CertwrightError | WireRefusal:
    try:
        request_id = RequestId(call.get_identifier("request_id"))
        properties = call.parse_body()
        submission = Submission(
            certificate_requests=properties.read_texts("certificaterequests"),
            comment=properties.read_text("comments"),
            pfx_password=properties.read_text("pfxpassword"),
            one_time_passwords=properties.read_texts("onetimepasswords"),
        )
        properties.check_readable()
    except (CertwrightError, WireRefusal) as refused:
        return refused
    return Order(request_id, submission, call.caller)


ROUTES = (
    Route("GET", "/requests/{request_id}/certificaterequestgenerationoptions", get_generation_options, is_brief=True),
    Route(
        "POST",
        "/requests/{request_id}/certificatedata",
        post_certificate_data,
        post_certificate_data_together,
        is_brief=True,
        body_limit=LIMIT_OCTETS,
    ),
)
