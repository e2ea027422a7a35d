"""What workflows keep in a store: operations, choices, approvals, copies, holds, templates that were withdrawn."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest

from certwright.adapters.sql.store import SqlStore
from certwright.domain.certificates import CertificateStatus
from certwright.domain.data_items import DataItem
from certwright.domain.errors import ChangedMeanwhile, ProfileTemplateNotFound
from certwright.domain.identities import UserId
from certwright.domain.policies import Choices
from certwright.domain.profiles import ProfileFlags, ProfileId, ProfileStatus
from certwright.domain.requests import Approval, RequestStatus
from certwright.domain.revocation import RevocationReason
from certwright.domain.workflows import Operation
from worlds.contoso import APPROVER, MANAGER, NOW, TEMPLATE
from worlds.holdings import BOB, make_certificate, make_profile, make_request


def about(store: SqlStore) -> ProfileId:
    """Return a stored profile to ask something of."""
    profile = make_profile()
    with store.writing() as session:
        session.templates.save(TEMPLATE)
        session.profiles.add(profile)
    return profile.id


def test_an_operation_and_what_was_chosen_come_back(store: SqlStore) -> None:
    profile_id = about(store)
    choices = Choices(
        revocation_reason=RevocationReason.KEY_COMPROMISE,
        revocation_delay=timedelta(days=2, seconds=5),
        certificate_template="SoftwareUser",
    )
    request = make_request(operation=Operation.SUSPEND, old_profile_id=profile_id, choices=choices)
    with store.writing() as session:
        session.requests.add(request)
    with store.reading() as session:
        assert session.requests.get(request.id) == request
        assert session.requests.list_open_about(profile_id) == (request,)
        assert session.requests.count_open_of_template(TEMPLATE.id) == 1


def test_one_request_of_an_operation_is_open_about_a_profile(store: SqlStore) -> None:
    profile_id = about(store)
    first = make_request(operation=Operation.RENEW, old_profile_id=profile_id)
    again = make_request(operation=Operation.RENEW, old_profile_id=profile_id)
    other = make_request(operation=Operation.DISABLE, old_profile_id=profile_id)
    with store.writing() as session:
        session.requests.add(first)
        session.requests.add(other)
    with pytest.raises(ChangedMeanwhile), store.writing() as session:
        session.requests.add(again)
    with store.writing() as session:
        session.requests.change(replace(first, status=RequestStatus.CANCELED), from_status=first.status)
        session.requests.add(again)


def test_an_approver_counts_once(store: SqlStore) -> None:
    about(store)
    request = make_request()
    given = [Approval(request_id=request.id, approver_id=each.user.id, at=NOW, comment="fine") for each in (APPROVER, MANAGER)]
    with store.writing() as session:
        session.requests.add(request)
        assert [session.requests.add_approval(each) for each in (*given, given[0])] == [True, True, False]
    with store.reading() as session:
        assert session.requests.list_approvals(request.id) == tuple(given)


def test_an_approval_stands_while_the_request_has_the_answers_that_it_is_for(store: SqlStore) -> None:
    about(store)
    given = (DataItem("Reason", "lost"), DataItem("Badge", "12", is_sensitive=True), DataItem("Phone", None))
    request = make_request()
    with store.writing() as session:
        session.requests.add(request)
        session.requests.add_approval(Approval(request_id=request.id, approver_id=APPROVER.user.id, at=NOW), given)
        # As an older program has stored it: it is for whatever is there.
        session.requests.add_approval(Approval(request_id=request.id, approver_id=MANAGER.user.id, at=NOW))

    def list_standing(*data: DataItem) -> list[UserId]:
        with store.reading() as session:
            return [each.approver_id for each in session.requests.list_standing_approvals(replace(request, data=data))]

    answered = DataItem("Phone", "1")
    for same in (given, given[:2], (*given[:2], answered), given[::-1]):
        assert list_standing(*same) == [APPROVER.user.id, MANAGER.user.id]
    for other in ((), given[1:], (DataItem("Reason", "found"), *given[1:]), (given[0], DataItem("Badge", "13"))):
        assert list_standing(*other) == [MANAGER.user.id]


def test_a_profile_holds_copies_as_what_they_are_to_it(store: SqlStore) -> None:
    profile_id = about(store)
    request, duplicate = make_request(), replace(make_profile(), flags=ProfileFlags.DUPLICATE, primary_id=profile_id)
    with store.writing() as session:
        session.requests.add(request)
        session.profiles.add(duplicate)
        owner = session.profiles.get(profile_id)
        certificates = [make_certificate(request, owner, place) for place in range(2)]
        session.certificates.add(certificates)
        assert len(session.certificates.list_unsigned_of_profile(profile_id)) == 2
        for each in certificates:
            session.certificates.record(replace(each, to_be_signed=None, encoded=uuid4().bytes, thumbprint="AB"))
        shared, kept = (each.serial for each in certificates)
        session.certificates.add_copies(duplicate.id, [shared], is_key_history=False)
        session.certificates.add_copies(duplicate.id, [kept, shared], is_key_history=True)
    with store.reading() as session:
        copies = {each.serial: each.is_key_history for each in session.certificates.list_of_profile(duplicate.id)}
        own = [each.is_key_history for each in session.certificates.list_of_profile(profile_id)]
        assert (copies, own) == ({shared: False, kept: True}, [False, False])
        assert session.profiles.list_duplicates(profile_id) == (duplicate,)
        live = frozenset({ProfileStatus.ACTIVE, ProfileStatus.NEW})
        assert session.profiles.count_of_template(TEMPLATE.id, live) == 2
        last = session.profiles.find_last_number()
        assert session.profiles.count_of_template(TEMPLATE.id, live, after=last - 1) == 1
        assert session.profiles.count_of_template(TEMPLATE.id, live, after=last) == 0


def test_what_all_profiles_of_an_owner_hold_is_what_each_of_them_holds(store: SqlStore) -> None:
    first, second, third, others = make_profile(), make_profile(), make_profile(), make_profile(BOB)
    request, open_request = make_request(), make_request(operation=Operation.RENEW, old_profile_id=first.id)
    closed = make_request(operation=Operation.DISABLE, old_profile_id=second.id, status=RequestStatus.CANCELED)
    of_another = make_request(BOB, operation=Operation.RENEW, old_profile_id=others.id)
    with store.writing() as session:
        session.templates.save(TEMPLATE)
        for profile in (first, second, third, others):
            session.profiles.add(profile)
        for each in (request, open_request, closed, of_another):
            session.requests.add(each)
        made = [make_certificate(request, each, place) for place, each in enumerate((first, second, first, others))]
        session.certificates.add([*made, make_certificate(request, first, 9)])
        for each in made:
            session.certificates.record(replace(each, to_be_signed=None, encoded=uuid4().bytes, thumbprint="AB"))
        session.certificates.add_copies(second.id, [made[0].serial], is_key_history=True)
        session.certificates.add_copies(second.id, [made[2].serial, made[1].serial], is_key_history=True)
        session.certificates.add_copies(others.id, [made[0].serial], is_key_history=False)
        session.certificates.add_copies(others.id, [made[1].serial], is_key_history=True)
    with store.reading() as session:
        page = session.profiles.list_page_of(first.owner_id, after=None, limit=10)
        assert page == (third, second, first)
        assert session.profiles.list_page_of(first.owner_id, after=third.id, limit=1) == (second,)
        assert session.profiles.list_page_of(first.owner_id, after=first.id, limit=1) == ()
        assert session.certificates.list_by_profile((second,)).keys() == {second.id}
        assert session.requests.list_open_about_profiles_of((third, second)) == ()
        held = session.certificates.list_by_profile(page)
        assert {each: held.get(each, ()) for each in (first.id, second.id, third.id)} == {
            each: session.certificates.list_of_profile(each) for each in (first.id, second.id, third.id)
        }
        assert held.keys() == {first.id, second.id}
        assert [each.is_key_history for each in held[second.id]] == [True, True, True]
        own = {made[0].serial, made[1].serial, made[2].serial}
        assert set(session.certificates.list_key_history(first.owner_id)) == own
        assert session.certificates.list_key_history(others.owner_id) == (), (
            "what is recovered for somebody else is its owner's"
        )
        assert session.requests.list_open_about_profiles_of(page) == (open_request,)


def test_a_hold_ends_and_the_earliest_revocation_counts(store: SqlStore) -> None:
    profile_id = about(store)
    request = make_request()
    with store.writing() as session:
        session.requests.add(request)
        certificate = make_certificate(request, session.profiles.get(profile_id), 0)
        session.certificates.add([certificate])
        session.certificates.revoke(certificate.serial, RevocationReason.CERTIFICATE_HOLD, NOW)
        session.certificates.release(certificate.serial)
        (released,) = session.certificates.list_of_request(request.id)
        assert (released.revoked_at, released.revocation_reason) == (None, None)
        for days, reason in (
            (9, RevocationReason.SUPERSEDED),
            (1, RevocationReason.KEY_COMPROMISE),
            (5, RevocationReason.UNSPECIFIED),
        ):
            session.certificates.revoke(certificate.serial, reason, NOW + timedelta(days=days))
        session.certificates.revoke(certificate.serial, RevocationReason.CERTIFICATE_HOLD, NOW)
        session.certificates.release(certificate.serial)
    with store.reading() as session:
        (found,) = session.certificates.list_of_request(request.id)
    assert (found.revocation_reason, found.revoked_at) == (RevocationReason.KEY_COMPROMISE, NOW + timedelta(days=1))
    assert found.status(NOW + timedelta(days=2)) is CertificateStatus.REVOKED


def test_a_withdrawn_template_is_there_for_what_is_under_it_and_can_come_back(store: SqlStore) -> None:
    with store.writing() as session:
        session.templates.save(TEMPLATE)
        session.templates.withdraw(TEMPLATE.id)
        session.templates.withdraw(TEMPLATE.id)
    with store.reading() as session:
        assert session.templates.list_newest() == ()
        with pytest.raises(ProfileTemplateNotFound):
            session.templates.get(TEMPLATE.id)
        assert session.templates.get(TEMPLATE.id, 1) == TEMPLATE
    with store.writing() as session:
        assert session.templates.save(TEMPLATE).version == 1
        assert session.templates.list_newest() == (TEMPLATE,)


def test_of_two_that_would_take_the_place_of_a_profile_one_does(store: SqlStore) -> None:
    profile_id, met = about(store), Barrier(2)
    with store.writing() as session:
        before = session.profiles.get(profile_id)

    def supersede(_number: int) -> bool:
        met.wait()
        with store.writing() as session:
            profile = session.profiles.get_locked(profile_id)
            if ProfileFlags.PRIMARY not in profile.flags:
                return False
            session.profiles.change(replace(profile, flags=ProfileFlags.SUPERSEDED), from_status=profile.status)
            return True

    assert ProfileFlags.PRIMARY in before.flags
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(supersede, range(2))) == [False, True]
