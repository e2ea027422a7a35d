"""One submission on its way from certificate requests to certificates, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from certwright.application.card_changes import check_card_bound
from certwright.application.external_keys import ExternalKeys
from certwright.application.key_history import HeldKey, KeyHistory
from certwright.application.one_time_passwords import check_presented
from certwright.application.places import Delivered, Place, complete_certificate, list_places, read_posted
from certwright.application.posted_keys import PostedKeys, clear_posted, read_posted_keys
from certwright.application.profile_changes import make_profile
from certwright.application.profile_room import check_room_for
from certwright.application.request_parties import SeenRequest, check_approved_again, get_request, plan_execution
from certwright.application.server_keys import ServerKeys
from certwright.application.supplied_data import check_data_complete, find_approved_subject
from certwright.application.world import World
from certwright.domain.certificates import SERIAL_NUMBER_BITS, Certificate, SerialNumber, format_serial_number
from certwright.domain.errors import CertificateRequestRejected, DeliversNothing, Refused, SubjectDisabled
from certwright.domain.events import Event, EventType, tell
from certwright.domain.external_certificates import ExternalCertificate, HeldCertificate
from certwright.domain.identities import Caller
from certwright.domain.issuing import Signed, SigningOrder, plan_draft
from certwright.domain.keys import PrivateKey
from certwright.domain.pfx import check_pfx_password
from certwright.domain.ports import Session
from certwright.domain.profiles import ProfileId
from certwright.domain.public_keys import CertificateRequest
from certwright.domain.requests import Request, RequestAction, RequestId, RequestStatus, advance
from certwright.domain.security_descriptors import RequestPermission
from certwright.domain.workflows import check_profile_fits
from certwright.formats.cms import encode_certificates_only
from certwright.formats.pkcs12 import PfxContent, encode_pfx


@dataclass(frozen=True, slots=True)
class Post:
    """What somebody posted for a request.

    Shape: *posted* are PEM or base64 DER, parsed only after rights and their number were checked; *comment* goes into the
    history; *pfx_password* goes nowhere.
    """

    request_id: RequestId
    posted: tuple[str, ...]
    comment: str
    by: Caller
    pfx_password: str = field(default="", repr=False)


class Enrollment:
    """One attempt at one post. Its steps are taken in the order in which they stand here; `enroll` says why in this one."""

    def __init__(self, post: Post, world: World) -> None:
        self._post = post
        self._world = world
        self._now = world.clock.now()
        self._seen: SeenRequest | None = None
        self._places: tuple[Place, ...] = ()
        self.posted_keys = PostedKeys()
        self._keys = ServerKeys(world)
        self._history = KeyHistory(post.request_id, world)
        self._external = ExternalKeys(world)
        self._profile_id: ProfileId | None = None
        self._delivers_keys = False
        self._drafted: list[Certificate] = []
        self._errors: dict[int, Refused] = {}
        self._certificates: dict[int, Certificate] = {}
        self._signed: list[Certificate] = []
        self._responses: dict[bytes, bytes] = {}

    def read(self, session: Session) -> None:
        """Look at the request, and at what is there for it.

        Errors: RequestNotFound; AccessDenied; TransitionRefused; DeliversNothing; DataIncomplete; CardMissing;
                OneTimePasswordsMissing; ProfileStateRefused; SubjectDisabled; SubmissionMismatch; PlaceTaken;
                PfxPasswordRefused; RecoveryAgentMissing.
        """
        seen = get_request(self._post.request_id, RequestPermission.EXECUTE, by=self._post.by, session=session)
        advance(seen.request, RequestAction.EXECUTE)
        if not seen.request.workflow.delivers:
            raise DeliversNothing(seen.request.operation.value)
        check_data_complete(seen)
        check_card_bound(seen)
        check_presented(seen, session)
        if not seen.target.user.enabled and not seen.request.workflow.is_for_somebody_else:
            raise SubjectDisabled(seen.target.user.nt4_name)
        if seen.request.old_profile_id is not None:
            check_profile_fits(seen.request.operation, session.profiles.get(seen.request.old_profile_id))
        self._seen = seen
        plan = plan_execution(seen, session, self._world, by=self._post.by)
        # Profile and certificates are stored together: a request without the one has none of the others.
        stored = session.certificates.list_of_request(self._post.request_id) if seen.request.profile_id else ()
        self._places = list_places(plan, read_posted(plan, self._post.posted), stored)
        self.posted_keys = read_posted_keys(self._places, session, self._world.workshop)
        self._external.read(plan)
        if plan.delivers_keys:
            check_pfx_password(self._post.pfx_password, self._world.pfx)
            self._delivers_keys = True
            self._keys.read(self._places, session)
            self._history.read(plan, session)

    @property
    def lacks_keys(self) -> bool:
        """Return whether the server has keys to make."""
        return any(each.lacks_key for each in self._places)

    def make_keys(self) -> None:
        """Make them."""
        self._keys.make(self._places)

    def draft(self) -> None:
        """Draft and clear a certificate for each place that is empty, or keep why it stays empty."""
        seen = self._get_seen()
        profile_id = seen.request.profile_id or ProfileId(self._world.make_identifier())
        self._profile_id = profile_id
        for place in self._places:
            if place.certificate is not None:
                self._certificates[place.number] = place.certificate
                continue
            try:
                self._drafted.append(self._draft_place(place, seen, profile_id))
            except Refused as refused:
                self._errors[place.number] = refused
        self._keys.seal(self._drafted)
        self._certificates |= {each.place: each for each in self._drafted}

    @property
    def has_news(self) -> bool:
        """Return whether there is something to store before anything is signed."""
        return bool(self._drafted or self._errors or self._post.comment or self._gives_back_first)

    @property
    def _gives_back_first(self) -> bool:
        """Return whether archived keys are given back, for the first time, by a request that issues nothing."""
        return bool(self._history.held) and self._get_seen().request.status is RequestStatus.APPROVED

    def check_again(self, session: Session) -> None:
        """See in another transaction that what needs approvals still has them. Errors: AccessDenied; ApprovalsMissing."""
        check_approved_again(self._get_seen(), by=self._post.by, session=session)

    def store(self, session: Session) -> None:
        """Store what will be signed and that it is about to be, together with the events that tell of it.

        Errors: ChangedMeanwhile; ProfilesExhausted.
        """
        if self._drafted or self._gives_back_first:
            self._start(session)
            session.certificates.add(self._drafted)
            self._keys.store(session)
        session.history.append(self._list_events())

    @property
    def has_unsigned(self) -> bool:
        """Return whether certificates are to be signed: new ones, or those that a crash has left."""
        return bool(self._list_unsigned())

    def list_signing_orders(self) -> list[SigningOrder]:
        """Return what the authority is to sign."""
        rules = self._get_seen().template
        wrapped = {each.number for each in self._places if each.is_server_generated}
        return [
            SigningOrder(to_be_signed, None if certificate.place in wrapped else rules.response_form, rules.response_hash)
            for certificate, to_be_signed in self._list_unsigned()
        ]

    def take_signed(self, signed: Sequence[Signed]) -> None:
        """Take what became of the signing orders."""
        for (certificate, _), each in zip(self._list_unsigned(), signed, strict=True):
            self._signed.append(complete_certificate(certificate, each))
            if each.response is not None:
                self._responses[each.certificate] = each.response

    @property
    def delivers_keys(self) -> bool:
        """Return whether private keys are in the answer."""
        return self._delivers_keys

    def open_keys(self) -> None:
        """Open the private keys that are delivered. Errors: KeyUnavailable for one that waits for its delivery."""
        self._keys.open(self._places)
        self._history.open()
        self._external.open()

    def record(self, session: Session) -> None:
        """Store the signed forms, and who is given which private key.

        Where another post signed first, its form is the one that counts.
        """
        first = [each for each in self._signed if session.certificates.record(each)]
        handed_out = [each for each in self._places if each.is_server_generated and each.number in self._certificates]
        session.history.append(
            [
                *(self._tell_issued(each) for each in first),
                *(self._tell_delivered(each) for each in handed_out),
                *(self._tell_given_back(each) for each in self._history.held),
                *(self._tell_external(each) for each in self._external.list_with_keys()),
            ]
        )
        is_alone = len(first) == len(self._signed)
        stored = first if is_alone else session.certificates.list_of_request(self._post.request_id)
        self._certificates |= {each.place: each for each in stored}

    def deliver(self) -> tuple[Delivered, ...]:
        """Return the answer. Errors: KeyUnavailable."""
        places = [self._deliver_place(each) for each in self._places]
        held = [self._deliver_held(each) for each in self._history.held]
        return (*places, *held, *(self._deliver_external(each) for each in self._external.held))

    def _list_unsigned(self) -> list[tuple[Certificate, bytes]]:
        return [(each, each.to_be_signed) for each in self._certificates.values() if each.to_be_signed is not None]

    def _get_seen(self) -> SeenRequest:
        if self._seen is None:
            raise RuntimeError("the steps of an enrollment were taken out of order")
        return self._seen

    def _draft_place(self, place: Place, seen: SeenRequest, profile_id: ProfileId) -> Certificate:
        posted = self._get_certificate_request(place)
        authority, subject = self._world.authority, seen.target.user
        draft = plan_draft(
            place.template,
            posted,
            subject,
            authority.issuer,
            serial=SerialNumber(self._world.entropy.bits(SERIAL_NUMBER_BITS)),
            now=self._now,
            approved_subject=find_approved_subject(place.template, seen.request, posted),
        )
        cleared = clear_posted(draft, place, subject, authority.issuer, self.posted_keys)
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
            request_digest=posted.digest,
            key_digest=posted.public_key.digest,
            is_archived=place.is_archived,
            to_be_signed=authority.prepare(cleared),
        )

    def _get_certificate_request(self, place: Place) -> CertificateRequest:
        if isinstance(place.posted, CertificateRequestRejected):
            raise place.posted
        return place.posted or self._keys.get_made(place).as_request(place.template.key.hash)

    def _start(self, session: Session) -> None:
        seen, profile_id = self._get_seen(), self._profile_id
        if profile_id is None:
            raise RuntimeError("the steps of an enrollment were taken out of order")
        request = seen.request
        is_new = request.profile_id is None
        if request.old_profile_id is not None:
            self._keep_old_profile(request, request.old_profile_id, session)
        if is_new:
            session.profiles.add(make_profile(request, self._post.by, profile_id, self._world))
        executing = replace(advance(request, RequestAction.EXECUTE), profile_id=profile_id)
        session.requests.change(executing, from_status=request.status)
        if is_new:
            check_room_for(seen, session, without=profile_id)

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

    def _tell_delivered(self, place: Place) -> Event:
        return self._tell_key(EventType.KEY_DELIVERED, self._certificates[place.number])

    def _tell_given_back(self, held: HeldKey) -> Event:
        found = self._history.read_keys.get(held.certificate.serial)
        if found is None:
            error = str(self._history.errors.get(held.certificate.serial))
            return self._tell_key(EventType.KEY_UNREADABLE, held.certificate, error=error)
        return self._tell_key(EventType.KEY_RECOVERED, held.certificate, agent=found.agent)

    def _tell_external(self, held: ExternalCertificate) -> Event:
        error = self._external.errors.get(held.thumbprint)
        if error is not None:
            return self._tell_key(EventType.KEY_UNREADABLE, held, error=str(error))
        return self._tell_key(EventType.KEY_DELIVERED, held)

    def _tell_key(self, event_type: EventType, certificate: HeldCertificate, **details: str) -> Event:
        """Return the event that says whose private key was read, and why: for which operation, with which words."""
        request = self._get_seen().request
        answers = "; ".join(f"{each.name}: {each.value}" for each in request.data if each.value and not each.is_sensitive)
        return tell(
            event_type,
            self._post.by,
            self._now,
            request_id=request.id,
            subject_id=certificate.subject_id,
            comment=" ".join(each for each in (request.comment, self._post.comment) if each),
            serial=format_serial_number(certificate.serial),
            template=certificate.template_common_name,
            operation=request.operation.value,
            **details,
            **({"reason": answers} if answers else {}),
        )

    def _deliver_place(self, place: Place) -> Delivered:
        template, certificate = place.template, self._certificates.get(place.number)
        fill = partial(
            Delivered,
            template_common_name=template.common_name,
            use_local_machine_store=template.use_local_machine_store,
            is_server_generated=place.is_server_generated,
        )
        if certificate is None or certificate.encoded is None:
            return fill(error=self._errors.get(place.number))
        if place.is_server_generated:
            return fill(pfx=self._wrap_key(self._keys.get_opened(place), certificate.encoded, template.friendly_name))
        return fill(response=self._responses.get(certificate.encoded) or self._respond(certificate.encoded))

    def _respond(self, encoded: bytes) -> bytes:
        """Return the answer for a certificate that was not signed for this post."""
        rules = self._get_seen().template
        return self._world.authority.respond(encoded, rules.response_form, rules.response_hash)

    def _deliver_held(self, held: HeldKey) -> Delivered:
        certificate = held.certificate
        templates = self._get_seen().template.certificate_templates
        template = next((each for each in templates if each.common_name == certificate.template_common_name), None)
        empty = Delivered(
            template_common_name=certificate.template_common_name,
            use_local_machine_store=template is not None and template.use_local_machine_store,
            is_server_generated=True,
            is_key_history=held.is_key_history,
        )
        found = self._history.read_keys.get(certificate.serial)
        if found is None or certificate.encoded is None:
            return replace(empty, error=self._history.errors.get(certificate.serial))
        name = certificate.template_common_name if template is None else template.friendly_name
        return replace(empty, pfx=self._wrap_key(found.key, certificate.encoded, name))

    def _deliver_external(self, held: ExternalCertificate) -> Delivered:
        empty = Delivered(template_common_name=held.template_common_name, is_external=True)
        if held.sealed_key is None:
            return replace(empty, response=encode_certificates_only([held.encoded]))
        key = self._external.read_keys.get(held.thumbprint)
        if key is None:
            return replace(empty, error=self._external.errors.get(held.thumbprint))
        return replace(empty, pfx=self._protect(PfxContent(key=key, certificate=held.encoded, friendly_name=held.subject_name)))

    def _wrap_key(self, key: PrivateKey, encoded: bytes, friendly_name: str) -> bytes:
        chain = self._world.authority.issuer.chain
        return self._protect(PfxContent(key=key, certificate=encoded, chain=chain, friendly_name=friendly_name))

    def _protect(self, content: PfxContent) -> bytes:
        return encode_pfx(
            content,
            self._post.pfx_password,
            protection=self._get_seen().template.pfx_protection,
            iterations=self._world.pfx.iterations,
        )
