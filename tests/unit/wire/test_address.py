"""The address of the server, as the log says it: one under which clients that verify its certificate reach it."""

import pytest

from certwright.wire.cli.serving import Address

NAMES = ("localhost", "127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("host", "names", "url"),
    [
        ("127.0.0.1", NAMES, "https://localhost:8443"),
        ("0.0.0.0", NAMES, "https://localhost:8443"),
        ("0.0.0.0", ("ca.example.com",), "https://ca.example.com:8443"),
        ("::", ("ca.example.com", "localhost"), "https://localhost:8443"),
        ("127.0.0.1", ("ca.example.com",), "https://ca.example.com:8443"),
        ("192.0.2.10", ("ca.example.com", "192.0.2.10"), "https://192.0.2.10:8443"),
        ("192.0.2.10", ("ca.example.com",), "https://ca.example.com:8443"),
        ("2001:db8::1", ("2001:db8::1",), "https://[2001:db8::1]:8443"),
    ],
)
def test_a_server_says_an_address_that_its_certificate_names(host: str, names: tuple[str, ...], url: str) -> None:
    assert Address(host=host, port=0, names=names).url(8443) == url


def test_without_tls_no_certificate_matters() -> None:
    assert Address(host="127.0.0.1", port=0, names=("ca.example.com",), is_plain=True).url(8080) == "http://localhost:8080"
