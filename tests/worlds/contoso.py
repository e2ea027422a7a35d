"""People, templates and keys of a small company, for tests that need some but do not care which."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from certwright.domain.certificates import SerialNumber
from certwright.domain.grants import Grant, Grants, ObjectKind, Right
from certwright.domain.identities import EVERYONE, Caller, Principal, Sid, User, UserId
from certwright.domain.issuing import Draft, Issuer, plan_draft
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import CertificateTemplate, ProfileTemplate, ProfileTemplateId
from certwright.domain.public_keys import CertificateRequest, HashAlgorithm, KeyAlgorithm, PublicKey
from certwright.domain.request_types import RequestType
from certwright.domain.security_descriptors import Parties, SecurityDescriptor, describe_request_security
from certwright.domain.workflows import WORKFLOWS, Operation

NOW = datetime(2026, 11, 23, 12, 30, 15, 250_000, tzinfo=UTC)
VECTORS = Path(__file__).parent.parent / "vectors"
MODULI = tuple(int(line, 16) for line in (VECTORS / "rsa-moduli.txt").read_text().split())


def sid(number: int) -> Sid:
    """Return the SID of the domain's account or group with this relative identifier."""
    return Sid(f"S-1-5-21-1004336348-1177238915-682003330-{number}")


def make_user(name: str, number: int) -> User:
    """Return an account of CORP with everything that a directory knows."""
    return User(
        id=UserId(UUID(int=number)),
        sid=sid(number),
        domain="CORP",
        account_name=name,
        principal_name=f"{name}@corp.contoso.com",
        display_name=name.capitalize(),
        distinguished_name=f"CN={name},OU=People,DC=corp,DC=contoso,DC=com",
        email=f"{name}@contoso.com",
    )


def principal(user: User, *groups: Sid) -> Principal:
    """Return *user* with these groups."""
    return Principal(user, frozenset({user.sid, EVERYONE, *groups}))


def caller(who: Principal) -> Caller:
    """Return *who*, signed in."""
    return Caller(who.user, who.sids, "192.0.2.7")


SUBSCRIBERS, MANAGERS, APPROVERS, AGENTS, ADMINISTRATORS, CONTRACTORS = (sid(number) for number in range(2001, 2007))
SUBSCRIBER = principal(make_user("subscriber", 1101), SUBSCRIBERS)
SUBSCRIBER2 = principal(make_user("subscriber2", 1102), SUBSCRIBERS)
MANAGER = principal(make_user("manager", 1103), MANAGERS)
APPROVER = principal(make_user("approver", 1104), APPROVERS)
AGENT = principal(make_user("helpdesk", 1105), AGENTS)
ADMINISTRATOR = principal(make_user("administrator", 1106), ADMINISTRATORS)
OUTSIDER = principal(make_user("outsider", 1107))

CERTIFICATE_TEMPLATE = CertificateTemplate(common_name="ContosoUser", oid="1.3.6.1.4.1.311.21.8.1.1")
POLICY = Policy(
    self_service=True,
    initiators=frozenset({MANAGERS}),
    approvers=frozenset({APPROVERS}),
    enrollment_agents=frozenset({AGENTS}),
)
TEMPLATE = ProfileTemplate(
    id=ProfileTemplateId(UUID("12bd5120-86a2-4ee1-8d05-131066871578")),
    name="Software Certificate",
    certificate_templates=(CERTIFICATE_TEMPLATE,),
    policies={RequestType.ENROLL: POLICY},
)
GRANTS = (
    Grant(ObjectKind.PROFILE_TEMPLATE, str(TEMPLATE.id), Right.READ, SUBSCRIBERS),
    Grant(ObjectKind.PROFILE_TEMPLATE, str(TEMPLATE.id), Right.READ, MANAGERS),
    Grant(ObjectKind.PROFILE_TEMPLATE, str(TEMPLATE.id), Right.READ, APPROVERS),
    Grant(ObjectKind.PROFILE_TEMPLATE, str(TEMPLATE.id), Right.ENROLL, SUBSCRIBERS),
    Grant(ObjectKind.CERTIFICATE_TEMPLATE, CERTIFICATE_TEMPLATE.common_name, Right.ENROLL, SUBSCRIBERS),
    Grant(ObjectKind.PRINCIPAL, SUBSCRIBERS, Right.REQUEST_ENROLL, MANAGERS),
    Grant(ObjectKind.PRINCIPAL, SUBSCRIBERS, Right.ENROLLMENT_AGENT, AGENTS),
    Grant(ObjectKind.SERVICE, "", Right.ADMINISTER, ADMINISTRATORS),
)

ISSUER = Issuer(
    name="ca.corp.contoso.com\\Contoso Issuing CA",
    subject=b"0\x00",
    key_identifier=bytes(20),
    not_before=NOW - timedelta(days=30),
    not_after=NOW + timedelta(days=3650),
    chain=(b"issuing", b"root"),
)
RSA_KEY = PublicKey(algorithm=KeyAlgorithm.RSA, name="RSA", bits=2048, encoded=b"rsa key", modulus=MODULI[0], exponent=65_537)
P256_KEY = PublicKey(algorithm=KeyAlgorithm.ECDSA_P256, name="P-256", bits=256, encoded=b"p-256 key")
CERTIFICATE_REQUEST = CertificateRequest(
    encoded=b"a certificate request",
    public_key=RSA_KEY,
    signature_hash=HashAlgorithm.SHA256,
    signature_name="RSA with SHA256",
    is_proven=True,
)


def with_policy(template: ProfileTemplate, policy: Policy) -> ProfileTemplate:
    """Return *template* with another policy for Enroll."""
    return replace(template, policies={RequestType.ENROLL: policy})


def describe_security(
    *,
    originator: Principal = SUBSCRIBER,
    target: Principal = SUBSCRIBER,
    policy: Policy = POLICY,
    grants: Grants = Grants(GRANTS),  # noqa: B008 - never changed
    operation: Operation = Operation.ENROLL,
) -> SecurityDescriptor:
    """Return who may do what to a request of these people under `TEMPLATE`."""
    parties = Parties(
        originator=originator,
        target=target,
        workflow=WORKFLOWS[operation],
        policy=policy,
        template_name=str(TEMPLATE.id),
        grants=grants,
    )
    return describe_request_security(parties)


def draft_of(
    template: CertificateTemplate = CERTIFICATE_TEMPLATE,
    request: CertificateRequest = CERTIFICATE_REQUEST,
    subject: User = SUBSCRIBER.user,
    issuer: Issuer = ISSUER,
    now: datetime = NOW,
) -> Draft:
    """Return the draft of a certificate that is fine but for what the test changes."""
    return plan_draft(template, request, subject, issuer, serial=SerialNumber(0x1234), now=now)
