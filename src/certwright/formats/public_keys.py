"""SubjectPublicKeyInfo: public keys as bytes, and what rules want to know of them."""

from hashlib import sha1

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certwright.domain.public_keys import KeyAlgorithm, PublicKey
from certwright.formats.algorithms import RSA_ENCRYPTION, AlgorithmIdentifier

CURVES = {"secp256r1": KeyAlgorithm.ECDSA_P256, "secp384r1": KeyAlgorithm.ECDSA_P384}
"""The curves that generation options can name, by the library's names."""


USUAL_EXPONENT = 65_537


@asn1.sequence
class _RsaPublicKey:
    """Source: RFC 8017 appendix A.1.1."""

    modulus: int
    exponent: int


@asn1.sequence
class SubjectPublicKeyInfo:
    """Source: RFC 5280 section 4.1.2.7."""

    algorithm: AlgorithmIdentifier
    key: asn1.BitString


def encode_rsa_key(modulus: int, exponent: int) -> bytes:
    """Return the DER SubjectPublicKeyInfo. Source: RFC 3279 section 2.3.1."""
    numbers = asn1.encode_der(_RsaPublicKey(modulus=modulus, exponent=exponent))
    return asn1.encode_der(SubjectPublicKeyInfo(algorithm=RSA_ENCRYPTION, key=asn1.BitString(numbers, 0)))


def identify_rsa_key(modulus: int, exponent: int) -> bytes:
    """Return `PublicKey.identity`: the key with the exponent that nearly all have, nothing where that is its own."""
    return b"" if exponent == USUAL_EXPONENT else encode_rsa_key(modulus, USUAL_EXPONENT)


def describe_public_key(key: PublicKeyTypes) -> PublicKey:
    """Return *key* as rules see it.

    Shape: *encoded* is always the same for the same key, however it came: curve points uncompressed, RSA as rsaEncryption.
    """
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return PublicKey(
            algorithm=KeyAlgorithm.RSA,
            name="RSA",
            bits=key.key_size,
            encoded=encoded,
            modulus=numbers.n,
            exponent=numbers.e,
            identity=identify_rsa_key(numbers.n, numbers.e),
        )
    if isinstance(key, ec.EllipticCurvePublicKey):
        name = key.curve.name
        return PublicKey(algorithm=CURVES.get(name, KeyAlgorithm.OTHER), name=name, bits=key.key_size, encoded=encoded)
    name = type(key).__name__.removesuffix("PublicKey")
    return PublicKey(algorithm=KeyAlgorithm.OTHER, name=name, bits=getattr(key, "key_size", 0), encoded=encoded)


def read_certificate_key(certificate: bytes) -> PublicKey:
    """Return the key of a DER certificate. Errors: ValueError."""
    return describe_public_key(x509.load_der_x509_certificate(certificate).public_key())


def key_identifier_of(encoded: bytes) -> bytes:
    """Return the SHA-1 of the key's bit string.

    Source: RFC 5280 section 4.2.1.2, method 1; Windows does the same. It only finds keys, it protects nothing.
    """
    bits = asn1.decode_der(SubjectPublicKeyInfo, encoded).key.as_bytes()
    return sha1(bits, usedforsecurity=False).digest()
