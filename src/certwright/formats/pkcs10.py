"""Certificate requests as clients send them: PKCS#10, in PEM or as base64 of DER.

Source: RFC 2986; RFC 7468 for the text around it; the request in get-certificate-responses.
"""

import binascii
import re

from certwright.domain.errors import MalformedCertificateRequest, MalformedValue
from certwright.domain.public_keys import CertificateRequest
from certwright.formats.certificate_request_parts import split_request
from certwright.formats.der_reader import Element, NotDer
from certwright.formats.library_faults import panics_as_faults
from certwright.formats.names import format_name
from certwright.formats.posted_keys import PostedKey, read_posted_key
from certwright.formats.signature_schemes import SignatureScheme, has_signed, read_signature_scheme

LIMIT_CHARACTERS = 64 * 1_024
"""Far above any request that people make: one with an RSA-8192 key takes 3 KiB."""

_ARMOUR = re.compile(r"-----BEGIN (NEW )?CERTIFICATE REQUEST-----([^-]*)-----END (?:NEW )?CERTIFICATE REQUEST-----")
_LABEL = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_PEM = b"-----BEGIN "


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

    Shape: the key and the signature have to be right. The subject is read where it can be, because few templates use it;
    attributes are not looked at.
    Errors: MalformedCertificateRequest, also for keys that are none: points off their curve, impossible moduli.
    """
    try:
        with panics_as_faults():
            return _read_request(encoded)
    except ValueError as error:
        detail = str(error) if isinstance(error, NotDer) else "its key or its signature cannot be read"
        raise MalformedCertificateRequest(detail) from error


def _read_request(encoded: bytes) -> CertificateRequest:
    parts = split_request(encoded)
    key = read_posted_key(parts.public_key)
    scheme = read_signature_scheme(parts.signature_algorithm)
    subject, subject_fault = _read_subject(parts.subject)
    return CertificateRequest(
        encoded=encoded,
        public_key=key.described,
        signature_hash=scheme.hash_algorithm,
        signature_name=scheme.name,
        is_proven=_is_proven(key, scheme, parts.signature, parts.signed),
        subject=subject,
        subject_fault=subject_fault,
    )


def _decode_text(text: str) -> bytes:
    stripped = text.removeprefix("\ufeff").strip()
    armoured = _ARMOUR.search(stripped)
    if armoured is not None and armoured.end() != len(stripped):
        raise MalformedCertificateRequest("something follows its last line; only one request is taken at a place")
    try:
        encoded = binascii.a2b_base64("".join((armoured[2] if armoured else stripped).split()), strict_mode=True)
    except ValueError as error:
        raise MalformedCertificateRequest(_explain_text(stripped)) from error
    if not encoded:
        raise MalformedCertificateRequest("it is empty")
    if encoded.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_PEM):
        raise MalformedCertificateRequest("it is PEM that was base64-coded once more; the PEM text itself is wanted")
    return encoded


def _explain_text(text: str) -> str:
    label = _LABEL.search(text)
    if label is None:
        return "it is neither PEM nor base64"
    if label[1].endswith("CERTIFICATE REQUEST"):
        return "its PEM has no end, or holds something else than base64"
    return f"its PEM is labelled {label[1]}; CERTIFICATE REQUEST is wanted"


def _read_subject(subject: Element) -> tuple[str, str]:
    """Return the subject's text, or why it cannot be read."""
    try:
        return format_name(subject), ""
    except MalformedValue as error:
        return "", error.detail
    except NotDer as error:
        return "", str(error)


def _is_proven(key: PostedKey, scheme: SignatureScheme, signature: bytes, signed: bytes) -> bool:
    """Return whether the key made the signature. No arithmetic is done with keys that no template takes for their size."""
    if key.loaded is None or key.described.is_oversized:
        return False
    return has_signed(key.loaded, scheme, signature, signed)
