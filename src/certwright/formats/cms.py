"""CMS SignedData: content with certificates and signatures around it.

Source: RFC 5652 section 5.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import new as new_hash
from typing import Annotated

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from certwright.domain.errors import MalformedValue
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm, PublicKey
from certwright.formats.algorithms import (
    DIGEST_IDENTIFIERS,
    RSA_ENCRYPTION,
    AlgorithmIdentifier,
    signature_identifier_of,
)
from certwright.formats.der import encode_value

SIGNED_DATA = ObjectIdentifier("1.2.840.113549.1.7.2")
DATA = ObjectIdentifier("1.2.840.113549.1.7.1")
CONTENT_TYPE = ObjectIdentifier("1.2.840.113549.1.9.3")
MESSAGE_DIGEST = ObjectIdentifier("1.2.840.113549.1.9.4")
VERSION_OF_DATA = 1
VERSION_OF_OTHER_CONTENT = 3
VERSION_OF_SIGNER_BY_SERIAL = 1


@asn1.sequence
class Attribute:
    """Source: RFC 5652 section 5.3."""

    type: ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class IssuerAndSerialNumber:
    """Which certificate the signer holds."""

    issuer: asn1.TLV
    serial: int


@asn1.sequence
class SignerInfo:
    """One signature. Shape: a signer named by key identifier is not read; the documented server names by serial number."""

    version: int
    signer: IssuerAndSerialNumber
    digest_algorithm: AlgorithmIdentifier
    signed_attributes: Annotated[asn1.SetOf[Attribute] | None, asn1.Implicit(0)]
    signature_algorithm: AlgorithmIdentifier
    signature: bytes
    unsigned_attributes: Annotated[asn1.SetOf[Attribute] | None, asn1.Implicit(1)]


@asn1.sequence
class EncapsulatedContent:
    """What is signed, with the name of its kind."""

    type: ObjectIdentifier
    content: Annotated[bytes | None, asn1.Explicit(0)]


@asn1.sequence
class SignedData:
    """Shape: *certificates* are DER, in the order of a DER SET, which the encoder makes."""

    version: int
    digest_algorithms: asn1.SetOf[AlgorithmIdentifier]
    encapsulated: EncapsulatedContent
    certificates: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(0)]
    revocation_lists: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(1)]
    signers: asn1.SetOf[SignerInfo]


@asn1.sequence
class ContentInfo:
    """The outermost layer."""

    type: ObjectIdentifier
    content: Annotated[SignedData, asn1.Explicit(0)]


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs. Shape: *issuer* (DER Name) and *serial* are those of the signer's certificate."""

    issuer: bytes
    serial: int
    key: PublicKey


def encode_signed_data(
    content_type: ObjectIdentifier,
    content: bytes,
    certificates: Iterable[bytes],
    *,
    signer: Signer,
    digest: HashAlgorithm,
    sign: Callable[[bytes], bytes],
) -> bytes:
    """Return the DER ContentInfo around *content*; *sign* is given what the signature is made over, digest not yet taken.

    Shape: version 3, one signer, signed attributes content type and message digest and no time, so that equal content has
    equal bytes.

    Source: RFC 5652 sections 5.1 to 5.4; the algorithm of an RSA signature is rsaEncryption, as in the documented response
    and as RFC 3370 section 3.2 asks.
    """
    attributes = asn1.SetOf(
        [
            Attribute(type=CONTENT_TYPE, values=asn1.SetOf([encode_value(content_type)])),
            Attribute(type=MESSAGE_DIGEST, values=asn1.SetOf([encode_value(_digest(content, digest))])),
        ]
    )
    identifier = DIGEST_IDENTIFIERS[digest]
    info = SignerInfo(
        version=VERSION_OF_SIGNER_BY_SERIAL,
        signer=IssuerAndSerialNumber(issuer=asn1.decode_der(asn1.TLV, signer.issuer), serial=signer.serial),
        digest_algorithm=identifier,
        signed_attributes=attributes,
        signature_algorithm=_name_signature(signer.key, digest),
        signature=sign(asn1.encode_der(attributes)),
        unsigned_attributes=None,
    )
    return _encode(
        SignedData(
            version=VERSION_OF_OTHER_CONTENT,
            digest_algorithms=asn1.SetOf([identifier]),
            encapsulated=EncapsulatedContent(type=content_type, content=content),
            certificates=_encode_certificates(certificates),
            revocation_lists=None,
            signers=asn1.SetOf([info]),
        )
    )


def encode_certificates_only(certificates: Iterable[bytes]) -> bytes:
    """Return the DER ContentInfo that carries certificates and nothing else: no content, no signer.

    Source: RFC 5652 section 5.1, the degenerate case; RFC 5272 section 4.1, the simple PKI response.
    """
    return _encode(
        SignedData(
            version=VERSION_OF_DATA,
            digest_algorithms=asn1.SetOf([]),
            encapsulated=EncapsulatedContent(type=DATA, content=None),
            certificates=_encode_certificates(certificates),
            revocation_lists=None,
            signers=asn1.SetOf([]),
        )
    )


def parse_signed_data(encoded: bytes) -> SignedData:
    """Return the SignedData of a DER ContentInfo; no signature is looked at.

    Errors: MalformedValue.
    """
    try:
        info = asn1.decode_der(ContentInfo, encoded)
    except ValueError as error:
        raise MalformedValue("Pkcs7", "it is no signed data") from error
    if info.type != SIGNED_DATA:
        raise MalformedValue("Pkcs7", "it is no signed data")
    return info.content


def list_certificates(signed: SignedData) -> tuple[bytes, ...]:
    """Return the DER certificates that *signed* carries."""
    return tuple(asn1.encode_der(each) for each in signed.certificates.as_list()) if signed.certificates else ()


def _encode(signed: SignedData) -> bytes:
    return asn1.encode_der(ContentInfo(type=SIGNED_DATA, content=signed))


def _encode_certificates(certificates: Iterable[bytes]) -> asn1.SetOf[asn1.TLV]:
    return asn1.SetOf([asn1.decode_der(asn1.TLV, each) for each in certificates])


def _digest(content: bytes, digest: HashAlgorithm) -> bytes:
    return new_hash(digest.value.lower(), content).digest()


def _name_signature(key: PublicKey, digest: HashAlgorithm) -> AlgorithmIdentifier:
    return RSA_ENCRYPTION if key.algorithm is KeyAlgorithm.RSA else signature_identifier_of(key, digest)
