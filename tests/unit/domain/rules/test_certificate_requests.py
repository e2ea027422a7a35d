"""The rules about a certificate request itself: its signature, its key, whose key it is, and how long it is for."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from certwright.domain.certificates import KeyHolder
from certwright.domain.errors import (
    HashRefused,
    KeyAlgorithmRefused,
    KeyCompromised,
    KeyOfSomebodyElse,
    KeyTooSmall,
    SignatureInvalid,
)
from certwright.domain.identities import Principal
from certwright.domain.profile_templates import KeySpecification
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm, PublicKey
from certwright.domain.rules.key_holder import list_key_holder_faults
from certwright.domain.rules.key_strength import list_key_faults
from certwright.domain.rules.possession import list_possession_faults
from certwright.domain.rules.validity import list_validity_faults
from worlds.contoso import CERTIFICATE_REQUEST, CERTIFICATE_TEMPLATE, NOW, P256_KEY, RSA_KEY, SUBSCRIBER, SUBSCRIBER2

DAY = timedelta(days=1)


# -- possession ----------------------------------------------------------------------------------------------------------


def test_a_request_that_its_own_key_signed_is_fine() -> None:
    assert list_possession_faults(CERTIFICATE_REQUEST, CERTIFICATE_TEMPLATE) == []


def test_a_request_that_another_key_signed_is_refused() -> None:
    (fault,) = list_possession_faults(replace(CERTIFICATE_REQUEST, is_proven=False), CERTIFICATE_TEMPLATE)
    assert isinstance(fault, SignatureInvalid)


# Rows: the hash of the request's signature. Columns: the hash that the template asks for. A plus where they fit.
HASHES = """
         SHA1  SHA256  SHA384  SHA512
SHA1     +     .       .       .
SHA256   +     +       .       .
SHA384   +     +       +       .
SHA512   +     +       +       +
"""
COLUMNS, *ROWS = (line.split() for line in HASHES.strip().splitlines())


@pytest.mark.parametrize(
    ("given", "wanted", "mark"),
    [(row, wanted, mark) for row, *marks in ROWS for wanted, mark in zip(COLUMNS, marks, strict=True)],
)
def test_a_hash_is_taken_when_it_is_as_strong_as_the_template_asks(given: str, wanted: str, mark: str) -> None:
    template = replace(CERTIFICATE_TEMPLATE, key=KeySpecification(hash=HashAlgorithm(wanted)))
    faults = list_possession_faults(replace(CERTIFICATE_REQUEST, signature_hash=HashAlgorithm(given)), template)
    assert [type(each) for each in faults] == ([] if mark == "+" else [HashRefused])


def test_an_unknown_hash_is_refused_by_its_name_whatever_the_template_asks() -> None:
    template = replace(CERTIFICATE_TEMPLATE, key=KeySpecification(hash=HashAlgorithm.SHA1))
    request = replace(CERTIFICATE_REQUEST, signature_hash=None, signature_name="RSA with MD5", is_proven=False)
    proof, refused = list_possession_faults(request, template)
    assert isinstance(proof, SignatureInvalid)
    assert isinstance(refused, HashRefused)
    assert refused.given == "RSA with MD5"


# -- algorithm and size --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bits", "fits"), [(1024, False), (2047, False), (2048, True), (2049, True), (4096, True)])
def test_a_key_is_as_long_as_the_options_say_or_longer(bits: int, fits: bool) -> None:
    faults = list_key_faults(replace(RSA_KEY, bits=bits), CERTIFICATE_TEMPLATE)
    assert [type(each) for each in faults] == ([] if fits else [KeyTooSmall])


@pytest.mark.parametrize("wanted", [KeyAlgorithm.ECDSA_P256, KeyAlgorithm.ECDSA_P384])
@pytest.mark.parametrize("given", [RSA_KEY, P256_KEY, replace(P256_KEY, algorithm=KeyAlgorithm.OTHER, name="Ed25519")])
def test_a_key_is_of_exactly_the_algorithm_that_the_options_say(wanted: KeyAlgorithm, given: PublicKey) -> None:
    template = replace(CERTIFICATE_TEMPLATE, key=KeySpecification(algorithm=wanted, bits=256))
    faults = list_key_faults(given, template)
    assert [type(each) for each in faults] == ([] if given.algorithm is wanted else [KeyAlgorithmRefused])


# -- whose key -----------------------------------------------------------------------------------------------------------


def test_a_new_key_and_ones_own_key_are_taken() -> None:
    assert list_key_holder_faults(None, SUBSCRIBER.user.id) == []
    assert list_key_holder_faults(KeyHolder(SUBSCRIBER.user.id), SUBSCRIBER.user.id) == []


def test_the_key_of_somebody_else_is_refused_without_telling_whose() -> None:
    (fault,) = list_key_holder_faults(KeyHolder(SUBSCRIBER2.user.id), SUBSCRIBER.user.id)
    assert isinstance(fault, KeyOfSomebodyElse)
    assert str(SUBSCRIBER2.user.id) not in str(fault)


@pytest.mark.parametrize("subject", [SUBSCRIBER, SUBSCRIBER2])
def test_a_compromised_key_is_refused_for_everybody(subject: Principal) -> None:
    (fault,) = list_key_holder_faults(KeyHolder(SUBSCRIBER.user.id, is_compromised=True), subject.user.id)
    assert isinstance(fault, KeyCompromised)


# -- validity ------------------------------------------------------------------------------------------------------------


def test_validity_may_fill_the_issuers_own() -> None:
    assert list_validity_faults(NOW, NOW + DAY, NOW, NOW + DAY) == []


@pytest.mark.parametrize(("begins", "ends"), [(NOW - DAY / 86_400, NOW), (NOW, NOW + DAY + DAY / 86_400)])
def test_validity_may_not_reach_beyond_the_issuers_own(begins: datetime, ends: datetime) -> None:
    (fault,) = list_validity_faults(begins, ends, NOW, NOW + DAY)
    assert "beyond the issuing authority's own" in fault.text


def test_validity_ends_after_it_begins() -> None:
    (fault,) = list_validity_faults(NOW, NOW, NOW, NOW + DAY)
    assert "end before it begins" in fault.text


def test_dates_that_are_wrong_in_both_ways_are_refused_for_both() -> None:
    assert len(list_validity_faults(NOW + 3 * DAY, NOW + 2 * DAY, NOW, NOW + DAY)) == 2
