"""The list of entries that a request's decisions are taken from, held against the documented examples."""

from dataclasses import replace

from certwright.domain.grants import Grant, Grants, ObjectKind, Right
from certwright.domain.security_descriptors import (
    SERVICE_SID,
    Entry,
    RequestPermission,
    SecurityDescriptor,
)
from worlds.contoso import (
    ADMINISTRATORS,
    AGENTS,
    APPROVERS,
    GRANTS,
    MANAGER,
    MANAGERS,
    POLICY,
    SUBSCRIBER,
    TEMPLATE,
    describe_security,
    sid,
)

LETTERS = {
    RequestPermission.EXECUTE: "CC",
    RequestPermission.CANCEL: "DC",
    RequestPermission.APPROVE: "LC",
    RequestPermission.WRITE: "SW",
    RequestPermission.DELETE: "SD",
    RequestPermission.READ: "RC",
}


ALL = Grants(GRANTS)


def draw(descriptor: SecurityDescriptor) -> list[str]:
    return [
        f"{'A' if each.is_allowed else 'D'} {''.join(LETTERS[one] for one in each.permissions)} {each.trustee}"
        for each in descriptor.entries
    ]


def test_a_self_service_request_is_described_in_the_order_of_the_examples() -> None:
    me = SUBSCRIBER.user.sid
    assert draw(describe_security()) == [
        f"D LC {me}",
        f"A DCSWRC {MANAGERS}",
        f"A LCRC {APPROVERS}",
        f"A SWRC {ADMINISTRATORS}",
        f"A CCDCLCSWSDRC {SERVICE_SID}",
        f"A DCSWRC {me}",
        f"A CCDCSWRC {me}",
    ]


def test_a_request_for_somebody_else_denies_approval_to_both() -> None:
    drawn = draw(describe_security(originator=MANAGER))
    assert drawn[:2] == [f"D LC {MANAGER.user.sid}", f"D LC {SUBSCRIBER.user.sid}"]
    assert drawn[-2:] == [f"A DCSWRC {MANAGER.user.sid}", f"A CCDCSWRC {SUBSCRIBER.user.sid}"]


def test_with_an_enrollment_agent_the_subject_loses_execution_to_him() -> None:
    drawn = draw(describe_security(policy=replace(POLICY, enrollment_agent_required=True)))
    assert drawn[-2:] == [f"A CCRC {AGENTS}", f"A DCSWRC {SUBSCRIBER.user.sid}"]


def test_agents_stand_in_no_list_while_nobody_holds_their_right_over_the_subject() -> None:
    entries = describe_security(policy=replace(POLICY, enrollment_agent_required=True), grants=Grants([])).entries
    assert [each.trustee for each in entries if each.permissions & RequestPermission.EXECUTE] == [SERVICE_SID]


def test_refusals_come_first() -> None:
    allowed = [each.is_allowed for each in describe_security(originator=MANAGER).entries]
    assert allowed == sorted(allowed)


def test_the_order_of_people_does_not_depend_on_chance() -> None:
    many = frozenset(sid(number) for number in range(3000, 3050))
    reading = Grant(ObjectKind.PROFILE_TEMPLATE, str(TEMPLATE.id), Right.READ, APPROVERS)
    grants = Grants([reading, *(Grant(ObjectKind.SERVICE, "", Right.ADMINISTER, each) for each in many)])
    policy = replace(POLICY, initiators=many, approvers=many)
    trustees = [each.trustee for each in describe_security(policy=policy, grants=grants).entries[1:151]]
    assert trustees == sorted(many) * 3


def test_the_owner_is_the_server() -> None:
    assert describe_security().owner == SERVICE_SID


def test_an_entry_that_names_two_things_is_about_who_has_both() -> None:
    entry = Entry(AGENTS, RequestPermission.EXECUTE, "agents", also_one_of=frozenset({MANAGERS, APPROVERS}))
    assert entry.is_about(frozenset({AGENTS, APPROVERS}))
    assert not entry.is_about(frozenset({AGENTS}))
    assert not entry.is_about(frozenset({MANAGERS, APPROVERS}))
