"""From where a call comes, also behind proxies."""

import pytest

from certwright.wire.rest.sources import Sources

PROXIES = ("10.0.0.0/8", "2001:db8:1::/48", "127.0.0.1")
XFF, STANDARD = Sources(PROXIES), Sources(PROXIES, "forwarded")


def scope(client: str, *headers: tuple[str, str]) -> dict[str, object]:
    return {"client": (client, 1), "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers]}


@pytest.mark.parametrize(
    ("client", "header", "source"),
    [
        ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", " 192.0.2.7 ", "192.0.2.7"),
        ("10.0.0.1", "192.0.2.7:4711", "192.0.2.7"),
        ("10.0.0.1", "[2001:db8:2::7]:4711", "2001:db8:2::7"),
        ("10.0.0.1", "2001:db8:2::7", "2001:db8:2::7"),
        ("10.0.0.1", "203.0.113.9, 192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "203.0.113.9, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "192.0.2.7, nonsense", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.7, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", ",", "10.0.0.1"),
        ("2001:db8:1::1", "192.0.2.7", "192.0.2.7"),
        ("192.0.2.1", "198.51.100.1", "192.0.2.1"),
        ("not an address", "198.51.100.1", "not an address"),
        ("10.0.0.1", ",".join(["203.0.113.1"] * 10_000 + ["192.0.2.7"]), "192.0.2.7"),
    ],
)
def test_the_last_address_that_is_no_proxy_s_is_the_source(client: str, header: str, source: str) -> None:
    assert XFF.find(scope(client, ("x-forwarded-for", header))) == source


@pytest.mark.parametrize(
    ("header", "source"),
    [
        ("for=192.0.2.7", "192.0.2.7"),
        ('For="[2001:db8:2::7]:4711";proto=https', "2001:db8:2::7"),
        ("proto=https;by=10.0.0.1;for=192.0.2.7", "192.0.2.7"),
        ("for=203.0.113.9, for=192.0.2.7;proto=https, for=10.0.0.2", "192.0.2.7"),
        ("for=192.0.2.7, for=_hidden", "10.0.0.1"),
        ("proto=https", "10.0.0.1"),
    ],
)
def test_the_standard_header_is_read_where_the_settings_name_it(header: str, source: str) -> None:
    assert STANDARD.find(scope("10.0.0.1", ("forwarded", header))) == source


def test_several_headers_are_one_list() -> None:
    asked = scope("10.0.0.1", ("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "192.0.2.7"))
    assert XFF.find(asked) == "192.0.2.7"


def test_the_other_header_is_not_believed() -> None:
    asked = scope("10.0.0.1", ("forwarded", "for=203.0.113.9"), ("x-forwarded-for", "192.0.2.7"))
    assert XFF.find(asked) == "192.0.2.7"
    assert STANDARD.find(asked) == "203.0.113.9"


def test_without_trusted_proxies_no_header_is_believed() -> None:
    assert Sources().find(scope("127.0.0.1", ("x-forwarded-for", "192.0.2.7"))) == "127.0.0.1"
    assert Sources().find({"client": None, "headers": []}) == "unknown"
