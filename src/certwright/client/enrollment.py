"""From a user's name to certificates in files, over the public REST API."""

import secrets
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certwright.client.enrolled import EnrolledCertificate, add_suffix, get_chain, order_chain, write_certificate
from certwright.client.errors import AnswerUnfit, ClientError, RequestPending, ServerRefused, ServerUnreachable
from certwright.client.files import CERTIFICATE, CHAIN, NewFiles, check_writable
from certwright.client.pfx import unpack_pfx
from certwright.client.places import KeyPlace, make_stem, name_file, prepare_places
from certwright.client.rest import (
    PENDING,
    CertificateAnswer,
    GenerationOptions,
    Passwords,
    RestClient,
    TemplateSummary,
)
from certwright.domain.errors import Malformed
from certwright.domain.spelling import ask_similar
from certwright.formats.cmc import SUCCESS, parse_response

PFX_PASSWORD_OCTETS = 32
MOST_LISTED = 20
CONFLICT = 409
SUBMISSION_ATTEMPTS = 3
"""A lost answer is asked for again: the server answers the same requests with the same certificates."""


Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to enroll for.

    Shape: *template* is a profile template's name or UUID; files go into the folder *out*. Where the template is for cards,
    the server is told that the keys are on the card *card_id*: without one, the files stand for a card of a new identifier.
    Keys that the server makes are written as PFX files under *pfx_password*; without one, like keys that were made here.
    """

    template: str
    out: Path
    comment: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    card_id: UUID | None = None
    pfx_password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Enrollment:
    """What an enrollment brought. Shape: *faults* say why certificates of earlier days could not be given back."""

    request_id: UUID
    template: TemplateSummary
    certificates: tuple[EnrolledCertificate, ...]
    faults: tuple[str, ...] = ()


def enroll(client: RestClient, wish: Wish, *, tell: Callable[[str], None] = lambda _: None) -> Enrollment:
    """Return the certificates, after they were checked and written to files; *tell* is given each step as it begins.

    Keys are on the disk before anything is asked for them, so that no certificate is left without its key. When it cannot be
    brought to its end, the request is abandoned, the server revokes what it had issued, and the files are removed.

    Errors: FileExists; OSError when a file cannot be written; AnswerUnfit when an answer fails a check; RequestPending when
            others have to approve first; everything that RestClient raises.
    """
    files = NewFiles(wish.out)
    check_writable(wish.out)
    tell("Find the profile template")
    template = _choose_template(client.list_profile_templates(), wish.template)
    files.check_room(make_stem(template.name))
    tell(f"Open an Enroll request for {template.name}")
    request_id = client.create_enroll_request(template.id, comment=wish.comment, data=wish.data)
    try:
        return _Run(client, request_id, template, wish, files, tell).fulfil()
    except RequestPending:
        raise
    except BaseException:
        # Whatever ends it, Ctrl-C too: the request would stay open, and files would block the next try.
        files.remove()
        _abandon(client, request_id)
        raise


def execute(
    client: RestClient,
    request_id: UUID,
    wish: Wish,
    one_time_passwords: Sequence[str] = (),
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> Enrollment:
    """Return the certificates of a request that is there already, as `enroll` does; the wish's template is not looked at.

    The request stays open when it cannot be brought to its end: others have started it. Once certificate requests were sent,
    keys stay in the folder, and the next run goes on with them.

    Errors: as `enroll`.
    """
    files = NewFiles(wish.out)
    check_writable(wish.out)
    tell("Look at the request")
    request = client.get_request(request_id)
    template = _choose_template(client.list_profile_templates(), str(request.template_id))
    run = _Run(client, request_id, template, wish, files, tell, one_time_passwords=one_time_passwords, is_resumed=True)
    try:
        return run.fulfil()
    except BaseException:
        files.remove(kept=run.list_kept())
        raise


@dataclass(slots=True)
class _Run:
    """One request, from the question which keys to make to its end."""

    client: RestClient
    request_id: UUID
    template: TemplateSummary
    wish: Wish
    files: NewFiles
    tell: Callable[[str], None]
    one_time_passwords: Sequence[str] = ()
    is_resumed: bool = False
    places: list[KeyPlace] = field(default_factory=list)
    is_sent: bool = False

    def fulfil(self) -> Enrollment:
        """Return what the request brought, marked as completed."""
        if self.template.is_smartcard:
            card_id = self.wish.card_id or uuid4()
            self.tell(f"Bind the card {card_id}")
            self.client.bind_card(self.request_id, card_id)
        self.tell("Ask which keys to make")
        options = self._list_options()
        if options:
            described = ", ".join(f"{each.algorithm} with {each.key_size} bits" for each in options)
            self.tell(f"Make the key{'s' if len(options) > 1 else ''}: {described}, and sign a PKCS#10 request with each")
        stem = make_stem(self.template.name)
        self.places = prepare_places(options, stem, self.files, resumed=self.request_id if self.is_resumed else None)
        self.tell("Send the PKCS#10 requests, get certificates")
        in_transit = self.wish.pfx_password or secrets.token_urlsafe(PFX_PASSWORD_OCTETS)
        answers = self._submit(Passwords(one_time=self.one_time_passwords, pfx=in_transit))
        self.tell("Check the answer: status, key, chain; write the files")
        enrollment = self._accept_all(answers, stem, in_transit)
        self.tell("Mark the request completed")
        _try_again(lambda: self.client.set_status(self.request_id, "Completed"))
        for each in self.places:
            if each.sent_file is not None:
                each.sent_file.unlink(missing_ok=True)
        return enrollment

    def list_kept(self) -> list[Path]:
        """Return the files that the next run goes on with: none before the server may have seen their requests."""
        return [file for each in self.places for file in (each.key_file, each.sent_file) if file] if self.is_sent else []

    def _list_options(self) -> tuple[GenerationOptions, ...]:
        try:
            return self.client.list_generation_options(self.request_id)
        except ServerRefused as refused:
            if refused.status == CONFLICT and self._is_pending():
                text = f"The request {self.request_id} waits for approval. Once it is approved, go on with --request"
                raise RequestPending("request-pending", f"{text} {self.request_id} instead of --template.") from refused
            raise

    def _is_pending(self) -> bool:
        try:
            return self.client.get_request(self.request_id).status == PENDING
        except ClientError:
            return False

    def _submit(self, passwords: Passwords) -> tuple[CertificateAnswer, ...]:
        requests = [each.request for each in self.places]
        self.is_sent = True
        try:
            answers = _try_again(lambda: self.client.submit(self.request_id, requests, self.wish.comment, passwords))
        except ServerRefused:
            # It has kept nothing of them.
            self.is_sent = False
            raise
        own = sum(each.is_for_own_key for each in answers)
        if own != len(self.places):
            raise AnswerUnfit("answer-unfit", f"Requests sent: {len(self.places)}; answers received: {own}.")
        return answers

    def _accept_all(self, answers: Sequence[CertificateAnswer], stem: str, in_transit: str) -> Enrollment:
        """Return what came: what was asked for has to be right; of what was there before, a fault is told."""
        places = iter(self.places)
        accepted: list[EnrolledCertificate] = []
        faults: list[str] = []
        for number, answer in enumerate(answers, start=1):
            path = self.wish.out / name_file(stem, number, len(answers))
            try:
                if answer.is_for_own_key:
                    accepted.append(_accept(next(places), answer, self.files))
                elif answer.pfx is None and answer.pkcs7 is not None:
                    accepted.append(_accept_without_key(answer, path, self.files))
                else:
                    keeps = bool(self.wish.pfx_password)
                    accepted.append(unpack_pfx(answer, in_transit, path, self.files, keeps=keeps))
            except AnswerUnfit as unfit:
                if not answer.is_older:
                    raise
                faults.append(f"{answer.template}: {unfit}")
        return Enrollment(self.request_id, self.template, tuple(accepted), tuple(faults))


def _try_again(call: Callable[[], Result]) -> Result:
    """Return what *call* returns, after as many attempts as it takes within bounds: a lost answer is asked for again."""
    for _ in range(SUBMISSION_ATTEMPTS - 1):
        with suppress(ServerUnreachable):
            return call()
    return call()


def _choose_template(templates: Sequence[TemplateSummary], wanted: str) -> TemplateSummary:
    folded = wanted.strip("{} ").lower()
    for each in templates:
        if folded in (each.name.lower(), str(each.id)):
            return each
    names = [each.name for each in templates]
    listed = f"It offers: {', '.join(names[:MOST_LISTED]) or 'none'}{', and more' if len(names) > MOST_LISTED else ''}."
    told = " ".join(each for each in (ask_similar(wanted, names), listed) if each)
    raise AnswerUnfit("template-not-offered", f"The server offers you no profile template {wanted}. {told}")


def _accept(place: KeyPlace, answer: CertificateAnswer, files: NewFiles) -> EnrolledCertificate:
    """Return the certificate of *answer* after it proved to be the one for this key."""
    if answer.error is not None or answer.pkcs7 is None:
        raise AnswerUnfit("certificate-refused", str(answer.error or f"No certificate of {answer.template} came."))
    certificate, others = _read_response(answer.pkcs7)
    subject_key = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key().public_bytes(*subject_key) != place.key.public_key().public_bytes(*subject_key):
        raise AnswerUnfit("key-mismatch", "The certificate that came is for another key than was sent.")
    chain = get_chain(certificate, others)
    accepted = EnrolledCertificate(
        answer.template,
        certificate,
        chain,
        place.key_file,
        add_suffix(place.path, CERTIFICATE),
        add_suffix(place.path, CHAIN) if chain else None,
    )
    write_certificate(place.path, accepted, files)
    return accepted


def _accept_without_key(answer: CertificateAnswer, path: Path, files: NewFiles) -> EnrolledCertificate:
    """Return a certificate that was issued elsewhere, whose key is where it was made; its chain is what came with it."""
    if answer.pkcs7 is None:
        raise AnswerUnfit("answer-unfit", f"No certificate of {answer.template} came.")
    certificate, others = _read_response(answer.pkcs7)
    chain = order_chain(certificate, others)
    accepted = EnrolledCertificate(
        answer.template,
        certificate,
        chain,
        None,
        add_suffix(path, CERTIFICATE),
        add_suffix(path, CHAIN) if chain else None,
        is_external=answer.is_external,
        is_key_history=answer.is_key_history,
    )
    write_certificate(path, accepted, files)
    return accepted


def _read_response(pkcs7: str) -> tuple[x509.Certificate, list[x509.Certificate]]:
    try:
        response = parse_response(b64decode("".join(pkcs7.split()), validate=True))
        certificates = [x509.load_der_x509_certificate(each) for each in response.certificates]
        issued = x509.load_der_x509_certificate(response.issued) if response.issued else None
    except (ValueError, Malformed) as error:
        raise AnswerUnfit("answer-unfit", "The Pkcs7 that came cannot be read.") from error
    if response.status != SUCCESS:
        raise AnswerUnfit("not-issued", f"The authority answered with CMC status {response.status}: {response.text}.")
    if issued is None:
        raise AnswerUnfit("answer-unfit", "The Pkcs7 does not say which certificate is the new one.")
    return issued, [each for each in certificates if each != issued]


def _abandon(client: RestClient, request_id: UUID) -> None:
    """Give the request up; what went wrong before is what the caller hears of, whether this works or not."""
    try:
        client.set_status(request_id, "Abandoned")
    except ClientError:
        return
