"""Only encryption keys are archived: a copy of a signing key is a copy of its owner's signature."""

from certwright.domain.errors import DefinitionInvalid, Refused
from certwright.domain.profile_templates import CertificateTemplate, KeyOrigin, X509KeyUsage

ENCRYPTION_USAGES = frozenset({X509KeyUsage.KEY_ENCIPHERMENT, X509KeyUsage.KEY_AGREEMENT})


def list_archival_faults(template: CertificateTemplate) -> list[Refused]:
    """Return what is wrong with archiving the template's key.

    Source: domain.md 4.3: what is archived is the encryption key; signing keys are always made anew.
    """
    if not template.key.archived:
        return []
    found = (
        ("key_usages", "a key that only signs may not be archived", not template.key_usages & ENCRYPTION_USAGES),
        ("key.origin", "only a key that the server makes can be archived", template.key.origin is not KeyOrigin.SERVER),
    )
    where = f"certificate_templates.{template.common_name}"
    return [DefinitionInvalid(f"{where}.{key}", detail) for key, detail, is_broken in found if is_broken]
