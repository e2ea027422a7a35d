"""RSA keys that anybody can break, whatever their size."""

from collections.abc import Iterator
from functools import cache
from math import gcd, isqrt, prod

from certwright.domain.errors import KeyWeak, Refused
from certwright.domain.profile_templates import KeySpecification
from certwright.domain.public_keys import LARGEST_EXPONENT_BITS, LARGEST_MODULUS_BITS, PublicKey

SMALLEST_EXPONENT = 65_537
SMALL_FACTOR_LIMIT = 2_048
"""Trial division by all primes below. SP 800-89 section 5.3.3 and the Baseline Requirements of the CA/Browser Forum, 6.1.6,
ask for those below 752, and Boulder goes as far; the next ones cost next to nothing."""
CLOSE_PRIME_ROUNDS = 100
"""Fermat's method finds factors that are this close; CA/B Forum's Baseline Requirements 6.1.1.3 ask for 100 rounds."""
FINGERPRINT_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)


def list_key_weaknesses(key: PublicKey, wanted: KeySpecification) -> list[Refused]:
    """Return every weakness found: exponent, small factors, close primes, the fingerprint of ROCA. None for other kinds.

    The fingerprint is let pass where *wanted* says so, and only there: the documented request itself has it. A modulus that is
    a prime is a fault of its own, see `list_prime_faults`: it takes milliseconds to see.

    Source: SP 800-89 section 5.3.3 (exponent odd and above 2^16, no small factor); Nemec et al., "The Return of
    Coppersmith's Attack", 2017, section 3 (the fingerprint); Fermat for primes that lie close together.
    """
    modulus, exponent = key.modulus, key.exponent
    if modulus is None or exponent is None:
        return []
    if key.is_oversized:
        return [KeyWeak(weakness) for weakness in _list_sizes_beyond(modulus, exponent)]
    if modulus < SMALL_FACTOR_LIMIT:
        return [KeyWeak("the modulus is hardly a number")]
    found = {
        "the public exponent is even": exponent % 2 == 0,
        f"the public exponent is below {SMALLEST_EXPONENT}": exponent < SMALLEST_EXPONENT,
        "the modulus has a small factor": gcd(modulus, _SMALL_FACTORS) != 1,
        "the two primes lie close together": _has_close_primes(modulus),
        "it has the fingerprint of ROCA (CVE-2017-15361)": not wanted.allow_roca and has_roca_fingerprint(modulus),
    }
    return [KeyWeak(weakness) for weakness, is_found in found.items() if is_found]


def list_prime_faults(*, is_prime_or_power: bool) -> list[Refused]:
    """Return the weakness of a modulus that is a prime, or the power of one, where it is so."""
    return [KeyWeak("the modulus is a prime, or the power of one")] if is_prime_or_power else []


def _list_sizes_beyond(modulus: int, exponent: int) -> Iterator[str]:
    """Return which numbers are too long for anything to be computed with them."""
    if modulus.bit_length() > LARGEST_MODULUS_BITS:
        yield f"a modulus of more than {LARGEST_MODULUS_BITS} bits only serves to keep others busy"
    if exponent.bit_length() > LARGEST_EXPONENT_BITS:
        yield f"the public exponent is longer than {LARGEST_EXPONENT_BITS} bits"


def has_roca_fingerprint(modulus: int) -> bool:
    """Return whether *modulus* is a power of 65537 modulo every fingerprint prime, as moduli of the flawed library are.

    For other moduli this happens by chance less than once in 2^27.
    """
    remainder = modulus % _FINGERPRINT_PRODUCT
    return all(remainder % prime in powers for prime, powers in _FINGERPRINT.items())


def _has_close_primes(modulus: int) -> bool:
    """Return whether (root + step)^2 - modulus is a square for a small step, which gives the factors away."""
    root = isqrt(modulus - 1) + 1
    return any(_is_square((root + step) ** 2 - modulus) for step in _list_promising_steps(root, modulus))


def _list_promising_steps(root: int, modulus: int) -> list[int]:
    # Nearly all candidates are no squares modulo 256 or 45045: a look at these remainders spares the long arithmetic.
    root_high, high = root % 45_045, modulus % 45_045
    return [
        step
        for step in _list_steps_modulo_256(root % 256, modulus % 256)
        if ((root_high + step) ** 2 - high) % 45_045 in _SQUARES_MODULO_45045
    ]


@cache
def _list_steps_modulo_256(root: int, modulus: int) -> tuple[int, ...]:
    return tuple(step for step in range(CLOSE_PRIME_ROUNDS) if ((root + step) ** 2 - modulus) % 256 in _SQUARES_MODULO_256)


def _is_square(number: int) -> bool:
    return isqrt(number) ** 2 == number


def _list_primes(below: int) -> tuple[int, ...]:
    return tuple(each for each in range(2, below) if all(each % divisor for divisor in range(2, isqrt(each) + 1)))


_SMALL_FACTORS = prod(_list_primes(SMALL_FACTOR_LIMIT))
_SQUARES_MODULO_256 = frozenset(root * root % 256 for root in range(256))
_SQUARES_MODULO_45045 = frozenset(root * root % 45_045 for root in range(45_045))
_FINGERPRINT_PRODUCT = prod(FINGERPRINT_PRIMES)
_FINGERPRINT = {
    prime: frozenset(pow(SMALLEST_EXPONENT, power, prime) for power in range(prime - 1)) for prime in FINGERPRINT_PRIMES
}
