"""The certificate with which our own server shows who it is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from certwright.adapters.authorities.hierarchy import name_signature, sign_body
from certwright.domain.certificates import SerialNumber
from certwright.domain.errors import DefinitionInvalid, ValidityRefused
from certwright.domain.issuing import CLOCK_TOLERANCE, Issuer
from certwright.domain.ports import SigningKey
from certwright.domain.profile_templates import X509KeyUsage
from certwright.formats.end_entity import encode_issuer_extensions, encode_key_usages
from certwright.formats.names import encode_name
from certwright.formats.public_keys import describe_public_key, key_identifier_of
from certwright.formats.x509 import CertificateBody, encode_extension

VALIDITY = timedelta(days=397)
"""What browsers take from any authority."""
COMMON_NAME_LIMIT_CHARACTERS = 64
_HOST_NAME = re.compile(
    r"(?=.{1,253}$)(\*\.)?(?!-)[a-z\d-]{1,63}(?<!-)(\.(?!-)[a-z\d-]{1,63}(?<!-))*", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """What `ssl.SSLContext.load_cert_chain` wants.

    Shape: *certificates* is PEM, the server's own first, the root left out; *private_key* is encrypted PKCS#8 in PEM.
    """

    certificates: bytes
    private_key: bytes

    def __repr__(self) -> str:
        return "ServerIdentity(...)"


def issue_server_identity(
    names: Sequence[str],
    issuer: Issuer,
    authority_key: SigningKey,
    *,
    serial: SerialNumber,
    now: datetime,
    password: str,
) -> ServerIdentity:
    """Return a new P-256 key, encrypted with *password*, and its certificate for *names*.

    Shape: *names* are host names and IP addresses; the first one is also the common name, for people who look, if it fits.
    Valid for 397 days, or what the issuer has left.

    Errors: DefinitionInvalid for no name, or one that is none; ValidityRefused when the issuer has expired; KeyUnavailable.
    Source: RFC 5280 section 4.2.1.6; RFC 9525 section 6: programs look at the alternative names only.
    """
    alternative_names = x509.SubjectAlternativeName(_list_names(names))
    subject = encode_name(f"CN={names[0]}" if len(names[0]) <= COMMON_NAME_LIMIT_CHARACTERS else "")
    key = ec.generate_private_key(ec.SECP256R1())
    public_key = describe_public_key(key.public_key())
    begins = max(now - CLOCK_TOLERANCE, issuer.not_before).replace(microsecond=0)
    ends = min(begins + VALIDITY, issuer.not_after)
    if ends <= now:
        raise ValidityRefused("the issuing authority has expired")
    body = CertificateBody(
        serial=serial,
        signature=name_signature(authority_key),
        issuer=issuer.subject,
        subject=subject,
        not_before=begins,
        not_after=ends,
        public_key=public_key.encoded,
        extensions=(
            encode_extension(x509.SubjectKeyIdentifier(key_identifier_of(public_key.encoded))),
            *encode_issuer_extensions(issuer),
            encode_key_usages(frozenset({X509KeyUsage.DIGITAL_SIGNATURE}), public_key.algorithm, where="server certificate"),
            encode_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])),
            encode_extension(alternative_names, critical=subject == encode_name("")),
        ),
    )
    chain = (sign_body(body, authority_key), *issuer.chain[:-1])
    encryption = BestAvailableEncryption(password.encode())
    return ServerIdentity(
        certificates=b"".join(x509.load_der_x509_certificate(each).public_bytes(Encoding.PEM) for each in chain),
        private_key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption),
    )


def _list_names(names: Sequence[str]) -> list[x509.GeneralName]:
    if not names:
        raise DefinitionInvalid("server certificate", "it needs a name")
    return [_parse_name(each) for each in names]


def _parse_name(name: str) -> x509.GeneralName:
    if _HOST_NAME.fullmatch(name) and not name.replace(".", "").isdigit():
        return x509.DNSName(name)
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError as error:
        raise DefinitionInvalid("server certificate", f"{name!r} is neither a host name nor an IP address") from error
