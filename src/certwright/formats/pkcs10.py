"""Certificate requests as clients send them: PKCS#10, in PEM or as base64 of DER.

Source: RFC 2986; RFC 7468 for the text around it; the request in get-certificate-responses.
"""

import binascii
import re

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from certwright.domain.errors import MalformedCertificateRequest, MalformedValue
from certwright.domain.public_keys import CertificateRequest, HashAlgorithm, KeyAlgorithm, PublicKey
from certwright.formats.algorithms import HASHES
from certwright.formats.names import RDNSequence, format_name
from certwright.formats.public_keys import describe_public_key

LIMIT_CHARACTERS = 64 * 1_024
"""Far above any request that people make: one with an RSA-16384 key takes 6 KiB."""

_ARMOUR = re.compile(r"-----BEGIN (NEW )?CERTIFICATE REQUEST-----([^-]*)-----END (?:NEW )?CERTIFICATE REQUEST-----")
_SUBJECT_ALTERNATIVE_NAME = bytes.fromhex("0603551d11")
_HASHES = {each.value.lower(): each for each in HashAlgorithm}
_UNREADABLE = (ValueError, TypeError, x509.InvalidVersion)
"""What the library raises for bytes that are no request."""


@asn1.sequence
class RequestInfo:
    """What is signed. Shape: *attributes*, which clients leave out or do not sort, are read by the library when needed."""

    version: int
    subject: RDNSequence
    public_key: asn1.TLV
    attributes: asn1.Null | asn1.TLV | None


def parse_certificate_request_text(text: str) -> CertificateRequest:
    """Return the request in *text*, and whether its own key signed it.

    Shape: PEM, with either of its usual labels and any words before it, or base64 of DER; white space anywhere, a byte-order
    mark in front.

    Errors: MalformedCertificateRequest for everything else; its words never repeat the input.
    """
    if len(text) > LIMIT_CHARACTERS:
        raise MalformedCertificateRequest(f"it is longer than {LIMIT_CHARACTERS} characters")
    return parse_certificate_request(_decode_text(text))


def parse_certificate_request(encoded: bytes) -> CertificateRequest:
    """Return the DER request *encoded*.

    Errors: MalformedCertificateRequest, also for keys that are none: points off their curve, impossible moduli.
    """
    try:
        request = x509.load_der_x509_csr(encoded)
        signed = request.tbs_certrequest_bytes
        subject = format_name(asn1.decode_der(RequestInfo, signed).subject)
        key = _find_key(request)
    except (*_UNREADABLE, MalformedValue) as error:
        raise MalformedCertificateRequest("its bytes are not those of a request and a key, or not all of them") from error
    signature_hash, signature_name = _read_signature_algorithm(request)
    return CertificateRequest(
        encoded=encoded,
        public_key=_describe_key(key, encoded),
        signature_hash=signature_hash,
        signature_name=signature_name,
        is_proven=_is_signed_by(key, signature_hash, request, signed),
        subject=subject,
        alternative_names=_list_alternative_names(request) if _SUBJECT_ALTERNATIVE_NAME in encoded else (),
    )


def _decode_text(text: str) -> bytes:
    stripped = text.removeprefix("\ufeff").strip()
    armoured = _ARMOUR.search(stripped)
    if armoured is not None and armoured.end() != len(stripped):
        raise MalformedCertificateRequest("something follows its last line; only one request is taken at a place")
    try:
        encoded = binascii.a2b_base64("".join((armoured[2] if armoured else stripped).split()), strict_mode=True)
    except ValueError as error:
        raise MalformedCertificateRequest("it is neither PEM nor base64") from error
    if not encoded:
        raise MalformedCertificateRequest("it is empty")
    return encoded


def _find_key(request: x509.CertificateSigningRequest) -> CertificatePublicKeyTypes | None:
    try:
        return request.public_key()
    except UnsupportedAlgorithm:
        return None


def _describe_key(key: CertificatePublicKeyTypes | None, encoded: bytes) -> PublicKey:
    """Return the key; one that the library cannot read, or whose own use is narrower than it knows, as some other kind."""
    if key is None:
        return PublicKey(algorithm=KeyAlgorithm.OTHER, name="of an unknown kind", bits=0, encoded=encoded)
    public_key = describe_public_key(key)
    if public_key.algorithm is KeyAlgorithm.RSA and public_key.encoded not in encoded:
        # The library reads a key for RSASSA-PSS alone as an RSA key, and would have us certify it for everything.
        return PublicKey(algorithm=KeyAlgorithm.OTHER, name="RSA for RSASSA-PSS", bits=public_key.bits, encoded=encoded)
    return public_key


def _read_signature_algorithm(request: x509.CertificateSigningRequest) -> tuple[HashAlgorithm | None, str]:
    try:
        algorithm = request.signature_hash_algorithm
    except UnsupportedAlgorithm:
        algorithm = None
    if algorithm is None:
        return None, request.signature_algorithm_oid.dotted_string
    return _HASHES.get(algorithm.name), algorithm.name.upper()


def _is_signed_by(
    key: CertificatePublicKeyTypes | None,
    signature_hash: HashAlgorithm | None,
    request: x509.CertificateSigningRequest,
    signed: bytes,
) -> bool:
    """Return whether *key* signed the request. RSA and curves are verified here: the library's own answer is no to SHA-1."""
    try:
        scheme = request.signature_algorithm_parameters
        if isinstance(key, rsa.RSAPublicKey) and isinstance(scheme, padding.PKCS1v15 | padding.PSS) and signature_hash:
            key.verify(request.signature, signed, scheme, HASHES[signature_hash])
        elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(scheme, ec.ECDSA):
            key.verify(request.signature, signed, scheme)
        else:
            return key is not None and request.is_signature_valid
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _list_alternative_names(request: x509.CertificateSigningRequest) -> tuple[tuple[str, str], ...]:
    """Return the kind and text of each name that is text. They inform and decide nothing: what cannot be read is left out."""
    try:
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (*_UNREADABLE, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return ()
    return tuple((type(each).__name__, each.value) for each in names if isinstance(each.value, str))
