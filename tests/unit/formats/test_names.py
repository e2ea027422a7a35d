"""Distinguished names between text and bytes."""

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as some

from certwright.domain.errors import NameRefused
from certwright.domain.rules.names import escape_name_value
from certwright.formats.der_reader import read_der
from certwright.formats.names import encode_name, format_name

PRINTABLE_TEXT = some.text(some.characters(exclude_categories=["C"]), min_size=1, max_size=64)


def reformat(encoded: bytes) -> str:
    return format_name(read_der(encoded))


def test_the_order_of_text_is_turned_round_in_bytes() -> None:
    name = x509.Name.from_bytes(encode_name("CN=Jim,OU=Users,DC=corp,DC=com"))
    assert [(each.oid, each.value) for each in name] == [
        (x509.NameOID.DOMAIN_COMPONENT, "com"),
        (x509.NameOID.DOMAIN_COMPONENT, "corp"),
        (x509.NameOID.ORGANIZATIONAL_UNIT_NAME, "Users"),
        (x509.NameOID.COMMON_NAME, "Jim"),
    ]


def test_the_library_encodes_the_same_name_to_the_same_bytes() -> None:
    text = "CN=Jim\\, Jr \\+ Söhne,UID=jim,OU=Users,O=Contoso,L=Köln,ST=NRW,C=DE,DC=corp,DC=com"
    assert encode_name(text) == x509.Name.from_rfc4514_string(text).public_bytes()


def test_several_attributes_of_one_step_are_a_sorted_set() -> None:
    text = "UID=jim+CN=Jim,O=Contoso"
    assert encode_name(text) == x509.Name.from_rfc4514_string(text).public_bytes() == encode_name("CN=Jim+UID=jim,O=Contoso")


def test_types_are_read_in_any_case_and_with_blanks_around_them() -> None:
    assert encode_name("cn=Jim , Ou = Users,dc=com ") == encode_name("CN=Jim,OU=Users,DC=com")
    assert encode_name("OID.2.5.4.3=Jim") == encode_name("2.5.4.3=Jim") == encode_name("CN=Jim")
    assert encode_name("emailAddress=a@b.c") == encode_name("E=a@b.c")


def test_an_empty_text_is_the_empty_name() -> None:
    assert encode_name("") == b"\x30\x00"


def test_sixty_four_characters_of_two_octets_each_fit_a_common_name() -> None:
    assert "ш" * 64 in encode_name("CN=" + "ш" * 64).decode(errors="replace")


@pytest.mark.parametrize(
    "text",
    [
        "Jim",
        "CN=",
        "=Jim",
        "CN=Jim,",
        ",CN=Jim",
        "CN=Jim;O=x",
        "CN=#04024869",
        'CN="Jim"',
        "CN=Jim\\",
        "XYZ=Jim",
        "3.1.2=Jim",
        "CN=" + "x" * 65,
        "OU=" + "x" * 65,
        "C=DEU",
        "C=Ü1",
        "DC=köln,DC=com",
        "serialNumber=a_b",
        "CN=\\ff",
        "CN=a\0b",
        "CN=a\\\0b",
        "CN=\udc71",
        "CN=a+CN=a",
        "CN=a+2.5.4.3=b",
    ],
)
def test_what_is_no_name_or_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(NameRefused):
        encode_name(text)


@given(some.text(max_size=40))
def test_no_text_makes_the_encoder_fail_in_another_way(text: str) -> None:
    try:
        assert encode_name(text)[0] == 0x30
    except NameRefused:
        assert text


@given(some.lists(PRINTABLE_TEXT, min_size=1, max_size=4))
def test_escaped_values_come_back_as_they_were(values: list[str]) -> None:
    text = ",".join(f"CN={escape_name_value(each)}" for each in values)
    encoded = encode_name(text)
    assert [each.value for each in x509.Name.from_bytes(encoded)] == values[::-1]
    assert reformat(encoded) == text
