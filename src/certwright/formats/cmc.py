"""CMC Full PKI Responses: how an authority of Windows delivers a certificate.

Source: RFC 5272 section 3.2.2 and 6.1; MS-WCCE section 2.2.2.8 for what Windows adds; the bytes in get-certificate-responses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha1

from cryptography import x509
from cryptography.hazmat import asn1

from certwright.domain.errors import MalformedValue
from certwright.domain.public_keys import HashAlgorithm
from certwright.formats.cms import (
    Attribute,
    Signer,
    encode_signed_data,
    list_certificates,
    parse_signed_data,
)
from certwright.formats.der import encode_value

PKI_RESPONSE = x509.ObjectIdentifier("1.3.6.1.5.5.7.12.3")
STATUS_INFO = x509.ObjectIdentifier("1.3.6.1.5.5.7.7.1")
ADD_ATTRIBUTES = x509.ObjectIdentifier("1.3.6.1.4.1.311.10.10.1")
ISSUED_CERTIFICATE_HASH = x509.ObjectIdentifier("1.3.6.1.4.1.311.21.17")
SUCCESS = 0
ISSUED = "Issued"
_REQUEST_PART = 1
"""Body parts of the request that is answered: Windows names its only request 1."""


@asn1.sequence
class PendingInfo:
    """When to ask again."""

    token: bytes
    time: asn1.GeneralizedTime


@asn1.sequence
class StatusInfo:
    """Source: RFC 5272 section 6.1.1, CMCStatusInfo. Shape: *other* is why it failed, or until when it waits."""

    status: int
    body_list: list[int]
    text: str | None
    other: int | PendingInfo | None


@asn1.sequence
class AddAttributes:
    """Source: MS-WCCE section 2.2.2.8, CmcAddAttributes; *data_reference* 0 means the response itself."""

    data_reference: int
    certificate_references: list[int]
    attributes: asn1.SetOf[Attribute]


@asn1.sequence
class TaggedAttribute:
    """A control."""

    body_part: int
    type: x509.ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class TaggedContentInfo:
    """CMS content that a response can carry; we send none."""

    body_part: int
    content: asn1.TLV


@asn1.sequence
class OtherMessage:
    """Other content that a response can carry; we send none."""

    body_part: int
    type: x509.ObjectIdentifier
    value: asn1.TLV


@asn1.sequence
class PKIResponse:
    """Source: RFC 5272 section 3.2.2."""

    controls: list[TaggedAttribute]
    contents: list[TaggedContentInfo]
    others: list[OtherMessage]


@dataclass(frozen=True, slots=True)
class CertificateResponse:
    """What an authority answered.

    Shape: *status* is a CMCStatus number, 0 for success; *issued* is the DER certificate that was asked for, None where there
    is none or the answer does not tell which one it is; *certificates* are all that came, DER, in no order that means a thing.
    """

    status: int
    text: str
    certificates: tuple[bytes, ...]
    issued: bytes | None


_STATUS_ISSUED = TaggedAttribute(
    body_part=1,
    type=STATUS_INFO,
    values=asn1.SetOf([encode_value(StatusInfo(status=SUCCESS, body_list=[_REQUEST_PART], text=ISSUED, other=None))]),
)


def encode_issued_response(
    certificate: bytes, chain: Sequence[bytes], *, signer: Signer, digest: HashAlgorithm, sign: Callable[[bytes], bytes]
) -> bytes:
    """Return the DER of the response that delivers *certificate* with its *chain*; *sign* as for `encode_signed_data`."""
    content = asn1.encode_der(PKIResponse(controls=[_STATUS_ISSUED, _name_issued(certificate)], contents=[], others=[]))
    return encode_signed_data(PKI_RESPONSE, content, (certificate, *chain), signer=signer, digest=digest, sign=sign)


def parse_response(encoded: bytes) -> CertificateResponse:
    """Return what a ``Pkcs7`` says, be it a CMC response or certificates only. No signature is verified.

    Errors: MalformedValue.
    """
    signed = parse_signed_data(encoded)
    certificates = list_certificates(signed)
    if signed.encapsulated.type != PKI_RESPONSE:
        return CertificateResponse(SUCCESS, "", certificates, _find_end_entity(certificates))
    try:
        response = asn1.decode_der(PKIResponse, signed.encapsulated.content or b"")
        status = _find_status(response)
        issued = _find_issued(response, certificates)
    except ValueError as error:
        raise MalformedValue("Pkcs7", "its content is no PKI response") from error
    return CertificateResponse(status.status, status.text or "", certificates, issued)


def _name_issued(certificate: bytes) -> TaggedAttribute:
    fingerprint = encode_value(sha1(certificate, usedforsecurity=False).digest())
    attribute = Attribute(type=ISSUED_CERTIFICATE_HASH, values=asn1.SetOf([fingerprint]))
    added = AddAttributes(data_reference=0, certificate_references=[_REQUEST_PART], attributes=asn1.SetOf([attribute]))
    return TaggedAttribute(body_part=2, type=ADD_ATTRIBUTES, values=asn1.SetOf([encode_value(added)]))


def _find_status(response: PKIResponse) -> StatusInfo:
    controls = [each for each in response.controls if each.type == STATUS_INFO]
    values = controls[0].values.as_list() if controls else []
    if not values:
        raise MalformedValue("Pkcs7", "its content tells no status")
    status: StatusInfo = values[0].parse(StatusInfo)
    return status


def _find_issued(response: PKIResponse, certificates: Sequence[bytes]) -> bytes | None:
    named = {
        value.parse(bytes)
        for control in response.controls
        if control.type == ADD_ATTRIBUTES
        for added in control.values.as_list()
        for attribute in added.parse(AddAttributes).attributes.as_list()
        if attribute.type == ISSUED_CERTIFICATE_HASH
        for value in attribute.values.as_list()
    }
    found = [each for each in certificates if sha1(each, usedforsecurity=False).digest() in named]
    return found[0] if found else None


def _find_end_entity(certificates: Sequence[bytes]) -> bytes | None:
    """Return the one certificate that issued none of the others and not itself."""
    try:
        read = [(each, x509.load_der_x509_certificate(each)) for each in certificates]
        issuers = {certificate.issuer for _, certificate in read}
        ends = [encoded for encoded, certificate in read if certificate.subject not in issuers]
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        raise MalformedValue("Pkcs7", "it carries something that is no certificate") from error
    return ends[0] if len(ends) == 1 else None
