import json
from collections.abc import Iterator

import msgspec
import structlog

from certwright.domain.errors import (
    AccessDenied,
    CertwrightError,
    CredentialsMissing,
    DataItemUnknown,
    MalformedValue,
    RequestNotFound,
    RulesBroken,
    SignInThrottled,
    StoreUnavailable,
    ValidationDataRequired,
)
from certwright.wire.rest.errors import STATUS_OF, ErrorAnswer, answer_error
from certwright.wire.rest.rare_lines import RareLine

CHALLENGES = ('Basic realm="x"', "Negotiate")


def list_leaves(root: type[CertwrightError]) -> Iterator[type[CertwrightError]]:
    """Return the classes that nothing is derived from."""
    below = root.__subclasses__()
    if not below:
        yield root
    for each in below:
        yield from list_leaves(each)


def as_json(answer: ErrorAnswer) -> dict[str, object]:
    return json.loads(msgspec.json.encode(answer.body))


def test_every_way_to_say_no_has_a_status() -> None:
    missing = [each.__name__ for each in list_leaves(CertwrightError) if each not in STATUS_OF]
    assert missing == []


def test_only_statuses_are_sent_that_old_clients_know() -> None:
    assert set(STATUS_OF.values()) == {400, 401, 403, 404, 409, 500, 503}
    assert [each for each, status in STATUS_OF.items() if status == 503] == [StoreUnavailable]


def test_the_codes_of_errors_are_all_different() -> None:
    codes = [each.code for each in STATUS_OF]
    assert sorted(codes) == sorted(set(codes))


def test_a_refusal_tells_its_code_and_a_correlation_identifier() -> None:
    answer = answer_error(RequestNotFound("12"), CHALLENGES)
    body = as_json(answer)
    assert answer.status == 404
    assert list(body) == ["Message", "ErrorCode", "CorrelationId"]
    assert body["ErrorCode"] == "request-not-found"
    assert body["Message"] == RequestNotFound("12").text


def test_a_broken_property_is_named() -> None:
    answer = answer_error(MalformedValue("priority", "a whole number is wanted"), CHALLENGES)
    assert as_json(answer)["Errors"] == [
        {"ErrorCode": "malformed-value", "Message": "priority: a whole number is wanted.", "Field": "priority"}
    ]


def test_every_broken_rule_is_told() -> None:
    broken = RulesBroken((DataItemUnknown("Reason"), ValidationDataRequired("Request Reason")))
    answer = answer_error(broken, CHALLENGES)
    assert answer.status == 400
    assert [each["ErrorCode"] for each in as_json(answer)["Errors"]] == ["data-item-unknown", "validation-data-required"]


def test_whoever_has_not_signed_in_is_told_each_way_to_do_so() -> None:
    answer = answer_error(CredentialsMissing(), CHALLENGES)
    assert answer.status == 401
    assert [value for name, value in answer.headers if name == "WWW-Authenticate"] == list(CHALLENGES)


def test_whoever_must_wait_is_told_how_long() -> None:
    answer = answer_error(SignInThrottled(17), CHALLENGES)
    assert answer.status == 401
    assert ("Retry-After", "17") in answer.headers


def test_a_missing_right_is_no_missing_sign_in() -> None:
    answer = answer_error(AccessDenied("read this request"), CHALLENGES)
    assert (answer.status, answer.headers) == (403, ())


def test_outage_of_the_database_is_503_and_one_line_of_the_log_at_most() -> None:
    with structlog.testing.capture_logs() as log:
        answers = [answer_error(StoreUnavailable("secret cause"), CHALLENGES) for _ in range(100)]
    assert {(each.status, each.body.code, dict(each.headers)["Retry-After"]) for each in answers} == {
        (503, "store-unavailable", "5")
    }
    assert "secret cause" not in json.dumps(as_json(answers[0]))
    # None where another test of this process has written it a moment ago.
    assert len(log) <= 1
    assert [each for each in log if "exc_info" in each or "secret cause" not in each["error"]] == []


def test_rare_line_says_how_many_were_left_out() -> None:
    line = RareLine("something", interval_seconds=0.05)
    with structlog.testing.capture_logs() as log:
        while len(log) < 2:
            line.write()
    assert [each["left_out"] > 0 for each in log] == [False, True]


def test_what_the_caller_cannot_mend_is_told_to_the_log_alone() -> None:
    error = ZeroDivisionError("secret cause")
    with structlog.testing.capture_logs() as log:
        answer = answer_error(error, CHALLENGES)
    assert answer.status == 500
    assert "secret cause" not in json.dumps(as_json(answer))
    assert [(each["correlation_id"], each["exc_info"]) for each in log] == [(as_json(answer)["CorrelationId"], error)]
