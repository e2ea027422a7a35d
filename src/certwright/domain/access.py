"""Access decisions, each with the reasons for its yes or no."""

from collections.abc import Iterable
from dataclasses import dataclass

from certwright.domain.errors import AccessDenied
from certwright.domain.grants import Grants, ObjectKind, Right
from certwright.domain.identities import Principal
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.profiles import Profile
from certwright.domain.request_types import RequestType
from certwright.domain.security_descriptors import SERVICE_SID, RequestPermission, SecurityDescriptor


@dataclass(frozen=True, slots=True)
class Finding:
    """One right that was looked for, in one place."""

    holds: bool
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Shape: *findings* are all that was looked at, in order, those that hold and those that do not."""

    act: str
    is_allowed: bool
    findings: tuple[Finding, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return what was missing, one sentence each; empty when the answer is yes."""
        return () if self.is_allowed else tuple(each.text for each in self.findings if not each.holds)


def check_allowed(decision: Decision) -> None:
    """Raise unless the decision is a yes.

    Errors: AccessDenied, with what was missing.
    """
    if not decision.is_allowed:
        raise AccessDenied(decision.act, decision.reasons)


def decide_reading_template(by: Principal, template: ProfileTemplate, grants: Grants) -> Decision:
    """Return whether *by* may see the template: Read on it, or the administrator's right on the service."""
    may_read = _find_right(by, Right.READ, ObjectKind.PROFILE_TEMPLATE, str(template.id), grants)
    administers = _find_right(by, Right.ADMINISTER, ObjectKind.SERVICE, "", grants)
    return _any_of("read this profile template", (may_read, administers))


def decide_enrolling(by: Principal, target: Principal, template: ProfileTemplate, grants: Grants) -> Decision:
    """Return whether *by* may start an Enroll request for *target*.

    For himself he needs self service; for somebody else he must be an initiator of the policy with Request Enroll over the
    target. In both cases the target must be allowed to enroll from the template and from each of its certificate templates.

    Source: domain.md 1.14 and 4.1. We differ in one case: an initiator starts nothing for himself where the policy has no
    self service, so that such a template always takes two people.
    """
    policy = template.get_policy(RequestType.ENROLL)
    own = by.user.id == target.user.id
    starting = [_find_self_service(policy)] if own else _find_initiator(by, target, policy, grants)
    targets = [_find_right(target, Right.ENROLL, ObjectKind.PROFILE_TEMPLATE, str(template.id), grants)] + [
        _find_right(target, Right.ENROLL, ObjectKind.CERTIFICATE_TEMPLATE, each.common_name, grants)
        for each in template.certificate_templates
    ]
    return _all_of("start this request", (*starting, *targets))


def decide_on_request(by: Principal, permission: RequestPermission, descriptor: SecurityDescriptor) -> Decision:
    """Return whether *descriptor* gives *by* the permission: a refusal that names him beats what allows him."""
    acts = {
        RequestPermission.READ: "read this request",
        RequestPermission.EXECUTE: "execute this request",
        RequestPermission.CANCEL: "end this request",
        RequestPermission.APPROVE: "approve or deny this request",
    }
    about = [each for each in descriptor.entries if permission in each.permissions]
    denied = [Finding(False, f"Refused: {each.reason}.") for each in about if not each.is_allowed and each.is_about(by.sids)]
    # Nobody signs in as the server, so its own entry would only lengthen every refusal.
    allowing = [each for each in about if each.is_allowed and each.trustee != SERVICE_SID]
    held = {each.reason for each in allowing if each.is_about(by.sids)}
    found = tuple(
        Finding(reason in held, f"You are not {reason}.") for reason in dict.fromkeys(each.reason for each in allowing)
    )
    yes = not denied and any(each.holds for each in found)
    return Decision(acts[permission], yes, (*denied, *found))


def decide_reading_profile(by: Principal, owner: Principal, profile: Profile, grants: Grants) -> Decision:
    """Return whether *by* may see the profile: it is his, or he holds a request right over its owner, or administers."""
    rights = (
        Right.REQUEST_RENEW,
        Right.REQUEST_RECOVER,
        Right.REQUEST_REVOKE,
        Right.REQUEST_UNBLOCK,
        Right.REQUEST_ENROLL,
    )
    return _any_of(
        "read this profile",
        (
            Finding(by.user.id == profile.owner_id, "You are not the owner of the profile."),
            *(Finding(grants.is_held_over(by, each, owner), f"No {each} over the owner.") for each in rights),
            _find_right(by, Right.ADMINISTER, ObjectKind.SERVICE, "", grants),
        ),
    )


def _find_self_service(policy: Policy) -> Finding:
    return Finding(policy.self_service, "The policy has no self service.")


def _find_initiator(by: Principal, target: Principal, policy: Policy, grants: Grants) -> list[Finding]:
    return [
        Finding(bool(policy.initiators & by.sids), "The policy does not name you as initiator."),
        Finding(
            grants.is_held_over(by, Right.REQUEST_ENROLL, target),
            f"No {Right.REQUEST_ENROLL} over {target.user.nt4_name}.",
        ),
    ]


def _find_right(by: Principal, right: Right, kind: ObjectKind, name: str, grants: Grants) -> Finding:
    place = f"{kind} {name}".strip()
    return Finding(grants.is_held(by, right, kind, name), f"{by.user.nt4_name} has no {right} on {place}.")


def _all_of(act: str, findings: Iterable[Finding]) -> Decision:
    looked_at = tuple(findings)
    return Decision(act, all(each.holds for each in looked_at), looked_at)


def _any_of(act: str, findings: Iterable[Finding]) -> Decision:
    looked_at = tuple(findings)
    return Decision(act, any(each.holds for each in looked_at), looked_at)
