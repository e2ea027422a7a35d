"""PFX files of strangers: opening one takes bounded time, and says nothing on the terminal but what is wrong."""

import subprocess
import sys
import warnings
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from certwright.domain.errors import ExternalFileUnreadable
from certwright.formats.external_files import parse_external_file
from certwright.wire.cli.bounded import check_opens_in_time
from worlds.commands import PROGRAM

PASSWORD = "correct horse"
MOST_ITERATIONS = 2**31 - 1
MAC_ITERATIONS = bytes.fromhex("02020800")
"""The number 2048 at the end of the file: RFC 7292 section 4, MacData."""


@pytest.fixture(scope="module")
def pfx() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Alice")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    encryption = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2_000).build(PASSWORD.encode())
    return serialize_key_and_certificates(b"alice", key, certificate, None, encryption)


def split(encoded: bytes) -> tuple[bytes, list[bytes]]:
    """Return the tag of a constructed value and the values in it. Source: X.690 section 8.1."""
    _, body = measure(encoded, 0)
    values, at = [], body
    while at < len(encoded):
        length, start = measure(encoded, at)
        values.append(encoded[at : start + length])
        at = start + length
    return encoded[:1], values


def measure(encoded: bytes, at: int) -> tuple[int, int]:
    """Return how long the content of the value at *at* is, and where it begins."""
    first = encoded[at + 1]
    if first < 0x80:
        return first, at + 2
    octets = first & 0x7F
    return int.from_bytes(encoded[at + 2 : at + 2 + octets]), at + 2 + octets


def join(tag: bytes, values: list[bytes]) -> bytes:
    content = b"".join(values)
    return tag + b"\x84" + len(content).to_bytes(4) + content if len(content) > 127 else tag + bytes([len(content)]) + content


def make_slow(pfx: bytes) -> bytes:
    """Return the PFX with so many iterations of its MAC that opening it takes an hour."""
    tag, (version, contents, mac) = split(pfx)
    mac_tag, mac_values = split(mac)
    assert mac_values[-1] == MAC_ITERATIONS
    return join(tag, [version, contents, join(mac_tag, [*mac_values[:-1], b"\x02\x04" + MOST_ITERATIONS.to_bytes(4)])])


def make_ber(pfx: bytes) -> bytes:
    """Return the PFX in the form that many programs write: of indefinite length."""
    tag, values = split(pfx)
    return tag + b"\x80" + b"".join(values) + b"\0\0"


def test_a_pfx_that_opens_is_let_through(pfx: bytes) -> None:
    check_opens_in_time("alice.p12", pfx, PASSWORD, most_seconds=20)
    assert len(parse_external_file("alice.p12", pfx, PASSWORD).certificates) == 1


def test_a_pfx_whose_opening_would_take_an_hour_is_refused_in_bounded_time(pfx: bytes) -> None:
    with pytest.raises(ExternalFileUnreadable, match="more than 1 seconds of computing, so its iteration count is too high"):
        check_opens_in_time("slow.p12", make_slow(pfx), PASSWORD, most_seconds=1)


def test_other_faults_are_left_to_whoever_reads_the_file(pfx: bytes) -> None:
    check_opens_in_time("alice.p12", pfx, "wrong", most_seconds=20)
    check_opens_in_time("alice.p12", pfx[:-9], PASSWORD, most_seconds=20)
    check_opens_in_time("alice.pem", b"-----BEGIN CERTIFICATE-----", PASSWORD, most_seconds=20)


def test_a_pfx_in_ber_is_read_without_a_word_of_a_library(pfx: bytes) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert len(parse_external_file("alice.p12", make_ber(pfx), PASSWORD).certificates) == 1
    assert told == []


def test_no_command_shows_warnings_of_libraries() -> None:
    shown = subprocess.run([PROGRAM, "audit", "types"], capture_output=True, text=True, check=True)
    assert shown.stderr == ""
    program = (
        "import sys, warnings, click; from certwright.wire.cli import main\n"
        "sys.argv = ['certwright', 'audit', 'types']\n"
        "try: main()\n"
        "except SystemExit: warnings.warn('for programmers')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "for programmers" not in done.stderr
