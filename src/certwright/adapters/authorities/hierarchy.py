"""A root and the authority below it that issues: how they come to be, and what they say about themselves in certificates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from certwright.domain.certificates import SerialNumber
from certwright.domain.issuing import Issuer
from certwright.domain.keys import AuthorityRecord
from certwright.domain.ports import SigningKey
from certwright.formats.algorithms import AlgorithmIdentifier, natural_hash_of, signature_identifier_of
from certwright.formats.end_entity import encode_issuer_extensions
from certwright.formats.names import encode_name
from certwright.formats.public_keys import key_identifier_of
from certwright.formats.x509 import (
    CertificateBody,
    Extension,
    assemble_certificate,
    encode_certificate_body,
    encode_extension,
)

ROOT_VALIDITY = timedelta(days=20 * 365 + 5)
ISSUING_VALIDITY = timedelta(days=10 * 365 + 3)
ROOT_PATH_LENGTH = 1
ISSUING_PATH_LENGTH = 0
ANY_POLICY = "2.5.29.32.0"
_AUTHORITY_USAGE = x509.KeyUsage(
    # CMC responses are signed with the same key, hence the signature beside the authority's own two bits.
    digital_signature=True,
    key_cert_sign=True,
    crl_sign=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityPlan:
    """A certification authority as it is to be.

    Shape: *name* is how the installation calls it, *config_name* how the API does (``host\\authority``); *subject* is RFC 4514
    text.
    """

    name: str
    config_name: str
    subject: str


def create_root(plan: AuthorityPlan, key: SigningKey, *, serial: SerialNumber, now: datetime) -> AuthorityRecord:
    """Return a root authority that *key* signs itself: 20 years, one authority below it.

    Errors: NameRefused; KeyUnavailable.
    Source: RFC 5280 sections 4.2.1.3 and 4.2.1.9; it names no revocation list, for nobody could revoke it.
    """
    subject = encode_name(plan.subject)
    begins = now.replace(microsecond=0)
    body = CertificateBody(
        serial=serial,
        signature=name_signature(key),
        issuer=subject,
        subject=subject,
        not_before=begins,
        not_after=begins + ROOT_VALIDITY,
        public_key=key.public_key.encoded,
        extensions=_list_own_extensions(key, ROOT_PATH_LENGTH),
    )
    return _record(plan, key, sign_body(body, key), above="")


def create_issuing(
    plan: AuthorityPlan,
    key: SigningKey,
    *,
    above: AuthorityRecord,
    above_key: SigningKey,
    serial: SerialNumber,
    now: datetime,
    crl_urls: tuple[str, ...] = (),
    certificate_urls: tuple[str, ...] = (),
) -> AuthorityRecord:
    """Return an authority for people's certificates, certified by *above*: 10 years or what *above* has left, none below it.

    Shape: the addresses are where the revocation list and the certificate of *above* are found.

    Errors: NameRefused; KeyUnavailable.
    Source: RFC 5280 sections 4.2.1.1 to 4.2.1.4, 4.2.1.9 and 4.2.1.13.
    """
    issuer = describe_issuer((above,), crl_urls=crl_urls, certificate_urls=certificate_urls)
    begins = now.replace(microsecond=0)
    policies = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(ANY_POLICY), None)])
    body = CertificateBody(
        serial=serial,
        signature=name_signature(above_key),
        issuer=issuer.subject,
        subject=encode_name(plan.subject),
        not_before=begins,
        not_after=min(begins + ISSUING_VALIDITY, issuer.not_after),
        public_key=key.public_key.encoded,
        extensions=(
            *_list_own_extensions(key, ISSUING_PATH_LENGTH),
            encode_extension(policies),
            *encode_issuer_extensions(issuer),
        ),
    )
    return _record(plan, key, sign_body(body, above_key), above=above.name)


def describe_issuer(
    records: Sequence[AuthorityRecord],
    *,
    crl_urls: tuple[str, ...] = (),
    certificate_urls: tuple[str, ...] = (),
    certificate_policies: frozenset[str] = frozenset(),
) -> Issuer:
    """Return what the first of *records* says about itself in the certificates that it issues.

    Shape: *records* are the authority and those above it, root last; the addresses are where its own revocation list and its
    own certificate are found; *certificate_policies* are those that it asserts.
    """
    certificate = x509.load_der_x509_certificate(records[0].certificate)
    return Issuer(
        name=records[0].config_name,
        subject=certificate.subject.public_bytes(),
        key_identifier=certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        chain=tuple(each.certificate for each in records),
        crl_urls=crl_urls,
        certificate_urls=certificate_urls,
        certificate_policies=certificate_policies,
    )


def sign_body(body: CertificateBody, key: SigningKey) -> bytes:
    """Return the DER certificate that *key* makes of *body*. Errors: KeyUnavailable."""
    to_be_signed = encode_certificate_body(body)
    signature = key.sign(to_be_signed, natural_hash_of(key.public_key))
    return assemble_certificate(to_be_signed, signature, body.signature)


def name_signature(key: SigningKey) -> AlgorithmIdentifier:
    """Return the name of the signature that `sign_body` makes."""
    return signature_identifier_of(key.public_key, natural_hash_of(key.public_key))


def _list_own_extensions(key: SigningKey, path_length: int) -> tuple[Extension, ...]:
    identifier = x509.SubjectKeyIdentifier(key_identifier_of(key.public_key.encoded))
    return (
        encode_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True),
        encode_extension(_AUTHORITY_USAGE, critical=True),
        encode_extension(identifier),
    )


def _record(plan: AuthorityPlan, key: SigningKey, certificate: bytes, *, above: str) -> AuthorityRecord:
    return AuthorityRecord(
        name=plan.name, config_name=plan.config_name, certificate=certificate, key_name=key.name, issuer_name=above
    )
