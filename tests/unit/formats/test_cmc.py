"""CMC responses: ours against the documented one, node by node."""

from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat import asn1
from hypothesis import given
from hypothesis import strategies as some

from certwright.domain.errors import MalformedValue
from certwright.domain.issuing import Cleared
from certwright.domain.profile_templates import ResponseForm
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm
from certwright.formats.cmc import PKIResponse, parse_response
from certwright.formats.cms import ContentInfo
from worlds.authorities import make_hierarchy, make_subject_key, request_for
from worlds.contoso import draft_of
from worlds.documented import DOCUMENTED_RESPONSE

HIERARCHY = make_hierarchy(KeyAlgorithm.RSA, 2048)
DRAFT = draft_of(request=request_for(make_subject_key(KeyAlgorithm.RSA, 2048)), issuer=HIERARCHY.issuer)
CERTIFICATE = HIERARCHY.authority.sign(HIERARCHY.authority.prepare(Cleared(DRAFT)))


def respond(digest: HashAlgorithm, form: ResponseForm = ResponseForm.CMC) -> bytes:
    return HIERARCHY.authority.respond(CERTIFICATE, form, digest)


def read_length(encoded: bytes, position: int) -> tuple[int, int]:
    """Return where the content begins, and its length."""
    length, start = encoded[position], position + 1
    if length < 0x80:
        return start, length
    octets = length & 0x7F
    return start + octets, int.from_bytes(encoded[start : start + octets])


def is_sequence(content: bytes) -> bool:
    """Return whether that is one whole SEQUENCE; the octets of a signature may begin like one."""
    return content[:1] == b"\x30" and len(content) > 1 and sum(read_length(content, 1)) == len(content)


def list_nodes(encoded: bytes, depth: int = 0, *, inside_set_of_certificates: bool = False) -> Iterator[tuple[object, ...]]:
    """Yield depth, tag and, for identifiers, small numbers and words, the value; certificates only as what they are.

    A reader of its own, so that a fault in the code under test cannot hide in it.
    """
    position = 0
    while position < len(encoded):
        tag, (start, length) = encoded[position], read_length(encoded, position + 1)
        content = encoded[start : start + length]
        position = start + length
        if inside_set_of_certificates:
            yield depth, tag, "certificate"
        elif tag & 0x20:
            yield depth, tag
            yield from list_nodes(content, depth + 1, inside_set_of_certificates=tag == 0xA0 and depth == 3)
        elif tag == 0x04 and is_sequence(content):
            yield depth, tag, "wraps"
            yield from list_nodes(content, depth + 1)
        else:
            yield depth, tag, content if tag in (0x05, 0x06, 0x0C) or length == 1 else length


def list_structure(encoded: bytes) -> list[tuple[object, ...]]:
    """Return the nodes without the signer's issuer and serial number, whose values are another authority's."""
    nodes = list(list_nodes(encoded))
    infos = max(index for index, node in enumerate(nodes) if node[:2] == (3, 0x31))
    signer = next(index for index, node in enumerate(nodes) if index > infos and node[:2] == (5, 0x30))
    after = next(index for index, node in enumerate(nodes) if index > signer and node[0] == 5)
    return nodes[: signer + 1] + nodes[after:]


def test_the_documented_response_is_encoded_back_byte_for_byte() -> None:
    outer = asn1.decode_der(ContentInfo, DOCUMENTED_RESPONSE)
    assert asn1.encode_der(outer) == DOCUMENTED_RESPONSE
    content = outer.content.encapsulated.content
    assert content is not None
    assert asn1.encode_der(asn1.decode_der(PKIResponse, content)) == content


def test_the_documented_response_is_understood() -> None:
    response = parse_response(DOCUMENTED_RESPONSE)
    assert (response.status, response.text, len(response.certificates)) == (0, "Issued", 3)
    assert response.issued is not None
    assert "Jimaco Brannian" in x509.load_der_x509_certificate(response.issued).subject.rfc4514_string()


def test_our_response_with_sha1_is_the_documented_one_node_by_node() -> None:
    ours, documented = list_structure(respond(HashAlgorithm.SHA1)), list_structure(DOCUMENTED_RESPONSE)
    assert len(documented) > 50
    assert ours == documented


def test_our_usual_response_differs_from_the_documented_one_in_the_digest_alone() -> None:
    ours, documented = list_structure(respond(HashAlgorithm.SHA256)), list_structure(DOCUMENTED_RESPONSE)
    sha1, sha256 = bytes.fromhex("2b0e03021a"), bytes.fromhex("608648016503040201")
    different = {(mine[2], theirs[2]) for mine, theirs in zip(ours, documented, strict=True) if mine != theirs}
    assert different == {(sha256, sha1), (32, 20)}


def test_the_response_names_the_issued_certificate_among_the_chain() -> None:
    response = parse_response(respond(HashAlgorithm.SHA256))
    assert (response.status, response.text, response.issued) == (0, "Issued", CERTIFICATE)
    assert set(response.certificates) == {CERTIFICATE, *HIERARCHY.issuer.chain}
    assert list(response.certificates) == sorted(response.certificates)


def test_the_same_certificate_is_answered_with_the_same_bytes() -> None:
    assert respond(HashAlgorithm.SHA256) == respond(HashAlgorithm.SHA256)


def test_a_response_with_certificates_only_has_no_signer_and_is_understood() -> None:
    encoded = respond(HashAlgorithm.SHA256, ResponseForm.CERTIFICATES_ONLY)
    assert asn1.decode_der(ContentInfo, encoded).content.signers.as_list() == []
    response = parse_response(encoded)
    assert response.issued == CERTIFICATE
    assert set(response.certificates) == {CERTIFICATE, *HIERARCHY.issuer.chain}


def test_a_certificate_of_an_unknown_version_is_malformed() -> None:
    encoded = respond(HashAlgorithm.SHA256, ResponseForm.CERTIFICATES_ONLY)
    version = bytes.fromhex("a003020102")
    assert version in encoded
    with pytest.raises(MalformedValue):
        parse_response(encoded.replace(version, bytes.fromhex("a003020163")))


@given(some.binary(max_size=60))
def test_no_bytes_make_the_parser_fail_in_another_way(encoded: bytes) -> None:
    with pytest.raises(MalformedValue):
        parse_response(encoded)


@given(some.integers(min_value=0), some.binary(min_size=1, max_size=3))
def test_a_damaged_response_is_malformed_or_read(position: int, damage: bytes) -> None:
    position %= len(DOCUMENTED_RESPONSE)
    damaged = DOCUMENTED_RESPONSE[:position] + damage + DOCUMENTED_RESPONSE[position + len(damage) :]
    try:
        response = parse_response(damaged)
    except MalformedValue:
        return
    assert len(response.certificates) == 3
