"""Only encryption keys are archived: a copy of a signing key is a copy of its owner's signature."""

from certwright.domain.errors import DefinitionInvalid, Refused
from certwright.domain.profile_templates import (
    ANY_EXTENDED_KEY_USAGE,
    CLIENT_AUTHENTICATION,
    PKINIT_CLIENT_AUTHENTICATION,
    SMARTCARD_LOGON,
    CertificateTemplate,
    KeyOrigin,
    X509KeyUsage,
)

ENCRYPTION_USAGES = frozenset({X509KeyUsage.KEY_ENCIPHERMENT, X509KeyUsage.KEY_AGREEMENT})
SIGNING_USAGES = frozenset({X509KeyUsage.DIGITAL_SIGNATURE, X509KeyUsage.CONTENT_COMMITMENT})
AUTHENTICATION_USAGES = frozenset(
    {CLIENT_AUTHENTICATION, SMARTCARD_LOGON, PKINIT_CLIENT_AUTHENTICATION, ANY_EXTENDED_KEY_USAGE}
)


def list_archival_faults(template: CertificateTemplate) -> list[Refused]:
    """Return what is wrong with archiving the template's key.

    A certificate without extended key usages is for any of them; where its key signs, it also authenticates.

    Source: domain.md 4.3: what is archived is the encryption key; signing keys are always made anew.
    """
    if not template.key.archived:
        return []
    found = (
        ("key_usages", "a key that only signs may not be archived", not template.key_usages & ENCRYPTION_USAGES),
        ("extended_key_usages", "a key that people authenticate with may not be archived", _authenticates(template)),
        ("key_usages", "a key whose signature commits its owner may not be archived", _commits(template)),
        ("key.origin", "only a key that the server makes can be archived", template.key.origin is not KeyOrigin.SERVER),
    )
    where = f"certificate_templates.{template.common_name}"
    return [DefinitionInvalid(f"{where}.{key}", detail) for key, detail, is_broken in found if is_broken]


def _authenticates(template: CertificateTemplate) -> bool:
    if not template.extended_key_usages:
        return bool(SIGNING_USAGES & template.key_usages)
    return bool(AUTHENTICATION_USAGES & set(template.extended_key_usages))


def _commits(template: CertificateTemplate) -> bool:
    return X509KeyUsage.CONTENT_COMMITMENT in template.key_usages and bool(ENCRYPTION_USAGES & template.key_usages)
