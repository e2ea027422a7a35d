"""Answer certificate requests with certificates: the heart of the product."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha1
from uuid import UUID

from certwright.application.profile_room import check_room
from certwright.application.request_parties import SeenRequest, get_request
from certwright.application.world import World
from certwright.domain.certificates import SERIAL_NUMBER_BITS, Certificate, SerialNumber, format_serial_number
from certwright.domain.errors import (
    ChangedMeanwhile,
    MalformedCertificateRequest,
    PlaceTaken,
    Refused,
    SubjectDisabled,
    SubmissionMismatch,
)
from certwright.domain.events import Event, EventType, tell
from certwright.domain.identities import Caller, UserId
from certwright.domain.issuing import clear, plan_draft
from certwright.domain.policies import check_comment
from certwright.domain.ports import Session
from certwright.domain.profile_templates import CertificateTemplate
from certwright.domain.profiles import Profile, ProfileFlags, ProfileId, ProfileStatus
from certwright.domain.public_keys import CertificateRequest
from certwright.domain.requests import Request, RequestAction, RequestId, advance
from certwright.domain.security_descriptors import RequestPermission
from certwright.formats.pkcs10 import parse_certificate_request_text

ATTEMPTS = 10
"""How often a post that met others at the same request looks again before it tells its caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a client posts. Shape: *certificate_requests* are PEM or base64 DER; *comment* goes into the history."""

    certificate_requests: tuple[str, ...]
    comment: str = ""


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
    posted: CertificateRequest | MalformedCertificateRequest
    certificate: Certificate | None


def enroll(request_id: RequestId, submission: Submission, *, by: Caller, world: World) -> tuple[Delivered, ...]:
    """Return one delivery for each certificate that the client makes a key for, in the order of the generation options.

    The same submission again gives the same certificates. Each place is stored as it will be signed, then signed, then
    stored with its signature, then answered: whatever a client holds is in the register, and after a crash a repeated post
    goes on where the first one stopped.

    Errors: RequestNotFound; AccessDenied unless *by* may execute the request; TransitionRefused unless it is Approved or
            Executing; SubjectDisabled; SubmissionMismatch when the number of requests is not the number planned; PlaceTaken;
            TextTooLong and MalformedValue for the comment; ProfilesExhausted when other requests used up the policy's limit;
            ChangedMeanwhile when others changed the request at the same moment again and again.
    Source: get-certificate-responses.md; the order of the steps is that of architecture.md, "Issuing".
    """
    check_comment("comments", submission.comment)
    posted = tuple(_parse(text) for text in submission.certificate_requests)
    for _ in range(ATTEMPTS):
        try:
            return _Enrollment(request_id, submission.comment, posted, by, world).run()
        except ChangedMeanwhile as meanwhile:
            last = meanwhile
    raise last


def _parse(text: str) -> CertificateRequest | MalformedCertificateRequest:
    try:
        return parse_certificate_request_text(text)
    except MalformedCertificateRequest as malformed:
        return malformed


@dataclass(frozen=True, slots=True)
class _Enrollment:
    """One attempt at one submission."""

    request_id: RequestId
    comment: str
    posted: Sequence[CertificateRequest | MalformedCertificateRequest]
    by: Caller
    world: World

    def run(self) -> tuple[Delivered, ...]:
        with self.world.store.reading() as session:
            seen = get_request(self.request_id, RequestPermission.EXECUTE, by=self.by, session=session)
            executing = advance(seen.request, RequestAction.EXECUTE)
            if not seen.target.user.enabled:
                raise SubjectDisabled(seen.target.user.nt4_name)
            places = self._list_places(seen, session.certificates.list_of_request(self.request_id))
            holders = _find_key_holders(places, session)
        drafted, errors = self._prepare(places, seen, executing, holders)
        now = self.world.clock.now()
        if drafted or errors or self.comment:
            self._store_prepared(seen, drafted, errors, now)
        certificates = {each.place: each for each in (*_list_stored(places), *drafted)}
        signed = self._sign(certificates, now)
        return tuple(self._deliver(place, signed.get(place.number), errors.get(place.number), seen) for place in places)

    def _list_places(self, seen: SeenRequest, stored: Sequence[Certificate]) -> tuple[Place, ...]:
        templates = seen.template.list_client_generated()
        if len(self.posted) != len(templates):
            raise SubmissionMismatch(len(self.posted), len(templates))
        by_number = {each.place: each for each in stored}
        places = tuple(
            Place(number, template, posted, by_number.get(number))
            for number, (template, posted) in enumerate(zip(templates, self.posted, strict=True))
        )
        for place in places:
            if place.certificate is not None and not _is_repeated(place.posted, place.certificate):
                raise PlaceTaken(place.number + 1)
        return places

    def _prepare(
        self, places: Sequence[Place], seen: SeenRequest, executing: Request, holders: dict[bytes, UserId]
    ) -> tuple[list[Certificate], dict[int, Refused]]:
        """Return the new certificates as they will be signed, and why the other empty places stay empty."""
        profile_id = executing.profile_id or ProfileId(UUID(int=self.world.entropy.bits(128), version=4))
        drafted, errors = [], {}
        for place in places:
            if place.certificate is not None:
                continue
            try:
                drafted.append(self._draft(place, seen, profile_id, holders))
            except Refused as refused:
                errors[place.number] = refused
        return drafted, errors

    def _draft(self, place: Place, seen: SeenRequest, profile_id: ProfileId, holders: dict[bytes, UserId]) -> Certificate:
        if isinstance(place.posted, MalformedCertificateRequest):
            raise place.posted
        issuer, subject = self.world.authority.issuer, seen.target.user
        draft = plan_draft(
            place.template,
            place.posted,
            subject,
            issuer,
            serial=SerialNumber(self.world.entropy.bits(SERIAL_NUMBER_BITS)),
            now=self.world.clock.now(),
        )
        key_digest = place.posted.public_key.digest
        cleared = clear(draft, subject=subject, issuer=issuer, key_holder=holders.get(key_digest))
        return Certificate(
            serial=draft.serial,
            request_id=self.request_id,
            place=place.number,
            profile_id=profile_id,
            subject_id=subject.id,
            requester_name=subject.nt4_name,
            template_common_name=place.template.common_name,
            authority_name=issuer.name,
            not_before=draft.not_before,
            not_after=draft.not_after,
            request_digest=place.posted.digest,
            key_digest=key_digest,
            to_be_signed=self.world.authority.prepare(cleared),
        )

    def _store_prepared(
        self, seen: SeenRequest, drafted: Sequence[Certificate], errors: dict[int, Refused], now: datetime
    ) -> None:
        """Store what will be signed and that it is about to be, together with the events that tell of it."""
        with self.world.store.writing() as session:
            if drafted:
                self._start(seen, drafted, session)
                session.certificates.add(drafted)
            session.history.append(self._list_events(drafted, errors, now))

    def _start(self, seen: SeenRequest, drafted: Sequence[Certificate], session: Session) -> None:
        request, profile_id = seen.request, drafted[0].profile_id
        if request.profile_id is None:
            session.profiles.add(
                Profile(
                    id=profile_id,
                    status=ProfileStatus.NEW,
                    flags=ProfileFlags.PRIMARY,
                    owner_id=request.target_id,
                    template_id=request.template_id,
                    template_version=request.template_version,
                )
            )
        executing = replace(advance(request, RequestAction.EXECUTE), profile_id=profile_id)
        session.requests.change(executing, from_status=request.status)
        if request.profile_id is None:
            check_room(seen.template, request.type, request.target_id, session, without=profile_id)

    def _list_events(self, drafted: Sequence[Certificate], errors: dict[int, Refused], now: datetime) -> list[Event]:
        executed = tell(
            EventType.REQUEST_EXECUTED,
            self.by,
            now,
            request_id=self.request_id,
            comment=self.comment,
            serials=" ".join(format_serial_number(each.serial) for each in drafted),
        )
        rejected = [
            tell(
                EventType.CERTIFICATE_REQUEST_REJECTED,
                self.by,
                now,
                request_id=self.request_id,
                place=str(number + 1),
                error=str(error),
            )
            for number, error in errors.items()
        ]
        return [executed, *rejected]

    def _sign(self, certificates: dict[int, Certificate], now: datetime) -> dict[int, Certificate]:
        """Return the certificates with their signatures, stored; those that another post signed first as it signed them."""
        unsigned = [each for each in certificates.values() if each.to_be_signed is not None]
        if not unsigned:
            return certificates
        signed = [self._sign_one(each, each.to_be_signed) for each in unsigned if each.to_be_signed is not None]
        with self.world.store.writing() as session:
            first = [each for each in signed if session.certificates.record(each)]
            session.history.append([self._tell_issued(each, now) for each in first])
            stored = first if len(first) == len(signed) else session.certificates.list_of_request(self.request_id)
        return certificates | {each.place: each for each in stored}

    def _sign_one(self, certificate: Certificate, to_be_signed: bytes) -> Certificate:
        encoded = self.world.authority.sign(to_be_signed)
        thumbprint = sha1(encoded, usedforsecurity=False).hexdigest().upper()
        return replace(certificate, to_be_signed=None, encoded=encoded, thumbprint=thumbprint)

    def _tell_issued(self, certificate: Certificate, now: datetime) -> Event:
        return tell(
            EventType.CERTIFICATE_ISSUED,
            self.by,
            now,
            request_id=self.request_id,
            subject_id=certificate.subject_id,
            serial=format_serial_number(certificate.serial),
            template=certificate.template_common_name,
            thumbprint=certificate.thumbprint,
        )

    def _deliver(self, place: Place, certificate: Certificate | None, error: Refused | None, seen: SeenRequest) -> Delivered:
        if certificate is None or certificate.encoded is None:
            return Delivered(place.template, None, error)
        template = seen.template
        response = self.world.authority.respond(certificate.encoded, template.response_form, template.response_hash)
        return Delivered(place.template, response)


def _is_repeated(posted: CertificateRequest | MalformedCertificateRequest, certificate: Certificate) -> bool:
    return isinstance(posted, CertificateRequest) and posted.digest == certificate.request_digest


def _list_stored(places: Sequence[Place]) -> list[Certificate]:
    return [each.certificate for each in places if each.certificate is not None]


def _find_key_holders(places: Sequence[Place], session: Session) -> dict[bytes, UserId]:
    """Return who holds certificates for the keys of the places that are still empty."""
    digests = {
        each.posted.public_key.digest
        for each in places
        if each.certificate is None and isinstance(each.posted, CertificateRequest)
    }
    found = {digest: session.certificates.find_key_holder(digest) for digest in digests}
    return {digest: holder for digest, holder in found.items() if holder is not None}
