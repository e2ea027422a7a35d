"""Rights as an administrator writes them down: who holds which right on what."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from certwright.domain.identities import EVERYONE, Principal, Sid


class Right(StrEnum):
    """Source: domain.md 1.14; administer, audit and operate-ca are roles of our own (decisions at its end)."""

    READ = "read"
    ENROLL = "enroll"
    ENROLLMENT_AGENT = "enrollment-agent"
    REQUEST_ENROLL = "request-enroll"
    REQUEST_RENEW = "request-renew"
    REQUEST_RECOVER = "request-recover"
    REQUEST_REVOKE = "request-revoke"
    REQUEST_UNBLOCK = "request-unblock"
    ADMINISTER = "administer"
    AUDIT = "audit"
    OPERATE_CA = "operate-ca"


class ObjectKind(StrEnum):
    """What a right can be held on; the fifth place of the product, the policy, names its people itself."""

    SERVICE = "service"
    PROFILE_TEMPLATE = "profile-template"
    CERTIFICATE_TEMPLATE = "certificate-template"
    PRINCIPAL = "principal"


RIGHTS_ON = {
    ObjectKind.SERVICE: frozenset({Right.ADMINISTER, Right.AUDIT, Right.OPERATE_CA}),
    ObjectKind.PROFILE_TEMPLATE: frozenset({Right.READ, Right.ENROLL}),
    ObjectKind.CERTIFICATE_TEMPLATE: frozenset({Right.ENROLL}),
    ObjectKind.PRINCIPAL: frozenset(
        {
            Right.ENROLLMENT_AGENT,
            Right.REQUEST_ENROLL,
            Right.REQUEST_RENEW,
            Right.REQUEST_RECOVER,
            Right.REQUEST_REVOKE,
            Right.REQUEST_UNBLOCK,
        }
    ),
}
"""Which right means something on what. Source: domain.md 1.14."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Shape: *object_name* is a profile template's UUID, a certificate template's common name, a user's or group's SID,
    or empty for the service."""

    object_kind: ObjectKind
    object_name: str
    right: Right
    trustee: Sid


class Grants:
    """All grants of an installation, indexed for look-up."""

    def __init__(self, grants: Iterable[Grant]) -> None:
        self._grants = tuple(grants)
        self._trustees: dict[tuple[ObjectKind, str, Right], set[Sid]] = {}
        for grant in self._grants:
            key = (grant.object_kind, grant.object_name.lower(), grant.right)
            self._trustees.setdefault(key, set()).add(grant.trustee)

    def __iter__(self) -> Iterator[Grant]:
        return iter(self._grants)

    def find_trustees(self, kind: ObjectKind, name: str, right: Right) -> frozenset[Sid]:
        """Return every SID that holds *right* on the object. Everyone holds none but read, whatever was written down before."""
        found = frozenset(self._trustees.get((kind, name.lower(), right), ()))
        return found if right is Right.READ else found - {EVERYONE}

    def is_held(self, by: Principal, right: Right, kind: ObjectKind, name: str = "") -> bool:
        """Return whether *by*, through any of his SIDs, holds *right* on the object."""
        return bool(self.find_trustees(kind, name, right) & by.sids)

    def is_held_over(self, by: Principal, right: Right, target: Principal) -> bool:
        """Return whether *by* holds *right* on the target itself or on a group that the target is in."""
        return any(self.is_held(by, right, ObjectKind.PRINCIPAL, sid) for sid in target.sids)
