"""The public key of a certificate request, looked at before anything is computed with it.

Source: RFC 5280 section 4.1.2.7; RFC 3279 section 2.3.1 and RFC 8017 appendix A.1 for RSA; RFC 5480 section 2 for curves.
"""

from dataclasses import dataclass, replace

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key

from certwright.domain.errors import MalformedCertificateRequest
from certwright.domain.public_keys import KeyAlgorithm, PublicKey
from certwright.formats.algorithms import RSA_ENCRYPTION
from certwright.formats.der_reader import BIT_STRING, NULL, SEQUENCE, Element, NotDer, read_der, read_identifier
from certwright.formats.public_keys import describe_public_key, encode_rsa_key, identify_rsa_key
from certwright.formats.signature_schemes import LIBRARY_FAULTS, RSASSA_PSS

CURVE_KEY = "1.2.840.10045.2.1"
_HYBRID = (0x06, 0x07)


@dataclass(frozen=True, slots=True)
class PostedKey:
    """A key as rules see it. Shape: *loaded* is what verifies signatures, None for kinds that the library does not know."""

    described: PublicKey
    loaded: PublicKeyTypes | None


def read_posted_key(information: Element) -> PostedKey:
    """Return the key of a SubjectPublicKeyInfo.

    Shape: the NULL that belongs to rsaEncryption may be missing; what is certified has it.
    Errors: MalformedCertificateRequest, which names what is wrong with the key; NotDer.
    """
    inner = information.list_inner()
    if [each.tag for each in inner] != [SEQUENCE, BIT_STRING]:
        raise MalformedCertificateRequest(f"at octet {information.start} subjectPKInfo is none")
    parameters = inner[0].list_inner()
    if not parameters:
        raise MalformedCertificateRequest("its subjectPKInfo names no algorithm")
    identifier, bits = read_identifier(parameters[0]), inner[1].read_bits()
    if identifier == RSA_ENCRYPTION.algorithm.dotted_string:
        return _read_rsa_key(information.encoded, parameters[1:], bits)
    if identifier == CURVE_KEY and bits[:1] and bits[0] in _HYBRID:
        raise MalformedCertificateRequest("the point of its key is in the hybrid form, which RFC 5480 has rejected")
    return _describe(information.encoded, identifier)


def _read_rsa_key(encoded: bytes, parameters: list[Element], bits: bytes) -> PostedKey:
    if parameters and parameters[0].encoded != bytes((NULL, 0)):
        raise MalformedCertificateRequest("its rsaEncryption key has parameters; NULL is wanted")
    try:
        inner = read_der(bits).list_inner()
        modulus, exponent = (each.read_integer() for each in inner)
    except (NotDer, ValueError) as error:
        raise MalformedCertificateRequest("its RSA key is not a modulus and an exponent in DER") from error
    for name, number in (("modulus", modulus), ("public exponent", exponent)):
        if number <= 0:
            raise MalformedCertificateRequest(f"the {name} of its RSA key is {'negative' if number else 'zero'}")
    if not parameters:
        encoded = encode_rsa_key(modulus, exponent)
    described = PublicKey(
        algorithm=KeyAlgorithm.RSA,
        name="RSA",
        bits=modulus.bit_length(),
        encoded=encoded,
        modulus=modulus,
        exponent=exponent,
        identity=identify_rsa_key(modulus, exponent),
    )
    return PostedKey(described, None if described.is_oversized else _load_rsa_key(encoded))


def _load_rsa_key(encoded: bytes) -> PublicKeyTypes:
    try:
        return load_der_public_key(encoded)
    except LIBRARY_FAULTS as error:
        raise MalformedCertificateRequest("modulus and exponent of its RSA key are no key") from error


def _describe(encoded: bytes, identifier: str) -> PostedKey:
    try:
        loaded = load_der_public_key(encoded)
        described = describe_public_key(loaded)
    except UnsupportedAlgorithm:
        return PostedKey(PublicKey(algorithm=KeyAlgorithm.OTHER, name="of an unknown kind", bits=0, encoded=encoded), None)
    except LIBRARY_FAULTS as error:
        raise MalformedCertificateRequest("its key cannot be read: its point or its parameters are none") from error
    if identifier == RSASSA_PSS:
        # The library reads a key for RSASSA-PSS alone as an RSA key, and would have us certify it for everything.
        described = replace(described, algorithm=KeyAlgorithm.OTHER, name="RSA for RSASSA-PSS", encoded=encoded)
    return PostedKey(described, loaded)
