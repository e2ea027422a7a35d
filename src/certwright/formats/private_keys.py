"""Private keys as bytes.

Source: RFC 5958 (PKCS #8), RFC 7468 for its text form.
"""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)

from certwright.domain.errors import MalformedValue
from certwright.domain.keys import PrivateKey
from certwright.formats.public_keys import describe_public_key


def parse_private_key(encoded: bytes) -> PrivateKey:
    """Return the key, every part of which was found to fit the others. Shape: PKCS#8, DER or PEM, not encrypted.

    Errors: MalformedValue for what is none, or neither RSA nor of a curve.
    """
    load = load_pem_private_key if encoded.lstrip().startswith(b"-----BEGIN") else load_der_private_key
    try:
        key = load(encoded, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise MalformedValue("key", "it is no private key in PKCS#8, DER or PEM, without a password") from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise MalformedValue("key", "it is neither RSA nor of a curve")
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return PrivateKey(describe_public_key(key.public_key()), plain)
