"""Certificate requests: what is read, what is refused, whether its own key signed."""

import base64
import textwrap

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as some

from certwright.domain.errors import MalformedCertificateRequest
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm
from certwright.formats.pkcs10 import (
    LIMIT_CHARACTERS,
    parse_certificate_request,
    parse_certificate_request_text,
)
from worlds.contoso import VECTORS
from worlds.documented import DOCUMENTED_REQUEST

REQUESTS = {path.stem: path.read_text() for path in (VECTORS / "certificate-requests").glob("*.pem")}
DER = base64.b64decode(DOCUMENTED_REQUEST)
KEY = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())


def make_request(*common_names: str) -> bytes:
    names = [x509.NameAttribute(x509.NameOID.COMMON_NAME, each) for each in common_names]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def test_the_documented_request_is_proven_by_its_sha1_signature() -> None:
    request = parse_certificate_request_text(DOCUMENTED_REQUEST)
    assert request.is_proven
    assert request.signature_hash is HashAlgorithm.SHA1
    assert (request.public_key.algorithm, request.public_key.bits) == (KeyAlgorithm.RSA, 2048)
    assert request.public_key.exponent == 65_537
    assert request.encoded == DER
    assert request.subject == ""


@pytest.mark.parametrize(
    ("name", "algorithm", "bits", "signature_hash"),
    [
        ("rsa-sha1", KeyAlgorithm.RSA, 2048, HashAlgorithm.SHA1),
        ("rsa-sha256-names", KeyAlgorithm.RSA, 2048, HashAlgorithm.SHA256),
        ("rsa-sha512", KeyAlgorithm.RSA, 2048, HashAlgorithm.SHA512),
        ("rsa-pss", KeyAlgorithm.RSA, 2048, HashAlgorithm.SHA256),
        ("ec-p-256", KeyAlgorithm.ECDSA_P256, 256, HashAlgorithm.SHA256),
        ("ec-p-384", KeyAlgorithm.ECDSA_P384, 384, HashAlgorithm.SHA256),
        ("ec-compressed", KeyAlgorithm.ECDSA_P256, 256, HashAlgorithm.SHA256),
        ("ec-p-521", KeyAlgorithm.OTHER, 521, HashAlgorithm.SHA256),
        ("ec-secp256k1", KeyAlgorithm.OTHER, 256, HashAlgorithm.SHA256),
        ("ec-brainpoolp256r1", KeyAlgorithm.OTHER, 256, HashAlgorithm.SHA256),
        ("pss-key", KeyAlgorithm.OTHER, 2048, HashAlgorithm.SHA256),
        ("ed25519", KeyAlgorithm.OTHER, 0, None),
        ("dsa", KeyAlgorithm.OTHER, 1024, HashAlgorithm.SHA256),
    ],
)
def test_requests_of_other_programs_are_read_and_proven(
    name: str, algorithm: KeyAlgorithm, bits: int, signature_hash: HashAlgorithm | None
) -> None:
    request = parse_certificate_request_text(REQUESTS[name])
    assert request.is_proven
    assert (request.public_key.algorithm, request.public_key.bits) == (algorithm, bits)
    assert request.signature_hash is signature_hash
    assert request.subject == "CN=Vector,O=Contoso,C=DE"


def test_a_signature_with_md5_names_no_hash_we_know_and_proves_nothing() -> None:
    request = parse_certificate_request_text(REQUESTS["rsa-md5"])
    assert (request.signature_hash, request.signature_name, request.is_proven) == (None, "MD5", False)


def test_a_compressed_point_is_the_same_key_as_an_uncompressed_one() -> None:
    request = parse_certificate_request_text(REQUESTS["ec-compressed"])
    assert request.public_key.encoded not in request.encoded
    assert len(request.public_key.encoded) == len(parse_certificate_request_text(REQUESTS["ec-p-256"]).public_key.encoded)


def test_a_subject_longer_than_the_standard_allows_is_still_read() -> None:
    assert parse_certificate_request_text(REQUESTS["rsa-long-name"]).subject.endswith("Александр Владимирович")


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(DER).decode(),
        "\ufeff" + DOCUMENTED_REQUEST,
        "\n\t " + "\n".join(textwrap.wrap(base64.b64encode(DER).decode(), 7)) + "\r\n \v",
        f"-----BEGIN CERTIFICATE REQUEST-----\r\n{DOCUMENTED_REQUEST}-----END CERTIFICATE REQUEST-----\r\n",
        f"-----BEGIN NEW CERTIFICATE REQUEST-----\n{DOCUMENTED_REQUEST}\n-----END NEW CERTIFICATE REQUEST-----",
        f"Made by a tool\n-----BEGIN CERTIFICATE REQUEST-----\n{DOCUMENTED_REQUEST}-----END CERTIFICATE REQUEST-----",
    ],
    ids=["one line", "byte-order mark", "any white space", "pem", "new pem", "words before"],
)
def test_every_usual_wrapping_gives_the_same_request(text: str) -> None:
    assert parse_certificate_request_text(text).encoded == DER


PEM = f"-----BEGIN CERTIFICATE REQUEST-----\n{DOCUMENTED_REQUEST}-----END CERTIFICATE REQUEST-----\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \r\n",
        "\ufeff",
        "null",
        "!!!!",
        "MIID",
        DOCUMENTED_REQUEST[:-8],
        "AA" + DOCUMENTED_REQUEST,
        base64.b64encode(DER[:-1]).decode(),
        base64.b64encode(DER + b"\0").decode(),
        base64.b64encode(DER + DER).decode(),
        base64.urlsafe_b64encode(DER).decode(),
        "A" * (LIMIT_CHARACTERS + 1),
        PEM + PEM,
        PEM + "and more",
        "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----",
        PEM.replace("REQUEST", ""),
        PEM.removesuffix("-----\n"),
        "\ud800",
    ],
)
def test_anything_else_is_malformed_and_not_repeated(text: str) -> None:
    with pytest.raises(MalformedCertificateRequest) as refused:
        parse_certificate_request_text(text)
    assert "MII" not in refused.value.text


def test_a_changed_request_is_not_proven() -> None:
    encoded = bytearray(DER)
    encoded[-1] ^= 1
    assert not parse_certificate_request(bytes(encoded)).is_proven


def test_a_request_for_somebody_elses_key_is_not_proven() -> None:
    own, other = make_request("a"), ec.derive_private_key(0xBADF00D, ec.SECP256R1())
    point = KEY.public_key().public_numbers()
    stolen = other.public_key().public_numbers()
    swapped = own.replace(point.x.to_bytes(32) + point.y.to_bytes(32), stolen.x.to_bytes(32) + stolen.y.to_bytes(32))
    assert swapped != own
    assert parse_certificate_request(own).is_proven
    assert not parse_certificate_request(swapped).is_proven


def test_a_point_off_its_curve_is_malformed() -> None:
    numbers = KEY.public_key().public_numbers()
    broken = make_request("a").replace(numbers.y.to_bytes(32), (numbers.y ^ 1).to_bytes(32))
    with pytest.raises(MalformedCertificateRequest):
        parse_certificate_request(broken)


def test_a_modulus_of_zero_is_malformed() -> None:
    modulus = parse_certificate_request(DER).public_key.modulus
    assert modulus is not None
    broken = DER.replace(modulus.to_bytes(256), bytes(256))
    assert broken != DER
    with pytest.raises(MalformedCertificateRequest):
        parse_certificate_request(broken)


@given(some.text(max_size=200))
def test_no_text_makes_the_parser_fail_in_another_way(text: str) -> None:
    with pytest.raises(MalformedCertificateRequest):
        parse_certificate_request_text(text)


@given(some.binary(max_size=200))
def test_no_bytes_make_the_parser_fail_in_another_way(encoded: bytes) -> None:
    with pytest.raises(MalformedCertificateRequest):
        parse_certificate_request_text(base64.b64encode(encoded).decode())


@given(
    some.sampled_from([DER, *(base64.b64decode("".join(text.splitlines()[1:-1])) for text in REQUESTS.values())]),
    some.integers(min_value=0),
    some.binary(min_size=1, max_size=4),
)
def test_a_damaged_request_is_malformed_or_not_proven_or_differs_only_in_its_wrapping(
    encoded: bytes, position: int, damage: bytes
) -> None:
    position %= len(encoded)
    damaged = encoded[:position] + damage + encoded[position + len(damage) :]
    try:
        request = parse_certificate_request(damaged)
    except MalformedCertificateRequest:
        return
    # Outside of what is signed nothing but the name of the signature's algorithm can be changed in a way that still verifies.
    assert not request.is_proven or request.public_key == parse_certificate_request(encoded).public_key


@given(some.lists(some.text(some.characters(exclude_categories=["C"]), min_size=1, max_size=16), max_size=4))
def test_a_generated_request_comes_back_as_it_was_asked(common_names: list[str]) -> None:
    request = parse_certificate_request(make_request(*common_names))
    assert request.is_proven
    assert request.public_key.algorithm is KeyAlgorithm.ECDSA_P256
    assert request.subject.count("CN=") == len(common_names) + sum(each.count("CN=") for each in common_names)


def make_request_with(modulus_bits: int, exponent_bits: int) -> bytes:
    """Return a request for such an RSA key, with a signature that nobody made."""
    numbers = rsa.RSAPublicNumbers(n=(1 << modulus_bits) - 1, e=(1 << exponent_bits) - 1)
    made = make_request("somebody")
    ours = numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    request = x509.load_der_x509_csr(made)
    name = request.subject.public_bytes()
    info = b"\x02\x01\x00" + name + ours + b"\xa0\x00"
    algorithm = bytes.fromhex("300d06092a864886f70d01010b0500")
    return wrap(b"\x30", wrap(b"\x30", info) + algorithm + wrap(b"\x03", b"\x00" + b"\x01" * (modulus_bits // 8)))


def wrap(tag: bytes, content: bytes) -> bytes:
    """Return the DER value. Source: X.690 section 8.1.3."""
    if len(content) < 128:
        return tag + bytes([len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return tag + bytes([0x80 | len(length)]) + length + content


@pytest.mark.parametrize(("modulus_bits", "exponent_bits"), [(3072, 3070), (3072, 257), (8_200, 17)])
def test_nothing_is_computed_with_a_key_beyond_all_bounds(modulus_bits: int, exponent_bits: int) -> None:
    request = parse_certificate_request(make_request_with(modulus_bits, exponent_bits))
    assert request.public_key.is_oversized
    assert not request.is_proven


@pytest.mark.parametrize(("modulus_bits", "exponent_bits"), [(3072, 256), (8_192, 17)])
def test_a_key_within_the_bounds_is_read_and_its_signature_looked_at(modulus_bits: int, exponent_bits: int) -> None:
    assert not parse_certificate_request(make_request_with(modulus_bits, exponent_bits)).is_proven
