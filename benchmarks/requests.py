"""Certificate requests made before anything is measured."""

import base64

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

KEYS = 16
"""A subscriber may certify a key of his own again, so a few keys serve for thousands of enrollments."""


def make_certificate_requests(algorithm: str) -> list[str]:
    """Return PKCS#10 requests with an empty subject, base64, as the documented client makes them."""
    return [_make_request(algorithm) for _ in range(KEYS)]


def _make_request(algorithm: str) -> str:
    key = rsa.generate_private_key(65_537, 2048) if algorithm == "RSA-2048" else ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return base64.b64encode(request.public_bytes(serialization.Encoding.DER)).decode()
