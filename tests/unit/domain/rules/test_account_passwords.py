"""Which passwords are taken."""

import pytest

from certwright.domain.errors import MalformedValue, PasswordGuessable, PasswordTooShort, Refused
from certwright.domain.rules.account_passwords import PasswordPolicy, list_password_faults
from worlds.contoso import SUBSCRIBER

SHORT = PasswordPolicy(minimum_characters=8)


def faults_of(password: str, policy: PasswordPolicy = SHORT) -> list[type[Refused]]:
    return [type(each) for each in list_password_faults(password, SUBSCRIBER.user, policy)]


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "kU2vT0iQeXr9bWzA",
        "83920174652918374650",
        "Zwölf Boxkämpfer jagen Viktor",
        "пароль из четырёх слов",
        "a subscriber of seven magazines",
        "password for the cellar door",
        ("words and blanks " * 60)[:1_000],
    ],
)
def test_long_passwords_are_taken_whatever_characters_they_have(password: str) -> None:
    assert faults_of(password, PasswordPolicy()) == []


@pytest.mark.parametrize(("characters", "minimum"), [(14, 15), (7, 8), (19, 20)])
def test_short_ones_are_refused_with_how_long_they_have_to_be(characters: int, minimum: int) -> None:
    password, policy = "rT7!vQ2#mZ9$kL4%nB6&"[:characters], PasswordPolicy(minimum_characters=minimum)
    (fault,) = list_password_faults(password, SUBSCRIBER.user, policy)
    assert isinstance(fault, PasswordTooShort)
    assert f"at least {minimum} characters" in fault.text
    assert faults_of(f"{password}!", policy) == []


@pytest.mark.parametrize(
    "password",
    [
        "subscriber",
        "Subscriber2026!",
        "subscribersubscriber",
        "subscriber@corp.contoso.com",
        "CORP\\subscriber",
        "subscriber@contoso.com",
        "5ub5cr1ber-12",
        "Certwright-2026",
        "certwright!subscriber",
    ],
)
def test_names_of_the_account_and_the_service_are_refused(password: str) -> None:
    assert PasswordGuessable in faults_of(password)
    assert "names" in " ".join(each.text for each in list_password_faults(password, SUBSCRIBER.user, SHORT))
    assert faults_of(password, PasswordPolicy(minimum_characters=8, refuses_names=False)) == []


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "Password12345678",
        "P@ssw0rd!P@ssw0rd!",
        "qwertyuiopasdfghjkl",
        "monkey dragon shadow",
        "iloveyou-1999",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "123456789012345",
        "abcdefghijklmnop",
        "zyxwvutsrqponmlk",
        "!!!!!!!!!!!!!!!!",
    ],
)
def test_common_ones_repetitions_and_sequences_are_refused(password: str) -> None:
    assert faults_of(password) == [PasswordGuessable]
    assert faults_of(password, PasswordPolicy(minimum_characters=8, refuses_common=False)) == []


@pytest.mark.parametrize("password", ["", "x" * 1_001, "two lines of it\nand another", "a bell \a and more words"])
def test_what_cannot_be_typed_into_a_form_is_refused(password: str) -> None:
    assert MalformedValue in faults_of(password)


def test_no_fault_repeats_the_password() -> None:
    for password in ("subscriber", "hunter2", "Password12345678"):
        assert password not in " ".join(each.text for each in list_password_faults(password, SUBSCRIBER.user, PasswordPolicy()))
