"""The tables of a world file. What a file leaves out gets the defaults of `domain`; keys that are not here are refused."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from certwright.domain.admin_keys import AdminKeyAlgorithm
from certwright.domain.data_items import DataItemOriginator, DataItemType
from certwright.domain.grants import ObjectKind, Right
from certwright.domain.notifications import NotificationType
from certwright.domain.pfx import PfxProtection
from certwright.domain.profile_templates import (
    AlternativeName,
    KeyOrigin,
    ResponseForm,
    SubjectSource,
    X509KeyUsage,
)
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm
from certwright.domain.smartcard_configuration import PinRecipient

NOT_GIVEN = UUID(int=0)
"""An identifier that a file leaves out: the one that is there counts, or a new one is made."""
Names = tuple[str, ...]
Rights = dict[Right, Names]
TemplateVersion = Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]
"""Source: TemplateVersion of MS-WCCE section 2.2.2.7.7.2."""


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table that has no other keys than its own."""


class DomainTable(_Table, frozen=True):
    """``[domain]``: the Windows domain that all accounts of the file are in."""

    name: str


class ServiceTable(_Table, frozen=True):
    """``[service]``: rights on the server itself."""

    rights: Rights = {}


class UserTable(_Table, frozen=True):
    """``[[users]]``; what is left out stays as it is with an account that is there."""

    account: str
    domain: str | UnsetType = UNSET
    id: UUID = NOT_GIVEN
    sid: str = ""
    principal_name: str = ""
    display_name: str = ""
    distinguished_name: str = ""
    email: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    rights: Rights = {}


class GroupTable(_Table, frozen=True):
    """``[[groups]]``; *members* are accounts and groups, *rights* are held over the members."""

    name: str
    id: UUID = NOT_GIVEN
    sid: str = ""
    members: Names | UnsetType = UNSET
    rights: Rights = {}


class RightTable(_Table, frozen=True):
    """``[[rights]]``: one right, apart from what it is held on."""

    right: Right
    kind: ObjectKind
    to: Names
    on: str = ""


class KeyTable(_Table, frozen=True):
    """``key`` of a certificate template."""

    algorithm: KeyAlgorithm | UnsetType = UNSET
    bits: int | UnsetType = UNSET
    hash: HashAlgorithm | UnsetType = UNSET
    providers: Names | UnsetType = UNSET
    origin: KeyOrigin | UnsetType = UNSET
    exportable: bool | UnsetType = UNSET
    protection_level: int | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    friendly_name: str | UnsetType = UNSET
    allow_roca: bool | UnsetType = UNSET


class CertificateTemplateTable(_Table, frozen=True):
    """``[[certificate_templates]]``."""

    common_name: str
    oid: str | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    major_version: TemplateVersion | UnsetType = UNSET
    minor_version: TemplateVersion | UnsetType = UNSET
    key: KeyTable = KeyTable()
    validity: str | UnsetType = UNSET
    subject: SubjectSource | UnsetType = UNSET
    alternative_names: tuple[AlternativeName, ...] | UnsetType = UNSET
    key_usages: frozenset[X509KeyUsage] | UnsetType = UNSET
    extended_key_usages: Names | UnsetType = UNSET
    certificate_policies: Names | UnsetType = UNSET
    include_security_identifier: bool | UnsetType = UNSET
    use_local_machine_store: bool | UnsetType = UNSET
    rights: Rights | UnsetType = UNSET


class DataItemTable(_Table, frozen=True):
    """One question of a policy."""

    name: str
    description: str | UnsetType = UNSET
    required: bool | UnsetType = UNSET
    originator: DataItemOriginator | UnsetType = UNSET
    type: DataItemType | UnsetType = UNSET
    pattern: str | UnsetType = UNSET
    default: str | UnsetType = UNSET
    sensitive: bool | UnsetType = UNSET


class DocumentTable(_Table, frozen=True):
    """One document that is printed when a request is executed."""

    name: str
    template: str | UnsetType = UNSET
    recipient: str | UnsetType = UNSET


class MailTemplateTable(_Table, frozen=True):
    """``template`` of a notification: a mail with places for facts."""

    subject: str
    text: str
    html: str | UnsetType = UNSET


class NotificationTable(_Table, frozen=True):
    """Whom a policy tells of what by mail; *to* are subject, originator, approvers, and addresses."""

    type: NotificationType
    to: Names
    template: MailTemplateTable | None = None


class CardEndingTable(_Table, frozen=True):
    """``card_ending`` of a policy."""

    block_admin_pin: bool | UnsetType = UNSET
    block_user_pin: bool | UnsetType = UNSET
    erase_card: bool | UnsetType = UNSET
    reset_admin_pin: bool | UnsetType = UNSET
    reset_user_pin: bool | UnsetType = UNSET


class TemporaryCardsTable(_Table, frozen=True):
    """``temporary_cards`` of a policy."""

    allow_kiosk_retirement: bool | UnsetType = UNSET
    autoenroll_enabled: bool | UnsetType = UNSET
    maximum_issued: int | UnsetType = UNSET
    validity: str | UnsetType = UNSET


class RevocationTable(_Table, frozen=True):
    """``revocation`` and ``revocation_for_duplicates`` of a policy."""

    reason: str | UnsetType = UNSET
    delay: str | UnsetType = UNSET
    disable_old_profile: bool | UnsetType = UNSET
    revoke_old_certificates: bool | UnsetType = UNSET
    publish_base_crl: bool | UnsetType = UNSET
    publish_delta_crl: bool | UnsetType = UNSET
    allow_specify_delay: bool | UnsetType = UNSET
    allow_specify_reason: bool | UnsetType = UNSET


class OneTimePasswordsTable(_Table, frozen=True):
    """``one_time_passwords`` of a policy; *distributions* says how each of them reaches its reader."""

    distributions: Names = ()
    length: int | UnsetType = UNSET
    validity: str | UnsetType = UNSET
    tries: int | UnsetType = UNSET
    checked_over_rest: bool | UnsetType = UNSET


class PolicyTable(_Table, frozen=True):
    """``[profile_templates.policies.KIND]``."""

    enabled: bool | UnsetType = UNSET
    self_service: bool | UnsetType = UNSET
    approvals_needed: int | UnsetType = UNSET
    initiators: Names = ()
    approvers: Names = ()
    enrollment_agents: Names = ()
    enrollment_agent_required: bool | UnsetType = UNSET
    collect_comments: bool | UnsetType = UNSET
    collect_priority: bool | UnsetType = UNSET
    default_priority: int | UnsetType = UNSET
    data_items: tuple[DataItemTable, ...] = ()
    maximum_active_profiles: int | UnsetType = UNSET
    maximum_duplicates: int | UnsetType = UNSET
    reissue_archived_certificates: bool | UnsetType = UNSET
    allow_specify_certificate_template: bool | UnsetType = UNSET
    reuse_smartcard: bool | UnsetType = UNSET
    renewal_period: str | UnsetType = UNSET
    notify_of_renewal: bool | UnsetType = UNSET
    notifications: tuple[NotificationTable, ...] = ()
    documents: tuple[DocumentTable, ...] = ()
    card_ending: CardEndingTable = CardEndingTable()
    temporary_cards: TemporaryCardsTable = TemporaryCardsTable()
    one_time_passwords: OneTimePasswordsTable = OneTimePasswordsTable()
    revocation: RevocationTable = RevocationTable()
    revocation_for_duplicates: RevocationTable = RevocationTable()


class PinTable(_Table, frozen=True):
    """``user_pin`` and ``admin_pin`` of a card configuration."""

    min_length: int | UnsetType = UNSET
    max_length: int | UnsetType = UNSET
    character_set: int | UnsetType = UNSET
    rollover: bool | UnsetType = UNSET
    default_value: str | UnsetType = UNSET


class SmartcardTable(_Table, frozen=True):
    """``[profile_templates.smartcard]``; its presence makes the template one for cards."""

    is_virtual: bool | UnsetType = UNSET
    user_pin_option: str | UnsetType = UNSET
    user_pin: PinTable = PinTable()
    admin_pin: PinTable = PinTable()
    default_admin_key_hex: str | UnsetType = UNSET
    provider_name: str | UnsetType = UNSET
    provider_id: str | UnsetType = UNSET
    provider_type: int | UnsetType = UNSET
    diversify_admin_key: bool | UnsetType = UNSET
    initialization_type: str | UnsetType = UNSET
    initialization_data: str | UnsetType = UNSET
    initialize_new_card: bool | UnsetType = UNSET
    install_ca_certificates: bool | UnsetType = UNSET
    certificate_label: str | UnsetType = UNSET
    max_certificates: int | UnsetType = UNSET
    allow_reuse: bool | UnsetType = UNSET
    erase_on_overflow: bool | UnsetType = UNSET
    admin_key_algorithm: AdminKeyAlgorithm | UnsetType = UNSET
    maximum_challenges: int | UnsetType = UNSET
    pin_shown_to: PinRecipient | UnsetType = UNSET


class ProfileTemplateTable(_Table, frozen=True):
    """``[[profile_templates]]``; *certificate_templates* are common names, in the order of the generation options."""

    name: str
    certificate_templates: Names
    policies: dict[str, PolicyTable]
    id: UUID = NOT_GIVEN
    description: str | UnsetType = UNSET
    response_form: ResponseForm | UnsetType = UNSET
    response_hash: HashAlgorithm | UnsetType = UNSET
    pfx_protection: PfxProtection | UnsetType = UNSET
    external_certificates: bool | UnsetType = UNSET
    smartcard: SmartcardTable | None = None
    rights: Rights | UnsetType = UNSET


class TemplatesTable(_Table, frozen=True):
    """A whole file of templates alone; whom it names is looked up in the directory."""

    certificate_templates: tuple[CertificateTemplateTable, ...] = ()
    profile_templates: tuple[ProfileTemplateTable, ...] = ()


class WorldTable(_Table, frozen=True):
    """A whole world file."""

    domain: DomainTable
    service: ServiceTable = ServiceTable()
    users: tuple[UserTable, ...] = ()
    groups: tuple[GroupTable, ...] = ()
    rights: tuple[RightTable, ...] = ()
    certificate_templates: tuple[CertificateTemplateTable, ...] = ()
    profile_templates: tuple[ProfileTemplateTable, ...] = ()
