"""What a request delivers: what is issued anew, what is archived and goes over to the new profile, what came from elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from certwright.domain.certificates import Certificate, CertificateStatus
from certwright.domain.errors import NothingArchived
from certwright.domain.external_certificates import ExternalCertificate
from certwright.domain.profile_templates import CertificateTemplate, KeyOrigin, ProfileTemplate
from certwright.domain.requests import Request, RequestFlags
from certwright.domain.workflows import Operation

GIVES_EXTERNAL = frozenset({Operation.ENROLL, Operation.RENEW, Operation.RECOVER, Operation.DUPLICATE})
"""The operations after which somebody has a complete profile of his own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPlan:
    """Shape: *issued* in the order of the generation options; *carried* stay in use as they are; *history* are kept for what
    was encrypted with their keys; *external* were issued elsewhere, in the order in which they were attached."""

    issued: tuple[CertificateTemplate, ...] = ()
    carried: tuple[Certificate, ...] = ()
    history: tuple[Certificate, ...] = ()
    external: tuple[ExternalCertificate, ...] = ()

    @property
    def client_generated(self) -> tuple[CertificateTemplate, ...]:
        """Return those of *issued* whose keys the client makes, in the order in which it sends requests."""
        return tuple(each for each in self.issued if each.key.origin is KeyOrigin.CLIENT)

    @property
    def server_generated(self) -> tuple[CertificateTemplate, ...]:
        """Return those of *issued* whose keys the server makes."""
        return tuple(each for each in self.issued if each.key.origin is KeyOrigin.SERVER)

    @property
    def delivers_keys(self) -> bool:
        """Return whether private keys are in the answer."""
        return bool(self.server_generated or self.given_back or any(each.sealed_key for each in self.external))

    @property
    def given_back(self) -> tuple[Certificate, ...]:
        """Return the certificates whose archived keys are in the answer."""
        return (*self.carried, *self.history)


def plan_delivery(request: Request, template: ProfileTemplate, held: Sequence[Certificate], now: datetime) -> DeliveryPlan:
    """Return what *request* delivers, under the template version of its creation.

    A certificate whose key is archived goes over to the profile that takes its place. Renew issues every certificate anew, and
    so does Recover where its policy reissues archived certificates: archived ones go over as key history. Elsewhere they stay
    in use, unless they are revoked or expired, and the others are issued anew. RecoverOnBehalf delivers archived keys alone.
    An update in place issues what the template has and the profile has not, or the one certificate that was asked for. What is
    issued for a temporary card ends with it.

    Shape: *held* are the certificates of the profile that the request is about, copies included, those that the request
    itself has issued left out; none for Enroll.
    Source: domain.md 4.3 and its correction 2.
    """
    templates = template.certificate_templates
    archived = [each for each in held if each.is_archived]
    match request.operation:
        case Operation.ENROLL:
            return DeliveryPlan(issued=templates)
        case Operation.RECOVER_ON_BEHALF:
            return DeliveryPlan(history=tuple(archived))
        case Operation.ONLINE_UPDATE:
            return DeliveryPlan(issued=_list_updated(request, templates, held, now))
        case Operation.RENEW | Operation.RECOVER | Operation.DUPLICATE | Operation.TEMPORARY_CARD_ENROLL:
            policy = template.policies[request.type]
            reissues = request.operation is Operation.RENEW or (
                request.operation is Operation.RECOVER and policy.reissue_archived_certificates
            )
            if request.operation is Operation.TEMPORARY_CARD_ENROLL:
                templates = tuple(_shorten(each, policy.temporary_cards.validity) for each in templates)
            carried = [] if reissues else [each for each in archived if _is_in_use(each, now)]
            names = {each.template_common_name for each in carried}
            return DeliveryPlan(
                issued=tuple(each for each in templates if each.common_name not in names),
                carried=tuple(carried),
                history=tuple(each for each in archived if each not in carried),
            )
        case _:
            return DeliveryPlan()


def check_archived(request: Request, held: Sequence[Certificate]) -> None:
    """Raise unless the request's operation finds the archived keys that it needs. Errors: NothingArchived.

    Source: domain.md 1.1: to recover a card is to replace it, whether or not a key of it is archived.
    """
    is_replacement = RequestFlags.SMARTCARD in request.flags and request.operation is Operation.RECOVER
    if is_replacement:
        return
    if request.workflow.needs_archived_keys and not any(each.is_archived for each in held):
        raise NothingArchived()


def list_outdated(request: Request, template: ProfileTemplate, held: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """Return which certificates an update in place takes out of use: what was renewed, and what the template has no more.

    Key history is not in use here, but it can still be in use in another profile, which the update is not about.
    """
    chosen = request.choices.certificate_template
    kept = {each.common_name for each in template.certificate_templates} - {chosen}
    return tuple(each for each in held if not each.is_key_history and each.template_common_name not in kept)


def _shorten(template: CertificateTemplate, validity: timedelta) -> CertificateTemplate:
    return replace(template, validity=min(template.validity, validity))


def _list_updated(
    request: Request, templates: tuple[CertificateTemplate, ...], held: Sequence[Certificate], now: datetime
) -> tuple[CertificateTemplate, ...]:
    chosen = request.choices.certificate_template
    if chosen:
        return tuple(each for each in templates if each.common_name == chosen)
    in_use = {each.template_common_name for each in held if _is_in_use(each, now)}
    return tuple(each for each in templates if each.common_name not in in_use)


def _is_in_use(certificate: Certificate, now: datetime) -> bool:
    return not certificate.is_key_history and certificate.status(now) is CertificateStatus.ACTIVE
