"""The parts of a PKCS#10 request, and what else may come in its place.

Source: RFC 2986 section 4; RFC 5272 for CMC, RFC 4211 for CRMF.
"""

from dataclasses import dataclass

from certwright.domain.errors import MalformedCertificateRequest
from certwright.formats.der_reader import BIT_STRING, INTEGER, OBJECT_IDENTIFIER, SEQUENCE, Element, NotDer, read_der

ATTRIBUTES = 0xA0
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
"""The identifier of CMS signed data, in which CMC requests come."""
_INFO = (("version", INTEGER), ("subject", SEQUENCE), ("subjectPKInfo", SEQUENCE))
_OUTER = (("certificationRequestInfo", SEQUENCE), ("signatureAlgorithm", SEQUENCE), ("signature", BIT_STRING))


@dataclass(frozen=True, slots=True)
class RequestParts:
    """What is looked at. Shape: *signed* is the octets that the signature is over; the attributes are passed over."""

    signed: bytes
    subject: Element
    public_key: Element
    signature_algorithm: Element
    signature: bytes


def split_request(encoded: bytes) -> RequestParts:
    """Return the parts of the DER *encoded*.

    Shape: attributes may be left out, in any order, or no DER inside: nothing here uses them.
    Errors: MalformedCertificateRequest, which says what is wrong and where; NotDer.
    """
    whole = read_der(encoded)
    if whole.tag != SEQUENCE:
        raise MalformedCertificateRequest("it does not begin with a SEQUENCE")
    outer = whole.list_inner()
    if [each.tag for each in outer] != [tag for _, tag in _OUTER]:
        raise MalformedCertificateRequest(_name_other(outer) or _name_misfit("CertificationRequest", _OUTER, outer))
    info, signature_algorithm, signature = outer
    inner = info.list_inner()
    if [each.tag for each in inner[:3]] != [tag for _, tag in _INFO]:
        raise MalformedCertificateRequest(_name_other(outer) or _name_misfit("certificationRequestInfo", _INFO, inner))
    if inner[0].read_integer() != 0:
        raise MalformedCertificateRequest(f"its version is {_shorten(inner[0].read_integer())}; version 0 is wanted")
    if inner[3:] and (len(inner) > 4 or inner[3].tag != ATTRIBUTES):
        raise MalformedCertificateRequest(f"at octet {inner[3].start} something else than attributes follows the key")
    return RequestParts(info.encoded, inner[1], inner[2], signature_algorithm, signature.read_bits())


def _shorten(number: int) -> str:
    return str(number) if abs(number) < 1_000 else "a large number"


def _name_misfit(structure: str, wanted: tuple[tuple[str, int], ...], found: list[Element]) -> str:
    """Return which field of *structure* is the first that is missing, or of another type."""
    for (name, tag), element in zip(wanted, found, strict=False):
        if element.tag != tag:
            return f"at octet {element.start} {structure} has something else than {name}"
    if len(found) < len(wanted):
        return f"{structure} has no {wanted[len(found)][0]}"
    return f"at octet {found[len(wanted)].start} something follows the {wanted[-1][0]}"


def _name_other(outer: list[Element]) -> str | None:
    """Return what the structure is instead, where it is one that people send by mistake."""
    tags = [each.tag for each in outer]
    if tags[:1] == [OBJECT_IDENTIFIER]:
        is_signed = outer[0].encoded == SIGNED_DATA
        return "it is CMS signed data, as CMC requests are; PKCS#10 is wanted" if is_signed else "it is CMS; PKCS#10 is wanted"
    if tags and set(tags) == {SEQUENCE}:
        return _name_of_sequences(outer)
    if tags[:1] == [INTEGER]:
        return "it is a private key or a PFX: keep it to yourself; a request is wanted"
    if tags == [tag for _, tag in _OUTER] and _tags_inside(outer[0])[:1] == [ATTRIBUTES]:
        return "it is a certificate; a request is wanted"
    return None


def _name_of_sequences(outer: list[Element]) -> str | None:
    inside = _tags_inside(outer[0])
    if inside[:1] == [SEQUENCE] and _tags_inside(outer[0].list_inner()[0])[:1] == [INTEGER]:
        return "it is CRMF; PKCS#10 is wanted"
    return "it is the PKIData of CMC; PKCS#10 is wanted" if len(outer) == 4 else None


def _tags_inside(element: Element) -> list[int]:
    try:
        return [each.tag for each in element.list_inner()]
    except NotDer:
        return []
