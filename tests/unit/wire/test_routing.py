import pytest

from certwright.wire.rest.calls import Answer, Call, Route
from certwright.wire.rest.faults import WireFault, WireRefusal
from certwright.wire.rest.routing import RouteTable, check_host


def answer_nothing(_: Call) -> Answer:
    return Answer(204)


LIST = Route("GET", "/things", answer_nothing)
READ = Route("GET", "/things/{thing}", answer_nothing)
CHANGE = Route("PUT", "/things/{thing}", answer_nothing)
PARTS = Route("GET", "/things/{thing}/parts/{part}", answer_nothing)
NEWEST = Route("GET", "/things/newest", answer_nothing)
TABLE = RouteTable("/root", (LIST, READ, CHANGE, PARTS, NEWEST))


@pytest.mark.parametrize(
    ("method", "path", "expected", "values"),
    [
        ("GET", "/root/v1.0/things", LIST, {}),
        ("GET", "/root/v1.0/things/7", READ, {"thing": "7"}),
        ("HEAD", "/root/v1.0/things/7", READ, {"thing": "7"}),
        ("PUT", "/root/v1.0/things/7", CHANGE, {"thing": "7"}),
        ("GET", "/root/v1.0/things/7/parts/8", PARTS, {"thing": "7", "part": "8"}),
    ],
)
def test_an_address_finds_its_route_and_the_values_in_it(
    method: str, path: str, expected: Route, values: dict[str, str]
) -> None:
    assert TABLE.get_route(method, path) == (expected, values)


def test_a_literal_segment_goes_before_a_named_one() -> None:
    assert TABLE.get_route("GET", "/root/v1.0/things/newest") == (NEWEST, {})


@pytest.mark.parametrize(
    "path", ["/", "/root/v1.0", "/root/v1.0/others", "/root/v1.0/things/7/parts", "/root/v1.0/things/7/parts/8/9"]
)
def test_an_address_that_leads_nowhere_is_not_found(path: str) -> None:
    with pytest.raises(WireRefusal) as refused:
        TABLE.get_route("GET", path)
    assert (refused.value.fault.status, refused.value.fault.code) == (404, "route-unknown")


def test_a_wrong_method_is_refused_with_those_that_are_right() -> None:
    with pytest.raises(WireRefusal) as refused:
        TABLE.get_route("DELETE", "/root/v1.0/things/7")
    assert (refused.value.fault.status, refused.value.headers) == (405, (("Allow", "GET, HEAD, PUT"),))


def test_one_segment_cannot_have_two_names() -> None:
    with pytest.raises(ValueError, match="two names"):
        RouteTable("/root", (READ, Route("GET", "/things/{other}/more", answer_nothing)))


@pytest.mark.parametrize(("version", "hosts"), [("1.1", []), ("1.1", [b"a", b"a"]), ("1.0", [b"a", b"b"])])
def test_a_call_without_one_host_is_refused(version: str, hosts: list[bytes]) -> None:
    with pytest.raises(WireRefusal) as refused:
        check_host(version, [(b"accept", b"*/*"), *((b"host", each) for each in hosts)])
    assert refused.value.fault is WireFault.HOST_HEADER_WRONG


@pytest.mark.parametrize(("version", "hosts"), [("1.1", [b"a"]), ("1.0", []), ("1.0", [b"a"])])
def test_a_call_that_says_its_host_as_its_version_wants_is_taken(version: str, hosts: list[bytes]) -> None:
    assert check_host(version, [(b"host", each) for each in hosts]) is None
