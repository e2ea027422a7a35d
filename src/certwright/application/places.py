"""The places of an answer: what is planned for each, what was posted for it, what is there already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha1

from certwright.domain.certificates import Certificate
from certwright.domain.deliveries import DeliveryPlan
from certwright.domain.errors import CertificateRequestRejected, PlaceTaken, Refused, SubmissionMismatch
from certwright.domain.issuing import Signed
from certwright.domain.profile_templates import CertificateTemplate, KeyOrigin
from certwright.domain.public_keys import CertificateRequest
from certwright.formats.pkcs10 import parse_certificate_request_text

Posted = CertificateRequest | CertificateRequestRejected
"""A certificate request, or why it cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One place of the answer: *response* is the DER of the ``Pkcs7``, *pfx* that of the ``Pfx``, or *error* says why there
    is neither."""

    template_common_name: str
    use_local_machine_store: bool = False
    response: bytes | None = None
    pfx: bytes | None = None
    error: Refused | None = None
    is_server_generated: bool = False
    is_key_history: bool = False
    is_external: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """One certificate that a request issues. Shape: *posted* is None where the server makes the key."""

    number: int
    template: CertificateTemplate
    posted: Posted | None
    certificate: Certificate | None

    @property
    def is_server_generated(self) -> bool:
        """Return whether the server makes the key."""
        return self.template.key.origin is KeyOrigin.SERVER

    @property
    def is_archived(self) -> bool:
        """Return whether the server archives the key that it makes."""
        return self.is_server_generated and self.template.key.archived

    @property
    def lacks_key(self) -> bool:
        """Return whether the server has to make a key for it first."""
        return self.is_server_generated and self.certificate is None


def read_posted(plan: DeliveryPlan, texts: Sequence[str]) -> tuple[Posted, ...]:
    """Return what was posted, read only when there is one for each certificate that the client is to ask for.

    Errors: SubmissionMismatch when the number of posted requests is not the number planned.
    """
    if len(texts) != len(plan.client_generated):
        raise SubmissionMismatch(len(texts), len(plan.client_generated))
    return tuple(_read_text(each) for each in texts)


def _read_text(text: str) -> Posted:
    try:
        return parse_certificate_request_text(text)
    except CertificateRequestRejected as rejected:
        return rejected


def list_places(plan: DeliveryPlan, posted: Sequence[Posted], stored: Iterable[Certificate]) -> tuple[Place, ...]:
    """Return the places of what *plan* issues: those of the client, in the order of the generation options, then the server's.

    Errors: PlaceTaken when a posted request differs from the one whose certificate is among the *stored*.
    Source: the decision "responses beyond requests" in domain.md.
    """
    planned = plan.client_generated
    by_number = {each.place: each for each in stored}
    sent: list[tuple[CertificateTemplate, Posted | None]] = [
        *zip(planned, posted, strict=True),
        *((each, None) for each in plan.server_generated),
    ]
    places = tuple(Place(number, template, each, by_number.get(number)) for number, (template, each) in enumerate(sent))
    for place in places:
        if place.posted is not None and place.certificate is not None and not _is_repeated(place.posted, place.certificate):
            raise PlaceTaken(place.number + 1)
    return places


def _is_repeated(posted: Posted, certificate: Certificate) -> bool:
    return isinstance(posted, CertificateRequest) and posted.digest == certificate.request_digest


def complete_certificate(certificate: Certificate, signed: Signed) -> Certificate:
    """Return *certificate* in its signed form."""
    thumbprint = sha1(signed.certificate, usedforsecurity=False).hexdigest().upper()
    return replace(certificate, to_be_signed=None, encoded=signed.certificate, thumbprint=thumbprint)
