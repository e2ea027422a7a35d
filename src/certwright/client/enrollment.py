"""From a user's name to certificates in files, over the public REST API."""

import secrets
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certwright.client.enrolled import EnrolledCertificate, order_chain, write_new
from certwright.client.errors import AnswerUnfit, ClientError, ServerUnreachable
from certwright.client.keys import PrivateKey, encode_certificate_request, encode_private_key, generate_key
from certwright.client.pfx import unpack_pfx
from certwright.client.rest import CertificateAnswer, GenerationOptions, Passwords, RestClient, TemplateSummary
from certwright.domain.errors import Malformed
from certwright.formats.cmc import SUCCESS, parse_response

PFX_PASSWORD_OCTETS = 32
SUBMISSION_ATTEMPTS = 3
"""A lost answer is asked for again: the server answers the same requests with the same certificates."""


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
    """What an enrollment brought."""

    request_id: UUID
    template: TemplateSummary
    certificates: tuple[EnrolledCertificate, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """One key with its request and the name of its files, before the answer."""

    key: PrivateKey
    request: str
    path: Path

    def file(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)


def enroll(client: RestClient, wish: Wish, *, tell: Callable[[str], None] = lambda _: None) -> Enrollment:
    """Return the certificates, after they were checked and written to files; *tell* is given each step as it begins.

    Keys are on the disk before anything is asked for them, so that no certificate is left without its key. When it cannot be
    brought to its end, the request is abandoned, and the server revokes what it had issued.

    Errors: FileExists; OSError when a file cannot be written; AnswerUnfit when an answer fails a check; everything that
            RestClient raises.
    """
    tell("Find the profile template")
    template = _choose_template(client.list_profile_templates(), wish.template)
    tell(f"Open an Enroll request for {template.name}")
    request_id = client.create_enroll_request(template.id, comment=wish.comment, data=wish.data)
    try:
        certificates = _fulfil(client, request_id, template, wish, tell)
    except (ClientError, OSError):
        # OSError is a folder that cannot be written or a full disk: the request would stay open for nobody.
        _abandon(client, request_id)
        raise
    return Enrollment(request_id, template, certificates)


def execute(
    client: RestClient,
    request_id: UUID,
    wish: Wish,
    one_time_passwords: Sequence[str] = (),
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> Enrollment:
    """Return the certificates of a request that is there already, as `enroll` does; the wish's template is not looked at.

    The request stays open when it cannot be brought to its end: somebody else has started it.

    Errors: as `enroll`.
    """
    tell("Look at the request")
    request = client.get_request(request_id)
    template = _choose_template(client.list_profile_templates(), str(request.template_id))
    certificates = _fulfil(client, request_id, template, wish, tell, one_time_passwords=one_time_passwords)
    return Enrollment(request_id, template, certificates)


def _fulfil(
    client: RestClient,
    request_id: UUID,
    template: TemplateSummary,
    wish: Wish,
    tell: Callable[[str], None],
    *,
    one_time_passwords: Sequence[str] = (),
) -> tuple[EnrolledCertificate, ...]:
    if template.is_smartcard:
        card_id = wish.card_id or uuid4()
        tell(f"Bind the card {card_id}")
        client.bind_card(request_id, card_id)
    tell("Ask which keys to make")
    options = client.list_generation_options(request_id)
    if options:
        described = ", ".join(f"{each.algorithm} with {each.key_size} bits" for each in options)
        tell(f"Make the key{'s' if len(options) > 1 else ''}: {described}, and sign a PKCS#10 request with each")
    places = _prepare(options, template.name, wish.out)
    tell("Send the PKCS#10 requests, get certificates")
    in_transit = wish.pfx_password or secrets.token_urlsafe(PFX_PASSWORD_OCTETS)
    passwords = Passwords(one_time=one_time_passwords, pfx=in_transit)
    answers = _submit(client, request_id, places, wish.comment, passwords)
    tell("Check the answer: status, key, chain; write the files")
    own = tuple(_accept(place, answer) for place, answer in zip(places, answers, strict=False))
    keeps = bool(wish.pfx_password)
    made = tuple(
        unpack_pfx(answer, in_transit, wish.out / _name_file(template.name, number + 1, len(answers)), keeps=keeps)
        for number, answer in enumerate(answers)
        if number >= len(places)
    )
    tell("Mark the request completed")
    client.set_status(request_id, "Completed")
    return (*own, *made)


def _choose_template(templates: Sequence[TemplateSummary], wanted: str) -> TemplateSummary:
    folded = wanted.strip("{} ").lower()
    for each in templates:
        if folded in (each.name.lower(), str(each.id)):
            return each
    offered = ", ".join(each.name for each in templates) or "none"
    raise AnswerUnfit("template-not-offered", f"The server offers you no profile template {wanted}. It offers: {offered}.")


def _prepare(options: Sequence[GenerationOptions], name: str, out: Path) -> list[_Place]:
    out.mkdir(parents=True, exist_ok=True)
    places = []
    for number, each in enumerate(options, start=1):
        key = generate_key(each)
        place = _Place(key, encode_certificate_request(key, each), out / _name_file(name, number, len(options)))
        write_new(place.file(".key.pem"), encode_private_key(key), mode=0o600)
        places.append(place)
    return places


def _name_file(name: str, number: int, count: int) -> str:
    stem = "".join(each if each.isalnum() else "-" for each in name.lower())
    return stem if count == 1 else f"{stem}-{number}"


def _submit(
    client: RestClient, request_id: UUID, places: Sequence[_Place], comment: str, passwords: Passwords
) -> tuple[CertificateAnswer, ...]:
    requests = [each.request for each in places]
    for attempt in range(1, SUBMISSION_ATTEMPTS + 1):
        try:
            answers = client.submit(request_id, requests, comment, passwords)
            break
        except ServerUnreachable:
            if attempt == SUBMISSION_ATTEMPTS:
                raise
    if len(answers) < len(places):
        raise AnswerUnfit("answer-unfit", f"{len(places)} requests were sent, {len(answers)} answers came.")
    return answers


def _accept(place: _Place, answer: CertificateAnswer) -> EnrolledCertificate:
    """Return the certificate of *answer* after it proved to be the one for this key."""
    if answer.error is not None or answer.pkcs7 is None:
        raise AnswerUnfit("certificate-refused", str(answer.error or f"No certificate of {answer.template} came."))
    certificate, others = _read_response(answer.pkcs7)
    subject_key = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key().public_bytes(*subject_key) != place.key.public_key().public_bytes(*subject_key):
        raise AnswerUnfit("key-mismatch", "The certificate that came is for another key than was sent.")
    chain = order_chain(certificate, others)
    accepted = EnrolledCertificate(
        answer.template, certificate, chain, place.file(".key.pem"), place.file(".pem"), place.file(".chain.pem")
    )
    write_new(accepted.certificate_file, certificate.public_bytes(Encoding.PEM))
    write_new(accepted.chain_file, b"".join(each.public_bytes(Encoding.PEM) for each in chain))
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
