"""Moduli that are a prime, or the power of one: whoever sees such a public key has the private one.

Source: SP 800-89 section 5.3.3 and the Baseline Requirements of the CA/Browser Forum, 6.1.6, ask that a modulus is neither.
"""

from functools import cache, lru_cache
from itertools import count

from cryptography.hazmat.primitives.asymmetric import padding, rsa

from certwright.domain.public_keys import LARGEST_MODULUS_BITS

LARGEST_QUICK_BITS = 3_072
"""Up to here OpenSSL takes public exponents as long as the modulus; beyond, Python has to raise to powers itself."""
SMALLEST_EXAMINED_BITS = 1_024
REMEMBERED_MODULI = 1_024
"""Of those that take long to look at: who posts one again and again costs a look once."""
_MARK = b"a prime gives this back, or what is left to the modulus"
_STEP_BITS = 8
"""So short that other threads have their turn between steps, and that a power of two is a shift."""
_SMALLEST_ROOT_BITS = 11
"""Smaller factors are found by trial division."""


def takes_long(modulus: int) -> bool:
    """Return whether it takes more than a few milliseconds to look at *modulus*."""
    return LARGEST_QUICK_BITS < modulus.bit_length() <= LARGEST_MODULUS_BITS


def is_prime_or_power(modulus: int) -> bool:
    """Return whether *modulus* is a prime or a perfect power; False where it is even, or of a length that no key may have.

    A prime is always found; for the product of two random primes the answer is never wrong in practice, as a number of this
    size that is composite and passes the test of Fermat for a random base does not turn up by chance.
    """
    if modulus % 2 == 0 or not SMALLEST_EXAMINED_BITS <= modulus.bit_length() <= LARGEST_MODULUS_BITS:
        return False
    return is_perfect_power(modulus) or _passes_fermat(modulus)


def is_perfect_power(number: int) -> bool:
    """Return whether an odd *number* without factors below 2,048 is a square, a cube, or a higher power."""
    exponents = (each for each in _list_exponents(number.bit_length() // _SMALLEST_ROOT_BITS) if _may_be_power(number, each))
    return any(_find_root(number, each) ** each == number for each in exponents)


@cache
def _list_exponents(largest: int) -> tuple[int, ...]:
    return tuple(each for each in range(2, largest + 1) if _is_small_prime(each))


def _may_be_power(number: int, exponent: int) -> bool:
    """Return whether *number* is a power modulo a small prime where few numbers are: this spares nearly all roots."""
    prime = _find_telling_prime(exponent)
    return pow(number % prime, (prime - 1) // exponent, prime) in (0, 1)


@cache
def _find_telling_prime(exponent: int) -> int:
    """Return a prime modulo which only one number in *exponent* is a power."""
    return next(each for each in count(exponent + 1, exponent) if each > 2 and _is_small_prime(each))


def _is_small_prime(number: int) -> bool:
    return all(number % each for each in range(2, int(number**0.5) + 1))


def _find_root(number: int, exponent: int) -> int:
    """Return the largest integer whose power is not above *number*, by Newton's method from above."""
    root = 1 << -(-number.bit_length() // exponent)
    while True:
        lower = ((exponent - 1) * root + number // root ** (exponent - 1)) // exponent
        if lower >= root:
            return root
        root = lower


def _passes_fermat(modulus: int) -> bool:
    """Return whether some number to the power of modulus - 1 is one, as every number is where the modulus is a prime.

    OpenSSL raises to the power of half of it, ten times as fast as Python: encryption with a public key of that exponent
    gives one or minus one, or, where the half is even and one more is taken, the padded message or its negative.
    """
    if modulus.bit_length() > LARGEST_QUICK_BITS:
        return _passes_fermat_for_two(modulus)
    half = (modulus - 1) // 2
    key = rsa.RSAPublicNumbers(half | 1, modulus).public_key()
    found = int.from_bytes(key.encrypt(_MARK, padding.PKCS1v15()))
    if half % 2:
        return found in (1, modulus - 1)
    mark = int.from_bytes(_MARK)
    return mark in (each % (1 << 8 * len(_MARK)) for each in (found, modulus - found))


@lru_cache(REMEMBERED_MODULI)
def _passes_fermat_for_two(modulus: int) -> bool:
    return _raise_two(modulus - 1, modulus) == 1


def _raise_two(exponent: int, modulus: int) -> int:
    """Return two to the power of *exponent*, in steps between which other threads can run."""
    result = 1
    for shift in range(exponent.bit_length() // _STEP_BITS * _STEP_BITS, -1, -_STEP_BITS):
        part = exponent >> shift & ((1 << _STEP_BITS) - 1)
        result = (pow(result, 1 << _STEP_BITS, modulus) << part) % modulus
    return result
