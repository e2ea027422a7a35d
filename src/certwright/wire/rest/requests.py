"""Routes of requests: open one, read it, decide on it, close it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from urllib.parse import urlencode

from certwright.application.approve_request import approve_request, deny_request, supply_data
from certwright.application.close_request import abandon_request, cancel_request, fail_request
from certwright.application.complete_request import complete_request
from certwright.application.create_request import RequestWish, create_request
from certwright.application.read_requests import list_requests, read_request, read_request_page
from certwright.application.request_parties import SeenRequest
from certwright.domain.errors import MalformedValue
from certwright.domain.identities import UserId
from certwright.domain.policies import Answers, Choices
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.profiles import ProfileId
from certwright.domain.requests import RequestId, RequestStatus
from certwright.domain.revocation import RevocationReason
from certwright.domain.smartcards import SmartcardId
from certwright.domain.workflows import Operation
from certwright.wire.rest.bodies import RequestBody
from certwright.wire.rest.calls import ADDRESS, Answer, Call, Route, created, found, listed, listed_in_slices
from certwright.wire.rest.faults import DATA_LIMIT_OCTETS
from certwright.wire.rest.identifiers import find_identifier
from certwright.wire.rest.names import OPERATIONS, REQUEST_STATUSES, REVOCATION_REASONS, fold_name
from certwright.wire.rest.properties import Properties
from certwright.wire.rest.slices import SLICE_ITEMS

_CLOSING = {
    "completed": complete_request,
    "canceled": cancel_request,
    "cancelled": cancel_request,
    "abandoned": abandon_request,
    "abandon": abandon_request,
    "failed": fail_request,
    "denied": deny_request,
}
"""Source: domain.md 8, number 28, and the decision "approve and deny"; Failed is ours, for what 4.1 has no call for."""


def post_request(call: Call) -> Answer:
    """Open a request and answer where it is. Source: create-request.

    Ours: *revocationreason*, *revocationdelay* and *certificatetemplate*, where the policy offers the choice.
    """
    properties = call.parse_body()
    template_id = properties.read_identifier("profiletemplateuuid")
    profile_id = properties.read_identifier("profile")
    smartcard_id = properties.read_identifier("smartcard")
    target_id = properties.read_identifier("target")
    answers = _read_answers(properties)
    operation = _read_operation(properties)
    properties.check_readable()
    wish = RequestWish(
        operation=operation,
        template_id=None if template_id is None else ProfileTemplateId(template_id),
        profile_id=None if profile_id is None else ProfileId(profile_id),
        smartcard_id=None if smartcard_id is None else SmartcardId(smartcard_id),
        target_id=None if target_id is None else UserId(target_id),
        answers=answers,
    )
    request = create_request(wish, by=call.caller, world=call.world)
    return created(f"requests/{request.id}")


def get_requests(call: Call) -> Answer:
    """Answer the requests that the caller may read. Source: get-request; domain.md 8, numbers 31 and 32.

    Ours: with *limit*, a page, and a Link to the next one; see `_answer_page`.
    """
    only_own = fold_name(call.query.get("targetuser", "")) == "current"
    name = fold_name(call.query.get("status", ""))
    if name and name not in REQUEST_STATUSES:
        return listed([])
    statuses = frozenset({REQUEST_STATUSES[name]}) if name else None
    if "limit" in call.query or "after" in call.query:
        return _answer_page(call, only_own=only_own, statuses=statuses)
    found_in = list_requests(by=call.caller, world=call.world, slice_length=SLICE_ITEMS, only_own=only_own, statuses=statuses)
    return listed_in_slices([RequestBody.of(each) for each in seen] for seen in found_in)


def _answer_page(call: Call, *, only_own: bool, statuses: frozenset[RequestStatus] | None) -> Answer:
    """Answer those of the next *limit* requests after the one that *after* names which the caller may read.

    There may be fewer than *limit*, or none, and still a link to the next page (RFC 8288): the last page has none.
    """
    after = find_identifier(call.query.get("after", ""))
    if after is None and call.query.get("after"):
        raise MalformedValue("after", "the GUID of a request is wanted")
    length = call.parse_number("limit", SLICE_ITEMS, 1, SLICE_ITEMS)
    page = read_request_page(
        by=call.caller,
        world=call.world,
        length=length,
        only_own=only_own,
        statuses=statuses,
        after=None if after is None else RequestId(after),
    )
    answer = listed([RequestBody.of(each) for each in page.requests])
    if page.following is None:
        return answer
    asked = {name: call.query[name] for name in ("status", "targetuser") if call.query.get(name)}
    following = urlencode({**asked, "limit": length, "after": page.following})
    return replace(answer, headers={"Link": f'<{ADDRESS}/requests?{following}>; rel="next"'})


def get_request(call: Call) -> Answer:
    """Answer one request."""
    request_id = RequestId(call.get_identifier("request_id"))
    return found(RequestBody.of(read_request(request_id, by=call.caller, world=call.world)))


def put_request(call: Call) -> Answer:
    """Decide on a request, or close it, and answer it as it is then; without a status, supply its data items.

    Source: cancel-abandon-complete-request; the decision "approve and deny".
    """
    request_id = RequestId(call.get_identifier("request_id"))
    properties = call.parse_body()
    comment = properties.read_text("comment")
    data = properties.read_items("datacollection")
    status = fold_name(properties.read_text("status"))
    act: Callable[..., SeenRequest] | None = _CLOSING.get(status)
    if status == "approved":
        act = partial(approve_request, data=data)
    elif not status and data:
        act = partial(supply_data, data=data)
    if act is None:
        properties.fail("status", "one of Approved, Denied, Completed, Canceled, Abandoned and Failed is wanted")
    properties.check_readable()
    return found(RequestBody.of(act(request_id, by=call.caller, world=call.world, comment=comment)))


def _read_operation(properties: Properties) -> Operation:
    name = properties.read_text("type").strip()
    operation = OPERATIONS.get(fold_name(name))
    if fold_name(name) == "suspendorreinstate":
        properties.fail("type", "Suspend or Reinstate is wanted, not both")
    if operation is None:
        properties.fail("type", "the name of a kind of request is wanted, such as Enroll")
    return operation


def _read_answers(properties: Properties) -> Answers:
    return Answers(
        comment=properties.read_text("comment"),
        priority=properties.read_whole_number("priority"),
        data=properties.read_items("datacollection"),
        choices=Choices(
            revocation_reason=_read_reason(properties),
            revocation_delay=properties.read_time_span("revocationdelay"),
            certificate_template=properties.read_text("certificatetemplate").strip(),
        ),
    )


def _read_reason(properties: Properties) -> RevocationReason | None:
    name = fold_name(properties.read_text("revocationreason"))
    if name and name not in REVOCATION_REASONS:
        properties.refuse("revocationreason", "the name or number of a reason of RFC 5280 is wanted")
    return REVOCATION_REASONS.get(name)


ROUTES = (
    Route("POST", "/requests", post_request, body_limit=DATA_LIMIT_OCTETS),
    Route("GET", "/requests", get_requests),
    Route("GET", "/requests/{request_id}", get_request, is_brief=True),
    Route("PUT", "/requests/{request_id}", put_request, body_limit=DATA_LIMIT_OCTETS),
)
