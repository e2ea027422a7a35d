"""What a certificate is worth, and how its serial number is written."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certwright.domain.certificates import (
    SERIAL_NUMBER_BITS,
    Certificate,
    CertificateStatus,
    SerialNumber,
    format_serial_number,
)
from certwright.domain.profiles import ProfileId
from certwright.domain.requests import RequestId
from certwright.domain.revocation import RevocationReason
from worlds.contoso import NOW, SUBSCRIBER, VECTORS

DAY = timedelta(days=1)
CERTIFICATE = Certificate(
    serial=SerialNumber(0x1234),
    request_id=RequestId(UUID(int=1)),
    place=0,
    profile_id=ProfileId(UUID(int=2)),
    subject_id=SUBSCRIBER.user.id,
    requester_name=SUBSCRIBER.user.nt4_name,
    template_common_name="ContosoUser",
    authority_name="ca\\Contoso Issuing CA",
    not_before=NOW,
    not_after=NOW + DAY,
    request_digest=bytes(32),
    key_digest=bytes(32),
    to_be_signed=b"0",
)
REVOKED = replace(CERTIFICATE, revoked_at=NOW + DAY / 2, revocation_reason=RevocationReason.SUPERSEDED)
HELD = replace(REVOKED, revocation_reason=RevocationReason.CERTIFICATE_HOLD)


@pytest.mark.parametrize(
    ("certificate", "now", "wanted"),
    [
        (CERTIFICATE, NOW, CertificateStatus.ACTIVE),
        (CERTIFICATE, NOW + DAY, CertificateStatus.ACTIVE),
        (CERTIFICATE, NOW + DAY + timedelta(microseconds=1), CertificateStatus.EXPIRED),
        (REVOKED, NOW, CertificateStatus.ACTIVE),
        (REVOKED, NOW + DAY / 2, CertificateStatus.REVOKED),
        (REVOKED, NOW + 2 * DAY, CertificateStatus.REVOKED),
        (HELD, NOW + DAY / 2, CertificateStatus.ON_HOLD),
        (HELD, NOW + 2 * DAY, CertificateStatus.ON_HOLD),
        (replace(REVOKED, revocation_reason=None), NOW + DAY, CertificateStatus.REVOKED),
    ],
)
def test_the_status_follows_from_the_time(certificate: Certificate, now: datetime, wanted: CertificateStatus) -> None:
    assert certificate.status(now) is wanted


def find_serial_numbers(tree: Any) -> list[str]:
    """Return the serial numbers of certificates, which stand beside a thumbprint; those of cards do not."""
    if isinstance(tree, list):
        return [found for each in tree for found in find_serial_numbers(each)]
    if not isinstance(tree, dict):
        return []
    own = [tree["SerialNumber"]] if {"SerialNumber", "Thumbprint"} <= tree.keys() else []
    return own + [found for each in tree.values() for found in find_serial_numbers(each)]


DOCUMENTED = find_serial_numbers(json.loads((VECTORS / "rest_examples.json").read_text()))


def test_the_documented_serial_numbers_were_found() -> None:
    assert len(DOCUMENTED) > 15


@pytest.mark.parametrize("text", DOCUMENTED)
def test_serial_numbers_are_written_as_in_the_documented_examples(text: str) -> None:
    assert format_serial_number(SerialNumber(int(text, 16))) == text


@given(st.integers(min_value=0, max_value=2**SERIAL_NUMBER_BITS - 1))
def test_a_written_serial_number_is_upper_case_of_even_length_and_reads_back(number: int) -> None:
    text = format_serial_number(SerialNumber(number))
    assert text == text.upper()
    assert len(text) % 2 == 0
    assert int(text, 16) == number


def test_the_longest_serial_number_fits_twenty_octets_and_stays_positive() -> None:
    longest = 2**SERIAL_NUMBER_BITS - 1
    assert len(longest.to_bytes(20, "big", signed=True)) == 20
