"""Certificate requests put together by hand, part by part, so that each can be wrong in its own way."""

from datetime import UTC, datetime, timedelta
from functools import cache
from math import gcd

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ObjectIdentifier

CURVE_KEY = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())
COMMON_NAME = "2.5.4.3"
NULL = b"\x05\x00"
_RSA = {"sha1": "1.2.840.113549.1.1.5", "sha224": "1.2.840.113549.1.1.14", "sha256": "1.2.840.113549.1.1.11"}
_ECDSA = {
    "sha1": "1.2.840.10045.4.1",
    "sha224": "1.2.840.10045.4.3.1",
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """Return the RSA key of all tests that want one."""
    return rsa.generate_private_key(65_537, 2_048)


def rsa_key_with_another_exponent(key: rsa.RSAPrivateKey) -> rsa.RSAPrivateKey:
    """Return a key with the same modulus, and the next exponent above 65537 that it can have."""
    own = key.private_numbers()
    order = (own.p - 1) * (own.q - 1)
    exponent = next(each for each in range(65_539, 1 << 20, 2) if gcd(each, order) == 1)
    secret = pow(exponent, -1, order)
    public = rsa.RSAPublicNumbers(exponent, own.p * own.q)
    return rsa.RSAPrivateNumbers(
        own.p, own.q, secret, secret % (own.p - 1), secret % (own.q - 1), own.iqmp, public
    ).private_key()


def certify_modulus(modulus: int) -> bytes:
    """Return a DER certificate, by some authority, for an RSA key of this *modulus*; there need not be a private key."""
    name, moment = x509.Name.from_rfc4514_string("CN=Elsewhere"), datetime(2020, 1, 1, tzinfo=UTC)
    key = rsa.RSAPublicNumbers(65_537, modulus).public_key()
    builder = x509.CertificateBuilder(name, name, key, 5, moment, moment + timedelta(days=36_500))
    return builder.sign(CURVE_KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def element(tag: int, *contents: bytes) -> bytes:
    """Return the DER of *contents* under *tag*."""
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(octets))) + octets + content


def integer(number: int) -> bytes:
    """Return the DER of a number."""
    return asn1.encode_der(number) if abs(number) < 1 << 31 else element(2, number.to_bytes(number.bit_length() // 8 + 1))


def identifier(dotted: str) -> bytes:
    """Return the DER of an object identifier."""
    return asn1.encode_der(ObjectIdentifier(dotted))


def name(*values: tuple[int, bytes], attribute: str = COMMON_NAME) -> bytes:
    """Return a Name of attributes, by tag and content of their values."""
    return element(0x30, *(element(0x31, element(0x30, identifier(attribute), element(*value))) for value in values))


def public_key_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    """Return the SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def rsa_public_key(modulus: bytes, exponent: bytes, parameters: bytes = NULL) -> bytes:
    """Return the SubjectPublicKeyInfo of an RSA key from the DER of its numbers."""
    algorithm = element(0x30, identifier("1.2.840.113549.1.1.1"), parameters)
    return element(0x30, algorithm, element(3, b"\0", element(0x30, modulus, exponent)))


def make_request(
    *,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = CURVE_KEY,
    version: bytes = b"\x02\x01\x00",
    subject: bytes = element(0x30),
    public_key: bytes | None = None,
    attributes: bytes = element(0xA0),
    digest: hashes.HashAlgorithm | None = None,
    parameters: bytes | None = None,
    algorithm: bytes | None = None,
) -> bytes:
    """Return a request that *key* signed with PKCS#1 v1.5 or ECDSA; what is given takes the place of what would be right."""
    digest = digest or hashes.SHA256()
    info = element(0x30, version, subject, public_key or public_key_of(key), attributes)
    if isinstance(key, rsa.RSAPrivateKey):
        dotted, usual, signature = _RSA[digest.name], NULL, key.sign(info, padding.PKCS1v15(), digest)
    else:
        dotted, usual, signature = _ECDSA[digest.name], b"", key.sign(info, ec.ECDSA(digest, deterministic_signing=True))
    named = element(0x30, identifier(dotted), usual if parameters is None else parameters)
    return element(0x30, info, algorithm or named, element(3, b"\0", signature))
