"""Access decisions. All of them are taken by `decide`, each with what was looked for, where, and what was found."""

from collections.abc import Iterable
from dataclasses import dataclass

from certwright.domain.errors import AccessDenied
from certwright.domain.grants import Grants, ObjectKind, Right
from certwright.domain.identities import Principal, Sid, UserId
from certwright.domain.profile_templates import CertificateTemplate, ProfileTemplate
from certwright.domain.profiles import Profile
from certwright.domain.program import THE_PROGRAM
from certwright.domain.security_descriptors import SERVICE_SID, RequestPermission, SecurityDescriptor
from certwright.domain.workflows import WORKFLOWS, Operation, Workflow


@dataclass(frozen=True, slots=True)
class ReadTemplate:
    """May he see the profile template?"""

    template: ProfileTemplate


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """May he start a request? Shape: *certificates* are the certificate templates that it would issue from."""

    operation: Operation
    target: Principal
    template: ProfileTemplate
    certificates: tuple[CertificateTemplate, ...] = ()


@dataclass(frozen=True, slots=True)
class ActOnRequest:
    """May he do this to the request that *security* is about?"""

    permission: RequestPermission
    security: SecurityDescriptor


@dataclass(frozen=True, slots=True)
class DistributePasswords:
    """May he have the one-time passwords of the request made and handed out?

    Shape: *initiators* are the policy's, who need *right*, that of the workflow, over the target.
    """

    security: SecurityDescriptor
    originator_id: UserId
    target: Principal
    initiators: frozenset[Sid]
    right: Right


@dataclass(frozen=True, slots=True)
class ReadProfile:
    """May he see the profile?"""

    profile: Profile
    owner: Principal


@dataclass(frozen=True, slots=True)
class ReadHistory:
    """May he read everything that happened?"""


Question = ReadTemplate | StartRequest | ActOnRequest | ReadProfile | ReadHistory | DistributePasswords


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for, in one place.

    Shape: *place* is one of the five of the product (service, profile-template, principal, certificate-template, policy) or
    request, with the object's name; *missing* says what a no means, to the one who asked; *through* are the SIDs that hold it.
    """

    holds: bool
    place: str
    sought: str
    missing: str
    through: frozenset[Sid] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """Shape: *findings* are all that was looked at, in order; *needs_all* of them, or any one."""

    act: str
    is_allowed: bool
    findings: tuple[Finding, ...]
    needs_all: bool = True

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return what was missing, one sentence each; empty when the answer is yes."""
        return () if self.is_allowed else tuple(each.missing for each in self.findings if not each.holds)


_ACTS = {
    RequestPermission.READ: "read this request",
    RequestPermission.EXECUTE: "execute this request",
    RequestPermission.CANCEL: "end this request",
    RequestPermission.APPROVE: "approve or deny this request",
    RequestPermission.WRITE: "change this request",
}
_SHOWING_PROFILES = (
    Right.REQUEST_RENEW,
    Right.REQUEST_RECOVER,
    Right.REQUEST_REVOKE,
    Right.REQUEST_UNBLOCK,
    Right.REQUEST_ENROLL,
)


def check_allowed(decision: Decision) -> None:
    """Raise unless the decision is a yes.

    Errors: AccessDenied, with what was missing.
    """
    if not decision.is_allowed:
        raise AccessDenied(decision.act, decision.reasons)


def decide(by: Principal, question: Question, grants: Grants) -> Decision:
    """Return whether *by* may do what *question* asks, and why.

    Reading a template takes Read on it, or the administrator's right on the service; reading a profile, being its owner, a
    request right over him, or administering; the history is read by auditors alone. A request is asked of the list that its
    clients see as SDDL, where a refusal that names somebody beats what allows him.

    To start a request for himself one needs self service; for somebody else one must be an initiator of the policy with the
    workflow's right over him; in both cases with Read on the profile template. Where certificates come of it, the target must
    be allowed to enroll from the template and from each of the certificate templates: when the request is started, and again
    when it is executed. The program needs nothing of its own to start a renewal; that the target must be allowed to enroll
    holds for it, too.

    Source: domain.md 1.14, 4.1 and 5. We differ in one case: an initiator starts nothing for himself where the policy has no
    self service, so that such a template always takes two people.
    """
    match question:
        case ReadTemplate(template):
            return _any_of("read this profile template", (_find_read(by, template, grants), _find_administering(by, grants)))
        case ReadProfile(profile, owner):
            return _any_of("read this profile", _list_profile_findings(by, profile, owner, grants))
        case ReadHistory():
            return _any_of("read the event history", (_find_right(by, Right.AUDIT, ObjectKind.SERVICE, "", grants),))
        case ActOnRequest(permission, security):
            return _decide_on_request(by, permission, security)
        case DistributePasswords():
            return _decide_on_passwords(by, question, grants)
        case StartRequest():
            return Decision("start this request", *_all_of(_list_starting_findings(by, question, grants)))


def decide_receiving(
    target: Principal, template: ProfileTemplate, certificates: Iterable[CertificateTemplate], grants: Grants
) -> Decision:
    """Return whether *target* may be issued these now: asked when a request is executed that could be started before."""
    return Decision("get certificates by this request", *_all_of(_list_receiving(target, template, certificates, grants)))


def _all_of(findings: Iterable[Finding]) -> tuple[bool, tuple[Finding, ...]]:
    looked_at = tuple(findings)
    return all(each.holds for each in looked_at), looked_at


def _any_of(act: str, findings: Iterable[Finding]) -> Decision:
    looked_at = tuple(findings)
    return Decision(act, any(each.holds for each in looked_at), looked_at, needs_all=False)


def _decide_on_request(by: Principal, permission: RequestPermission, security: SecurityDescriptor) -> Decision:
    about = [each for each in security.entries if each.decides(permission)]
    denied = [
        Finding(False, "request", f"no refusal: {each.reason}", f"Refused: {each.reason}.", frozenset({each.trustee}))
        for each in about
        if not each.is_allowed and each.is_about(by.sids)
    ]
    # Nobody signs in as the server, so its own entry would only lengthen every refusal.
    allowing = [each for each in about if each.is_allowed and each.trustee != SERVICE_SID]
    found = []
    for reason in dict.fromkeys(each.reason for each in allowing):
        through = frozenset(each.trustee for each in allowing if each.reason == reason and each.is_about(by.sids))
        found.append(Finding(bool(through), "request", reason, f"You are not {reason}.", through))
    if not found and not denied:
        found.append(Finding(False, "policy", "somebody who may", "The policy lets nobody do this."))
    yes = not denied and any(each.holds for each in found)
    return Decision(_ACTS[permission], yes, (*denied, *found), needs_all=False)


def _decide_on_passwords(by: Principal, question: DistributePasswords, grants: Grants) -> Decision:
    """Return whether *by* has started the request, or may start or approve such. The subject may not, whatever else he is: the
    passwords are to prove that it is he who reads the mail, or whom the initiator knows.

    Source: DistributeSecrets in domain.md 3.
    """
    act = "distribute the one-time passwords of this request"
    if by.user.id == question.target.user.id:
        refusal = Finding(False, "request", "not the subject", "Somebody else hands them to the subject.")
        return Decision(act, False, (refusal,))
    over = grants.is_held_over(by, question.right, question.target)
    through = question.initiators & by.sids if over else frozenset[Sid]()
    missing = f"The policy does not name you as initiator with {question.right} over the subject."
    approving = _decide_on_request(by, RequestPermission.APPROVE, question.security)
    return _any_of(
        act,
        (
            Finding(by.user.id == question.originator_id, "request", "its originator", "You are not the originator."),
            Finding(bool(through), "policy", "initiator", missing, through),
            Finding(approving.is_allowed, "request", "one of its approvers", "You may not approve it."),
        ),
    )


def _list_profile_findings(by: Principal, profile: Profile, owner: Principal, grants: Grants) -> Iterable[Finding]:
    yield Finding(by.user.id == profile.owner_id, "profile", "its owner", "You are not the owner of the profile.")
    for right in _SHOWING_PROFILES:
        yield _find_right_over(by, right, owner, grants, f"No {right} over the owner.")
    yield _find_administering(by, grants)


def _list_starting_findings(by: Principal, question: StartRequest, grants: Grants) -> Iterable[Finding]:
    template, target, workflow = question.template, question.target, WORKFLOWS[question.operation]
    if by is THE_PROGRAM:
        yield Finding(True, "service", "the server itself", "")
    else:
        yield _find_read(by, template, grants)
        yield from _list_initiating_findings(by, target, template, workflow, grants)
    if workflow.delivers and not workflow.is_for_somebody_else:
        yield from _list_receiving(target, template, question.certificates, grants)


def _list_receiving(
    target: Principal, template: ProfileTemplate, certificates: Iterable[CertificateTemplate], grants: Grants
) -> Iterable[Finding]:
    yield _find_right(target, Right.ENROLL, ObjectKind.PROFILE_TEMPLATE, str(template.id), grants)
    for each in certificates:
        yield _find_right(target, Right.ENROLL, ObjectKind.CERTIFICATE_TEMPLATE, each.common_name, grants)


def _list_initiating_findings(
    by: Principal, target: Principal, template: ProfileTemplate, workflow: Workflow, grants: Grants
) -> Iterable[Finding]:
    policy = template.get_policy(workflow.request_type)
    if by.user.id == target.user.id and not workflow.is_for_somebody_else:
        yield Finding(policy.self_service, "policy", "self service", "The policy has no self service.")
        return
    if workflow.is_for_somebody_else:
        other = by.user.id != target.user.id
        yield Finding(other, "policy", "somebody else's keys", "It is for keys of somebody else.")
    through = policy.initiators & by.sids
    yield Finding(bool(through), "policy", "initiator", "The policy does not name you as initiator.", through)
    yield _find_right_over(by, workflow.right, target, grants, f"No {workflow.right} over {target.user.nt4_name}.")


def _find_read(by: Principal, template: ProfileTemplate, grants: Grants) -> Finding:
    return _find_right(by, Right.READ, ObjectKind.PROFILE_TEMPLATE, str(template.id), grants)


def _find_administering(by: Principal, grants: Grants) -> Finding:
    return _find_right(by, Right.ADMINISTER, ObjectKind.SERVICE, "", grants)


def _find_right(by: Principal, right: Right, kind: ObjectKind, name: str, grants: Grants) -> Finding:
    place = f"{kind} {name}".strip()
    through = grants.find_trustees(kind, name, right) & by.sids
    return Finding(bool(through), place, right, f"{by.user.nt4_name} has no {right} on {place}.", through)


def _find_right_over(by: Principal, right: Right, target: Principal, grants: Grants, missing: str) -> Finding:
    over = (grants.find_trustees(ObjectKind.PRINCIPAL, sid, right) for sid in target.sids)
    through = frozenset[Sid]().union(*over) & by.sids
    return Finding(bool(through), f"principal {target.user.nt4_name}", right, missing, through)
