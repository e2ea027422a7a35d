"""Certificate templates through which somebody could become somebody else.

The paths' names are those under which attackers and auditors know them; docs/explanation/escalation-paths.md goes through all.

Source: Schroeder and Christensen, "Certified Pre-Owned", 2021 (ESC1 to ESC8), and the later additions to it (ESC9 to ESC16).
"""

from collections.abc import Iterable, Iterator

from certwright.domain.errors import EscalationPath, Refused
from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.identities import EVERYONE
from certwright.domain.profile_templates import (
    ANY_EXTENDED_KEY_USAGE,
    CERTIFICATE_REQUEST_AGENT,
    CLIENT_AUTHENTICATION,
    PKINIT_CLIENT_AUTHENTICATION,
    SMARTCARD_LOGON,
    CertificateTemplate,
    SubjectSource,
)
from certwright.domain.rules.reserved_usages import RESERVED_USAGES

NETWORK_USAGES = frozenset(
    {
        "1.3.6.1.5.5.7.3.5",
        "1.3.6.1.5.5.7.3.6",
        "1.3.6.1.5.5.7.3.7",
        "1.3.6.1.5.5.7.3.13",
        "1.3.6.1.5.5.7.3.14",
        "1.3.6.1.5.5.7.3.17",
        "1.3.6.1.5.5.7.3.21",
        "1.3.6.1.5.5.8.2.2",
    }
)
"""Sign-in to networks: IPsec end system, tunnel and user, EAP over PPP and over LAN, IKE, SSH, IKE intermediate.

Source: RFC 4945 section 5.1.3.12, RFC 4334, RFC 6187 section 2.2.2, and IKE intermediate as Windows and macOS ask for it."""
SIGN_IN_USAGES = NETWORK_USAGES | {
    CLIENT_AUTHENTICATION,
    SMARTCARD_LOGON,
    PKINIT_CLIENT_AUTHENTICATION,
    ANY_EXTENDED_KEY_USAGE,
}
ANY_POLICY = "2.5.29.32.0"


def list_escalation_paths(template: CertificateTemplate) -> list[Refused]:
    """Return every escalation path that *template* opens.

    ESC1: the client names the subject of a certificate that signs in. ESC2: any purpose, or none named, which Windows takes
    for any. ESC3: the certificate makes its holder an enrollment agent for everybody. ESC9 and ESC16: it signs in without the
    security identifier, so that whoever may change a name in the directory becomes its owner. Reserved: its holder speaks for
    the authority or for everybody, see `RESERVED_USAGES`.
    """
    where = f"certificate_templates.{template.common_name}"
    return [EscalationPath(f"{where}.{key}", path, detail) for path, key, detail in _list_open(template)]


def _list_open(template: CertificateTemplate) -> Iterator[tuple[str, str, str]]:
    usages = frozenset(template.extended_key_usages)
    signs_in = bool(usages & SIGN_IN_USAGES) or not usages
    if signs_in and template.subject is SubjectSource.REQUEST:
        yield "ESC1", "subject", "the request may not name the subject of a certificate that signs in"
    if not usages or ANY_EXTENDED_KEY_USAGE in usages:
        yield "ESC2", "extended_key_usages", "extended key usages must be named, and not be any"
    if CERTIFICATE_REQUEST_AGENT in usages:
        yield "ESC3", "extended_key_usages", "enrollment agents are appointed by policies, not by certificates"
    if signs_in and not template.include_security_identifier:
        yield "ESC9", "include_security_identifier", "a certificate that signs in carries the security identifier"
    for usage in template.extended_key_usages:
        if usage in RESERVED_USAGES:
            detail = f"{usage}, {RESERVED_USAGES[usage]}, is for certificates of the authority itself"
            yield "reserved", "extended_key_usages", detail


def list_certificate_policy_faults(template: CertificateTemplate, allowed: frozenset[str]) -> list[Refused]:
    """Return which certificate policies the template asserts that the installation does not have.

    A directory can link a policy to a group, whose member everybody is who holds a certificate with it (ESC13).

    Source: RFC 5280 section 4.2.1.4 for anyPolicy; issuance.certificate_policies of the settings for all others.
    """
    where = f"certificate_templates.{template.common_name}.certificate_policies"
    detail = "is not among issuance.certificate_policies of the settings"
    return [
        *_list_any_policy(template),
        *(
            EscalationPath(where, "ESC13", f"the policy {each} {detail}")
            for each in template.certificate_policies
            if each not in allowed and each != ANY_POLICY
        ),
    ]


def _list_any_policy(template: CertificateTemplate) -> list[Refused]:
    where = f"certificate_templates.{template.common_name}.certificate_policies"
    detail = f"anyPolicy ({ANY_POLICY}) stands for every policy, and is for certificates of authorities"
    return [EscalationPath(where, "ESC13", detail)] if ANY_POLICY in template.certificate_policies else []


def list_everyone_faults(grants: Iterable[Grant], names: dict[str, str]) -> list[Refused]:
    """Return which rights are given to everyone that only named people and groups may hold: all but reading.

    Shape: *names* says what people call profile templates, users and groups, by their identifiers.
    Source: that low-privileged users may enroll is the first condition of ESC1 to ESC3.
    """
    detail = "everyone may hold no right but read: name the people or groups"
    return [
        EscalationPath(_locate(each, names), "everyone", detail)
        for each in grants
        if each.trustee == EVERYONE and each.right is not Right.READ
    ]


def _locate(grant: Grant, names: dict[str, str]) -> str:
    called = names.get(grant.object_name, grant.object_name)
    places = {
        ObjectKind.SERVICE: "service",
        ObjectKind.PROFILE_TEMPLATE: f"profile_templates.{called}",
        ObjectKind.CERTIFICATE_TEMPLATE: f"certificate_templates.{called}",
        ObjectKind.PRINCIPAL: f"groups.{called}",
    }
    return f"{places[grant.object_kind]}.rights.{grant.right}"
