"""Roles that are kept apart: every pair is tried."""

from dataclasses import replace
from itertools import combinations

import pytest

from certwright.domain.errors import RolesCombined
from certwright.domain.grants import Grant, Grants, ObjectKind, Right
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.roles import Role, list_combined_roles, list_role_holdings
from worlds.contoso import SUBSCRIBERS, TEMPLATE, make_user, principal, sid, with_policy

ONE, OTHER = sid(2900), sid(2901)
PERSON = principal(make_user("person", 1900), ONE, OTHER)
PLAIN = with_policy(TEMPLATE, Policy(self_service=True))
WAYS: dict[str, tuple[Role, Grant | str]] = {
    "administer": (Role.ADMINISTRATOR, Grant(ObjectKind.SERVICE, "", Right.ADMINISTER, ONE)),
    "audit": (Role.AUDITOR, Grant(ObjectKind.SERVICE, "", Right.AUDIT, ONE)),
    "operate": (Role.CA_OPERATOR, Grant(ObjectKind.SERVICE, "", Right.OPERATE_CA, ONE)),
    "agent": (Role.REGISTRATION_STAFF, Grant(ObjectKind.PRINCIPAL, SUBSCRIBERS, Right.ENROLLMENT_AGENT, ONE)),
    **{
        right: (Role.REGISTRATION_STAFF, Grant(ObjectKind.PRINCIPAL, SUBSCRIBERS, right, ONE))
        for right in Right
        if right.startswith("request-")
    },
    **{part: (Role.REGISTRATION_STAFF, part) for part in ("initiators", "approvers", "enrollment_agents")},
}


def combine(first: str, second: str) -> list[RolesCombined]:
    """Return what is found of a person who has the first by one group and the second by another."""
    grants, policy = [], PLAIN.policies[next(iter(PLAIN.policies))]
    for name, trustee in ((first, ONE), (second, OTHER)):
        way = WAYS[name][1]
        if isinstance(way, Grant):
            grants.append(replace(way, trustee=trustee))
        else:
            policy = replace(policy, **{way: frozenset({trustee})})  # type: ignore[arg-type]
    template: ProfileTemplate = with_policy(PLAIN, policy)
    return list_combined_roles([PERSON], list_role_holdings(Grants(grants), [template]), {ONE: "One", OTHER: "Other"})


@pytest.mark.parametrize(("first", "second"), list(combinations(WAYS, 2)))
def test_nobody_audits_or_operates_the_authority_and_does_something_else(first: str, second: str) -> None:
    roles = {WAYS[first][0], WAYS[second][0]}
    found = combine(first, second)
    if len(roles) == 2 and roles & {Role.AUDITOR, Role.CA_OPERATOR}:
        (broken,) = found
        assert {broken.role, broken.other} == roles
        assert broken.account == "CORP\\person"
        assert "as One" in broken.text
        assert "as Other" in broken.text
    else:
        assert found == []


def test_who_enrolls_for_himself_may_audit() -> None:
    grants = Grants(
        [
            Grant(ObjectKind.SERVICE, "", Right.AUDIT, ONE),
            Grant(ObjectKind.PROFILE_TEMPLATE, str(TEMPLATE.id), Right.ENROLL, ONE),
            Grant(ObjectKind.PROFILE_TEMPLATE, str(TEMPLATE.id), Right.READ, ONE),
        ]
    )
    assert list_combined_roles([PERSON], list_role_holdings(grants, [PLAIN]), {}) == []
