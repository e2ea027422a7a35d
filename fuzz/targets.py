"""What has to hold for any input: it is read, or refused with an error of ours; nothing else is raised, and answers agree."""

import re
from collections.abc import Callable
from contextlib import suppress

from cryptography import x509

from certwright.domain.errors import MalformedCertificateRequest, MalformedValue, NameRefused, Refused
from certwright.domain.profile_templates import KeySpecification
from certwright.domain.public_keys import CertificateRequest
from certwright.domain.rules.key_weaknesses import list_key_weaknesses
from certwright.formats.der_reader import NotDer, read_der
from certwright.formats.external_files import parse_external_file
from certwright.formats.names import encode_name, format_name
from certwright.formats.pkcs10 import parse_certificate_request, parse_certificate_request_text
from certwright.formats.spreadsheets import parse_sheet
from certwright.formats.text_files import parse_text
from certwright.wire.cli.bounded import check_opens_in_time
from certwright.wire.cli.card_files import COLUMNS, parse_card_rows
from certwright.wire.rest.errors import WireRefusal
from certwright.wire.rest.properties import Properties
from certwright.wire.rest.reading import parse_body

Target = Callable[[bytes], None]
PFX_PASSWORD = "secret"
PFX_SECONDS = 1
"""Counts of iterations go up to 2^31-1, and an input with one would take hours to open."""
_CHARSETS = ("", "; charset=utf-8", "; charset=utf-16", "; charset=iso-8859-1", "; charset=none")
_LARGE_INTEGER = re.compile(rb"\x02(?:\x03[\x02-\x7f]|[\x04-\x08][\x00-\x7f][\x01-\xff]|[\x04-\x08][\x01-\x7f])", re.DOTALL)
"""Numbers above 131,071 in DER: inputs without one open quickly, and need no process of their own to be tried in."""
_NAMES = ("type", "certificaterequests", "datacollection", "comment", "priority", "profiletemplateuuid", "revocationdelay")


def fuzz_pkcs10(data: bytes) -> None:
    """Certificate requests, as DER and as text; where the library reads one, both agree about key and signature."""
    with suppress(MalformedCertificateRequest):
        parse_certificate_request_text(data.decode("latin-1"))
    try:
        request = parse_certificate_request(data)
    except MalformedCertificateRequest as malformed:
        if not malformed.detail:
            raise AssertionError("a refusal says nothing") from malformed
        return
    list_key_weaknesses(request.public_key, KeySpecification())
    if request.subject:
        with suppress(NameRefused):
            encode_name(request.subject)
    _compare_with_library(data, request)


def _compare_with_library(data: bytes, request: CertificateRequest) -> None:
    try:
        theirs = x509.load_der_x509_csr(data)
        is_valid = theirs.is_signature_valid
    except Exception:  # noqa: BLE001 - what the library raises for such input is what our own reader is there for.
        return
    if is_valid and not request.is_proven and not request.public_key.is_oversized:
        raise AssertionError("the library verifies a signature that we do not")


def fuzz_names(data: bytes) -> None:
    """Distinguished names, as text and as DER; what was encoded comes back, and encodes to the same octets."""
    with suppress(MalformedValue, NotDer):
        format_name(read_der(data))
    try:
        encoded = encode_name(data.decode("utf-8", "surrogatepass"))
    except (NameRefused, UnicodeDecodeError):
        return
    if encode_name(format_name(read_der(encoded))) != encoded:
        raise AssertionError("a name changes on its way through text")
    if x509.Name.from_bytes(encoded).public_bytes() != encoded:
        raise AssertionError("the library reads another name")


def fuzz_bodies(data: bytes) -> None:
    """Bodies of calls in every charset, and each kind of property in them."""
    kind, body = data[:1], data[1:]
    number = kind[0] if kind else 0
    content_type = "application/json" + _CHARSETS[number % len(_CHARSETS)]
    try:
        properties = parse_body(body, content_type, takes_trailing_commas=number >= 128)
    except (Refused, WireRefusal):
        return
    for name in _NAMES:
        _read_property(properties, name)


def _read_property(properties: Properties, name: str) -> None:
    readers: tuple[Callable[[str], object], ...] = (
        properties.read_text,
        properties.read_identifier,
        properties.read_whole_number,
        properties.read_time_span,
        properties.read_texts,
        properties.read_items,
    )
    for read in readers:
        with suppress(Refused):
            read(name)
    with suppress(Refused):
        properties.check_readable()


def fuzz_csv(data: bytes) -> None:
    """Lists of cards, in any encoding and with any separator."""
    with suppress(Refused):
        rows = parse_sheet(parse_text(data, "cards.csv", "a list of cards"), "cards.csv", COLUMNS, ("card",))
        parse_card_rows(rows, "cards.csv")


def fuzz_pfx(data: bytes) -> None:
    """Certificates from elsewhere: PFX, PEM and DER, opened as the command that imports them does it."""
    with suppress(Refused):
        if _LARGE_INTEGER.search(data):
            check_opens_in_time("file.pfx", data, PFX_PASSWORD, most_seconds=PFX_SECONDS)
        parse_external_file("file.pfx", data, PFX_PASSWORD)


TARGETS: dict[str, Target] = {
    "pkcs10": fuzz_pkcs10,
    "names": fuzz_names,
    "bodies": fuzz_bodies,
    "csv": fuzz_csv,
    "pfx": fuzz_pfx,
}
