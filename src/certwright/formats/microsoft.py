"""Extensions that Windows defines and domain controllers look for.

Source: MS-WCCE sections 2.2.2.7.7.2 (template), 2.2.2.7.7.3 (application policies) and 2.2.2.7.7.4 (security identifier);
MS-WCCE writes them all as not critical.
"""

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat import asn1

from certwright.formats.x509 import Extension, encode_extension

APPLICATION_POLICIES = x509.ObjectIdentifier("1.3.6.1.4.1.311.21.10")
SECURITY_EXTENSION = x509.ObjectIdentifier("1.3.6.1.4.1.311.25.2")
OBJECT_SID = x509.ObjectIdentifier("1.3.6.1.4.1.311.25.2.1")
PRINCIPAL_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")


def encode_template_information(template_oid: str, major_version: int, minor_version: int) -> Extension:
    """Return the extension that says which version of which certificate template was used."""
    return encode_extension(x509.MSCertificateTemplate(x509.ObjectIdentifier(template_oid), major_version, minor_version))


def encode_application_policies(usages: Sequence[str]) -> Extension:
    """Return the extended key usages, dotted identifiers, in Windows' own extension.

    Shape: that of certificate policies without qualifiers.
    """
    policies = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(each), None) for each in usages])
    return Extension(identifier=APPLICATION_POLICIES, critical=False, value=policies.public_bytes())


def encode_security_identifier(sid: str) -> Extension:
    """Return the extension by which a domain controller maps a certificate to its account.

    Shape: GeneralNames with one otherName that holds the SID's text, not its binary form, in an OCTET STRING.
    """
    names = x509.SubjectAlternativeName([x509.OtherName(OBJECT_SID, asn1.encode_der(sid.encode("ascii")))])
    return Extension(identifier=SECURITY_EXTENSION, critical=False, value=names.public_bytes())


def name_principal(principal_name: str) -> x509.OtherName:
    """Return the alternative name that holds a user principal name, as UTF8String."""
    return x509.OtherName(PRINCIPAL_NAME, asn1.encode_der(principal_name))
