"""The certificates of people: what a template and a directory entry become on X.509's side."""

from functools import lru_cache

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.x509.oid import AuthorityInformationAccessOID

from certwright.domain.errors import DefinitionInvalid, NameRefused
from certwright.domain.identities import Sid
from certwright.domain.issuing import Draft, Issuer
from certwright.domain.profile_templates import AlternativeName, CertificateTemplate, X509KeyUsage
from certwright.domain.public_keys import KeyAlgorithm
from certwright.formats.algorithms import AlgorithmIdentifier
from certwright.formats.microsoft import (
    encode_application_policies,
    encode_security_identifier,
    encode_template_information,
    name_principal,
)
from certwright.formats.names import encode_name
from certwright.formats.public_keys import key_identifier_of
from certwright.formats.x509 import CertificateBody, Extension, encode_certificate_body, encode_extension


def encode_to_be_signed(draft: Draft, issuer: Issuer, signature: AlgorithmIdentifier) -> bytes:
    """Return the DER TBSCertificate of *draft*.

    Shape: extensions in the order of the documented certificate. No basic constraints: their absence says "no authority".

    Errors: NameRefused when the subject cannot be encoded; DefinitionInvalid when no key usage of the template fits the key.
    Source: RFC 5280 section 4.2; the certificate in get-certificate-responses.
    """
    template, key = draft.template, draft.request.public_key
    return encode_certificate_body(
        CertificateBody(
            serial=draft.serial,
            signature=signature,
            issuer=issuer.subject,
            subject=encode_name(draft.subject),
            not_before=draft.not_before,
            not_after=draft.not_after,
            public_key=key.encoded,
            extensions=(
                _encode_key_identifier(key.encoded),
                *encode_issuer_extensions(issuer),
                *_encode_template_extensions(template, key.algorithm),
                *_encode_personal_extensions(draft.alternative_names, draft.security_identifier, not draft.subject),
            ),
        )
    )


@lru_cache(maxsize=64)
def encode_issuer_extensions(issuer: Issuer) -> tuple[Extension, ...]:
    """Return what every certificate of *issuer* says about it: its key, its revocation lists, its certificate.

    Source: RFC 5280 sections 4.2.1.1, 4.2.1.13 and 4.2.2.1.
    """
    extensions = [encode_extension(x509.AuthorityKeyIdentifier(issuer.key_identifier, None, None))]
    if issuer.crl_urls:
        extensions.append(encode_extension(_point_to_revocation_lists(issuer)))
    if issuer.certificate_urls:
        extensions.append(encode_extension(_point_to_certificates(issuer)))
    return tuple(extensions)


def encode_key_usages(wanted: frozenset[X509KeyUsage], algorithm: KeyAlgorithm, *, where: str) -> Extension:
    """Return those of the *wanted* usages that a key of *algorithm* has.

    An RSA key wraps keys and agrees on none, a key of a curve the other way round; what does not fit is left out.

    Errors: DefinitionInvalid, naming *where*, when nothing is left: an extension without any bit is not allowed.
    Source: RFC 5280 section 4.2.1.3; RFC 3279 section 2.3.1; RFC 5480 section 3.
    """
    misfit = X509KeyUsage.KEY_AGREEMENT if algorithm is KeyAlgorithm.RSA else X509KeyUsage.KEY_ENCIPHERMENT
    usages = wanted - {misfit}
    if not usages:
        raise DefinitionInvalid(where, f"none of its key usages fits a key of {algorithm.value}")
    usage = x509.KeyUsage(
        digital_signature=X509KeyUsage.DIGITAL_SIGNATURE in usages,
        content_commitment=X509KeyUsage.CONTENT_COMMITMENT in usages,
        key_encipherment=X509KeyUsage.KEY_ENCIPHERMENT in usages,
        key_agreement=X509KeyUsage.KEY_AGREEMENT in usages,
        data_encipherment=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return encode_extension(usage, critical=True)


@lru_cache(maxsize=1_024)
def _encode_template_extensions(template: CertificateTemplate, algorithm: KeyAlgorithm) -> tuple[Extension, ...]:
    where = f"certificate template {template.common_name}"
    extensions = [
        encode_key_usages(template.key_usages, algorithm, where=where),
        encode_template_information(template.oid, template.major_version, template.minor_version),
    ]
    if template.extended_key_usages:
        usages = [x509.ObjectIdentifier(each) for each in template.extended_key_usages]
        extensions.append(encode_extension(x509.ExtendedKeyUsage(usages)))
        extensions.append(encode_application_policies(template.extended_key_usages))
    if template.certificate_policies:
        policies = [x509.PolicyInformation(x509.ObjectIdentifier(each), None) for each in template.certificate_policies]
        extensions.append(encode_extension(x509.CertificatePolicies(policies)))
    return tuple(extensions)


@lru_cache(maxsize=4_096)
def _encode_personal_extensions(
    alternative_names: tuple[tuple[AlternativeName, str], ...], security_identifier: Sid | None, has_no_subject: bool
) -> tuple[Extension, ...]:
    extensions = []
    if alternative_names:
        names = x509.SubjectAlternativeName([_encode_alternative_name(*each) for each in alternative_names])
        # RFC 5280 section 4.2.1.6: where the subject is empty, these names are all there is, and critical.
        extensions.append(encode_extension(names, critical=has_no_subject))
    if security_identifier is not None:
        extensions.append(encode_security_identifier(security_identifier))
    return tuple(extensions)


def _encode_alternative_name(kind: AlternativeName, value: str) -> x509.GeneralName:
    if kind is AlternativeName.PRINCIPAL_NAME:
        return name_principal(value)
    try:
        return x509.RFC822Name(value)
    except ValueError as error:
        raise NameRefused("the mail address cannot stand in a certificate") from error


def _encode_key_identifier(public_key: bytes) -> Extension:
    identifier = asn1.encode_der(key_identifier_of(public_key))
    return Extension(identifier=x509.SubjectKeyIdentifier.oid, critical=False, value=identifier)


def _point_to_revocation_lists(issuer: Issuer) -> x509.CRLDistributionPoints:
    urls = [x509.UniformResourceIdentifier(each) for each in issuer.crl_urls]
    return x509.CRLDistributionPoints([x509.DistributionPoint(urls, None, None, None)])


def _point_to_certificates(issuer: Issuer) -> x509.AuthorityInformationAccess:
    method = AuthorityInformationAccessOID.CA_ISSUERS
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(method, x509.UniformResourceIdentifier(each)) for each in issuer.certificate_urls]
    )
