"""RSA keys that must never be certified, each built here as its flaw makes it."""

from dataclasses import replace
from itertools import islice
from math import isqrt, prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certwright.domain.profile_templates import KeySpecification
from certwright.domain.rules.key_weaknesses import (
    FINGERPRINT_PRIMES,
    SMALL_FACTOR_LIMIT,
    has_roca_fingerprint,
    list_key_weaknesses,
    list_prime_faults,
)
from certwright.formats.pkcs10 import parse_certificate_request_text
from worlds.contoso import MODULI, P256_KEY, RSA_KEY
from worlds.documented import DOCUMENTED_REQUEST

ORDINARY = KeySpecification()
PRIMES = [each for each in range(2, 3_000) if all(each % divisor for divisor in range(2, isqrt(each) + 1))]


def is_probably_prime(number: int) -> bool:
    return all(number % each for each in PRIMES) and all(pow(base, number - 1, number) == 1 for base in (2, 3, 5))


def find_prime(start: int) -> int:
    return next(each for each in range(start | 1, start + 100_000, 2) if is_probably_prime(each))


def find_roca_prime(power: int, start: int) -> int:
    """Return a prime as the flawed library made them for keys of 1,024 bits: k * M + (65537^a mod M)."""
    product = prod(islice(PRIMES, 71))
    rest = pow(65_537, power, product)
    return next(each for k in range(start, start + 100_000) if is_probably_prime(each := k * product + rest))


def weaknesses(modulus: int, exponent: int = 65_537, wanted: KeySpecification = ORDINARY) -> list[str]:
    key = replace(RSA_KEY, modulus=modulus, exponent=exponent, bits=modulus.bit_length())
    faults = list_key_weaknesses(key, wanted)
    return [each.text.removeprefix("The key is known to be weak: ").removesuffix(".") for each in faults]


@pytest.mark.parametrize("modulus", MODULI, ids=lambda modulus: str(modulus.bit_length()))
def test_keys_that_openssl_made_have_no_weakness(modulus: int) -> None:
    assert weaknesses(modulus) == []


def test_other_kinds_of_key_are_not_looked_at() -> None:
    assert list_key_weaknesses(P256_KEY, ORDINARY) == []


@pytest.mark.parametrize(
    ("exponent", "wanted"),
    [
        (1, ["the public exponent is below 65537"]),
        (3, ["the public exponent is below 65537"]),
        (65_535, ["the public exponent is below 65537"]),
        (65_536, ["the public exponent is even", "the public exponent is below 65537"]),
        (65_537, []),
        (65_538, ["the public exponent is even"]),
        (2**255 + 1, []),
        (2**256 + 1, ["the public exponent is longer than 256 bits"]),
        (2**2047 + 1, ["the public exponent is longer than 256 bits"]),
    ],
    ids=lambda each: f"{each:#x}"[:8] if isinstance(each, int) else "",
)
def test_exponents_are_odd_and_neither_small_nor_huge(exponent: int, wanted: list[str]) -> None:
    assert weaknesses(MODULI[0], exponent) == wanted


@pytest.mark.parametrize("factor", [2, 3, 5, 7, 743, 751, 757, 1009, 2039])
def test_a_small_factor_is_found(factor: int) -> None:
    assert weaknesses(MODULI[0] * factor) == ["the modulus has a small factor"]


def test_the_first_prime_beyond_the_limit_of_trial_division_is_not_looked_for() -> None:
    beyond = next(each for each in PRIMES if each > SMALL_FACTOR_LIMIT)
    assert weaknesses(MODULI[0] * beyond) == []


@pytest.mark.parametrize("gap_bits", [0, 10, 400, 516])
def test_primes_that_lie_close_together_are_found(gap_bits: int) -> None:
    # 100 rounds reach gaps up to some 28 times the fourth root of the modulus: 2^516 here.
    first = find_prime(2**1023 + 2**1000 + 12_345)
    second = find_prime(first + 2**gap_bits) if gap_bits else first
    assert weaknesses(first * second) == ["the two primes lie close together"]


@pytest.mark.parametrize(("rounds", "is_found"), [(1, True), (99, True), (100, True), (101, False), (102, False)])
def test_a_hundred_rounds_are_made(rounds: int, is_found: bool) -> None:
    # Factors whose middle is reached in exactly so many rounds: middle^2 - gap^2 has its root that far below the middle.
    middle = 10**40 + 7
    gap = isqrt(middle**2 - (middle - rounds) ** 2)
    assert middle - isqrt(middle**2 - gap**2 - 1) == rounds
    assert ("the two primes lie close together" in weaknesses((middle - gap) * (middle + gap))) is is_found


def test_a_modulus_that_is_a_prime_or_the_power_of_one_is_weak() -> None:
    (fault,) = list_prime_faults(is_prime_or_power=True)
    assert fault.text == "The key is known to be weak: the modulus is a prime, or the power of one."
    assert list_prime_faults(is_prime_or_power=False) == []


def test_primes_at_a_distance_are_not_taken_for_close_ones() -> None:
    assert weaknesses(find_prime(2**1023 + 1) * find_prime(2**1023 + 2**530)) == []


@given(st.integers(min_value=1_000, max_value=10**9), st.integers(min_value=0, max_value=40))
def test_any_product_of_close_factors_is_found(root: int, gap: int) -> None:
    assert "the two primes lie close together" in weaknesses((root - gap) * (root + gap))


def test_a_key_of_the_flawed_library_is_found() -> None:
    modulus = find_roca_prime(0xC0FFEE, 2**36 + 1) * find_roca_prime(0xBEEF, 2**37 + 5)
    assert has_roca_fingerprint(modulus)
    assert weaknesses(modulus) == ["it has the fingerprint of ROCA (CVE-2017-15361)"]


def test_the_documented_requests_own_key_is_one_of_them() -> None:
    # It was made in 2015 by the chip of a real card, long before the flaw was found.
    modulus = parse_certificate_request_text(DOCUMENTED_REQUEST).public_key.modulus
    assert modulus is not None
    assert weaknesses(modulus) == ["it has the fingerprint of ROCA (CVE-2017-15361)"]
    assert weaknesses(modulus, wanted=replace(ORDINARY, allow_roca=True)) == []


def test_a_template_that_takes_keys_of_flawed_chips_takes_no_other_weakness() -> None:
    allowing = replace(ORDINARY, allow_roca=True)
    assert weaknesses(MODULI[0] * 3, 3, allowing) == weaknesses(MODULI[0] * 3, 3)


def test_the_fingerprint_is_rare_among_other_numbers() -> None:
    # For each prime, the share of its residues that are powers of 65537; independent, so that they multiply.
    shares = (len({pow(65_537, power, prime) for power in range(prime)}) / prime for prime in FINGERPRINT_PRIMES)
    assert prod(shares) < 2**-27


@pytest.mark.parametrize("modulus", [0, 1, 2, 2_039, -5])
def test_numbers_that_are_no_modulus_are_refused_not_tripped_over(modulus: int) -> None:
    assert weaknesses(modulus) == ["the modulus is hardly a number"]


def test_a_modulus_of_20000_bits_is_refused_before_any_arithmetic() -> None:
    modulus = 3**12_619
    assert modulus.bit_length() > 20_000
    # Its small factor is not among what is found, so it was not looked for.
    assert weaknesses(modulus) == ["a modulus of more than 8192 bits only serves to keep others busy"]


@given(st.integers(), st.integers())
def test_no_numbers_make_the_rules_stumble(modulus: int, exponent: int) -> None:
    assert isinstance(weaknesses(modulus, exponent), list)
