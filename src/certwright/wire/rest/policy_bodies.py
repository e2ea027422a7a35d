"""Policies as the API answers them.

No example of a policy was ever published: names that domain.md marks as proposals are ours.

Source: domain.md 2.8 and 2.9.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, field

from certwright.domain.data_items import DataItemDefinition, DataItemType
from certwright.domain.identities import Sid
from certwright.domain.one_time_passwords import OneTimePasswordRules
from certwright.domain.policies import Policy, PolicyDocument, describe_revocation
from certwright.domain.request_types import RequestType
from certwright.domain.revocation import RevocationSettings
from certwright.domain.security_descriptors import SERVICE_SID, Entry, RequestPermission, SecurityDescriptor
from certwright.formats.sddl import encode_security_descriptor

INITIATE = UUID("68612337-656e-4efd-bc07-55be6fffb0cf")
APPROVE = UUID("9c72c7ef-9a99-41ce-8cfc-97b297052e83")
ENROLL_ON_BEHALF = UUID("fa8bdba6-ec43-453b-a453-cb1361558770")
"""The extended rights that a policy gives; the identifiers of the product are not public, these are ours."""

SECRET_PROVIDER = "Certwright.RandomSecretProvider"
"""Clients of the product read the name of a .NET class here; no such class is behind this one."""

_ITEM_TYPES = {
    DataItemType.TEXT: "String",
    DataItemType.NUMBER: "Number",
    DataItemType.DATE: "Date",
    DataItemType.BOOLEAN: "Boolean",
}
_TEMPORARY_CARDS = frozenset(
    {RequestType.TEMPORARY_CARD_ENROLL, RequestType.TEMPORARY_CARD_RETIRE, RequestType.TEMPORARY_CARD_DISABLE}
)
_WITH_CARD_ENDING = _TEMPORARY_CARDS | {RequestType.RETIRE}
_WITH_ACTIVE_PROFILES = frozenset({RequestType.ENROLL})
_WITH_REVOCATION_OF_DUPLICATES = frozenset({RequestType.RENEW, RequestType.RECOVER})
_WITH_REVOCATION = frozenset(
    {
        RequestType.RENEW,
        RequestType.RECOVER,
        RequestType.DISABLE,
        RequestType.RETIRE,
        RequestType.SUSPEND_OR_REINSTATE,
    }
    | _TEMPORARY_CARDS
)


class ValidationBody(Struct):
    """How the answer to a data item is checked, beyond its type."""

    validation_type: str = field(name="ValidationType", default="None")
    validation_data: str = field(name="ValidationData", default="")


class DataItemDefinitionBody(Struct):
    """A question that the policy asks."""

    name: str = field(name="Name")
    description: str = field(name="Description")
    item_type: str = field(name="Type")
    required: bool = field(name="Required")
    originator: str = field(name="Originator")
    storage: str = field(name="Storage")
    validation: ValidationBody = field(name="Validation")

    @classmethod
    def of(cls, definition: DataItemDefinition) -> Self:
        """Return *definition* as the API answers it."""
        return cls(
            name=definition.name,
            description=definition.description,
            item_type=_ITEM_TYPES[definition.type],
            required=definition.required,
            originator=definition.originator.value.capitalize(),
            storage="Encrypted" if definition.sensitive else "None",
            validation=ValidationBody("RegularExpression", definition.pattern) if definition.pattern else ValidationBody(),
        )


class DocumentBody(Struct):
    """A document that is printed when a request is executed."""

    name: str = field(name="Name")
    template: str = field(name="Template")
    recipient: str = field(name="Recipient")

    @classmethod
    def of(cls, document: PolicyDocument) -> Self:
        """Return *document* as the API answers it."""
        return cls(document.name, document.template, document.recipient)


class RenewalNoticeBody(Struct):
    """When the renewal of a certificate begins, and whether its owner is told."""

    enabled: bool = field(name="Enabled")
    period: str = field(name="RenewalPeriod")


class AuthorizedBody(Struct):
    """Who holds one right, as a security descriptor."""

    security: str = field(name="SecurityDescriptor")
    right: UUID = field(name="Uuid")


class DistributionBody(Struct):
    """How one password reaches its reader. The text of its mail is the server's own."""

    distribution_type: int = field(name="DistributionType")
    email_template: str = field(name="EmailTemplate", default="")


class SecretsBody(Struct):
    """The one-time passwords of a policy. Shape: *provider_data* has what no other property is for, as ``name=value;...``."""

    provider_type: str = field(name="SecretProviderType", default="")
    provider_data: str = field(name="SecretProviderData", default="")
    distributions: list[DistributionBody] = field(name="Distributions", default_factory=list)
    count: int = field(name="Count", default=0)

    @classmethod
    def of(cls, rules: OneTimePasswordRules) -> Self:
        """Return *rules* as the API answers them."""
        if not rules.distributions:
            return cls()
        told = {
            "Length": str(rules.length),
            "Validity": format_delay(rules.validity),
            "Tries": str(rules.tries),
            "CheckedOverRest": str(rules.checked_over_rest).lower(),
        }
        return cls(
            provider_type=SECRET_PROVIDER,
            provider_data=";".join(f"{name}={value}" for name, value in told.items()),
            distributions=[DistributionBody(int(each)) for each in rules.distributions],
            count=len(rules.distributions),
        )


class PersonalizationBody(Struct):
    """The personalisation of cards: none is done."""

    enabled: bool = field(name="Enabled", default=False)
    content: str = field(name="Data", default="")


class RevocationBody(Struct):
    """What happens to the certificates that came before."""

    allow_specify_delay: bool = field(name="AllowSpecifyDelay")
    allow_specify_reason: bool = field(name="AllowSpecifyReason")
    disable_old_profile: bool = field(name="DisableOldCardOrProfile")
    delay: str = field(name="EffectiveRevocationDelay")
    publish_base_crl: bool = field(name="PublishBaseCrl")
    publish_delta_crl: bool = field(name="PublishDeltaCrl")
    reason: int = field(name="Reason")
    revoke_old_certificates: bool = field(name="RevokeOldCertificates")

    @classmethod
    def of(cls, settings: RevocationSettings) -> Self:
        """Return *settings* as the API answers it."""
        return cls(
            allow_specify_delay=settings.allow_specify_delay,
            allow_specify_reason=settings.allow_specify_reason,
            disable_old_profile=settings.disable_old_profile,
            delay=format_delay(settings.delay),
            publish_base_crl=settings.publish_base_crl,
            publish_delta_crl=settings.publish_delta_crl,
            reason=settings.reason,
            revoke_old_certificates=settings.revoke_old_certificates,
        )


class PolicyBody(Struct):
    """One policy; the properties after *self_service* only for the kinds of request that have them."""

    approvals_needed: int = field(name="ApprovalsNeeded")
    approver: AuthorizedBody = field(name="AuthorizedApprover")
    enrollment_agent: AuthorizedBody = field(name="AuthorizedEnrollmentAgent")
    initiator: AuthorizedBody = field(name="AuthorizedInitiator")
    collect_comments: bool = field(name="CollectComments")
    collect_priority: bool = field(name="CollectRequestPriority")
    default_priority: int = field(name="DefaultRequestPriority")
    documents: list[DocumentBody] = field(name="Documents")
    enabled: bool = field(name="Enabled")
    enrollment_agent_required: bool = field(name="EnrollAgentRequired")
    secrets: SecretsBody = field(name="OneTimePasswordPolicy")
    personalization: PersonalizationBody = field(name="Personalization")
    policy_data: list[DataItemDefinitionBody] = field(name="PolicyDataCollection")
    data: list[DataItemDefinitionBody] = field(name="DataCollection")
    self_service: bool = field(name="SelfServiceEnabled")
    maximum_active_profiles: int | UnsetType = field(name="MaximumActiveProfiles", default=UNSET)
    maximum_duplicates: int | UnsetType = field(name="MaximumDuplicates", default=UNSET)
    reuse_smartcard: bool | UnsetType = field(name="ReuseSmartcard", default=UNSET)
    reissue_archived: bool | UnsetType = field(name="ReissueArchivedCertificates", default=UNSET)
    revocation: RevocationBody | UnsetType = field(name="RevocationSettings", default=UNSET)
    revocation_for_duplicates: RevocationBody | UnsetType = field(name="RevocationSettingsForDuplicates", default=UNSET)
    revocation_for_content_change: RevocationBody | UnsetType = field(name="RevocationSettingsForContentChange", default=UNSET)
    renewal_notice: RenewalNoticeBody | UnsetType = field(name="RenewalNotification", default=UNSET)
    allow_specify_template: bool | UnsetType = field(name="AllowSpecifyCertificateTemplate", default=UNSET)
    allow_suspend: bool | UnsetType = field(name="AllowSuspend", default=UNSET)
    block_admin_pin: bool | UnsetType = field(name="BlockAdminPin", default=UNSET)
    block_user_pin: bool | UnsetType = field(name="BlockUserPin", default=UNSET)
    erase_card: bool | UnsetType = field(name="EraseCard", default=UNSET)
    reset_admin_pin: bool | UnsetType = field(name="ResetAdminPin", default=UNSET)
    reset_user_pin: bool | UnsetType = field(name="ResetUserPin", default=UNSET)
    allow_kiosk_retirement: bool | UnsetType = field(name="AllowKioskRetirement", default=UNSET)
    autoenroll_enabled: bool | UnsetType = field(name="AutoenrollEnabled", default=UNSET)
    maximum_issued: int | UnsetType = field(name="MaximumIssued", default=UNSET)
    validity: str | UnsetType = field(name="ValidityPeriod", default=UNSET)

    @classmethod
    def of(cls, policy: Policy, workflow: RequestType) -> Self:
        """Return *policy* as the API answers it."""
        items = [DataItemDefinitionBody.of(each) for each in policy.data_items]
        return cls(
            approvals_needed=policy.approvals_needed,
            approver=_authorize(policy.approvers, RequestPermission.APPROVE, APPROVE),
            enrollment_agent=_authorize(policy.enrollment_agents, RequestPermission.EXECUTE, ENROLL_ON_BEHALF),
            initiator=_authorize(policy.initiators, RequestPermission.CANCEL | RequestPermission.WRITE, INITIATE),
            collect_comments=policy.collect_comments,
            collect_priority=policy.collect_priority,
            default_priority=policy.default_priority,
            documents=[DocumentBody.of(each) for each in policy.documents],
            enabled=policy.enabled,
            enrollment_agent_required=policy.enrollment_agent_required,
            secrets=SecretsBody.of(policy.one_time_passwords),
            personalization=PersonalizationBody(),
            policy_data=items,
            data=items,
            self_service=policy.self_service,
            **_list_extras(policy, workflow),
        )


def format_delay(delay: timedelta) -> str:
    """Return the time span as .NET writes it: ``[d.]hh:mm:ss``, days only where there are any."""
    minutes, seconds = divmod(delay.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days = f"{delay.days}." if delay.days else ""
    return f"{days}{hours:02}:{minutes:02}:{seconds:02}"


def _authorize(trustees: Iterable[Sid], permission: RequestPermission, right: UUID) -> AuthorizedBody:
    entries = tuple(Entry(each, permission, "named by the policy") for each in sorted(trustees))
    return AuthorizedBody(encode_security_descriptor(SecurityDescriptor(SERVICE_SID, entries)), right)


def _list_extras(policy: Policy, workflow: RequestType) -> dict[str, Any]:
    """Return the properties that only the policies of some kinds of request have."""
    extras: dict[str, Any] = {}
    if workflow in _WITH_ACTIVE_PROFILES:
        extras["maximum_active_profiles"] = policy.maximum_active_profiles
    if workflow in _WITH_REVOCATION:
        extras["revocation"] = RevocationBody.of(describe_revocation(policy, workflow))
    if workflow in _WITH_REVOCATION_OF_DUPLICATES:
        extras["revocation_for_duplicates"] = RevocationBody.of(policy.revocation_for_duplicates)
    match workflow:
        case RequestType.RECOVER:
            extras["reissue_archived"] = policy.reissue_archived_certificates
        case RequestType.DUPLICATE:
            extras["maximum_duplicates"] = policy.maximum_duplicates
        case RequestType.ONLINE_UPDATE:
            extras["allow_specify_template"] = policy.allow_specify_certificate_template
            extras["revocation_for_content_change"] = RevocationBody.of(describe_revocation(policy, workflow))
        case RequestType.SUSPEND_OR_REINSTATE:
            extras["allow_suspend"] = policy.enabled
        case RequestType.RENEW:
            extras["reuse_smartcard"] = policy.reuse_smartcard
            extras["renewal_notice"] = RenewalNoticeBody(policy.notify_of_renewal, format_delay(policy.renewal_period))
    if workflow in _WITH_CARD_ENDING:
        extras |= asdict(policy.card_ending)
    if workflow in _TEMPORARY_CARDS:
        extras |= asdict(policy.temporary_cards) | {"validity": format_delay(policy.temporary_cards.validity)}
    return extras
