"""`ports.Certificates`."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from certwright.adapters.sql.store import SqlStore
from certwright.domain.certificates import Certificate, CertificateStatus, KeyHolder, SerialNumber
from certwright.domain.errors import ChangedMeanwhile
from certwright.domain.profiles import Profile
from certwright.domain.requests import Request
from certwright.domain.revocation import RevocationReason
from worlds.contoso import NOW
from worlds.holdings import ALICE, BOB, make_certificate, start


def add(store: SqlStore, *certificates: Certificate) -> None:
    with store.writing() as session:
        session.certificates.add(certificates)


def sign(certificate: Certificate, encoded: bytes = b"signed") -> Certificate:
    return replace(certificate, to_be_signed=None, encoded=encoded, thumbprint="AB" * 20)


def issue(store: SqlStore, *certificates: Certificate) -> None:
    add(store, *certificates)
    with store.writing() as session:
        for each in certificates:
            assert session.certificates.record(sign(each))


def get_only(store: SqlStore, request: Request) -> Certificate:
    with store.reading() as session:
        (found,) = session.certificates.list_of_request(request.id)
    return found


@pytest.mark.parametrize("serial", [1, 2**63, 2**159 - 1, 2**200])
def test_a_certificate_comes_back_as_added_in_every_field(store: SqlStore, serial: int) -> None:
    request, profile = start(store)
    certificate = make_certificate(
        request,
        profile,
        serial=SerialNumber(serial),
        to_be_signed=None,
        encoded=bytes(range(256)),
        thumbprint="00FF",
        revoked_at=NOW,
        revocation_reason=RevocationReason.UNSPECIFIED,
        is_key_history=True,
        is_archived=True,
    )
    add(store, certificate)
    assert get_only(store, request) == certificate


def test_those_about_to_be_signed_are_listed_for_their_request_only(store: SqlStore) -> None:
    request, profile = start(store)
    waiting = make_certificate(request, profile)
    add(store, waiting)
    with store.reading() as session:
        assert session.certificates.list_of_request(request.id) == (waiting,)
        assert session.certificates.list_of_profile(profile.id) == ()
        assert session.certificates.list_of_subject(ALICE) == ()


def test_certificates_of_a_request_are_listed_by_place(store: SqlStore) -> None:
    request, profile = start(store)
    second, first = make_certificate(request, profile, 1), make_certificate(request, profile, 0)
    add(store, second)
    add(store, first)
    with store.reading() as session:
        assert session.certificates.list_of_request(request.id) == (first, second)


def test_issued_certificates_are_listed_newest_first(store: SqlStore) -> None:
    issued = []
    for _ in range(3):
        request, profile = start(store)
        issued.append(make_certificate(request, profile))
        issue(store, issued[-1])
    issue(store, make_certificate(*start(store, BOB)))
    with store.reading() as session:
        whole = session.certificates.list_of_subject(ALICE)
        assert whole == tuple(sign(each) for each in reversed(issued))
        for place, each in enumerate(whole):
            assert session.certificates.list_page_of_subject(ALICE, after=each.serial, limit=1) == whole[place + 1 : place + 2]
        assert session.certificates.list_page_of_subject(ALICE, after=None, limit=10) == whole
        assert session.certificates.list_page_of_subject(ALICE, after=None, limit=1) == whole[:1]
        assert session.certificates.list_of_profile(issued[0].profile_id) == (sign(issued[0]),)


def test_the_signed_form_takes_the_place_of_what_was_to_be_signed(store: SqlStore) -> None:
    request, profile = start(store)
    certificate = make_certificate(request, profile)
    issue(store, certificate)
    assert get_only(store, request) == sign(certificate)


def test_the_first_signed_form_stays(store: SqlStore) -> None:
    request, profile = start(store)
    certificate = make_certificate(request, profile)
    add(store, certificate)
    ready, firsts = threading.Barrier(4), []

    def record(number: int) -> None:
        signed = sign(certificate, b"signed %d" % number)
        ready.wait()
        with store.writing() as session:
            if session.certificates.record(signed):
                firsts.append(signed)

    threads = [threading.Thread(target=record, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [get_only(store, request)] == firsts


def test_a_place_that_is_taken_is_refused_and_everything_with_it(store: SqlStore) -> None:
    request, profile = start(store)
    first = make_certificate(request, profile)
    add(store, first)
    beside = make_certificate(request, profile, 1)
    with pytest.raises(ChangedMeanwhile):
        add(store, beside, make_certificate(request, profile, 0))
    assert get_only(store, request) == first
    with store.reading() as session:
        assert session.certificates.find_key_holder(beside.key_digest) is None


def test_a_serial_number_that_is_taken_is_refused(store: SqlStore) -> None:
    request, profile = start(store)
    first = make_certificate(request, profile)
    add(store, first)
    with pytest.raises(ChangedMeanwhile):
        add(store, make_certificate(request, profile, 1, serial=first.serial))


def test_of_many_that_fill_a_place_at_once_one_is_first(store: SqlStore) -> None:
    request, profile = start(store)
    ready, results = threading.Barrier(6), []

    def fill() -> None:
        mine = [make_certificate(request, profile, place) for place in (1, 0)]
        ready.wait()
        try:
            add(store, *mine)
            results.append(tuple(reversed(mine)))
        except ChangedMeanwhile:
            results.append(None)

    threads = [threading.Thread(target=fill) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with store.reading() as session:
        assert [session.certificates.list_of_request(request.id)] == [each for each in results if each]
    assert len(results) == 6


def test_a_key_is_its_holders_from_before_it_is_certified(store: SqlStore) -> None:
    request, profile = start(store)
    certificate = make_certificate(request, profile)
    with store.reading() as session:
        assert session.certificates.find_key_holder(certificate.key_digest) is None
    add(store, certificate)
    with store.reading() as session:
        assert session.certificates.find_key_holder(certificate.key_digest) == KeyHolder(ALICE)


def test_a_holder_may_certify_his_key_again_and_nobody_else_may(store: SqlStore) -> None:
    request, profile = start(store)
    first = make_certificate(request, profile)
    add(store, first, make_certificate(request, profile, 1, key_digest=first.key_digest))
    add(store, make_certificate(request, profile, 2, key_digest=first.key_digest))
    theirs, of_bob = start(store, BOB)
    with pytest.raises(ChangedMeanwhile):
        add(store, make_certificate(theirs, of_bob, key_digest=first.key_digest))
    with store.reading() as session:
        assert session.certificates.find_key_holder(first.key_digest) == KeyHolder(ALICE)
        assert session.certificates.list_of_request(theirs.id) == ()


def test_of_two_who_claim_a_key_at_once_one_gets_it(store: SqlStore) -> None:
    started = [start(store, ALICE), start(store, BOB)]
    digests = [bytes([number]) * 32 for number in range(4)]
    ready, results = threading.Barrier(2), []

    def claim(request: Request, profile: Profile, order: int) -> None:
        keys = digests[::order]
        ready.wait()
        try:
            add(store, *(make_certificate(request, profile, place, key_digest=key) for place, key in enumerate(keys)))
            results.append(profile.owner_id)
        except ChangedMeanwhile:
            pass

    threads = [threading.Thread(target=claim, args=(*each, order)) for each, order in zip(started, (1, -1), strict=True)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with store.reading() as session:
        assert {session.certificates.find_key_holder(each) for each in digests} == {KeyHolder(each) for each in results}
    assert len(results) == 1


@pytest.mark.parametrize(
    ("reasons", "is_compromised"),
    [
        ((RevocationReason.KEY_COMPROMISE,), True),
        ((RevocationReason.CERTIFICATE_HOLD, RevocationReason.KEY_COMPROMISE), True),
        ((RevocationReason.SUPERSEDED, RevocationReason.KEY_COMPROMISE), True),
        ((RevocationReason.SUPERSEDED,), False),
        ((RevocationReason.CERTIFICATE_HOLD,), False),
    ],
)
def test_a_key_that_was_said_to_be_compromised_stays_so(
    store: SqlStore, reasons: tuple[RevocationReason, ...], is_compromised: bool
) -> None:
    request, profile = start(store)
    certificate = make_certificate(request, profile)
    issue(store, certificate)
    for reason in reasons:
        with store.writing() as session:
            session.certificates.revoke(certificate.serial, reason, NOW)
    with store.writing() as session:
        session.certificates.release(certificate.serial)
    with store.reading() as session:
        assert session.certificates.find_key_holder(certificate.key_digest) == KeyHolder(ALICE, is_compromised)
    if is_compromised:
        with pytest.raises(ChangedMeanwhile):
            add(store, make_certificate(request, profile, 1, key_digest=certificate.key_digest))


def test_a_revoked_certificate_says_when_and_why(store: SqlStore) -> None:
    request, profile = start(store)
    issue(store, make_certificate(request, profile))
    with store.writing() as session:
        session.certificates.revoke(get_only(store, request).serial, RevocationReason.KEY_COMPROMISE, NOW)
    found = get_only(store, request)
    assert (found.revocation_reason, found.revoked_at) == (RevocationReason.KEY_COMPROMISE, NOW)
    assert found.status(NOW) is CertificateStatus.REVOKED


def test_a_hold_can_become_final_and_what_is_final_stays(store: SqlStore) -> None:
    request, profile = start(store)
    certificate = make_certificate(request, profile)
    issue(store, certificate)
    later = NOW + timedelta(days=1)
    for reason, at in (
        (RevocationReason.CERTIFICATE_HOLD, NOW),
        (RevocationReason.KEY_COMPROMISE, later),
        (RevocationReason.CERTIFICATE_HOLD, later + timedelta(days=1)),
    ):
        with store.writing() as session:
            session.certificates.revoke(certificate.serial, reason, at)
    found = get_only(store, request)
    assert (found.revocation_reason, found.revoked_at) == (RevocationReason.KEY_COMPROMISE, later)


def test_what_is_revoked_before_it_is_signed_stays_revoked(store: SqlStore) -> None:
    request, profile = start(store)
    certificate = make_certificate(request, profile)
    add(store, certificate)
    with store.writing() as session:
        session.certificates.revoke(certificate.serial, RevocationReason.CESSATION_OF_OPERATION, NOW)
    with store.writing() as session:
        assert session.certificates.record(sign(certificate))
    found = get_only(store, request)
    assert found.encoded is not None
    assert found.revoked_at == NOW
