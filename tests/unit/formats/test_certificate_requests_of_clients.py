"""Certificate requests that differ from the standard where nothing depends on it, and those that differ where it matters."""

import base64
from contextlib import suppress
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as some

from certwright.domain.errors import HashRefused, KeyWeak, MalformedCertificateRequest, NameRefused
from certwright.domain.issuing import clear
from certwright.domain.profile_templates import KeySpecification, SubjectSource
from certwright.domain.public_keys import CertificateRequest, HashAlgorithm, KeyAlgorithm
from certwright.domain.rules.possession import list_possession_faults
from certwright.formats.pkcs10 import parse_certificate_request, parse_certificate_request_text
from worlds.certificate_requests import (
    CURVE_KEY,
    element,
    identifier,
    integer,
    make_request,
    name,
    public_key_of,
    rsa_key,
    rsa_public_key,
)
from worlds.contoso import CERTIFICATE_TEMPLATE, ISSUER, SUBSCRIBER, VECTORS, draft_of

INPUTS = {path.stem.partition("-")[0]: path.read_text() for path in (VECTORS / "inputs").glob("*.pem")}
FOR_MAIL = replace(CERTIFICATE_TEMPLATE, extended_key_usages=("1.3.6.1.5.5.7.3.4",), alternative_names=())


def fault_of(posted: bytes | str) -> str:
    """Return why a request cannot be read."""
    parse = parse_certificate_request_text if isinstance(posted, str) else parse_certificate_request
    with pytest.raises(MalformedCertificateRequest) as refused:
        parse(posted)  # type: ignore[operator]
    return refused.value.detail


# -- parts that are never used -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["02", "03", "05", "07", "09"])
def test_inputs_of_other_programs_are_read_and_proven(number: str) -> None:
    assert parse_certificate_request_text(INPUTS[number]).is_proven


CLIENTS = {path.stem: path.read_text() for path in (VECTORS / "clients").glob("*.pem")}
PROGRAMS = {
    "openssl",
    "certtool",
    "certutil",
    "keytool",
    "bouncycastle",
    "go",
    "node-forge",
    "pkijs",
    "peculiar-x509",
    "jsrsasign",
    "windows-shape",
}


@pytest.mark.parametrize("name", sorted(CLIENTS))
def test_requests_of_every_program_are_read_and_proven(name: str) -> None:
    request = parse_certificate_request_text(CLIENTS[name])
    assert request.is_proven
    assert request.signature_hash is HashAlgorithm.SHA256
    assert request.public_key.algorithm is (KeyAlgorithm.ECDSA_P256 if "p256" in name else KeyAlgorithm.RSA)
    # node-forge writes what is no printable string as one.
    assert (request.subject == "") is (name == "node-forge-rsa")


def test_no_program_is_forgotten() -> None:
    assert {each for each in PROGRAMS if any(name.startswith(f"{each}-") for name in CLIENTS)} == PROGRAMS


CHALLENGE = element(0x30, identifier("1.2.840.113549.1.9.7"), element(0x31, element(0x13, b"challenge")))
EXTENSIONS = element(0x30, identifier("1.2.840.113549.1.9.14"), element(0x31, element(0x30)))


@pytest.mark.parametrize(
    "attributes",
    [
        b"",
        element(0xA0),
        element(0xA0, EXTENSIONS, CHALLENGE),
        element(0xA0, CHALLENGE, CHALLENGE),
        element(0xA0, b"\x30\x80\0\0"),
        element(0xA0, element(0x30, b"\xff" * 9)),
        element(0xA0, element(0x30, identifier("1.2.840.113549.1.9.7"), element(0x31))),
    ],
    ids=["left out", "none", "not sorted", "repeated", "indefinite length", "no DER", "without a value"],
)
def test_attributes_are_not_looked_at(attributes: bytes) -> None:
    assert parse_certificate_request(make_request(attributes=attributes)).is_proven


@pytest.mark.parametrize(
    ("tag", "value", "text"),
    [
        (0x13, b"a_b@c*d&e", "a_b@c*d&e"),
        (0x0C, "Zoë".encode(), "Zoë"),
        (0x14, "Zoë".encode("latin-1"), "Zoë"),
        (0x1E, "Zoë".encode("utf-16-be"), "Zoë"),
        (0x1C, "Zoë".encode("utf-32-be"), "Zoë"),
        (0x16, b"x@y", "x@y"),
    ],
)
def test_a_subject_is_read_from_every_kind_of_string(tag: int, value: bytes, text: str) -> None:
    request = parse_certificate_request(make_request(subject=name((tag, value))))
    assert request.is_proven
    assert (request.subject, request.subject_fault) == (f"CN={text}", "")


def clear_with_subject(request: CertificateRequest, source: SubjectSource) -> str:
    """Return the subject that a template whose subject comes from *source* gives."""
    draft = draft_of(replace(FOR_MAIL, subject=source), request)
    return clear(draft, subject=SUBSCRIBER.user, issuer=ISSUER, key_holder=None).draft.subject


@pytest.mark.parametrize(
    ("subject", "fault"),
    [
        (name((0x13, "Zoë".encode("latin-1"))), "its CN is text that is not in its own encoding, ascii"),
        (name((0x16, "Zoë".encode())), "its CN is text that is not in its own encoding, ascii"),
        (name((0x03, b"\0bits")), "its CN is no text"),
        (name((0x1E, b"odd")), "its CN is text that is not in its own encoding, utf-16-be"),
    ],
    ids=["umlaut in a printable string", "UTF-8 in an IA5 string", "bits", "half a character"],
)
def test_a_subject_that_cannot_be_read_matters_only_to_templates_that_use_it(subject: bytes, fault: str) -> None:
    request = parse_certificate_request(make_request(key=rsa_key(), subject=subject))
    assert request.is_proven
    assert (request.subject, request.subject_fault) == ("", fault)
    assert clear_with_subject(request, SubjectSource.DISTINGUISHED_NAME) == SUBSCRIBER.user.distinguished_name
    with pytest.raises(NameRefused, match=fault):
        clear_with_subject(request, SubjectSource.REQUEST)


@pytest.mark.parametrize("turn", [1, -1])
def test_attributes_of_one_step_may_come_in_any_order(turn: int) -> None:
    step = [element(0x30, identifier(dotted), element(0x0C, b"x")) for dotted in ("2.5.4.3", "2.5.4.11")][::turn]
    request = parse_certificate_request(make_request(subject=element(0x30, element(0x31, *step))))
    assert request.is_proven
    assert sorted(request.subject.split("+")) == ["CN=x", "OU=x"]


# -- algorithms ----------------------------------------------------------------------------------------------------------


def test_the_null_that_is_missing_after_rsa_encryption_is_put_in() -> None:
    right = public_key_of(rsa_key())
    wrong = right.replace(bytes.fromhex("300d06092a864886f70d0101010500"), bytes.fromhex("300b06092a864886f70d010101"))
    wrong = element(0x30, wrong[4:])
    request = parse_certificate_request(make_request(key=rsa_key(), public_key=wrong))
    assert request.is_proven
    assert request.public_key.algorithm is KeyAlgorithm.RSA
    assert request.public_key.encoded == right


@pytest.mark.parametrize("digest", list(HashAlgorithm))
@pytest.mark.parametrize("parameters", [b"", b"\x05\x00"], ids=["without", "NULL"])
def test_every_hash_that_a_template_for_curves_may_ask_for_can_be_satisfied(digest: HashAlgorithm, parameters: bytes) -> None:
    template = replace(CERTIFICATE_TEMPLATE, key=KeySpecification(algorithm=KeyAlgorithm.ECDSA_P256, bits=256, hash=digest))
    request = parse_certificate_request(make_request(digest=getattr(hashes, digest.value)(), parameters=parameters))
    assert request.is_proven
    assert request.signature_hash is digest
    assert list_possession_faults(request, template) == []


@pytest.mark.parametrize("key", [CURVE_KEY, rsa_key()], ids=["ECDSA", "RSA"])
def test_sha_224_is_not_called_weaker_than_sha_1(key: ec.EllipticCurvePrivateKey) -> None:
    template = replace(CERTIFICATE_TEMPLATE, key=KeySpecification(hash=HashAlgorithm.SHA1))
    request = parse_certificate_request(make_request(key=key, digest=hashes.SHA224()))
    (fault,) = list_possession_faults(request, template)
    assert isinstance(fault, HashRefused)
    assert fault.text == ("The certificate request is signed with SHA224; the template takes SHA1, SHA256, SHA384 or SHA512.")


PSS = identifier("1.2.840.113549.1.1.10")


@pytest.mark.parametrize(
    "algorithm",
    [
        element(0x30, PSS, element(0x30)),
        element(0x30, PSS, element(0x30, element(0xA2, integer(1 << 40)))),
        element(0x30, PSS, element(0x30, element(0xA2, integer(-1)))),
        element(0x30, PSS, element(0x30, element(0xA0, element(0x30, identifier("1.2.3"))))),
        element(0x30, PSS, element(0x30, element(0xA1, element(0x30, identifier("1.2.3"))))),
        element(0x30, identifier("1.2.3")),
        element(0x30, identifier("1.2.840.10045.4.3.2")),
    ],
    ids=["defaults", "huge salt", "negative salt", "unknown digest", "unknown mask", "unknown", "of another kind of key"],
)
def test_a_signature_that_the_key_did_not_make_in_the_named_way_proves_nothing(algorithm: bytes) -> None:
    assert not parse_certificate_request(make_request(key=rsa_key(), algorithm=algorithm)).is_proven


# -- what is wrong, and where ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("01", "its signatureAlgorithm is RSASSA-PSS without the parameters that belong to it"),
        ("10", "its version is 2; version 0 is wanted"),
        ("13", "it is BER with the indefinite length of octet 1; DER is wanted"),
        ("14", "the modulus of its RSA key is negative"),
    ],
)
def test_inputs_that_are_wrong_are_told_what_is_wrong(number: str, words: str) -> None:
    assert fault_of(INPUTS[number]) == words


GOOD = make_request()
POINT = CURVE_KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
COMPRESSED = CURVE_KEY.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
CURVE = element(0x30, identifier("1.2.840.10045.2.1"), identifier("1.2.840.10045.3.1.7"))
N = element(2, b"\0" + (rsa_key().public_key().public_numbers().n).to_bytes(256))
E = integer(65_537)


def with_point(point: bytes) -> bytes:
    return make_request(public_key=element(0x30, CURVE, element(3, b"\0", point)))


WRONG = [
    (b"\x04\x02ab", "it does not begin with a SEQUENCE"),
    (
        GOOD[:-1],
        f"the value at octet 0 is cut off: it says to have {len(GOOD) - 3:,} octets, and {len(GOOD) - 4} of them can be read",
    ),
    (GOOD + b"\0\0", f"it ends at octet {len(GOOD)}, and 2 more follow"),
    (b"\x30\x81\x02\x05\x00", "it is BER: the length at octet 1 has more octets than it needs; DER is wanted"),
    (b"\x30\x82\x00\x90" + bytes(0x90), "it is BER: the length at octet 1 has more octets than it needs; DER is wanted"),
    (b"\x30\x84\x01", "it is cut off at octet 1"),
    (element(0x30, b"\x1f\x81\x01\x00"), "at octet 2 there is a tag that no part of it has"),
    (make_request(version=integer(1)), "its version is 1; version 0 is wanted"),
    (make_request(version=integer(-5)), "its version is -5; version 0 is wanted"),
    (make_request(version=integer(1 << 900)), "its version is a large number; version 0 is wanted"),
    (make_request(version=b"\x02\x02\0\0"), "the INTEGER at octet 5 begins with superfluous octets, which DER has not"),
    (make_request(version=b""), "at octet 5 certificationRequestInfo has something else than version"),
    (make_request(subject=element(0x31)), "at octet 8 certificationRequestInfo has something else than subject"),
    (make_request(attributes=element(0xA0) + element(0xA1)), "at octet 101 something else than attributes follows the key"),
    (make_request(attributes=element(0x31)), "at octet 101 something else than attributes follows the key"),
    (element(0x30), "CertificationRequest has no certificationRequestInfo"),
    (element(0x30, element(0x30), element(0x30)), "CertificationRequest has no signature"),
    (element(0x30, element(0x30), element(0x30), b"\x03\x01\0", b"\x05\0"), "at octet 9 something follows the signature"),
    (element(0x30, element(0x30), element(0x30), b"\x03\x01\0"), "certificationRequestInfo has no version"),
    (with_point(b"\x06" + POINT[1:]), "the point of its key is in the hybrid form, which RFC 5480 has rejected"),
    (with_point(b"\x07" + POINT[1:]), "the point of its key is in the hybrid form, which RFC 5480 has rejected"),
    (with_point(POINT[:-1]), "its key cannot be read: its point or its parameters are none"),
    (with_point(b""), "its key cannot be read: its point or its parameters are none"),
    (with_point(b"\0"), "its key cannot be read: its point or its parameters are none"),
    (make_request(public_key=rsa_public_key(integer(0), E)), "the modulus of its RSA key is zero"),
    (make_request(public_key=rsa_public_key(N, integer(-3))), "the public exponent of its RSA key is negative"),
    (make_request(public_key=rsa_public_key(N, b"")), "its RSA key is not a modulus and an exponent in DER"),
    (make_request(public_key=rsa_public_key(N, E + E)), "its RSA key is not a modulus and an exponent in DER"),
    (make_request(public_key=rsa_public_key(N, E, element(0x30))), "its rsaEncryption key has parameters; NULL is wanted"),
    (make_request(public_key=element(0x30, element(0x30), b"\x03\x01\0")), "its subjectPKInfo names no algorithm"),
    (make_request(public_key=element(0x30)), "at octet 9 subjectPKInfo is none"),
]


@pytest.mark.parametrize(("request_", "words"), WRONG, ids=map(str, range(len(WRONG))))
def test_what_is_wrong_is_told_with_its_place(request_: bytes, words: str) -> None:
    assert fault_of(request_) == words
    assert fault_of(base64.b64encode(request_).decode()) == words


def armour(label: str, content: bytes) -> str:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(content).decode()}-----END {label}-----\n"


SIGNED = element(0x30, identifier("1.2.840.113549.1.7.2"), element(0xA0, element(0x30)))
ENVELOPED = element(0x30, identifier("1.2.840.113549.1.7.3"), element(0xA0, element(0x30)))
MESSAGE = element(0x30, element(0x30, integer(7), element(0x30)))
CERTIFICATE = element(0x30, element(0x30, element(0xA0, integer(2)), integer(1)), element(0x30), b"\x03\x01\0")


MISTAKEN = [
    (
        base64.b64encode(armour("CERTIFICATE REQUEST", GOOD).encode()).decode(),
        "it is PEM that was base64-coded once more; the PEM text itself is wanted",
    ),
    (armour("CERTIFICATE", b"x"), "its PEM is labelled CERTIFICATE; CERTIFICATE REQUEST is wanted"),
    (armour("RSA PRIVATE KEY", b"x"), "its PEM is labelled RSA PRIVATE KEY; CERTIFICATE REQUEST is wanted"),
    (armour("CERTIFICATE REQUEST", b"x")[:-5], "its PEM has no end, or holds something else than base64"),
    (armour("CERTIFICATE REQUEST", SIGNED), "it is CMS signed data, as CMC requests are; PKCS#10 is wanted"),
    (base64.b64encode(ENVELOPED).decode(), "it is CMS; PKCS#10 is wanted"),
    (base64.b64encode(element(0x30, *[element(0x30)] * 4)).decode(), "it is the PKIData of CMC; PKCS#10 is wanted"),
    (base64.b64encode(element(0x30, MESSAGE)).decode(), "it is CRMF; PKCS#10 is wanted"),
    (base64.b64encode(CERTIFICATE).decode(), "it is a certificate; a request is wanted"),
    (
        base64.b64encode(element(0x30, integer(0), element(0x30), element(4))).decode(),
        "it is a private key or a PFX: keep it to yourself; a request is wanted",
    ),
]


@pytest.mark.parametrize(("text", "words"), MISTAKEN, ids=map(str, range(len(MISTAKEN))))
def test_what_people_send_in_place_of_a_request_is_called_by_its_name(text: str, words: str) -> None:
    assert fault_of(text) == words


def test_a_compressed_point_is_still_taken() -> None:
    assert parse_certificate_request(with_point(COMPRESSED)).is_proven


# -- nothing is computed with keys that no template takes ------------------------------------------------------------------


@pytest.mark.parametrize(("modulus_bits", "exponent_bits"), [(16_401, 17), (3_072, 3_071), (2_048, 257)])
def test_an_oversized_key_is_refused_for_its_size_alone(modulus_bits: int, exponent_bits: int) -> None:
    modulus, exponent = (1 << bits - 1 | 1 for bits in (modulus_bits, exponent_bits))
    key = rsa_public_key(integer(modulus), integer(exponent))
    request = parse_certificate_request(make_request(key=rsa_key(), public_key=key))
    assert request.public_key.is_oversized
    assert not request.is_proven
    assert list_possession_faults(request, CERTIFICATE_TEMPLATE) == []
    with pytest.raises(KeyWeak):
        clear_with_subject(request, SubjectSource.DISTINGUISHED_NAME)


@given(some.integers(min_value=0), some.binary(min_size=1, max_size=4), some.sampled_from(sorted(INPUTS)))
def test_a_damaged_input_gives_no_other_error(position: int, damage: bytes, number: str) -> None:
    encoded = bytearray(base64.b64decode("".join(INPUTS[number].splitlines()[1:-1])))
    position %= len(encoded)
    encoded[position : position + len(damage)] = damage
    with suppress(MalformedCertificateRequest):
        assert parse_certificate_request(bytes(encoded)).encoded == encoded
