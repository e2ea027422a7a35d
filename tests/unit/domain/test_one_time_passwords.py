"""One-time passwords: how they are made, and what a hash of them is compared with."""

import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from certwright.domain.distributed_passwords import DistributedPasswords, PasswordState
from certwright.domain.one_time_passwords import (
    ALPHABET,
    Distribution,
    OneTimePasswordRules,
    are_right,
    digest_of,
    make_password,
)
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestId
from certwright.domain.rules.password_rules import WITH_PASSWORDS, list_password_faults
from worlds.contoso import NOW

KEY = bytes(range(32))
SECOND = timedelta(seconds=1)
SCREEN = OneTimePasswordRules(distributions=(Distribution.DISPLAY_ON_SCREEN,))
HANDED_OUT = DistributedPasswords(
    request_id=RequestId(UUID(int=1)),
    key=KEY,
    digests=(digest_of(KEY, "ABCD"),),
    distributed=NOW,
    expires=NOW + timedelta(days=1),
    tries_left=2,
)


def test_each_five_bits_make_one_letter_and_four_letters_a_group() -> None:
    assert make_password(0, 8) == "AAAA-AAAA"
    assert make_password(31, 8) == "9AAA-AAAA"
    assert make_password(2**60 - 1, 12) == "9999-9999-9999"
    assert make_password(0, 9) == "AAAA-AAAA-A"
    assert len(set(ALPHABET)) == 32
    assert not set(ALPHABET) & set("01IO")


def test_the_digest_is_hmac_sha_256_over_letters_and_digits() -> None:
    assert digest_of(KEY, "ABCD-EFGH") == hmac.digest(KEY, b"ABCDEFGH", hashlib.sha256)


@pytest.mark.parametrize("typed", ["abcd-efgh", " ABCDEFGH ", "AbCd EfGh", "A-B-C-D-E-F-G-H\n"])
def test_a_password_is_taken_as_people_type_it(typed: str) -> None:
    assert are_right(KEY, (digest_of(KEY, "ABCD-EFGH"),), (typed,))


@pytest.mark.parametrize(
    "given",
    [(), ("",), ("ABCD",), ("ABCD", "ABCD"), ("EFGH", "EFGH"), ("ABCD", "EFGH", "ABCD"), ("ABCD", ""), ("ABCD", "EFGI")],
    ids=str,
)
def test_anything_but_all_of_them_is_wrong(given: tuple[str, ...]) -> None:
    digests = (digest_of(KEY, "ABCD"), digest_of(KEY, "EFGH"))
    assert not are_right(KEY, digests, given)
    assert are_right(KEY, digests, ("EFGH", "abcd"))


def test_nothing_is_right_where_nothing_was_handed_out() -> None:
    assert not are_right(KEY, (), ())


def test_another_key_makes_another_digest() -> None:
    assert not are_right(bytes(32), (digest_of(KEY, "ABCD"),), ("ABCD",))


@pytest.mark.parametrize(
    ("changed", "after", "state"),
    [
        ({}, timedelta(), PasswordState.WAITING),
        ({}, timedelta(days=1) - SECOND, PasswordState.WAITING),
        ({}, timedelta(days=1), PasswordState.EXPIRED),
        ({"tries_left": 0}, timedelta(), PasswordState.EXHAUSTED),
        ({"used": NOW}, timedelta(days=2), PasswordState.USED),
        ({"used": NOW, "tries_left": 0}, timedelta(), PasswordState.USED),
    ],
)
def test_what_passwords_are_worth_follows_from_what_became_of_them(changed, after, state) -> None:
    assert replace(HANDED_OUT, **changed).state(NOW + after) is state


def test_neither_passwords_nor_what_guesses_them_are_in_a_representation() -> None:
    assert repr(KEY) not in repr(HANDED_OUT)
    assert repr(HANDED_OUT.digests[0]) not in repr(HANDED_OUT)


@pytest.mark.parametrize(
    ("rules", "key"),
    [
        (replace(SCREEN, distributions=SCREEN.distributions * 3), "distributions"),
        (replace(SCREEN, length=7), "length"),
        (replace(SCREEN, length=65), "length"),
        (replace(SCREEN, tries=0), "tries"),
        (replace(SCREEN, tries=101), "tries"),
        (replace(SCREEN, validity=timedelta()), "validity"),
        (replace(SCREEN, validity=timedelta(days=366)), "validity"),
    ],
    ids=str,
)
def test_rules_that_cannot_be_kept_are_refused_by_their_key(rules: OneTimePasswordRules, key: str) -> None:
    (fault,) = list_password_faults(rules, "there", RequestType.ENROLL)
    assert fault.where == f"there.{key}"


@pytest.mark.parametrize("kind", RequestType)
def test_only_what_its_subject_executes_has_passwords(kind: RequestType) -> None:
    assert (list_password_faults(SCREEN, "there", kind) == []) is (kind in WITH_PASSWORDS)
    assert list_password_faults(OneTimePasswordRules(), "there", kind) == []
