"""Every scan of foreign bytes takes time that grows with their length alone."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from certwright.adapters.signin.basic import parse_basic_credentials
from certwright.domain.errors import Refused
from certwright.domain.mail_addresses import find_address_fault
from certwright.formats.external_files import parse_external_file
from certwright.formats.names import encode_name
from certwright.formats.pkcs10 import parse_certificate_request_text
from certwright.formats.spoken_codes import parse_spoken
from certwright.wire.rest.faults import WireRefusal
from certwright.wire.rest.folding import fold_path, fold_query
from certwright.wire.rest.identifiers import find_identifier
from certwright.wire.rest.properties import Properties
from certwright.wire.rest.reading import parse_body, remove_trailing_commas
from worlds.growth import FACTOR, find_growth

BEGIN = "-----BEGIN CERTIFICATE REQUEST-----"
LINEAR_BELOW = 5 * FACTOR
"""A quadratic scan takes 256 times as long for a text that is sixteen times as long."""

CASES: dict[str, tuple[Callable[..., object], Callable[[int], bytes | str]]] = {
    "strings without an end": (remove_trailing_commas, lambda n: b'{"' + b'\\"' * n),
    "quotes": (remove_trailing_commas, lambda n: b'"' * (n | 1)),
    "commas": (remove_trailing_commas, lambda n: b"," * n),
    "a comma and blanks": (remove_trailing_commas, lambda n: b"," + b" " * n),
    "a body": (lambda text: parse_body(text, "application/json", takes_trailing_commas=True), lambda n: b'{"' + b'\\"' * n),
    "a list": (lambda text: parse_body(text, "application/json").read_texts("a"), lambda n: b'{"a":[' + b'"",' * n + b'""]}'),
    "names of properties": (lambda text: Properties({text: 1}).read_text("a"), lambda n: " " * n + "a"),
    "a time span": (lambda text: Properties({"a": text}).read_time_span("a"), lambda n: "1" * n),
    "blanks for a guid": (find_identifier, lambda n: "\n" * n + "x"),
    "blanks in a guid": (find_identifier, lambda n: "{" + " " * n + "x"),
    "blanks behind a guid": (find_identifier, lambda n: "97cd65faaf4b458793090dd6bfd8b4e1" + " " * n + "x"),
    "an address": (fold_path, lambda n: "/certificatemanagement/" + ". ." * n),
    "a query": (fold_query, lambda n: b"a=" + b"%" * n),
    "armour": (parse_certificate_request_text, lambda n: (BEGIN + "A") * (n // len(BEGIN))),
    "a name": (encode_name, lambda n: "CN=" + "a " * n + '"'),
    "blanks in a name": (encode_name, lambda n: "CN=a" + " " * n + '"'),
    "escapes in a name": (encode_name, lambda n: "CN=" + "\\20" * n + '"'),
    "a mail address": (find_address_fault, lambda n: "a." * n + "!"),
    "blocks without an end": (lambda text: parse_external_file("f", text, ""), lambda n: b"-----BEGIN A-----\n" * (n // 4)),
    "a challenge": (parse_spoken, lambda n: "1 " * n),
    "credentials": (parse_basic_credentials, lambda n: "QUFB" * n),
}


@pytest.mark.parametrize("case", CASES)
def test_a_scan_of_foreign_bytes_takes_time_that_grows_with_their_length_alone(case: str) -> None:
    scan, make = CASES[case]

    def work(text: bytes | str) -> None:
        with suppress(Refused, WireRefusal):
            scan(text)

    assert find_growth(work, make) < LINEAR_BELOW
