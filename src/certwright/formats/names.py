"""Distinguished names: the text of directories, the bytes of certificates."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from certwright.domain.counts import count_of
from certwright.domain.errors import MalformedValue, NameRefused
from certwright.domain.rules.names import escape_name_value
from certwright.formats.der import encode_value
from certwright.formats.der_reader import Element, read_identifier

_StringType: TypeAlias = type[str] | type[asn1.PrintableString] | type[asn1.IA5String]


@asn1.sequence
class AttributeTypeAndValue:
    """Source: RFC 5280 section 4.1.2.4."""

    type: ObjectIdentifier
    value: asn1.TLV


RDNSequence: TypeAlias = list[asn1.SetOf[AttributeTypeAndValue]]
"""A Name as a field of other structures."""


@asn1.sequence
class _NameHolder:
    """The encoder takes no list as a root; the list in this holder is the name."""

    name: RDNSequence


@dataclass(frozen=True, slots=True)
class _AttributeType:
    """Shape: *limit* is the standard's upper bound in characters."""

    identifier: ObjectIdentifier
    limit: int = 32_768
    string: _StringType = str


def _plan_types() -> dict[str, _AttributeType]:
    """Return the attribute types by their names in lower case and by their identifiers."""
    printable, ia5 = asn1.PrintableString, asn1.IA5String
    rows: tuple[tuple[str, str, int, _StringType], ...] = (
        ("cn commonname", "2.5.4.3", 64, str),
        ("sn surname", "2.5.4.4", 32_768, str),
        ("serialnumber", "2.5.4.5", 64, printable),
        ("c countryname", "2.5.4.6", 2, printable),
        ("l localityname", "2.5.4.7", 128, str),
        ("st s stateorprovincename", "2.5.4.8", 128, str),
        ("street streetaddress", "2.5.4.9", 128, str),
        ("o organizationname", "2.5.4.10", 64, str),
        ("ou organizationalunitname", "2.5.4.11", 64, str),
        ("t title", "2.5.4.12", 64, str),
        ("gn g givenname", "2.5.4.42", 32_768, str),
        ("i initials", "2.5.4.43", 32_768, str),
        ("dnq dnqualifier", "2.5.4.46", 64, printable),
        ("uid userid", "0.9.2342.19200300.100.1.1", 256, str),
        ("dc domaincomponent", "0.9.2342.19200300.100.1.25", 63, ia5),
        ("e email emailaddress", "1.2.840.113549.1.9.1", 255, ia5),
    )
    return {
        name: _AttributeType(ObjectIdentifier(dotted), limit, string)
        for names, dotted, limit, string in rows
        for name in (*names.split(), dotted)
    }


_TYPES = _plan_types()
_LABELS = {each.identifier: name.upper() for name, each in reversed(_TYPES.items()) if name.isalpha()}
"""The first name of each row."""
_TEXT_ENCODINGS = {
    0x0C: "utf-8",
    0x12: "ascii",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1A: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}
"""By the tags of ASN.1's strings; what TeletexString holds in practice is Latin-1."""
_PART = re.compile(
    r" *(?:(?:oid\.)?(?P<dotted>[0-2](?:\.(?:0|[1-9]\d*))+)|(?P<name>[a-z][a-z\d-]*)) *= *"
    r"(?P<value>(?:\\[^\0]|[^\\,+\"<>;\0 ]| +(?![ ,+]|$))*) *(?P<end>[,+]|$)",
    re.IGNORECASE | re.DOTALL,
)
_ESCAPE = re.compile(r"((?:\\[\da-f]{2})+)|\\(.)", re.IGNORECASE | re.DOTALL)
_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,\-./:=?]*")


@lru_cache(maxsize=1_024)
def encode_name(text: str) -> bytes:
    """Return the DER Name of RFC 4514 *text*; the empty name for an empty text.

    Shape: values are UTF8String, domain components and mail addresses IA5String, countries and serial numbers
    PrintableString.

    Errors: NameRefused for text that is no name, or holds what the standard's types and upper bounds do not; an attribute
            that stands twice in one step is among it (X.501 section 9.3).
    Source: RFC 4514 section 3, read in any case and with blanks after separators as RFC 2253 allowed, without its
    hexadecimal form; RFC 5280 section 4.1.2.4 and appendix A.1 for strings and bounds.
    """
    relative_names = [asn1.SetOf(each) for each in reversed(list(_list_relative_names(text)))] if text else []
    # The holder adds one header in front of the name; what follows is the name with its own.
    return bytes(asn1.decode_der(asn1.TLV, asn1.encode_der(_NameHolder(name=relative_names))).data)


def format_name(name: Element) -> str:
    """Return the RFC 4514 text of the Name *name*, in a form that `encode_name` reads.

    Shape: the attributes of a step in the order in which they come, which DER sorts and some clients do not.
    Errors: MalformedValue for values that are no text; NotDer.
    """
    steps = [[_format_attribute(each) for each in step.list_inner()] for step in reversed(name.list_inner())]
    return ",".join("+".join(each) for each in steps)


def _format_attribute(attribute: Element) -> str:
    inner = attribute.list_inner()
    if len(inner) != 2:
        raise MalformedValue("subject", f"at octet {attribute.start} it has something else than an attribute and its value")
    identifier = ObjectIdentifier(read_identifier(inner[0]))
    label = _LABELS.get(identifier, identifier.dotted_string)
    encoding = _TEXT_ENCODINGS.get(inner[1].tag)
    if encoding is None:
        raise MalformedValue("subject", f"its {label} is no text")
    try:
        value = inner[1].content.decode(encoding)
    except UnicodeDecodeError as error:
        raise MalformedValue("subject", f"its {label} is text that is not in its own encoding, {encoding}") from error
    return f"{label}={escape_name_value(value)}"


def _list_relative_names(text: str) -> Iterator[list[AttributeTypeAndValue]]:
    relative: list[AttributeTypeAndValue] = []
    position = 0
    while True:
        part = _PART.match(text, position)
        if part is None:
            raise NameRefused("it is not written as a distinguished name, such as CN=Name,DC=example,DC=com")
        attribute = _parse_attribute(part["dotted"] or part["name"].lower(), part["value"])
        if any(each.type == attribute.type for each in relative):
            raise NameRefused(f"{(part['dotted'] or part['name']).upper()} stands twice in one step")
        relative.append(attribute)
        if part["end"] != "+":
            yield relative
            relative = []
        if not part["end"]:
            return
        position = part.end()


def _parse_attribute(name: str, raw: str) -> AttributeTypeAndValue:
    kind = _find_type(name)
    value = _unescape(raw)
    label = name.upper()
    if not value:
        raise NameRefused(f"{label} is empty")
    if not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value):
        raise NameRefused(f"{label} holds half of a character")
    if len(value) > kind.limit:
        raise NameRefused(f"{label} has {count_of(len(value), 'character')}; a certificate has room for {kind.limit}")
    if kind.string is asn1.IA5String and not value.isascii():
        raise NameRefused(f"{label} holds other than ASCII characters")
    if kind.string is asn1.PrintableString and not _PRINTABLE.fullmatch(value):
        raise NameRefused(f"{label} holds characters that a printable string cannot")
    return AttributeTypeAndValue(type=kind.identifier, value=encode_value(kind.string(value)))


def _find_type(name: str) -> _AttributeType:
    known = _TYPES.get(name)
    if known is not None:
        return known
    try:
        return _AttributeType(ObjectIdentifier(name))
    except ValueError as error:
        raise NameRefused(f"there is no attribute {name:.40}") from error


def _unescape(raw: str) -> str:
    if raw.startswith("#"):
        raise NameRefused("hexadecimal values are not taken")
    if "\\" not in raw:
        return raw
    try:
        return _ESCAPE.sub(lambda found: bytes.fromhex(found[1].replace("\\", "")).decode() if found[1] else found[2], raw)
    except UnicodeDecodeError as error:
        raise NameRefused("an escaped value is not UTF-8") from error
