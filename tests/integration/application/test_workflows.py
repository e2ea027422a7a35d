"""What requests do to profiles and certificates, on a real database; clients make the archived keys, too."""

from dataclasses import replace
from datetime import timedelta

import pytest

from certwright.application.complete_request import complete_request
from certwright.application.create_request import RequestWish, create_request
from certwright.application.read_holdings import list_profile_certificates, list_profiles, read_profile
from certwright.domain.certificates import CertificateStatus, SerialNumber
from certwright.domain.errors import (
    AccessDenied,
    ChoiceNotOffered,
    DuplicatesExhausted,
    MalformedValue,
    NothingArchived,
    ProfilesExhausted,
    ProfileStateRefused,
    ProfileTemplateNotFound,
    RulesBroken,
    TransitionRefused,
)
from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.policies import Choices, Policy
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.profiles import ProfileFlags, ProfileId, ProfileStatus
from certwright.domain.request_types import RequestType
from certwright.domain.revocation import RevocationReason, RevocationSettings
from certwright.domain.workflows import WORKFLOWS, Operation
from worlds.contoso import AGENT, AGENTS, APPROVERS, MANAGER, MANAGERS, SUBSCRIBER, SUBSCRIBERS
from worlds.house import SECOND, SIGNING, TWO, House, signed_in

SELF = Policy(self_service=True, initiators=frozenset({MANAGERS}))
ENDING = RevocationSettings(disable_old_profile=True, revoke_old_certificates=True)
POLICIES = {
    RequestType.ENROLL: SELF,
    RequestType.RENEW: SELF,
    RequestType.RECOVER: replace(SELF, reissue_archived_certificates=True, revocation=ENDING),
    RequestType.RECOVER_ON_BEHALF: Policy(
        initiators=frozenset({MANAGERS}),
        approvals_needed=1,
        approvers=frozenset({APPROVERS}),
        enrollment_agents=frozenset({AGENTS}),
        enrollment_agent_required=True,
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
        rights = [
            Grant(ObjectKind.PRINCIPAL, SUBSCRIBERS, each, MANAGERS) for each in (Right.REQUEST_RECOVER, Right.REQUEST_REVOKE)
        ]
        session.directory.replace_grants([*kept, *rights])
    return house.save(replace(TWO, policies=POLICIES))


def statuses(house: House, profile_id: ProfileId) -> dict[SerialNumber, CertificateStatus]:
    return {each.serial: each.status(house.clock.now()) for each in house.held(profile_id)}


def of_template(house: House, profile_id: ProfileId, common_name: str) -> SerialNumber:
    (found,) = [each for each in house.held(profile_id) if each.template_common_name == common_name]
    return found.serial


def look(house: House, profile_id: ProfileId) -> tuple[ProfileStatus, ProfileFlags]:
    with house.store.reading() as session:
        profile = session.profiles.get(profile_id)
    return profile.status, profile.flags


def test_the_worked_example_of_a_lost_card_with_a_duplicate(house: House, template: ProfileTemplate) -> None:
    # domain.md 4.3: the permanent profile has E1 and S1, the duplicate E1 and S2.
    permanent = house.run(Operation.ENROLL, None, ("s1", "e1"))
    e1, s1 = house.archive(permanent, SECOND.common_name), of_template(house, permanent, SIGNING.common_name)
    duplicate = house.run(Operation.DUPLICATE, permanent, ("s2",))
    s2 = of_template(house, duplicate, SIGNING.common_name)
    assert of_template(house, duplicate, SECOND.common_name) == e1

    # Replaced with "disable old", "revoke old" and "re-issue archived"; nothing is configured for duplicates.
    new = house.run(Operation.RECOVER, permanent, ("s3", "e2"))

    assert look(house, permanent) == (ProfileStatus.DISABLED, ProfileFlags.SUPERSEDED)
    assert look(house, duplicate) == (ProfileStatus.ACTIVE, ProfileFlags.DUPLICATE)
    assert look(house, new) == (ProfileStatus.ACTIVE, ProfileFlags.PRIMARY)
    assert statuses(house, permanent) == {e1: CertificateStatus.REVOKED, s1: CertificateStatus.REVOKED}
    assert statuses(house, duplicate) == {e1: CertificateStatus.REVOKED, s2: CertificateStatus.ACTIVE}
    history = [each.serial for each in house.held(new) if each.is_key_history]
    assert history == [e1]
    fresh = {each.template_common_name: each for each in house.held(new) if not each.is_key_history}
    assert set(fresh) == {SIGNING.common_name, SECOND.common_name}
    assert all(each.status(house.clock.now()) is CertificateStatus.ACTIVE for each in fresh.values())


def test_what_is_configured_for_duplicates_happens_to_them(house: House, template: ProfileTemplate) -> None:
    changed = replace(POLICIES[RequestType.RECOVER], revocation_for_duplicates=ENDING)
    house.save(replace(template, policies=POLICIES | {RequestType.RECOVER: changed}))
    permanent = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.archive(permanent, SECOND.common_name)
    duplicate = house.run(Operation.DUPLICATE, permanent, ("s2",))
    house.run(Operation.RECOVER, permanent, ("s3", "e2"))
    assert look(house, duplicate)[0] is ProfileStatus.DISABLED
    assert set(statuses(house, duplicate).values()) == {CertificateStatus.REVOKED}


def test_an_archived_certificate_that_is_not_reissued_goes_over_and_stays_good(house: House, template: ProfileTemplate) -> None:
    changed = replace(POLICIES[RequestType.RECOVER], reissue_archived_certificates=False)
    house.save(replace(template, policies=POLICIES | {RequestType.RECOVER: changed}))
    permanent = house.run(Operation.ENROLL, None, ("s1", "e1"))
    e1 = house.archive(permanent, SECOND.common_name)
    new = house.run(Operation.RECOVER, permanent, ("s2",))
    assert statuses(house, new)[e1] is CertificateStatus.ACTIVE
    assert not any(each.is_key_history for each in house.held(new))
    assert sorted(statuses(house, permanent).values()) == [CertificateStatus.ACTIVE, CertificateStatus.REVOKED]


def test_keys_are_recovered_for_somebody_else_by_an_agent(house: House, template: ProfileTemplate) -> None:
    permanent = house.run(Operation.ENROLL, None, ("s1", "e1"))
    with pytest.raises(NothingArchived):
        house.run(Operation.RECOVER_ON_BEHALF, permanent, by=MANAGER)
    e1 = house.archive(permanent, SECOND.common_name)
    with pytest.raises(AccessDenied):
        house.run(Operation.RECOVER_ON_BEHALF, permanent, by=SUBSCRIBER)
    escrow = house.run(Operation.RECOVER_ON_BEHALF, permanent, by=MANAGER, executed_by=AGENT)
    with house.store.reading() as session:
        profile = session.profiles.get(escrow)
    assert (profile.flags, profile.owner_id, profile.parent_id) == (ProfileFlags.KEY_ESCROW, AGENT.user.id, permanent)
    assert [(each.serial, each.is_key_history) for each in house.held(escrow)] == [(e1, True)]
    assert set(statuses(house, permanent).values()) == {CertificateStatus.ACTIVE}
    assert look(house, permanent) == (ProfileStatus.ACTIVE, ProfileFlags.PRIMARY)


def test_nothing_is_recovered_where_nothing_is_archived(house: House, template: ProfileTemplate) -> None:
    permanent = house.run(Operation.ENROLL, None, ("s1", "e1"))
    assert Operation.RECOVER not in read_profile(permanent, by=signed_in(SUBSCRIBER), world=house.world).operations
    with pytest.raises(NothingArchived):
        house.run(Operation.RECOVER, permanent)
    house.archive(permanent, SECOND.common_name)
    assert Operation.RECOVER in read_profile(permanent, by=signed_in(SUBSCRIBER), world=house.world).operations


def test_a_profile_that_took_the_place_of_another_counts_once(house: House, template: ProfileTemplate) -> None:
    limited = replace(POLICIES[RequestType.ENROLL], maximum_active_profiles=1)
    house.save(replace(template, policies=POLICIES | {RequestType.ENROLL: limited}))
    first = house.run(Operation.ENROLL, None, ("s1", "e1"))
    second = house.run(Operation.RENEW, first, ("s2", "e2"))
    with pytest.raises(ProfilesExhausted):
        house.run(Operation.ENROLL, None, ("s3", "e3"))
    house.run(Operation.RETIRE, second)
    house.run(Operation.ENROLL, None, ("s4", "e4"))


def test_an_update_revokes_what_it_replaces_as_its_policy_says(house: House, template: ProfileTemplate) -> None:
    settings = RevocationSettings(
        reason=RevocationReason.CESSATION_OF_OPERATION, delay=timedelta(days=2), publish_base_crl=True
    )
    changed = replace(POLICIES[RequestType.ONLINE_UPDATE], revocation=settings)
    house.save(replace(template, policies=POLICIES | {RequestType.ONLINE_UPDATE: changed}))
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    replaced = of_template(house, profile_id, SIGNING.common_name)
    house.run(Operation.ONLINE_UPDATE, profile_id, ("s2",), choices=Choices(certificate_template=SIGNING.common_name))
    (found,) = [each for each in house.held(profile_id) if each.serial == replaced]
    assert found.revocation_reason is RevocationReason.CESSATION_OF_OPERATION
    assert found.revoked_at == house.clock.now() + timedelta(days=2)
    assert look(house, profile_id) == (ProfileStatus.ACTIVE, ProfileFlags.PRIMARY)
    assert house.told(profile_id).count("crl.requested") == 1


def test_a_profile_keeps_its_version_until_it_is_updated(house: House, template: ProfileTemplate) -> None:
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    shorter = house.save(replace(template, certificate_templates=(SIGNING,)))
    assert read_profile(profile_id, by=signed_in(SUBSCRIBER), world=house.world).profile.template_version == template.version
    house.run(Operation.ONLINE_UPDATE, profile_id)
    updated = read_profile(profile_id, by=signed_in(SUBSCRIBER), world=house.world).profile
    assert updated.template_version == shorter.version
    now = house.clock.now()
    by_template = {each.template_common_name: each.status(now) for each in house.held(profile_id)}
    assert by_template == {SIGNING.common_name: CertificateStatus.ACTIVE, SECOND.common_name: CertificateStatus.REVOKED}


def test_completion_of_what_another_caller_has_completed_is_refused(house: House, template: ProfileTemplate) -> None:
    profile_id = house.run(Operation.ENROLL, None, ("a", "b"))
    wish = RequestWish(operation=Operation.DISABLE, profile_id=profile_id)
    request = create_request(wish, by=signed_in(MANAGER), world=house.world)
    complete_request(request.id, by=signed_in(MANAGER), world=house.world)
    complete_request(request.id, by=signed_in(MANAGER), world=house.world)
    with pytest.raises(TransitionRefused):
        complete_request(request.id, by=signed_in(SUBSCRIBER), world=house.world)


def test_a_hold_that_became_a_revocation_is_not_ended(house: House, template: ProfileTemplate) -> None:
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.run(Operation.SUSPEND, profile_id)
    first, second = house.held(profile_id)
    with house.store.writing() as session:
        session.certificates.revoke(first.serial, RevocationReason.KEY_COMPROMISE, house.clock.now())
    house.run(Operation.REINSTATE, profile_id)
    found = statuses(house, profile_id)
    assert (found[first.serial], found[second.serial]) == (CertificateStatus.REVOKED, CertificateStatus.ACTIVE)


def test_an_earlier_revocation_takes_the_place_of_a_later_one(house: House, template: ProfileTemplate) -> None:
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    now = house.clock.now()
    first, _ = house.held(profile_id)
    with house.store.writing() as session:
        session.certificates.revoke(first.serial, RevocationReason.SUPERSEDED, now + timedelta(days=9))
        session.certificates.revoke(first.serial, RevocationReason.KEY_COMPROMISE, now + timedelta(days=1))
        session.certificates.revoke(first.serial, RevocationReason.UNSPECIFIED, now + timedelta(days=5))
    (found,) = [each for each in house.held(profile_id) if each.serial == first.serial]
    assert (found.revocation_reason, found.revoked_at) == (RevocationReason.KEY_COMPROMISE, now + timedelta(days=1))


def test_a_wish_that_contradicts_itself_is_refused(house: House, template: ProfileTemplate) -> None:
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
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
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.run(Operation.SUSPEND, profile_id)
    house.run(Operation.DISABLE, profile_id, choices=Choices(revocation_delay=timedelta(days=3)))
    assert set(statuses(house, profile_id).values()) == {CertificateStatus.REVOKED}


@pytest.mark.parametrize("operation", [Operation.DISABLE, Operation.RETIRE])
def test_what_ends_a_profile_revokes_its_key_history_too_but_not_what_was_recovered_for_somebody_else(
    house: House, template: ProfileTemplate, operation: Operation
) -> None:
    with house.store.writing() as session:
        right = Grant(ObjectKind.PROFILE_TEMPLATE, str(TWO.id), Right.READ, AGENTS)
        session.directory.replace_grants([*session.directory.load_grants(), right])
    first = house.run(Operation.ENROLL, None, ("s1", "e1"))
    e1 = house.archive(first, SECOND.common_name)
    escrow = house.run(Operation.RECOVER_ON_BEHALF, first, by=MANAGER, executed_by=AGENT)
    house.run(operation, escrow, by=AGENT)
    assert set(statuses(house, first).values()) == {CertificateStatus.ACTIVE}
    second = house.run(Operation.RENEW, first, ("s2", "e2"))
    assert statuses(house, second)[e1] is CertificateStatus.ACTIVE
    house.run(operation, second)
    assert set(statuses(house, second).values()) == {CertificateStatus.REVOKED}
    assert len(statuses(house, second)) == 3


def enrolled(house: House) -> ProfileId:
    return house.run(Operation.ENROLL, None, ("s1", "e1"))


def save_policy(house: House, template: ProfileTemplate, request_type: RequestType, policy: Policy) -> None:
    house.save(replace(template, policies=POLICIES | {request_type: policy}))


def reasons(house: House, profile_id: ProfileId) -> set[RevocationReason | None]:
    return {each.revocation_reason for each in house.held(profile_id)}


def test_a_renewal_takes_the_place_of_the_old_profile_and_leaves_its_certificates(
    house: House, template: ProfileTemplate
) -> None:
    old = enrolled(house)
    new = house.run(Operation.RENEW, old, ("s2", "e2"))
    with house.store.reading() as session:
        profile = session.profiles.get(new)
    assert (profile.status, profile.flags) == (ProfileStatus.ACTIVE, ProfileFlags.PRIMARY)
    assert (profile.parent_id, profile.primary_id, profile.owner_id) == (old, None, SUBSCRIBER.user.id)
    assert look(house, old) == (ProfileStatus.ACTIVE, ProfileFlags.SUPERSEDED)
    assert set(statuses(house, old).values()) == {CertificateStatus.ACTIVE}
    assert not statuses(house, old).keys() & statuses(house, new).keys()


def test_a_renewal_ends_the_old_profile_where_the_policy_says_so_and_when(house: House, template: ProfileTemplate) -> None:
    ending = replace(ENDING, reason=RevocationReason.CESSATION_OF_OPERATION, delay=timedelta(days=2))
    save_policy(house, template, RequestType.RENEW, replace(POLICIES[RequestType.RENEW], revocation=ending))
    old = enrolled(house)
    new = house.run(Operation.RENEW, old, ("s2", "e2"))
    assert look(house, old) == (ProfileStatus.DISABLED, ProfileFlags.SUPERSEDED)
    assert set(statuses(house, old).values()) == {CertificateStatus.ACTIVE}
    house.clock.step(timedelta(days=2))
    assert set(statuses(house, old).values()) == {CertificateStatus.REVOKED}
    assert reasons(house, old) == {RevocationReason.CESSATION_OF_OPERATION}
    assert set(statuses(house, new).values()) == {CertificateStatus.ACTIVE}


@pytest.mark.parametrize(
    ("choices", "reason", "days"),
    [
        (Choices(), RevocationReason.AFFILIATION_CHANGED, 5),
        (Choices(revocation_reason=RevocationReason.KEY_COMPROMISE), RevocationReason.KEY_COMPROMISE, 5),
        (Choices(revocation_delay=timedelta()), RevocationReason.AFFILIATION_CHANGED, 0),
        (
            Choices(revocation_reason=RevocationReason.UNSPECIFIED, revocation_delay=timedelta(days=9)),
            RevocationReason.UNSPECIFIED,
            9,
        ),
    ],
    ids=["the policy's", "a reason chosen", "at once", "both chosen"],
)
def test_a_profile_is_disabled_with_the_reason_and_the_delay_that_count(
    house: House, template: ProfileTemplate, choices: Choices, reason: RevocationReason, days: int
) -> None:
    settings = RevocationSettings(
        reason=RevocationReason.AFFILIATION_CHANGED,
        delay=timedelta(days=5),
        publish_base_crl=True,
        allow_specify_reason=True,
        allow_specify_delay=True,
    )
    save_policy(house, template, RequestType.DISABLE, replace(SELF, revocation=settings))
    profile_id = enrolled(house)
    effective = house.clock.now() + timedelta(days=days)
    house.run(Operation.DISABLE, profile_id, choices=choices)
    assert look(house, profile_id) == (ProfileStatus.DISABLED, ProfileFlags.PRIMARY)
    assert {each.revoked_at for each in house.held(profile_id)} == {effective}
    assert reasons(house, profile_id) == {reason}
    assert house.told(profile_id) == [
        "request.created",
        "request.completed",
        "certificate.revoked",
        "certificate.revoked",
        "profile.changed",
        "crl.requested",
    ]


def test_a_choice_that_is_not_offered_starts_nothing(house: House, template: ProfileTemplate) -> None:
    profile_id = enrolled(house)
    chosen = Choices(revocation_reason=RevocationReason.KEY_COMPROMISE, revocation_delay=timedelta(days=1))
    with pytest.raises(RulesBroken) as refused:
        house.run(Operation.DISABLE, profile_id, choices=chosen)
    assert [type(each) for each in refused.value.broken] == [ChoiceNotOffered, ChoiceNotOffered]
    assert look(house, profile_id) == (ProfileStatus.ACTIVE, ProfileFlags.PRIMARY)
    assert house.told(profile_id) == []


def test_a_suspended_profile_is_on_hold_until_it_is_reinstated(house: House, template: ProfileTemplate) -> None:
    profile_id = enrolled(house)
    house.run(Operation.SUSPEND, profile_id)
    assert look(house, profile_id) == (ProfileStatus.SUSPENDED, ProfileFlags.PRIMARY)
    assert set(statuses(house, profile_id).values()) == {CertificateStatus.ON_HOLD}
    with pytest.raises(ProfileStateRefused):
        house.run(Operation.SUSPEND, profile_id)

    house.run(Operation.REINSTATE, profile_id)
    assert look(house, profile_id) == (ProfileStatus.ACTIVE, ProfileFlags.PRIMARY)
    assert set(statuses(house, profile_id).values()) == {CertificateStatus.ACTIVE}
    assert reasons(house, profile_id) == {None}
    with pytest.raises(ProfileStateRefused):
        house.run(Operation.REINSTATE, profile_id)
    kinds = ["certificate.held", "certificate.reinstated"]
    assert [each for each in house.told(profile_id) if each in kinds] == [kinds[0]] * 2 + [kinds[1]] * 2


def test_a_suspended_profile_is_disabled_for_good(house: House, template: ProfileTemplate) -> None:
    profile_id = enrolled(house)
    house.run(Operation.SUSPEND, profile_id)
    house.run(Operation.DISABLE, profile_id)
    assert look(house, profile_id)[0] is ProfileStatus.DISABLED
    assert set(statuses(house, profile_id).values()) == {CertificateStatus.REVOKED}


def test_a_duplicate_names_its_original_and_changes_nothing_about_it(house: House, template: ProfileTemplate) -> None:
    save_policy(house, template, RequestType.DUPLICATE, replace(SELF, maximum_duplicates=1))
    original = enrolled(house)
    duplicate = house.run(Operation.DUPLICATE, original, ("s2", "e2"))
    with house.store.reading() as session:
        profile = session.profiles.get(duplicate)
    assert (profile.flags, profile.primary_id, profile.parent_id) == (ProfileFlags.DUPLICATE, original, None)
    assert look(house, original) == (ProfileStatus.ACTIVE, ProfileFlags.PRIMARY)
    assert set(statuses(house, original).values()) == {CertificateStatus.ACTIVE}
    with pytest.raises(DuplicatesExhausted):
        house.run(Operation.DUPLICATE, original, ("s3", "e3"))


def test_a_retired_profile_is_at_its_end(house: House, template: ProfileTemplate) -> None:
    profile_id = enrolled(house)
    house.run(Operation.RETIRE, profile_id)
    assert look(house, profile_id) == (ProfileStatus.RETIRED, ProfileFlags.PRIMARY)
    assert set(statuses(house, profile_id).values()) == {CertificateStatus.REVOKED}
    assert read_profile(profile_id, by=signed_in(SUBSCRIBER), world=house.world).operations == ()
    about = {each for each in Operation if WORKFLOWS[each].request_type in POLICIES}
    for operation in about - {Operation.ENROLL, Operation.RECOVER_ON_BEHALF}:
        with pytest.raises((ProfileStateRefused, NothingArchived)):
            house.run(operation, profile_id)


def test_an_update_renews_the_one_certificate_that_was_asked_for(house: House, template: ProfileTemplate) -> None:
    profile_id = enrolled(house)
    s1, e1 = of_template(house, profile_id, SIGNING.common_name), of_template(house, profile_id, SECOND.common_name)
    chosen = Choices(certificate_template=SIGNING.common_name)
    assert house.run(Operation.ONLINE_UPDATE, profile_id, ("s2",), choices=chosen) == profile_id
    found = statuses(house, profile_id)
    assert (found.pop(s1), found.pop(e1)) == (CertificateStatus.REVOKED, CertificateStatus.ACTIVE)
    assert list(found.values()) == [CertificateStatus.ACTIVE]
    assert look(house, profile_id) == (ProfileStatus.ACTIVE, ProfileFlags.PRIMARY)


def test_an_update_issues_what_the_template_has_and_the_profile_has_not(house: House, template: ProfileTemplate) -> None:
    house.save(replace(template, certificate_templates=(SIGNING,)))
    profile_id = house.run(Operation.ENROLL, None, ("s1",))
    house.save(template)
    house.run(Operation.ONLINE_UPDATE, profile_id, ("e1",))
    assert sorted(each.template_common_name for each in house.held(profile_id)) == ["SecondUser", "SigningUser"]
    assert set(statuses(house, profile_id).values()) == {CertificateStatus.ACTIVE}


def test_an_update_leaves_key_history_alone_that_the_old_profile_still_uses(house: House, template: ProfileTemplate) -> None:
    old = enrolled(house)
    e1 = house.archive(old, SECOND.common_name)
    new = house.run(Operation.RENEW, old, ("s2", "e2"))
    e2 = next(each.serial for each in house.held(new) if each.template_common_name == "SecondUser" and not each.is_key_history)
    chosen = Choices(certificate_template=SECOND.common_name)
    house.run(Operation.ONLINE_UPDATE, new, ("e3",), choices=chosen)
    assert statuses(house, new)[e2] is CertificateStatus.REVOKED
    assert statuses(house, old)[e1] is CertificateStatus.ACTIVE


def test_profiles_that_have_ended_are_read_when_their_template_was_withdrawn(house: House, template: ProfileTemplate) -> None:
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.run(Operation.DISABLE, profile_id)
    assert Operation.RETIRE in read_profile(profile_id, by=signed_in(SUBSCRIBER), world=house.world).operations
    with house.store.writing() as session:
        session.templates.withdraw(template.id)
    (found,) = list_profiles(by=signed_in(SUBSCRIBER), world=house.world)
    assert (found.profile.id, found.operations) == (profile_id, ())
    with pytest.raises(ProfileTemplateNotFound):
        house.run(Operation.RETIRE, profile_id)
