"""Draft, cleared, signed: the only road to a signature."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from certwright.domain.certificates import KeyHolder, SerialNumber
from certwright.domain.errors import NameRefused, Refused, check_none_broken
from certwright.domain.identities import Sid, User
from certwright.domain.profile_templates import AlternativeName, CertificateTemplate, ResponseForm, SubjectSource
from certwright.domain.public_keys import CertificateRequest, HashAlgorithm
from certwright.domain.rules.escalation import list_certificate_policy_faults, list_escalation_paths
from certwright.domain.rules.key_holder import list_key_holder_faults
from certwright.domain.rules.key_strength import list_key_faults
from certwright.domain.rules.key_weaknesses import list_key_weaknesses, list_prime_faults
from certwright.domain.rules.named_subjects import list_unapproved_subject_faults
from certwright.domain.rules.names import escape_name_value, list_name_faults
from certwright.domain.rules.possession import list_possession_faults
from certwright.domain.rules.validity import list_validity_faults

CLOCK_TOLERANCE = timedelta(minutes=10)
"""How far in the past validity begins, so that clients whose clocks lag can use a new certificate at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """What a certificate says about the authority that signs it.

    Shape: *subject* is the DER Name of the authority; *chain* is its certificates, DER, issuing authority first, root last;
    *name* is ``host\\authority``, the form in which the API names it; *certificate_policies* are the only ones that it asserts,
    as dotted identifiers.
    """

    name: str
    subject: bytes
    key_identifier: bytes
    not_before: datetime
    not_after: datetime
    chain: tuple[bytes, ...]
    crl_urls: tuple[str, ...] = ()
    certificate_urls: tuple[str, ...] = ()
    certificate_policies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A certificate as it would be, before any rule has looked at it.

    Shape: *subject* is RFC 4514 text, empty for an empty name; *alternative_names* in the template's order; *approved_subject*
    is the name that a client may name, None where none was approved.
    """

    serial: SerialNumber
    template: CertificateTemplate
    request: CertificateRequest
    subject: str
    alternative_names: tuple[tuple[AlternativeName, str], ...]
    security_identifier: Sid | None
    not_before: datetime
    not_after: datetime
    approved_subject: str | None = None


@dataclass(frozen=True, slots=True)
class Cleared:
    """A draft that broke no rule. Made by `clear` alone: `application` and `adapters` never construct it (a test looks)."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class SigningOrder:
    """What an authority is to sign, and how the answer that delivers it is to look.

    Shape: *to_be_signed* is the DER TBSCertificate that the same authority prepared; *form* is None where no ``Pkcs7`` delivers
    it; *digest* is that of the answer.
    """

    to_be_signed: bytes
    form: ResponseForm | None
    digest: HashAlgorithm


@dataclass(frozen=True, slots=True)
class Signed:
    """What became of a signing order: the DER Certificate, and the DER of the ``Pkcs7`` that delivers it."""

    certificate: bytes
    response: bytes | None


def plan_draft(
    template: CertificateTemplate,
    request: CertificateRequest,
    subject: User,
    issuer: Issuer,
    *,
    serial: SerialNumber,
    now: datetime,
    approved_subject: str | None = None,
) -> Draft:
    """Return the certificate that *template* gives *subject*, valid never longer than its issuer."""
    names = {
        AlternativeName.PRINCIPAL_NAME: subject.principal_name,
        AlternativeName.EMAIL: subject.email,
    }
    begins = max(now - CLOCK_TOLERANCE, issuer.not_before).replace(microsecond=0)
    return Draft(
        serial=serial,
        template=template,
        request=request,
        subject=_find_subject(template.subject, subject, request),
        alternative_names=tuple((each, names[each]) for each in template.alternative_names if names[each]),
        security_identifier=subject.sid if template.include_security_identifier else None,
        not_before=begins,
        not_after=min((now + template.validity).replace(microsecond=0), issuer.not_after),
        approved_subject=approved_subject,
    )


def _find_subject(source: SubjectSource, subject: User, request: CertificateRequest) -> str:
    match source:
        case SubjectSource.DISTINGUISHED_NAME:
            return subject.distinguished_name
        case SubjectSource.COMMON_NAME:
            return f"CN={escape_name_value(subject.display_name)}" if subject.display_name else ""
        case SubjectSource.REQUEST:
            return request.subject
        case SubjectSource.NONE:
            return ""


def clear(
    draft: Draft,
    *,
    subject: User,
    issuer: Issuer,
    key_holder: KeyHolder | None,
    is_prime_or_power: Callable[[], bool] = lambda: False,
) -> Cleared:
    """Return *draft* as cleared for signing when no rule is broken.

    *key_holder* is who holds a certificate for its key; *is_prime_or_power* says so of its modulus, and is asked only where no
    other rule is broken: it may take a second, and posts may be repeated.

    Errors: the broken rule, or RulesBroken with all of them.
    """
    broken: list[Refused] = [
        *list_possession_faults(draft.request, draft.template),
        *list_key_faults(draft.request.public_key, draft.template),
        *list_key_weaknesses(draft.request.public_key, draft.template.key),
        *list_key_holder_faults(key_holder, subject.id),
        *_list_name_faults(draft),
        *list_escalation_paths(draft.template),
        *list_certificate_policy_faults(draft.template, issuer.certificate_policies),
        *list_validity_faults(draft.not_before, draft.not_after, issuer.not_before, issuer.not_after),
    ]
    check_none_broken(broken or list_prime_faults(is_prime_or_power=is_prime_or_power()))
    return Cleared(draft)


def _list_name_faults(draft: Draft) -> list[Refused]:
    """Return what is wrong with the names; a subject of the request that cannot be read matters to templates that use it."""
    if draft.template.subject is SubjectSource.REQUEST and draft.request.subject_fault:
        return [NameRefused(f"in the subject of the certificate request, {draft.request.subject_fault}")]
    return [
        *list_name_faults(draft.template, draft.subject, draft.alternative_names),
        *list_unapproved_subject_faults(draft.template, draft.subject, draft.approved_subject),
    ]
