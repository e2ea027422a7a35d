"""What counts as the address of a mailbox."""

import pytest

from certwright.domain.mail_addresses import find_address_fault


@pytest.mark.parametrize(
    "address",
    ["a@b", "alice@contoso.com", "first.last+tag@sub.contoso.co.uk", "o'brien@x.com", "x@xn--bcher-kva.example", "1@2.3"],
)
def test_addresses_are_taken(address: str) -> None:
    assert find_address_fault(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "alice",
        "@contoso.com",
        "alice@",
        "alice@contoso..com",
        ".alice@contoso.com",
        "alice@-contoso.com",
        "alice@contoso.com\n",
        "alice@contoso.com\r\nBcc: eve@example.com",
        "alice@contoso.com,eve@example.com",
        "Alice <alice@contoso.com>",
        "<alice@contoso.com>",
        "alice@contoso.com> SIZE=1",
        '"a b"@contoso.com',
        "alice@[192.0.2.1]",
        "älice@contoso.com",
        "alice@contoso.com\0",
        "a b@contoso.com",
        "a" * 65 + "@contoso.com",
        "a@" + ".".join(["b" * 63] * 4),
    ],
)
def test_what_could_be_more_or_less_than_one_mailbox_is_not(address: str) -> None:
    assert find_address_fault(address)
