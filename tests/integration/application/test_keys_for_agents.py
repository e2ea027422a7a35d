"""Private keys that an enrollment agent is given instead of their owner: three people have a part in that."""

from dataclasses import replace

import pytest

from certwright.adapters.patterns import Re2Patterns
from certwright.application.approve_request import approve_request
from certwright.application.create_request import RequestWish, create_request
from certwright.application.explain_access import explain_request
from certwright.application.stored_templates import list_people_faults, list_template_faults
from certwright.domain.errors import AccessDenied, Refused, TransitionRefused
from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.identities import Principal
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import KeyOrigin, KeySpecification, ProfileTemplate, X509KeyUsage
from certwright.domain.profiles import ProfileId
from certwright.domain.public_keys import KeyAlgorithm
from certwright.domain.request_types import RequestType
from certwright.domain.requests import Request, RequestId, RequestStatus
from certwright.domain.workflows import Operation
from worlds.contoso import AGENT, AGENTS, APPROVER, APPROVERS, MANAGER, MANAGERS, SUBSCRIBER, SUBSCRIBERS
from worlds.house import PFX_PASSWORD, SECOND, SIGNING, TWO, House, csr, signed_in

ARCHIVED = KeySpecification(algorithm=KeyAlgorithm.ECDSA_P256, bits=256, origin=KeyOrigin.SERVER, archived=True)
ENCRYPTING = replace(
    SECOND, key=ARCHIVED, key_usages=frozenset({X509KeyUsage.KEY_AGREEMENT}), extended_key_usages=("1.3.6.1.5.5.7.3.4",)
)
MADE = replace(ENCRYPTING, key=replace(ARCHIVED, archived=False))
SELF = Policy(self_service=True)
TO_AGENTS = Policy(
    self_service=True,
    initiators=frozenset({MANAGERS}),
    enrollment_agent_required=True,
    enrollment_agents=frozenset({AGENTS, MANAGERS, APPROVERS}),
)
"""Without approvals, as it could be stored before they were asked for."""
APPROVED = replace(TO_AGENTS, approvals_needed=1, approvers=frozenset({APPROVERS}))
KINDS = {
    RequestType.ENROLL: Operation.ENROLL,
    RequestType.RENEW: Operation.RENEW,
    RequestType.RECOVER: Operation.RECOVER,
    RequestType.DUPLICATE: Operation.DUPLICATE,
}
WITH_KEYS = replace(TWO, certificate_templates=(SIGNING, ENCRYPTING))
SOURCES = {
    "archived": WITH_KEYS,
    "server-made": replace(TWO, certificate_templates=(SIGNING, MADE)),
    "external": replace(TWO, certificate_templates=(SIGNING,), external_certificates=True),
}


@pytest.fixture(autouse=True)
def rights(house: House) -> None:
    """Let managers start what they may be initiators of, and let all who are agents be that."""
    over = [(Right.ENROLLMENT_AGENT, MANAGERS), (Right.ENROLLMENT_AGENT, APPROVERS), (Right.ENROLLMENT_AGENT, AGENTS)]
    over += [(each, MANAGERS) for each in (Right.REQUEST_RECOVER, Right.REQUEST_RENEW, Right.REQUEST_ENROLL)]
    with house.store.writing() as session:
        kept = list(session.directory.load_grants())
        given = [Grant(ObjectKind.PRINCIPAL, SUBSCRIBERS, right, who) for right, who in over]
        reading = [Grant(ObjectKind.PROFILE_TEMPLATE, str(TWO.id), Right.READ, each) for each in (AGENTS, APPROVERS)]
        session.directory.replace_grants(dict.fromkeys([*kept, *given, *reading]))


def find_faults(template: ProfileTemplate) -> list[str]:
    return [each.text for each in list_template_faults([template], Re2Patterns()) if "approvals_needed" in each.text]


# -- at load and import ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_that_hands_keys_to_agents_takes_an_approval(kind: RequestType, source: str) -> None:
    template = SOURCES[source]
    (fault,) = find_faults(replace(template, policies={kind: TO_AGENTS}))
    assert "gives private keys to another than their owner takes at least one approval" in fault
    assert find_faults(replace(template, policies={kind: APPROVED})) == []
    assert find_faults(replace(template, policies={kind: SELF})) == [], "to the subject alone"


@pytest.mark.parametrize("kind", [*KINDS, RequestType.TEMPORARY_CARD_ENROLL])
def test_agents_who_are_given_no_keys_need_no_approval(kind: RequestType) -> None:
    assert find_faults(replace(TWO, policies={kind: TO_AGENTS})) == []
    assert len(find_faults(replace(WITH_KEYS, policies={RequestType.TEMPORARY_CARD_ENROLL: TO_AGENTS}))) == 1


@pytest.mark.parametrize("source", SOURCES)
def test_agents_who_are_given_keys_and_approvers_are_not_the_same_people(house: House, source: str) -> None:
    alone = replace(APPROVED, approvers=frozenset({AGENTS}), enrollment_agents=frozenset({AGENTS}))

    def find(template: ProfileTemplate) -> list[Refused]:
        with house.store.reading() as session:
            return list_people_faults([template], session)

    (fault,) = find(replace(SOURCES[source], policies={RequestType.RECOVER: alone}))
    assert "too few people" in fault.text
    assert find(replace(TWO, policies={RequestType.RECOVER: alone})) == []
    assert find(replace(SOURCES[source], policies={RequestType.RECOVER: APPROVED})) == []


# -- at execution ----------------------------------------------------------------------------------------------------------


def hold(house: House, template: ProfileTemplate, to_agents: Policy) -> ProfileId:
    """Return a profile of the subscriber; what is asked for of it from now on is for agents."""
    house.save(replace(template, policies={RequestType.ENROLL: SELF}))
    profile_id = house.run(Operation.ENROLL, None, ("s1",))
    house.save(replace(template, policies=dict.fromkeys(KINDS, to_agents)))
    return profile_id


def ask(house: House, operation: Operation, profile_id: ProfileId | None, by: Principal = MANAGER) -> Request:
    is_new = operation is Operation.ENROLL
    wish = RequestWish(
        operation=operation,
        template_id=TWO.id if is_new else None,
        target_id=SUBSCRIBER.user.id,
        profile_id=None if is_new else profile_id,
    )
    return create_request(wish, by=signed_in(by), world=house.world)


def post(house: House, request_id: RequestId, by: Principal) -> list[bool]:
    """Return which answers hold private keys."""
    return [each.pfx is not None for each in house.post(request_id, csr("s2"), by=by, pfx_password=PFX_PASSWORD)]


@pytest.mark.parametrize("policy", [APPROVED, TO_AGENTS], ids=["approved", "from before approvals were asked for"])
@pytest.mark.parametrize("operation", KINDS.values())
def test_keys_go_to_an_agent_who_has_neither_started_nor_approved_the_request(
    house: House, operation: Operation, policy: Policy
) -> None:
    policy = replace(policy, approvers=frozenset({APPROVERS}))
    request = ask(house, operation, hold(house, WITH_KEYS, policy))
    assert request.status is RequestStatus.PENDING
    with pytest.raises(TransitionRefused):
        post(house, request.id, AGENT)
    approve_request(request.id, by=signed_in(APPROVER), world=house.world)
    for by, reason in ((MANAGER, "the one who started it"), (APPROVER, "one who approved it")):
        with pytest.raises(AccessDenied, match=reason):
            post(house, request.id, by)
        allowed = {each.act: each.is_allowed for each in explain_request(by.user.nt4_name, request.id, world=house.world)}
        assert allowed["execute this request"] is False
    assert any(post(house, request.id, AGENT))


def test_a_subject_who_asks_waits_for_an_approval_too(house: House) -> None:
    profile_id = hold(house, WITH_KEYS, APPROVED)
    request = ask(house, Operation.RECOVER, profile_id, by=SUBSCRIBER)
    assert request.status is RequestStatus.PENDING
    approve_request(request.id, by=signed_in(APPROVER), world=house.world)
    assert any(post(house, request.id, AGENT))


def test_external_keys_wait_for_an_approval_and_others_do_not(house: House) -> None:
    for external, status in ((True, RequestStatus.PENDING), (False, RequestStatus.APPROVED)):
        house.save(replace(TWO, external_certificates=external, policies={RequestType.ENROLL: TO_AGENTS}))
        assert ask(house, Operation.ENROLL, None).status is status


@pytest.mark.parametrize("operation", [Operation.RENEW, Operation.RECOVER, Operation.DUPLICATE])
def test_keys_that_an_older_template_archived_go_to_the_subject_alone(house: House, operation: Operation) -> None:
    house.save(replace(TWO, policies={RequestType.ENROLL: SELF}))
    profile_id = house.run(Operation.ENROLL, None, ("s1", "e1"))
    house.archive(profile_id, SECOND.common_name)
    house.save(replace(TWO, policies=dict.fromkeys(KINDS, TO_AGENTS)))
    request = ask(house, operation, profile_id)
    assert request.status is RequestStatus.APPROVED
    keys = [csr("s2"), csr("e2")][: 2 if operation is Operation.RENEW else 1]
    with pytest.raises(AccessDenied, match="recover-on-behalf"):
        house.post(request.id, *keys, by=AGENT, pfx_password=PFX_PASSWORD)
