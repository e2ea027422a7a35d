"""Certificate templates through which somebody could become somebody else.

The paths' names are those under which attackers and auditors know them. Source: Schroeder and Christensen, "Certified
Pre-Owned", 2021 (ESC1 to ESC8), and the later additions to it (ESC9).
"""

from certwright.domain.errors import EscalationPath, Refused
from certwright.domain.profile_templates import (
    ANY_EXTENDED_KEY_USAGE,
    CERTIFICATE_REQUEST_AGENT,
    CLIENT_AUTHENTICATION,
    PKINIT_CLIENT_AUTHENTICATION,
    SMARTCARD_LOGON,
    CertificateTemplate,
    SubjectSource,
)

SIGN_IN_USAGES = frozenset({CLIENT_AUTHENTICATION, SMARTCARD_LOGON, PKINIT_CLIENT_AUTHENTICATION, ANY_EXTENDED_KEY_USAGE})


def list_escalation_paths(template: CertificateTemplate) -> list[Refused]:
    """Return every escalation path that *template* opens.

    ESC1: the client names the subject of a certificate that signs in. ESC2: any purpose, or none named, which Windows takes
    for any. ESC3: the certificate makes its holder an enrollment agent for everybody. ESC9: it signs in without the security
    identifier, so that whoever may change a name in the directory becomes its owner.
    """
    usages = frozenset(template.extended_key_usages)
    signs_in = bool(usages & SIGN_IN_USAGES) or not usages
    found = (
        (
            "ESC1",
            "subject",
            "the request may not name the subject of a certificate that signs in",
            signs_in and template.subject is SubjectSource.REQUEST,
        ),
        (
            "ESC2",
            "extended_key_usages",
            "extended key usages must be named, and not be any",
            not usages or ANY_EXTENDED_KEY_USAGE in usages,
        ),
        (
            "ESC3",
            "extended_key_usages",
            "enrollment agents are appointed by policies, not by certificates",
            CERTIFICATE_REQUEST_AGENT in usages,
        ),
        (
            "ESC9",
            "include_security_identifier",
            "a certificate that signs in carries the security identifier",
            signs_in and not template.include_security_identifier,
        ),
    )
    where = f"certificate_templates.{template.common_name}"
    return [EscalationPath(f"{where}.{key}", path, detail) for path, key, detail, is_open in found if is_open]
