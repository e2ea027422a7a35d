"""X.509 certificates: what is signed, and the signature around it.

Source: RFC 5280 section 4.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from cryptography import x509
from cryptography.hazmat import asn1

from certwright.formats.algorithms import AlgorithmIdentifier

VERSION_3 = 2
FIRST_YEAR_OF_LONG_DATES = 2050


@asn1.sequence
class Extension:
    """Shape: *value* is the DER of the extension's own type."""

    identifier: x509.ObjectIdentifier
    critical: Annotated[bool, asn1.Default(False)]
    value: bytes


@asn1.sequence
class Validity:
    """Both ends belong to it."""

    not_before: asn1.UTCTime | asn1.GeneralizedTime
    not_after: asn1.UTCTime | asn1.GeneralizedTime


@asn1.sequence
class TBSCertificate:
    """Everything that is signed."""

    version: Annotated[int, asn1.Explicit(0)]
    serial: int
    signature: AlgorithmIdentifier
    issuer: asn1.TLV
    validity: Validity
    subject: asn1.TLV
    public_key: asn1.TLV
    extensions: Annotated[list[Extension], asn1.Explicit(3)]


@asn1.sequence
class SignedCertificate:
    """What is signed, and the signature."""

    to_be_signed: asn1.TLV
    algorithm: AlgorithmIdentifier
    signature: asn1.BitString


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateBody:
    """The fields of a certificate.

    Shape: *issuer* and *subject* are DER Names, *public_key* a DER SubjectPublicKeyInfo.
    """

    serial: int
    signature: AlgorithmIdentifier
    issuer: bytes
    subject: bytes
    not_before: datetime
    not_after: datetime
    public_key: bytes
    extensions: Sequence[Extension]


def encode_certificate_body(body: CertificateBody) -> bytes:
    """Return the DER TBSCertificate."""
    return asn1.encode_der(
        TBSCertificate(
            version=VERSION_3,
            serial=body.serial,
            signature=body.signature,
            issuer=asn1.decode_der(asn1.TLV, body.issuer),
            validity=Validity(not_before=_encode_time(body.not_before), not_after=_encode_time(body.not_after)),
            subject=asn1.decode_der(asn1.TLV, body.subject),
            public_key=asn1.decode_der(asn1.TLV, body.public_key),
            extensions=list(body.extensions),
        )
    )


def assemble_certificate(to_be_signed: bytes, signature: bytes, algorithm: AlgorithmIdentifier) -> bytes:
    """Return the DER Certificate of a DER TBSCertificate, which names the same *algorithm* inside."""
    body = asn1.decode_der(asn1.TLV, to_be_signed)
    return asn1.encode_der(SignedCertificate(to_be_signed=body, algorithm=algorithm, signature=asn1.BitString(signature, 0)))


def encode_extension(value: x509.ExtensionType, *, critical: bool = False) -> Extension:
    """Return *value* as it stands in a certificate."""
    return Extension(identifier=value.oid, critical=critical, value=value.public_bytes())


def _encode_time(moment: datetime) -> asn1.UTCTime | asn1.GeneralizedTime:
    """Return the form of the date's year. Source: RFC 5280 section 4.1.2.5."""
    return asn1.GeneralizedTime(moment) if moment.year >= FIRST_YEAR_OF_LONG_DATES else asn1.UTCTime(moment)
