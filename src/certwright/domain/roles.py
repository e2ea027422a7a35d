"""Roles that are kept apart: nobody audits, or operates the authority, and does anything else."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from certwright.domain.errors import RolesCombined
from certwright.domain.grants import Grant, ObjectKind, Right
from certwright.domain.identities import Principal, Sid
from certwright.domain.profile_templates import ProfileTemplate


class Role(StrEnum):
    """Source: the decision "rights" in domain.md; *registration staff* are those who start, approve or run for others."""

    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    CA_OPERATOR = "CA operator"
    REGISTRATION_STAFF = "registration staff"


APART = frozenset({Role.AUDITOR, Role.CA_OPERATOR})
"""Who has one of these has no other role."""

_SERVICE_ROLES = {
    Right.ADMINISTER: Role.ADMINISTRATOR,
    Right.AUDIT: Role.AUDITOR,
    Right.OPERATE_CA: Role.CA_OPERATOR,
}
_STAFF_RIGHTS = frozenset(
    {
        Right.ENROLLMENT_AGENT,
        Right.REQUEST_ENROLL,
        Right.REQUEST_RENEW,
        Right.REQUEST_RECOVER,
        Right.REQUEST_REVOKE,
        Right.REQUEST_UNBLOCK,
    }
)


@dataclass(frozen=True, slots=True)
class RoleHolding:
    """A role, the SID that brings it, and where that is written."""

    role: Role
    trustee: Sid
    origin: str


def list_apart_trustees(service_grants: Iterable[Grant]) -> frozenset[Sid]:
    """Return whom a role of `APART` is given to: nobody else can combine roles that are kept apart."""
    return frozenset(each.trustee for each in service_grants if _SERVICE_ROLES.get(each.right) in APART)


def list_role_holdings(grants: Iterable[Grant], templates: Iterable[ProfileTemplate]) -> tuple[RoleHolding, ...]:
    """Return every way in which somebody comes by a role."""
    return (*_list_granted(grants), *(each for template in templates for each in _list_named(template)))


def list_combined_roles(
    principals: Iterable[Principal], holdings: Iterable[RoleHolding], names: Mapping[Sid, str]
) -> list[RolesCombined]:
    """Return one refusal for each pair of roles that a person would combine against `APART`.

    Shape: *names* says what people call a SID.
    """
    known = tuple(holdings)
    return [broken for each in principals for broken in _list_of_person(each, known, names)]


def _list_of_person(person: Principal, holdings: Iterable[RoleHolding], names: Mapping[Sid, str]) -> Iterator[RolesCombined]:
    held: dict[Role, RoleHolding] = {}
    for each in holdings:
        if each.trustee in person.sids:
            held.setdefault(each.role, each)
    for apart in sorted(APART & held.keys()):
        first = _tell_origin(held[apart], names)
        for other, holding in held.items():
            if other is not apart and (other not in APART or apart < other):
                yield RolesCombined(person.user.nt4_name, apart, first, other, _tell_origin(holding, names))


def _tell_origin(holding: RoleHolding, names: Mapping[Sid, str]) -> str:
    return f"{holding.origin}, as {names.get(holding.trustee, holding.trustee)}"


def _list_granted(grants: Iterable[Grant]) -> Iterator[RoleHolding]:
    for grant in grants:
        if grant.object_kind is ObjectKind.SERVICE and grant.right in _SERVICE_ROLES:
            yield RoleHolding(_SERVICE_ROLES[grant.right], grant.trustee, f"{grant.right} on the service")
        elif grant.object_kind is ObjectKind.PRINCIPAL and grant.right in _STAFF_RIGHTS:
            yield RoleHolding(Role.REGISTRATION_STAFF, grant.trustee, f"{grant.right} over {grant.object_name}")


def _list_named(template: ProfileTemplate) -> Iterator[RoleHolding]:
    for request_type, policy in template.policies.items():
        kind = request_type.name.lower().replace("_", " ")
        parts = {"initiator": policy.initiators, "approver": policy.approvers, "enrollment agent": policy.enrollment_agents}
        for part, trustees in parts.items():
            for sid in sorted(trustees):
                yield RoleHolding(Role.REGISTRATION_STAFF, sid, f"{part} of {template.name}, {kind}")
