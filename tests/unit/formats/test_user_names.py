"""Names of people: what is loaded can be certified, and what cannot be certified is refused by person, attribute and length."""

from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as some

from certwright.domain.errors import CertwrightError, RulesBroken
from certwright.domain.profile_templates import AlternativeName
from certwright.domain.rules.names import list_name_faults
from certwright.formats.definitions import parse_world
from certwright.formats.names import encode_name
from worlds.contoso import CERTIFICATE_TEMPLATE, VECTORS

INPUTS = VECTORS / "inputs"
BOTH = (AlternativeName.PRINCIPAL_NAME, AlternativeName.EMAIL)


def spell(text: str) -> str:
    """Return *text* as a string of TOML."""
    return '"' + "".join(each if each.isalnum() or each in " =.@,+" else f"\\U{ord(each):08X}" for each in text) + '"'


def world_with(**attributes: str) -> str:
    """Return a world file with one person."""
    usual = {
        "account": "sam",
        "id": "11111111-2222-4333-8444-555555550001",
        "sid": "S-1-5-21-1-2-3-1",
        "principal_name": "sam@example.org",
        "display_name": "Sam",
        "distinguished_name": "CN=Sam,DC=example,DC=org",
    }
    lines = (f"{name} = {spell(value)}\n" for name, value in (usual | attributes).items())
    return f'[domain]\nname = "EXAMPLE"\n\n[[users]]\n{"".join(lines)}'


def faults_of(text: str) -> list[str]:
    """Return what is wrong with the people of a world file."""
    try:
        parse_world(text, "people.toml")
    except RulesBroken as broken:
        return [each.text for each in broken.broken]
    except CertwrightError as fault:
        return [fault.text]
    return []


@pytest.mark.parametrize("path", sorted(INPUTS.glob("2[012]-*.toml")), ids=lambda path: path.stem)
def test_names_that_certificates_have_room_for_are_loaded(path: Path) -> None:
    (user,) = parse_world(path.read_text(), path.name).users
    name = x509.Name.from_bytes(encode_name(user.distinguished_name))
    assert [each.rfc4514_attribute_name for each in name][:1] == ["DC"]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("26-name-ou-65.toml", "users.sam6.distinguished_name: OU has 65 characters; a certificate has room for 64"),
        ("29-name-empty-ou.toml", "users.sam9.distinguished_name: OU is empty"),
        ("31-account-with-colon.toml", "users.sam:x: an account name is not empty and has neither \\ nor @ nor a colon"),
    ],
)
def test_names_that_no_certificate_or_sign_in_can_carry_are_refused(file: str, words: str) -> None:
    (fault,) = faults_of((INPUTS / file).read_text())
    assert words in fault


TAKEN = [
    "CN=" + "ш" * 64,
    "CN=" + "山" * 64,
    "CN=Ελληνικά " + "α" * 50,
    "cn=Sam,Ou=People,dc=example",
    "CN=Sam, OU=People, DC=example",
    "CN=Sam,OU=" + "x" * 64,
    "E=sam@example.org,CN=Sam",
    "emailAddress=sam@example.org",
    "CN=Sam+UID=sam,DC=org",
    "2.5.4.3=Sam",
    "OID.2.5.4.3=Sam",
    "CN=\\ Sam\\ ",
    "CN=Sam\\, Jr",
    "CN=Sam\\2C Jr",
    "C=DE,CN=Sam",
    "STREET=" + "x" * 128,
]
REFUSED = [
    ("CN=" + "x" * 65, "CN has 65 characters; a certificate has room for 64"),
    ("CN=" + "ш" * 65, "CN has 65 characters; a certificate has room for 64"),
    ("OU=" + "x" * 65, "OU has 65 characters; a certificate has room for 64"),
    ("DC=" + "x" * 64, "DC has 64 characters; a certificate has room for 63"),
    ("C=DEU", "C has 3 characters; a certificate has room for 2"),
    ("O=" + "x" * 65, "O has 65 characters; a certificate has room for 64"),
    ("L=" + "x" * 129, "L has 129 characters; a certificate has room for 128"),
    ("E=" + "x" * 256, "E has 256 characters; a certificate has room for 255"),
    ("DC=köln", "DC holds other than ASCII characters"),
    ("E=zoë@example.org", "E holds other than ASCII characters"),
    ("serialNumber=a_b", "SERIALNUMBER holds characters that a printable string cannot"),
    ("CN=Sam,OU=", "OU is empty"),
    ("CN=", "CN is empty"),
    ("CN=#0C03536D", "hexadecimal values are not taken"),
    ("Sam", "it is not written as a distinguished name, such as CN=Name,DC=example,DC=com"),
    ("CN=Sam;DC=x", "it is not written as a distinguished name, such as CN=Name,DC=example,DC=com"),
    ('CN="Sam"', "it is not written as a distinguished name, such as CN=Name,DC=example,DC=com"),
    ("XYZ=Sam", "there is no attribute xyz"),
    ("CN=a\u202eb", "it has control characters, or others that nobody sees: U+202E"),
    ("CN=\\00", "it has control characters, or others that nobody sees: U+0000"),
    ("CN=\\FF", "an escaped value is not UTF-8"),
]


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_loaded_can_be_certified(name: str) -> None:
    assert faults_of(world_with(distinguished_name=name)) == []
    assert x509.Name.from_bytes(encode_name(name))
    assert list_name_faults(CERTIFICATE_TEMPLATE, name, [(AlternativeName.PRINCIPAL_NAME, "a@b")]) == []


@pytest.mark.parametrize(("name", "words"), REFUSED)
def test_what_cannot_be_certified_is_refused_by_person_attribute_and_length(name: str, words: str) -> None:
    (fault,) = faults_of(world_with(distinguished_name=name))
    assert f"users.sam.distinguished_name: {words}." in fault


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("display_name", "ш" * 65, "users.sam.display_name: CN has 65 characters; a certificate has room for 64"),
        ("display_name", "Sam\u200e", "users.sam.display_name: it has control characters, or others that nobody sees: U+200E"),
        ("principal_name", "sam", "users.sam.principal_name: a name of the form name@domain is wanted"),
        (
            "principal_name",
            "s\u0000@x",
            "users.sam.principal_name: it has control characters, or others that nobody sees: U+0000",
        ),
        (
            "principal_name",
            "x" * 1_020 + "@x.org",
            "users.sam.principal_name: it has 1,026 characters; at most 1,024 are taken",
        ),
        ("email", "a@-b", "users.sam.email: an address such as name@example.com is wanted"),
    ],
)
def test_every_name_that_a_certificate_may_carry_is_looked_at(attribute: str, value: str, words: str) -> None:
    (fault,) = faults_of(world_with(**{attribute: value}))
    assert words in fault


@pytest.mark.parametrize("account", ["", "a:b", "a\\b", "a@b", "a\u0007b", "a\u202eb"], ids=ascii)
def test_accounts_with_which_nobody_could_sign_in_are_refused(account: str) -> None:
    (fault,) = faults_of(world_with(account=account))
    assert f"users.{account}: " in fault


def test_two_people_whose_accounts_look_alike_are_one_too_many() -> None:
    composed, decomposed = "Zo\u00eb", "Zoe\u0308"
    first = world_with(account="ACCOUNT").replace('"ACCOUNT"', f'"{composed}"')
    second = world_with(
        account="ACCOUNT", id="11111111-2222-4333-8444-555555550002", sid="S-1-5-21-1-2-3-2", principal_name="z@example.org"
    ).replace('"ACCOUNT"', f'"{decomposed}"')
    faults = faults_of(f"{first}\n{second[second.index('[[users]]') :]}")
    assert [each for each in faults if "is defined more than once" in each]
    (user,) = parse_world(second, "people.toml").users
    assert user.account_name == composed


@given(some.lists(some.tuples(some.sampled_from(["CN", "ou", "DC", "E", "O"]), some.text(max_size=70)), min_size=1, max_size=3))
def test_loader_and_issuer_agree_about_every_name(parts: list[tuple[str, str]]) -> None:
    name = ",".join(f"{attribute}={value}" for attribute, value in parts)
    if faults_of(world_with(distinguished_name=name)):
        return
    assert encode_name(name)
    assert list_name_faults(CERTIFICATE_TEMPLATE, name, [(AlternativeName.PRINCIPAL_NAME, "a@b")]) == []
