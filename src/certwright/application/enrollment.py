"""One submission on its way from certificate requests to certificates, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha1
from uuid import UUID

from certwright.application.profile_changes import make_profile
from certwright.application.profile_room import check_duplicates, check_room
from certwright.application.request_parties import SeenRequest, get_request, plan_request
from certwright.application.supplied_data import check_data_complete
from certwright.application.world import World
from certwright.domain.certificates import SERIAL_NUMBER_BITS, Certificate, SerialNumber, format_serial_number
from certwright.domain.errors import (
    DeliversNothing,
    MalformedCertificateRequest,
    PlaceTaken,
    Refused,
    SubjectDisabled,
    SubmissionMismatch,
)
from certwright.domain.events import Event, EventType, tell
from certwright.domain.identities import Caller, UserId
from certwright.domain.issuing import clear, plan_draft
from certwright.domain.ports import Session
from certwright.domain.profile_templates import CertificateTemplate
from certwright.domain.profiles import ProfileId
from certwright.domain.public_keys import CertificateRequest
from certwright.domain.requests import Request, RequestAction, RequestId, advance
from certwright.domain.security_descriptors import RequestPermission
from certwright.domain.workflows import Operation, check_profile_fits

Posted = CertificateRequest | MalformedCertificateRequest
"""A certificate request, or why it cannot be read."""


@dataclass(frozen=True, slots=True)
class Post:
    """What somebody posted for a request. Shape: *comment* goes into the history."""

    request_id: RequestId
    posted: tuple[Posted, ...]
    comment: str
    by: Caller


@dataclass(frozen=True, slots=True)
class Delivered:
    """One place of the answer: *response* is the DER of the ``Pkcs7``, or *error* says why there is none."""

    template: CertificateTemplate
    response: bytes | None
    error: Refused | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """One position of the generation options with what was posted for it and what is there already."""

    number: int
    template: CertificateTemplate
    posted: Posted
    certificate: Certificate | None


class Enrollment:
    """One attempt at one post. Its steps are taken in the order in which they stand here; `enroll` says why in this one."""

    def __init__(self, post: Post, world: World) -> None:
        self._post = post
        self._world = world
        self._now = world.clock.now()
        self._seen: SeenRequest | None = None
        self._places: tuple[Place, ...] = ()
        self._holders: dict[bytes, UserId] = {}
        self._drafted: list[Certificate] = []
        self._errors: dict[int, Refused] = {}
        self._certificates: dict[int, Certificate] = {}
        self._signed: list[Certificate] = []

    def read(self, session: Session) -> None:
        """Look at the request, and at what is there for it.

        Errors: RequestNotFound; AccessDenied; TransitionRefused; DeliversNothing; DataIncomplete; ProfileStateRefused;
                SubjectDisabled; SubmissionMismatch; PlaceTaken.
        """
        seen = get_request(self._post.request_id, RequestPermission.EXECUTE, by=self._post.by, session=session)
        advance(seen.request, RequestAction.EXECUTE)
        if not seen.request.workflow.delivers:
            raise DeliversNothing(seen.request.operation.value)
        check_data_complete(seen)
        if not seen.target.user.enabled and not seen.request.workflow.is_for_somebody_else:
            raise SubjectDisabled(seen.target.user.nt4_name)
        if seen.request.old_profile_id is not None:
            check_profile_fits(seen.request.operation, session.profiles.get(seen.request.old_profile_id))
        self._seen = seen
        templates = plan_request(seen, session, self._world).client_generated
        self._places = self._list_places(templates, session.certificates.list_of_request(self._post.request_id))
        self._holders = _find_key_holders(self._places, session)

    def draft(self) -> None:
        """Draft and clear a certificate for each place that is empty, or keep why it stays empty."""
        seen = self._get_seen()
        profile_id = seen.request.profile_id or ProfileId(UUID(int=self._world.entropy.bits(128), version=4))
        for place in self._places:
            if place.certificate is not None:
                self._certificates[place.number] = place.certificate
                continue
            try:
                self._drafted.append(self._draft_place(place, seen, profile_id))
            except Refused as refused:
                self._errors[place.number] = refused
        self._certificates |= {each.place: each for each in self._drafted}

    @property
    def has_news(self) -> bool:
        """Return whether there is something to store before anything is signed."""
        return bool(self._drafted or self._errors or self._post.comment)

    def store(self, session: Session) -> None:
        """Store what will be signed and that it is about to be, together with the events that tell of it.

        Errors: ChangedMeanwhile; ProfilesExhausted.
        """
        if self._drafted:
            self._start(session)
            session.certificates.add(self._drafted)
        session.history.append(self._list_events())

    @property
    def has_unsigned(self) -> bool:
        """Return whether certificates are to be signed: new ones, or those that a crash has left."""
        return any(each.to_be_signed is not None for each in self._certificates.values())

    def sign(self) -> None:
        """Sign them. Errors: KeyUnavailable."""
        for each in self._certificates.values():
            if each.to_be_signed is not None:
                self._signed.append(self._sign_one(each, each.to_be_signed))

    def record(self, session: Session) -> None:
        """Store the signed forms; where another post signed first, its form is the one that counts."""
        first = [each for each in self._signed if session.certificates.record(each)]
        session.history.append([self._tell_issued(each) for each in first])
        is_alone = len(first) == len(self._signed)
        stored = first if is_alone else session.certificates.list_of_request(self._post.request_id)
        self._certificates |= {each.place: each for each in stored}

    def deliver(self) -> tuple[Delivered, ...]:
        """Return the answer. Errors: KeyUnavailable."""
        return tuple(self._deliver_place(each) for each in self._places)

    def _get_seen(self) -> SeenRequest:
        if self._seen is None:
            raise RuntimeError("the steps of an enrollment were taken out of order")
        return self._seen

    def _list_places(self, templates: Sequence[CertificateTemplate], stored: Sequence[Certificate]) -> tuple[Place, ...]:
        posted = self._post.posted
        if len(posted) != len(templates):
            raise SubmissionMismatch(len(posted), len(templates))
        by_number = {each.place: each for each in stored}
        places = tuple(
            Place(number, template, each, by_number.get(number))
            for number, (template, each) in enumerate(zip(templates, posted, strict=True))
        )
        for place in places:
            if place.certificate is not None and not _is_repeated(place.posted, place.certificate):
                raise PlaceTaken(place.number + 1)
        return places

    def _draft_place(self, place: Place, seen: SeenRequest, profile_id: ProfileId) -> Certificate:
        if isinstance(place.posted, MalformedCertificateRequest):
            raise place.posted
        authority, subject = self._world.authority, seen.target.user
        draft = plan_draft(
            place.template,
            place.posted,
            subject,
            authority.issuer,
            serial=SerialNumber(self._world.entropy.bits(SERIAL_NUMBER_BITS)),
            now=self._now,
        )
        key_digest = place.posted.public_key.digest
        cleared = clear(draft, subject=subject, issuer=authority.issuer, key_holder=self._holders.get(key_digest))
        return Certificate(
            serial=draft.serial,
            request_id=self._post.request_id,
            place=place.number,
            profile_id=profile_id,
            subject_id=subject.id,
            requester_name=subject.nt4_name,
            template_common_name=place.template.common_name,
            authority_name=authority.issuer.name,
            not_before=draft.not_before,
            not_after=draft.not_after,
            request_digest=place.posted.digest,
            key_digest=key_digest,
            to_be_signed=authority.prepare(cleared),
        )

    def _start(self, session: Session) -> None:
        seen, profile_id = self._get_seen(), self._drafted[0].profile_id
        request = seen.request
        is_new = request.profile_id is None
        if request.old_profile_id is not None:
            self._keep_old_profile(request, request.old_profile_id, session)
        if is_new:
            session.profiles.add(make_profile(request, self._post.by, profile_id, self._world))
        executing = replace(advance(request, RequestAction.EXECUTE), profile_id=profile_id)
        session.requests.change(executing, from_status=request.status)
        if is_new and request.operation is Operation.ENROLL:
            check_room(seen.template, request.type, request.target_id, session, without=profile_id)
        if is_new and request.operation is Operation.DUPLICATE and request.old_profile_id is not None:
            check_duplicates(seen.policy, request.old_profile_id, session, without=profile_id)

    def _keep_old_profile(self, request: Request, old_profile_id: ProfileId, session: Session) -> None:
        """See to it that the profile that the request is about is still as it was read, and stays so until all is stored.

        Errors: ProfileStateRefused.
        """
        check_profile_fits(request.operation, session.profiles.get_locked(old_profile_id))

    def _list_events(self) -> list[Event]:
        executed = tell(
            EventType.REQUEST_EXECUTED,
            self._post.by,
            self._now,
            request_id=self._post.request_id,
            comment=self._post.comment,
            serials=" ".join(format_serial_number(each.serial) for each in self._drafted),
        )
        rejected = [
            tell(
                EventType.CERTIFICATE_REQUEST_REJECTED,
                self._post.by,
                self._now,
                request_id=self._post.request_id,
                place=str(number + 1),
                error=str(error),
            )
            for number, error in self._errors.items()
        ]
        return [executed, *rejected]

    def _sign_one(self, certificate: Certificate, to_be_signed: bytes) -> Certificate:
        encoded = self._world.authority.sign(to_be_signed)
        thumbprint = sha1(encoded, usedforsecurity=False).hexdigest().upper()
        return replace(certificate, to_be_signed=None, encoded=encoded, thumbprint=thumbprint)

    def _tell_issued(self, certificate: Certificate) -> Event:
        return tell(
            EventType.CERTIFICATE_ISSUED,
            self._post.by,
            self._now,
            request_id=self._post.request_id,
            subject_id=certificate.subject_id,
            serial=format_serial_number(certificate.serial),
            template=certificate.template_common_name,
            thumbprint=certificate.thumbprint,
        )

    def _deliver_place(self, place: Place) -> Delivered:
        certificate = self._certificates.get(place.number)
        if certificate is None or certificate.encoded is None:
            return Delivered(place.template, None, self._errors.get(place.number))
        template = self._get_seen().template
        response = self._world.authority.respond(certificate.encoded, template.response_form, template.response_hash)
        return Delivered(place.template, response)


def _is_repeated(posted: Posted, certificate: Certificate) -> bool:
    return isinstance(posted, CertificateRequest) and posted.digest == certificate.request_digest


def _find_key_holders(places: Sequence[Place], session: Session) -> dict[bytes, UserId]:
    """Return who holds certificates for the keys of the places that are still empty."""
    digests = {
        each.posted.public_key.digest
        for each in places
        if each.certificate is None and isinstance(each.posted, CertificateRequest)
    }
    found = {digest: session.certificates.find_key_holder(digest) for digest in digests}
    return {digest: holder for digest, holder in found.items() if holder is not None}
