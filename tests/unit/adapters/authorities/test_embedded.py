"""The authority inside the program."""

from dataclasses import replace

import pytest
from cryptography import x509

from certwright.adapters.authorities.embedded import EmbeddedAuthority
from certwright.domain.errors import KeyUnavailable
from certwright.domain.issuing import Cleared
from certwright.domain.profile_templates import ResponseForm
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm
from certwright.formats.cms import parse_signed_data
from worlds.authorities import make_hierarchy, make_subject_key, request_for
from worlds.contoso import CERTIFICATE_TEMPLATE, draft_of

ISSUER_KINDS = [(KeyAlgorithm.RSA, 2048), (KeyAlgorithm.ECDSA_P256, 256), (KeyAlgorithm.ECDSA_P384, 384)]
HIERARCHY = make_hierarchy()
REQUEST = request_for(make_subject_key(KeyAlgorithm.RSA, 2048))
CLEARED = Cleared(draft_of(request=REQUEST, issuer=HIERARCHY.issuer))


@pytest.mark.parametrize(("algorithm", "bits"), ISSUER_KINDS)
def test_a_certificate_is_signed_by_its_authority_and_the_same_each_time(algorithm: KeyAlgorithm, bits: int) -> None:
    hierarchy = make_hierarchy(algorithm, bits)
    to_be_signed = hierarchy.authority.prepare(Cleared(draft_of(request=REQUEST, issuer=hierarchy.issuer)))
    encoded = hierarchy.authority.sign(to_be_signed)
    certificate = x509.load_der_x509_certificate(encoded)
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(hierarchy.issuing.certificate))
    assert certificate.tbs_certificate_bytes == to_be_signed
    assert hierarchy.authority.sign(to_be_signed) == encoded


def test_a_stronger_key_signs_over_a_stronger_digest() -> None:
    authority = make_hierarchy(KeyAlgorithm.ECDSA_P384, 384).authority
    draft = draft_of(request=REQUEST, issuer=authority.issuer)
    certificate = x509.load_der_x509_certificate(authority.sign(authority.prepare(Cleared(draft))))
    assert certificate.signature_hash_algorithm is not None
    assert certificate.signature_hash_algorithm.name == "sha384"


def test_what_another_authority_was_to_sign_is_not_signed() -> None:
    other = make_hierarchy(KeyAlgorithm.ECDSA_P384, 384).authority
    with pytest.raises(KeyUnavailable):
        other.sign(HIERARCHY.authority.prepare(CLEARED))


def test_a_key_that_is_not_the_authoritys_is_refused_at_once() -> None:
    with pytest.raises(KeyUnavailable):
        EmbeddedAuthority(HIERARCHY.issuer, HIERARCHY.root_key)


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        (HashAlgorithm.SHA1, "1.3.14.3.2.26"),
        (HashAlgorithm.SHA256, "2.16.840.1.101.3.4.2.2"),
        (HashAlgorithm.SHA512, "2.16.840.1.101.3.4.2.3"),
    ],
)
def test_answers_of_a_p384_authority_use_sha384_or_what_was_asked_for(asked: HashAlgorithm, used: str) -> None:
    authority = make_hierarchy(KeyAlgorithm.ECDSA_P384, 384).authority
    draft = draft_of(request=REQUEST, issuer=authority.issuer)
    answer = authority.respond(authority.sign(authority.prepare(Cleared(draft))), ResponseForm.CMC, asked)
    assert parse_signed_data(answer).digest_algorithms.as_list()[0].algorithm.dotted_string == used


def test_a_change_of_the_template_shows_in_the_next_certificate() -> None:
    newer = replace(CERTIFICATE_TEMPLATE, minor_version=7)
    before, after = (
        HIERARCHY.authority.prepare(Cleared(draft_of(each, REQUEST, issuer=HIERARCHY.issuer)))
        for each in (CERTIFICATE_TEMPLATE, newer)
    )
    assert before != after
    assert len(before) == len(after)
