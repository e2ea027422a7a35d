"""How fast this machine signs when it does nothing else: the bound that enrollment rates are shares of."""

from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from time import perf_counter

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

SIGNATURES_AN_ENROLLMENT = 2
"""One over the certificate, one over the CMC response."""
TO_BE_SIGNED = bytes(1_400)
"""About as long as a TBSCertificate of the demo world."""


def measure_raw_rate(algorithm: str, seconds: float) -> float:
    """Return enrollments a second that signing alone would allow, with one thread a core; the library releases the lock."""
    sign = _make_signer(algorithm)
    with ThreadPoolExecutor(cpu_count()) as pool:
        began = perf_counter()
        counts = list(pool.map(lambda _: _sign_until(sign, began + seconds), range(cpu_count() or 1)))
        return sum(counts) / (perf_counter() - began) / SIGNATURES_AN_ENROLLMENT


def _make_signer(algorithm: str):
    if algorithm == "RSA-2048":
        key = rsa.generate_private_key(65_537, 2048)
        return lambda: key.sign(TO_BE_SIGNED, padding.PKCS1v15(), hashes.SHA256())
    curve = ec.generate_private_key(ec.SECP256R1())
    return lambda: curve.sign(TO_BE_SIGNED, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def _sign_until(sign, deadline: float) -> int:
    count = 0
    while perf_counter() < deadline:
        sign()
        count += 1
    return count
