"""Names that a certificate may carry."""

from dataclasses import replace

import pytest
from cryptography.x509 import Name
from cryptography.x509.oid import NameOID
from hypothesis import example, given
from hypothesis import strategies as st

from certwright.domain.profile_templates import AlternativeName, CertificateTemplate
from certwright.domain.rules.names import escape_name_value, list_name_faults
from worlds.contoso import CERTIFICATE_TEMPLATE

BOTH = (AlternativeName.PRINCIPAL_NAME, AlternativeName.EMAIL)
UPN = (AlternativeName.PRINCIPAL_NAME, "subscriber@corp.contoso.com")
SUBJECT = "CN=Subscriber,OU=People,DC=contoso,DC=com"


UNSEEN = "it has control characters, or others that nobody sees"


def faults(
    subject: str = SUBJECT,
    *names: tuple[AlternativeName, str],
    wanted: tuple[AlternativeName, ...] = (),
    template: CertificateTemplate = CERTIFICATE_TEMPLATE,
) -> list[str]:
    broken = list_name_faults(replace(template, alternative_names=wanted), subject, names)
    return [each.text.removeprefix("The name cannot be certified: ") for each in broken]


def test_a_full_name_has_no_fault() -> None:
    assert faults(SUBJECT, UPN, (AlternativeName.EMAIL, "subscriber@contoso.com"), wanted=BOTH) == []


def test_an_alternative_name_alone_names_somebody() -> None:
    assert faults("", UPN, wanted=(AlternativeName.PRINCIPAL_NAME,)) == []


def test_a_certificate_for_nobody_is_refused() -> None:
    assert faults("") == ["the certificate would name nobody."]


def test_a_mail_address_that_the_template_wants_and_the_directory_lacks_is_named() -> None:
    assert faults(SUBJECT, UPN, wanted=BOTH) == ["the directory has no email."]


@pytest.mark.parametrize(
    "name",
    ["a\0b", "a\nb", "a\x7f", "a\x85b", "a\u2028b", "\u202egro.live", "\u2066x", "a\u00adb", "\ufeffa", "\ue000", "\ud800"],
    ids=ascii,
)
def test_characters_that_nobody_sees_are_refused(name: str) -> None:
    assert [each.partition(":")[0] for each in faults(f"CN={name}")] == [UNSEEN]
    assert [each.partition(":")[0] for each in faults(SUBJECT, (AlternativeName.PRINCIPAL_NAME, name))] == [UNSEEN]


@pytest.mark.parametrize("escaped", [r"\00", r"a\0Ab", r"\\\0a", r"\e2\80\ae", r"\C2\85"])
def test_control_characters_do_not_hide_behind_escapes(escaped: str) -> None:
    assert [each.partition(":")[0] for each in faults(f"CN={escaped}")] == [UNSEEN]


def test_characters_that_nobody_sees_are_told_by_their_numbers() -> None:
    assert faults("CN=a\0b\u202ec") == ["it has control characters, or others that nobody sees: U+0000, U+202E."]


@pytest.mark.parametrize("number", [0x1C8B, 0x1E5D0, 0x16D40, 0x11380, 0xA7DC], ids=hex)
def test_letters_of_a_newer_unicode_than_pythons_are_taken(number: int) -> None:
    # Of Unicode 15 to 16: Python 3.11 has 14, and calls them unassigned.
    assert faults(f"CN={chr(number)}") == []


@pytest.mark.parametrize(
    "number", [0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF, 0xFDD0, 0xFDEF, 0x2065, 0xFFF0, 0xE0000, 0xE0FFF], ids=hex
)
def test_what_will_never_be_a_letter_is_refused(number: int) -> None:
    assert [each.partition(":")[0] for each in faults(f"CN={chr(number)}")] == [UNSEEN]


@pytest.mark.parametrize(
    "name",
    ["Zoë Müller", "渡辺", "علی\u200cرضا", "क्\u200dष", "no\u00a0break", r"Smith\, John", r"a\\00", r"Zo\C3\AB"],
    ids=ascii,
)
def test_names_of_all_the_world_are_taken(name: str) -> None:
    assert faults(f"CN={name}") == []


@pytest.mark.parametrize(
    "address", ["a@b", "first.last@mail.contoso.com", "a+tag@contoso.com", "o'neill@contoso.com", "x@1.example"]
)
def test_mail_addresses_are_taken(address: str) -> None:
    assert faults(SUBJECT, (AlternativeName.EMAIL, address)) == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "@b",
        "a@",
        "a@b@c",
        "a b@c",
        "a@b c",
        ".a@b",
        "a.@b",
        "a..b@c",
        "a@-b",
        "a@b-",
        "a@b.",
        "é@b",
        "a@é.com",
        "<a@b>",
        "a@b\n",
    ],
    ids=ascii,
)
def test_what_is_no_mail_address_is_refused(address: str) -> None:
    assert f"{address!r} is no mail address." in faults(SUBJECT, (AlternativeName.EMAIL, address))


def test_every_fault_of_the_names_is_reported() -> None:
    assert len(faults("", (AlternativeName.EMAIL, "\0"), wanted=BOTH)) == 3


# At most 64 octets: the library's reader counts octets where the standard counts characters.
PRINTABLE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Cn")), min_size=1, max_size=16)


@given(PRINTABLE)
@example(" ")
@example("  ")
@example("#hash")
@example('all of \\,+"<>;= here ')
@example("\\ ")
@example(" # ")
def test_an_escaped_value_reads_back_as_it_was(value: str) -> None:
    (attribute,) = Name.from_rfc4514_string(f"CN={escape_name_value(value)},O=Contoso").get_attributes_for_oid(
        NameOID.COMMON_NAME
    )
    assert attribute.value == value


@given(PRINTABLE)
def test_an_escaped_value_cannot_add_attributes(value: str) -> None:
    assert len(list(Name.from_rfc4514_string(f"CN={escape_name_value(value)}"))) == 1


@given(st.text(), st.text())
def test_no_text_makes_the_rule_stumble(subject: str, email: str) -> None:
    assert isinstance(faults(subject, (AlternativeName.EMAIL, email)), list)
