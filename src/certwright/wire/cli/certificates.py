"""A certificate as people read it."""

from collections.abc import Iterator

from certwright.client.enrolled import EnrolledCertificate
from certwright.domain.certificates import SerialNumber, format_serial_number


def list_certificate_lines(enrolled: EnrolledCertificate) -> Iterator[str]:
    """Return what one wants to know of a new certificate, a line each."""
    certificate = enrolled.certificate
    kind = " (issued elsewhere)" if enrolled.is_external else " (key history)" if enrolled.is_key_history else ""
    yield f"  Template     {enrolled.template}{kind}"
    yield f"  Subject      {certificate.subject.rfc4514_string() or '(none)'}"
    yield f"  Issuer       {certificate.issuer.rfc4514_string()}"
    yield f"  Serial       {format_serial_number(SerialNumber(certificate.serial_number))}"
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    yield f"  Valid        {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M} UTC"
    yield f"  Certificate  {enrolled.certificate_file}"
    yield f"  Chain        {enrolled.chain_file or '(none came with it)'}"
    yield f"  Private key  {enrolled.key_file or '(where it was made)'}"
