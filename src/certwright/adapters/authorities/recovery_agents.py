"""The certificates of recovery agents whose keys are here."""

from datetime import datetime, timedelta

from cryptography import x509

from certwright.adapters.authorities.hierarchy import name_signature, sign_body
from certwright.domain.certificates import SerialNumber
from certwright.domain.errors import ValidityRefused
from certwright.domain.issuing import CLOCK_TOLERANCE, Issuer
from certwright.domain.ports import SigningKey
from certwright.domain.profile_templates import X509KeyUsage
from certwright.domain.public_keys import PublicKey
from certwright.domain.rules.names import escape_name_value
from certwright.formats.end_entity import encode_issuer_extensions, encode_key_usages
from certwright.formats.names import encode_name
from certwright.formats.public_keys import key_identifier_of
from certwright.formats.x509 import CertificateBody, encode_extension

VALIDITY = timedelta(days=3653)
"""Encrypted mail is read for long. An expired certificate still names the key that opens what was encrypted to it."""
KEY_RECOVERY_AGENT = "1.3.6.1.4.1.311.21.6"
"""The extended key usage. Source: MS-WCCE section 1.9."""


def issue_agent_certificate(
    name: str, key: PublicKey, issuer: Issuer, authority_key: SigningKey, *, serial: SerialNumber, now: datetime
) -> bytes:
    """Return the DER certificate of the agent *name* for his *key*.

    Errors: ValidityRefused when the issuer has expired; KeyUnavailable; NameRefused.
    """
    begins = max(now - CLOCK_TOLERANCE, issuer.not_before).replace(microsecond=0)
    ends = min(begins + VALIDITY, issuer.not_after)
    if ends <= now:
        raise ValidityRefused("the issuing authority has expired")
    usages = frozenset({X509KeyUsage.KEY_ENCIPHERMENT, X509KeyUsage.KEY_AGREEMENT})
    body = CertificateBody(
        serial=serial,
        signature=name_signature(authority_key),
        issuer=issuer.subject,
        subject=encode_name(f"CN={escape_name_value(f'Key Recovery Agent {name}')}"),
        not_before=begins,
        not_after=ends,
        public_key=key.encoded,
        extensions=(
            encode_extension(x509.SubjectKeyIdentifier(key_identifier_of(key.encoded))),
            *encode_issuer_extensions(issuer),
            encode_key_usages(usages, key.algorithm, where="recovery agent"),
            encode_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(KEY_RECOVERY_AGENT)])),
        ),
    )
    return sign_body(body, authority_key)
