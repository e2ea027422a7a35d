"""What is due, found on both databases: `ports.Renewals`, revocations that were put off, requests that rest."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from certwright.adapters.sql.store import SqlStore
from certwright.domain.certificates import Certificate
from certwright.domain.delayed_revocations import DelayedRevocation
from certwright.domain.profiles import Profile, ProfileFlags, ProfileStatus
from certwright.domain.program import THE_PROGRAM
from certwright.domain.renewals import RETRY, Renewal
from certwright.domain.requests import Request, RequestStatus
from certwright.domain.revocation import RevocationReason
from certwright.domain.workflows import Operation
from worlds.contoso import NOW, TEMPLATE
from worlds.holdings import make_certificate, make_event, make_profile, make_request, start

DAY = timedelta(days=1)
END = NOW + 20 * DAY
UNTIL = NOW + 30 * DAY


def hold(store: SqlStore, *, end: datetime = END, **changed) -> tuple[Request, Profile, Certificate]:
    """Return an active profile with an issued certificate that ends then."""
    request, _ = start(store)
    profile = make_profile(**({"status": ProfileStatus.ACTIVE} | changed))
    certificate = make_certificate(request, profile, not_after=end)
    with store.writing() as session:
        session.profiles.add(profile)
        session.certificates.add([certificate])
        session.certificates.record(replace(certificate, to_be_signed=None, encoded=b"der", thumbprint="AB"))
    return request, profile, certificate


def list_due(store: SqlStore, now: datetime = NOW, until: datetime = UNTIL) -> list:
    with store.reading() as session:
        found = session.renewals.list_due({TEMPLATE.id: until}, now=now, limit=10).due
        alone = [session.renewals.find_due(each.profile_id, now=now, until=until) for each in found]
    assert list(found) == alone
    return [each.profile_id for each in found]


# -- renewals --------------------------------------------------------------------------------------------------------------


def test_profiles_are_due_whose_certificates_end_in_the_period_the_first_to_end_first(store: SqlStore) -> None:
    _, late, _ = hold(store, end=UNTIL)
    _, soon, _ = hold(store)
    hold(store, end=UNTIL + DAY)
    hold(store, end=NOW)
    assert list_due(store) == [soon.id, late.id]
    with store.reading() as session:
        (first,) = session.renewals.list_due({TEMPLATE.id: UNTIL}, now=NOW, limit=1).due
    assert (first.profile_id, first.first_end) == (soon.id, END)


def test_a_look_for_renewals_goes_through_so_many_certificates_and_the_next_one_goes_on(store: SqlStore) -> None:
    held = [hold(store, end=NOW + days * DAY)[1].id for days in (1, 2, 2, 3, 4)]
    found, after = [], None
    with store.reading() as session:
        while True:
            part = session.renewals.list_due({TEMPLATE.id: UNTIL}, now=NOW, limit=10, after=after, among=2)
            found.append([each.profile_id for each in part.due])
            after = part.following
            if after is None:
                break
    # Of those that end at one moment, none is between two looks.
    assert [sorted(each) for each in found] == [sorted(held[:3]), sorted(held[3:]), []]


@pytest.mark.parametrize(
    "changed",
    [
        {"status": ProfileStatus.NEW},
        {"status": ProfileStatus.SUSPENDED},
        {"status": ProfileStatus.DISABLED},
        {"flags": ProfileFlags.SUPERSEDED},
        {"flags": ProfileFlags.DUPLICATE},
    ],
    ids=str,
)
def test_only_active_primary_profiles_are_due(store: SqlStore, changed: dict) -> None:
    _, profile, _ = hold(store, **changed)
    assert list_due(store) == []
    with store.reading() as session:
        assert session.renewals.find_due(profile.id, now=NOW, until=UNTIL) is None


@pytest.mark.parametrize("is_key_history", [False, True])
def test_a_profile_is_due_by_what_it_shares_and_not_by_key_history(store: SqlStore, is_key_history: bool) -> None:
    _, _, shared = hold(store, flags=ProfileFlags.SUPERSEDED)
    successor = make_profile(status=ProfileStatus.ACTIVE)
    with store.writing() as session:
        session.profiles.add(successor)
        session.certificates.add_copies(successor.id, [shared.serial], is_key_history=is_key_history)
    assert list_due(store) == ([] if is_key_history else [successor.id])


def test_a_revoked_certificate_makes_nothing_due(store: SqlStore) -> None:
    _, _, certificate = hold(store)
    with store.writing() as session:
        session.certificates.revoke(certificate.serial, RevocationReason.SUPERSEDED, NOW + DAY)
    assert list_due(store) == []


def test_what_is_being_renewed_is_not_due(store: SqlStore) -> None:
    _, profile, _ = hold(store)
    renewing = make_request(operation=Operation.RENEW, status=RequestStatus.PENDING, old_profile_id=profile.id)
    with store.writing() as session:
        session.requests.add(renewing)
    assert list_due(store) == []
    with store.writing() as session:
        session.requests.change(replace(renewing, status=RequestStatus.DENIED), from_status=RequestStatus.PENDING)
    assert list_due(store) == [profile.id]


def test_a_renewal_that_was_begun_stands_for_the_certificates_of_then(store: SqlStore) -> None:
    request, profile, _ = hold(store)
    begun = Renewal(profile_id=profile.id, last_end=END, at=NOW, request_id=request.id)
    with store.writing() as session:
        session.renewals.record(begun)
    assert list_due(store, now=NOW + 10 * DAY) == []
    with store.writing() as session:
        session.renewals.record(replace(begun, last_end=END - DAY))
        assert session.renewals.find(profile.id) == replace(begun, last_end=END - DAY)
    assert list_due(store) == [profile.id]


def test_a_renewal_that_was_refused_is_due_again_after_a_day_or_when_the_clock_was_put_back(store: SqlStore) -> None:
    _, profile, _ = hold(store)
    with store.writing() as session:
        session.renewals.record(Renewal(profile_id=profile.id, last_end=END, at=NOW, refusal="subject-disabled"))
    assert list_due(store) == []
    assert list_due(store, now=NOW + RETRY - timedelta(seconds=1)) == []
    assert list_due(store, now=NOW + RETRY) == [profile.id]
    assert list_due(store, now=NOW - timedelta(seconds=1)) == [profile.id]


# -- revocations that were put off -------------------------------------------------------------------------------------------


def test_a_delayed_revocation_is_due_from_its_moment_on_and_settled_once(store: SqlStore) -> None:
    request, _, certificate = hold(store)
    delayed = DelayedRevocation(serial=certificate.serial, request_id=request.id, effective=NOW + DAY, lists="base")
    with store.writing() as session:
        session.certificates.revoke(certificate.serial, RevocationReason.SUPERSEDED, NOW + DAY)
        session.delayed_revocations.add(delayed)
        assert session.delayed_revocations.list_due(NOW, 10) == ()
        assert session.delayed_revocations.list_due(NOW + DAY, 10) == (delayed,)
        settled = session.delayed_revocations.settle(delayed)
        assert settled is not None
        assert settled.serial == certificate.serial
        assert session.delayed_revocations.settle(delayed) is None
        assert session.delayed_revocations.list_due(NOW + DAY, 10) == ()


def test_an_earlier_revocation_leaves_nothing_to_settle(store: SqlStore) -> None:
    request, _, certificate = hold(store)
    later = DelayedRevocation(serial=certificate.serial, request_id=request.id, effective=NOW + 2 * DAY)
    sooner = replace(later, effective=NOW + DAY)
    with store.writing() as session:
        for each in (later, sooner):
            session.certificates.revoke(certificate.serial, RevocationReason.SUPERSEDED, each.effective)
            session.delayed_revocations.add(each)
        assert session.delayed_revocations.list_due(NOW + 2 * DAY, 10) == (sooner,)
        session.certificates.revoke(certificate.serial, RevocationReason.KEY_COMPROMISE, NOW)
        assert session.delayed_revocations.settle(sooner) is None
        assert session.delayed_revocations.list_due(NOW + 2 * DAY, 10) == ()


# -- requests that rest ------------------------------------------------------------------------------------------------------


def list_idle(store: SqlStore, idle_since: datetime) -> list:
    with store.reading() as session:
        found = [each.id for each in session.requests.list_idle(idle_since, 10)]
        assert all(session.requests.is_idle(each, idle_since) for each in found)
    return found


def test_open_requests_are_idle_that_nobody_but_the_program_has_touched(store: SqlStore) -> None:
    old, _ = start(store)
    touched, noted, closed = make_request(), make_request(), make_request(status=RequestStatus.COMPLETED)
    young = make_request(submitted=NOW + 2 * DAY)
    with store.writing() as session:
        for each in (touched, noted, closed, young):
            session.requests.add(each)
        session.history.append(
            [
                make_event(request_id=touched.id, at=NOW + 2 * DAY),
                make_event(request_id=old.id, at=NOW),
                make_event(request_id=noted.id, at=NOW + 2 * DAY, source=THE_PROGRAM.source),
            ]
        )
    assert list_idle(store, NOW + DAY) == [old.id, noted.id]
    assert list_idle(store, NOW + 2 * DAY) == [old.id, touched.id, noted.id, young.id]
    with store.reading() as session:
        assert not session.requests.is_idle(touched.id, NOW + DAY)
