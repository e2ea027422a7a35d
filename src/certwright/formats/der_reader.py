"""A reader of DER that says what is wrong and where, and looks no deeper than it is asked to.

The library's decoder wants the whole of a structure in order. Requests of real clients have parts that are not, and that
are never used: this reader passes over them.

Source: X.690 sections 8.1 and 10.1.
"""

from collections.abc import Iterator
from typing import NamedTuple

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from certwright.domain.counts import count_of

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT_IDENTIFIER = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
SEQUENCE, SET = 0x30, 0x31
_LONG_TAG = 0x1F
_LONG_LENGTH = 0x80


class NotDer(ValueError):
    """The octets are no DER. Shape: the text says what is wrong, and at which octet; it repeats nothing of the input."""


class Element(NamedTuple):
    """One value, by its place in *source*: header from *start*, content from *begins*, both up to *ends*.

    A tuple, because a request has many of them, and they are made three times as fast as dataclasses.
    """

    source: bytes
    tag: int
    start: int
    begins: int
    ends: int

    @property
    def content(self) -> bytes:
        """Return what follows the header."""
        return self.source[self.begins : self.ends]

    @property
    def encoded(self) -> bytes:
        """Return header and content."""
        return self.source[self.start : self.ends]

    def list_inner(self) -> list["Element"]:
        """Return the values of which the content consists. Errors: NotDer."""
        return list(_walk(self.source, self.begins, self.ends))

    def read_integer(self) -> int:
        """Return the number, which may be negative. Errors: NotDer for another type, none or superfluous octets."""
        content = self.content
        if self.tag != INTEGER or not content:
            raise NotDer(f"at octet {self.start} an INTEGER is wanted")
        if len(content) > 1 and (content[0], content[1] >> 7) in ((0x00, 0), (0xFF, 1)):
            raise NotDer(f"the INTEGER at octet {self.start} begins with superfluous octets, which DER has not")
        return int.from_bytes(content, signed=True)

    def read_bits(self) -> bytes:
        """Return the octets of a BIT STRING. Errors: NotDer for another type, or where the bits are no whole octets."""
        if self.tag != BIT_STRING or self.begins == self.ends or self.source[self.begins] != 0:
            raise NotDer(f"at octet {self.start} a BIT STRING of whole octets is wanted")
        return self.source[self.begins + 1 : self.ends]


def read_der(encoded: bytes) -> Element:
    """Return the one value that *encoded* is. Errors: NotDer, also for octets that follow it."""
    found = _read(encoded, 0, len(encoded))
    if found.ends != len(encoded):
        raise NotDer(f"it ends at octet {found.ends}, and {len(encoded) - found.ends} more follow")
    return found


def read_identifier(element: Element) -> str:
    """Return the object identifier in dotted form. Errors: NotDer."""
    if element.tag != OBJECT_IDENTIFIER:
        raise NotDer(f"at octet {element.start} an OBJECT IDENTIFIER is wanted")
    try:
        return asn1.decode_der(ObjectIdentifier, element.encoded).dotted_string
    except ValueError as error:
        raise NotDer(f"the OBJECT IDENTIFIER at octet {element.start} is none") from error


def _walk(source: bytes, start: int, ends: int) -> Iterator[Element]:
    while start < ends:
        element = _read(source, start, ends)
        yield element
        start = element.ends


def _read(source: bytes, start: int, ends: int) -> Element:
    if ends - start < 2:
        raise NotDer(f"it is cut off at octet {start}")
    tag, length, begins = source[start], source[start + 1], start + 2
    if tag & _LONG_TAG == _LONG_TAG:
        raise NotDer(f"at octet {start} there is a tag that no part of it has")
    if length >= _LONG_LENGTH:
        length, begins = _read_length(source, start + 1, ends)
    if length > ends - begins:
        there = f"it says to have {count_of(length, 'octet')}, and {ends - begins} of them can be read"
        raise NotDer(f"the value at octet {start} is cut off: {there}")
    return Element(source, tag, start, begins, begins + length)


def _read_length(source: bytes, position: int, ends: int) -> tuple[int, int]:
    """Return a length in its long form, and where the content begins."""
    octets = source[position] - _LONG_LENGTH
    begins = position + 1 + octets
    if octets == 0:
        raise NotDer(f"it is BER with the indefinite length of octet {position}; DER is wanted")
    if begins > ends:
        raise NotDer(f"it is cut off at octet {position}")
    length = int.from_bytes(source[position + 1 : begins])
    if source[position + 1] == 0 or length < _LONG_LENGTH:
        raise NotDer(f"it is BER: the length at octet {position} has more octets than it needs; DER is wanted")
    return length, begins
