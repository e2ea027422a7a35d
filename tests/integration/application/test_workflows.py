"""What requests do to profiles and certificates, on a real database; archived keys are stood in for in the register."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from certwright.application.complete_request import complete_request
from certwright.application.create_request import RequestWish, create_request
from certwright.application.read_holdings import list_profile_certificates, read_profile
from certwright.domain.certificates import Certificate, CertificateStatus, SerialNumber, format_serial_number
from certwright.domain.errors import AccessDenied, MalformedValue, NothingArchived, ProfilesExhausted
from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.identities import Principal
from certwright.domain.policies import Answers, Choices, Policy
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.profiles import ProfileFlags, ProfileId, ProfileStatus
from certwright.domain.request_types import RequestType
from certwright.domain.revocation import RevocationReason, RevocationSettings
from certwright.domain.workflows import Operation
from worlds.contoso import AGENT, AGENTS, MANAGER, MANAGERS, SUBSCRIBER, SUBSCRIBERS
from worlds.house import SECOND, SIGNING, TWO, House, csr, signed_in

SELF = Policy(self_service=True, initiators=frozenset({MANAGERS}))
ENDING = RevocationSettings(disable_old_profile=True, revoke_old_certificates=True)
POLICIES = {
    RequestType.ENROLL: SELF,
    RequestType.RENEW: replace(SELF, reissue_archived_certificates=True),
    RequestType.RECOVER: replace(SELF, reissue_archived_certificates=True, revocation=ENDING),
    RequestType.RECOVER_ON_BEHALF: Policy(
        initiators=frozenset({MANAGERS}), enrollment_agents=frozenset({AGENTS}), enrollment_agent_required=True
    ),
    RequestType.DISABLE: SELF,
    RequestType.DUPLICATE: SELF,
    RequestType.ONLINE_UPDATE: replace(SELF, allow_specify_certificate_template=True),
    RequestType.RETIRE: SELF,
    RequestType.SUSPEND_OR_REINSTATE: SELF,
}


@pytest.fixture
def template(house: House) -> ProfileTemplate:
    """Two certificates, signing and encryption, and a policy for everything."""
    with house.store.writing() as session:
        kept = list(session.directory.load_grants())
        rights = [Grant(ObjectKind.PRINCIPAL, SUBSCRIBERS, each, MANAGERS) for each in (Right.REQUEST_RECOVER,)]
        session.directory.replace_grants([*kept, *rights])
    return house.save(replace(TWO, policies=POLICIES))


def run(
    house: House,
    operation: Operation,
    profile_id: ProfileId | None,
    keys: tuple[str, ...] = (),
    *,
    by: Principal = SUBSCRIBER,
    executed_by: Principal | None = None,
    choices: Choices = Choices(),  # noqa: B008 - frozen
) -> ProfileId:
    """Take a request from its start to its end and return the profile that it made or changed."""
    wish = RequestWish(
        operation=operation,
        template_id=TWO.id if profile_id is None else None,
        profile_id=profile_id,
        answers=Answers(choices=choices),
    )
    request = create_request(wish, by=signed_in(by), world=house.world)
    if keys:
        delivered = house.post(request.id, *(csr(each) for each in keys))
        assert [each.error for each in delivered] == [None] * len(keys)
    completed = complete_request(request.id, by=signed_in(executed_by or by), world=house.world)
    assert completed.request.profile_id is not None
    return completed.request.profile_id


def archive(house: House, profile_id: ProfileId, common_name: str) -> SerialNumber:
    """Say that the key of the profile's certificate of that template is archived, as if the server had made it."""
    (found,) = [each for each in held(house, profile_id) if each.template_common_name == common_name]
    engine = house.store.engines[-1]
    with engine.connect() as connection:
        serial = format_serial_number(found.serial)
        connection.execute(text("UPDATE certificates SET is_archived = 1 WHERE serial = :serial"), {"serial": serial})
        connection.commit()
    return found.serial


def held(house: House, profile_id: ProfileId) -> list[Certificate]:
    with house.store.reading() as session:
        return list(session.certificates.list_of_profile(profile_id))


def statuses(house: House, profile_id: ProfileId) -> dict[SerialNumber, CertificateStatus]:
    return {each.serial: each.status(house.clock.now()) for each in held(house, profile_id)}


def of_template(house: House, profile_id: ProfileId, common_name: str) -> SerialNumber:
    (found,) = [each for each in held(house, profile_id) if each.template_common_name == common_name]
    return found.serial


def look(house: House, profile_id: ProfileId) -> tuple[ProfileStatus, ProfileFlags]:
    with house.store.reading() as session:
        profile = session.profiles.get(profile_id)
    return profile.status, profile.flags


def test_the_worked_example_of_a_lost_card_with_a_duplicate(house: House, template: ProfileTemplate) -> None:
    # domain.md 4.3: the permanent profile has E1 and S1, the duplicate E1 and S2.
    permanent = run(house, Operation.ENROLL, None, ("s1", "e1"))
    e1, s1 = archive(house, permanent, SECOND.common_name), of_template(house, permanent, SIGNING.common_name)
    duplicate = run(house, Operation.DUPLICATE, permanent, ("s2",))
    s2 = of_template(house, duplicate, SIGNING.common_name)
    assert of_template(house, duplicate, SECOND.common_name) == e1

    # Replaced with "disable old", "revoke old" and "re-issue archived"; nothing is configured for duplicates.
    new = run(house, Operation.RECOVER, permanent, ("s3", "e2"))

    assert look(house, permanent) == (ProfileStatus.DISABLED, ProfileFlags.SUPERSEDED)
    assert look(house, duplicate) == (ProfileStatus.ACTIVE, ProfileFlags.DUPLICATE)
    assert look(house, new) == (ProfileStatus.ACTIVE, ProfileFlags.PRIMARY)
    assert statuses(house, permanent) == {e1: CertificateStatus.REVOKED, s1: CertificateStatus.REVOKED}
    assert statuses(house, duplicate) == {e1: CertificateStatus.REVOKED, s2: CertificateStatus.ACTIVE}
    history = [each.serial for each in held(house, new) if each.is_key_history]
    assert history == [e1]
    fresh = {each.template_common_name: each for each in held(house, new) if not each.is_key_history}
    assert set(fresh) == {SIGNING.common_name, SECOND.common_name}
    assert all(each.status(house.clock.now()) is CertificateStatus.ACTIVE for each in fresh.values())


def test_what_is_configured_for_duplicates_happens_to_them(house: House, template: ProfileTemplate) -> None:
    changed = replace(POLICIES[RequestType.RECOVER], revocation_for_duplicates=ENDING)
    house.save(replace(template, policies=POLICIES | {RequestType.RECOVER: changed}))
    permanent = run(house, Operation.ENROLL, None, ("s1", "e1"))
    archive(house, permanent, SECOND.common_name)
    duplicate = run(house, Operation.DUPLICATE, permanent, ("s2",))
    run(house, Operation.RECOVER, permanent, ("s3", "e2"))
    assert look(house, duplicate)[0] is ProfileStatus.DISABLED
    assert set(statuses(house, duplicate).values()) == {CertificateStatus.REVOKED}


def test_an_archived_certificate_that_is_not_reissued_goes_over_and_stays_good(house: House, template: ProfileTemplate) -> None:
    changed = replace(POLICIES[RequestType.RECOVER], reissue_archived_certificates=False)
    house.save(replace(template, policies=POLICIES | {RequestType.RECOVER: changed}))
    permanent = run(house, Operation.ENROLL, None, ("s1", "e1"))
    e1 = archive(house, permanent, SECOND.common_name)
    new = run(house, Operation.RECOVER, permanent, ("s2",))
    assert statuses(house, new)[e1] is CertificateStatus.ACTIVE
    assert not any(each.is_key_history for each in held(house, new))
    assert sorted(statuses(house, permanent).values()) == [CertificateStatus.ACTIVE, CertificateStatus.REVOKED]


def test_keys_are_recovered_for_somebody_else_by_an_agent(house: House, template: ProfileTemplate) -> None:
    permanent = run(house, Operation.ENROLL, None, ("s1", "e1"))
    with pytest.raises(NothingArchived):
        run(house, Operation.RECOVER_ON_BEHALF, permanent, by=MANAGER)
    e1 = archive(house, permanent, SECOND.common_name)
    with pytest.raises(AccessDenied):
        run(house, Operation.RECOVER_ON_BEHALF, permanent, by=SUBSCRIBER)
    escrow = run(house, Operation.RECOVER_ON_BEHALF, permanent, by=MANAGER, executed_by=AGENT)
    with house.store.reading() as session:
        profile = session.profiles.get(escrow)
    assert (profile.flags, profile.owner_id, profile.parent_id) == (ProfileFlags.KEY_ESCROW, AGENT.user.id, permanent)
    assert [(each.serial, each.is_key_history) for each in held(house, escrow)] == [(e1, True)]
    assert set(statuses(house, permanent).values()) == {CertificateStatus.ACTIVE}
    assert look(house, permanent) == (ProfileStatus.ACTIVE, ProfileFlags.PRIMARY)


def test_nothing_is_recovered_where_nothing_is_archived(house: House, template: ProfileTemplate) -> None:
    permanent = run(house, Operation.ENROLL, None, ("s1", "e1"))
    assert Operation.RECOVER not in read_profile(permanent, by=signed_in(SUBSCRIBER), world=house.world).operations
    with pytest.raises(NothingArchived):
        run(house, Operation.RECOVER, permanent)
    archive(house, permanent, SECOND.common_name)
    assert Operation.RECOVER in read_profile(permanent, by=signed_in(SUBSCRIBER), world=house.world).operations


def test_a_profile_that_took_the_place_of_another_counts_once(house: House, template: ProfileTemplate) -> None:
    limited = replace(POLICIES[RequestType.ENROLL], maximum_active_profiles=1)
    house.save(replace(template, policies=POLICIES | {RequestType.ENROLL: limited}))
    first = run(house, Operation.ENROLL, None, ("s1", "e1"))
    second = run(house, Operation.RENEW, first, ("s2", "e2"))
    with pytest.raises(ProfilesExhausted):
        run(house, Operation.ENROLL, None, ("s3", "e3"))
    run(house, Operation.RETIRE, second)
    run(house, Operation.ENROLL, None, ("s4", "e4"))


def test_a_profile_keeps_its_version_until_it_is_updated(house: House, template: ProfileTemplate) -> None:
    profile_id = run(house, Operation.ENROLL, None, ("s1", "e1"))
    shorter = house.save(replace(template, certificate_templates=(SIGNING,)))
    assert read_profile(profile_id, by=signed_in(SUBSCRIBER), world=house.world).profile.template_version == template.version
    run(house, Operation.ONLINE_UPDATE, profile_id)
    updated = read_profile(profile_id, by=signed_in(SUBSCRIBER), world=house.world).profile
    assert updated.template_version == shorter.version
    now = house.clock.now()
    by_template = {each.template_common_name: each.status(now) for each in held(house, profile_id)}
    assert by_template == {SIGNING.common_name: CertificateStatus.ACTIVE, SECOND.common_name: CertificateStatus.REVOKED}


def test_a_hold_that_became_a_revocation_is_not_ended(house: House, template: ProfileTemplate) -> None:
    profile_id = run(house, Operation.ENROLL, None, ("s1", "e1"))
    run(house, Operation.SUSPEND, profile_id)
    first, second = held(house, profile_id)
    with house.store.writing() as session:
        session.certificates.revoke(first.serial, RevocationReason.KEY_COMPROMISE, house.clock.now())
    run(house, Operation.REINSTATE, profile_id)
    found = statuses(house, profile_id)
    assert (found[first.serial], found[second.serial]) == (CertificateStatus.REVOKED, CertificateStatus.ACTIVE)


def test_an_earlier_revocation_takes_the_place_of_a_later_one(house: House, template: ProfileTemplate) -> None:
    profile_id = run(house, Operation.ENROLL, None, ("s1", "e1"))
    now = house.clock.now()
    first, _ = held(house, profile_id)
    with house.store.writing() as session:
        session.certificates.revoke(first.serial, RevocationReason.SUPERSEDED, now + timedelta(days=9))
        session.certificates.revoke(first.serial, RevocationReason.KEY_COMPROMISE, now + timedelta(days=1))
        session.certificates.revoke(first.serial, RevocationReason.UNSPECIFIED, now + timedelta(days=5))
    (found,) = [each for each in held(house, profile_id) if each.serial == first.serial]
    assert (found.revocation_reason, found.revoked_at) == (RevocationReason.KEY_COMPROMISE, now + timedelta(days=1))


def test_a_wish_that_contradicts_itself_is_refused(house: House, template: ProfileTemplate) -> None:
    profile_id = run(house, Operation.ENROLL, None, ("s1", "e1"))
    wrong = [
        RequestWish(operation=Operation.ENROLL),
        RequestWish(operation=Operation.RENEW),
        RequestWish(operation=Operation.RENEW, profile_id=profile_id, target_id=MANAGER.user.id),
    ]
    for wish in wrong:
        with pytest.raises(MalformedValue):
            create_request(wish, by=signed_in(SUBSCRIBER), world=house.world)
    assert len(list_profile_certificates(profile_id, by=signed_in(SUBSCRIBER), world=house.world)) == 2


def test_what_is_on_hold_is_not_good_again_while_its_revocation_waits(house: House, template: ProfileTemplate) -> None:
    allowed = replace(SELF, revocation=RevocationSettings(allow_specify_delay=True))
    house.save(replace(template, policies=POLICIES | {RequestType.DISABLE: allowed}))
    profile_id = run(house, Operation.ENROLL, None, ("s1", "e1"))
    run(house, Operation.SUSPEND, profile_id)
    run(house, Operation.DISABLE, profile_id, choices=Choices(revocation_delay=timedelta(days=3)))
    assert set(statuses(house, profile_id).values()) == {CertificateStatus.REVOKED}
