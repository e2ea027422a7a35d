"""Moduli that are a prime, or a power, and those that are neither."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as some

from certwright.domain.public_keys import LARGEST_MODULUS_BITS
from certwright.formats.pkcs10 import parse_certificate_request_text
from certwright.formats.prime_moduli import is_perfect_power, is_prime_or_power, takes_long
from worlds.contoso import MODULI, VECTORS


def modulus_of_the_input() -> int:
    text = (VECTORS / "inputs" / "35-modulus-is-a-prime.pem").read_text()
    modulus = parse_certificate_request_text(text).public_key.modulus
    assert modulus is not None
    return modulus


def is_prime(number: int) -> bool:
    """Return whether four rounds of Miller and Rabin find nothing; by Python's own arithmetic."""
    odd = (number - 1) // ((number - 1) & -(number - 1))
    return all(_passes(base, odd, number) for base in (2, 3, 5, 7))


def _passes(base: int, odd: int, number: int) -> bool:
    found, exponent = pow(base, odd, number), odd
    if found == 1:
        return True
    while exponent < number - 1:
        if found == number - 1:
            return True
        found, exponent = found * found % number, 2 * exponent
    return False


def find_prime(start: int, rest: int) -> int:
    """Return the next prime that leaves *rest* modulo four."""
    first = start - start % 4 + rest
    return next(each for each in range(first, first + 100_000, 4) if pow(2, each - 1, each) == 1 and is_prime(each))


@pytest.mark.parametrize("rest", [1, 3])
def test_a_prime_is_found_whatever_it_leaves_modulo_four(rest: int) -> None:
    assert is_prime_or_power(find_prime(3 << 1_022, rest))


def test_the_prime_of_the_input_is_found() -> None:
    assert is_prime(modulus_of_the_input())
    assert is_prime_or_power(modulus_of_the_input())


def test_a_prime_of_more_than_3072_bits_is_found() -> None:
    # A Mersenne prime is found without a search; the largest of at most 4,096 bits has 3,217.
    prime = 2**3_217 - 1
    assert takes_long(prime)
    assert is_prime_or_power(prime)


@pytest.mark.parametrize("modulus", MODULI, ids=lambda modulus: str(modulus.bit_length()))
def test_moduli_that_openssl_made_are_neither(modulus: int) -> None:
    assert not is_prime_or_power(modulus)
    assert takes_long(modulus) is (modulus.bit_length() > 3_072)


@pytest.mark.parametrize("prime", [2**4_423 - 1, 5 * 2**5_947 + 1], ids=["4423 bits", "5950 bits"])
def test_a_prime_of_more_than_4096_bits_is_found(prime: int) -> None:
    assert takes_long(prime)
    assert is_prime_or_power(prime)


def test_the_product_of_three_moduli_is_neither() -> None:
    product = MODULI[0] * MODULI[1] * MODULI[2]
    assert 4_096 < product.bit_length() <= LARGEST_MODULUS_BITS
    assert not is_prime_or_power(product)


def test_what_is_longer_than_any_key_may_be_is_not_examined() -> None:
    assert not is_prime_or_power(2**LARGEST_MODULUS_BITS + 1)
    assert not takes_long(2**LARGEST_MODULUS_BITS + 1)


@given(some.integers(min_value=2_048, max_value=2**700), some.sampled_from([2, 3, 4, 5, 6, 7, 9, 11, 13]))
def test_every_power_is_found(root: int, exponent: int) -> None:
    root |= 1
    assert is_perfect_power(root**exponent)
    assert not is_perfect_power(root**exponent + 2)


@given(some.integers(min_value=3, max_value=10**6))
def test_no_other_number_is_taken_for_a_power(number: int) -> None:
    powers = {root**exponent for exponent in range(2, 21) for root in range(2, 1_001) if root**exponent <= 10**6}
    assert not is_perfect_power(number) or number in powers


def test_the_power_of_a_prime_is_found() -> None:
    prime = rsa.generate_private_key(65_537, 1_024).private_numbers().p
    assert all(is_prime_or_power(prime**exponent) for exponent in (2, 3, 4, 5))
