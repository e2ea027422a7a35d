"""Cards, and how those of a profile template are set up, as the API answers them. Source: domain.md 2.3 and 2.10."""

from typing import Self
from uuid import UUID

from msgspec import Struct, field

from certwright.domain.smartcard_configuration import PinPolicy, SmartcardConfiguration
from certwright.domain.smartcards import Smartcard
from certwright.wire.rest.identifiers import UNSET_IDENTIFIER


class SmartcardBody(Struct):
    """Source: domain.md 2.3: the serial number of a card is its identifier in braces."""

    uuid: UUID = field(name="Uuid")
    status: int = field(name="Status")
    flags: int = field(name="Flags")
    parent: UUID = field(name="ParentSmartcardUuid")
    primary: UUID = field(name="PrimarySmartcardUuid")
    permanent: UUID = field(name="PermanentSmartcardUuid")
    owner: UUID = field(name="AssignedUserUuid")
    template: UUID = field(name="ProfileTemplateUuid")
    template_version: int = field(name="ProfileTemplateVersion")
    comment: str = field(name="Comment")
    serial_number: str = field(name="SerialNumber")
    middleware: str = field(name="Middleware")
    atr: str = field(name="Atr")

    @classmethod
    def of(cls, card: Smartcard) -> Self:
        """Return *card* as the API answers it."""
        return cls(
            uuid=card.id,
            status=card.status,
            flags=card.flags,
            parent=card.parent_id or UNSET_IDENTIFIER,
            primary=card.primary_id or UNSET_IDENTIFIER,
            permanent=card.permanent_id or UNSET_IDENTIFIER,
            owner=card.owner_id or UNSET_IDENTIFIER,
            template=card.template_id or UNSET_IDENTIFIER,
            template_version=card.template_version,
            comment=card.comment,
            serial_number=f"{{{card.card_id}}}",
            middleware=card.middleware,
            atr=card.atr,
        )


class PinPolicyBody(Struct):
    """The rules of one PIN."""

    min_length: int = field(name="MinLength")
    max_length: int = field(name="MaxLength")
    character_set: int = field(name="CharacterSet")
    rollover: bool = field(name="Rollover")
    default_value: str = field(name="DefaultValue")

    @classmethod
    def of(cls, policy: PinPolicy) -> Self:
        """Return *policy* as the API answers it."""
        return cls(policy.min_length, policy.max_length, policy.character_set, policy.rollover, policy.default_value)


class PrintPolicyBody(Struct):
    """The card printer's settings: we print no cards, and say so in the shape that clients know."""

    field_mapping: str = field(name="FieldMapping", default="")
    project_name: str = field(name="ProjectName", default="")
    card_name: str = field(name="CardName", default="")
    prints: bool = field(name="Print", default=False)


class SmartcardConfigurationBody(Struct):
    """Secure key injection and card printers are not offered."""

    user_pin_option: int = field(name="UserPinOption")
    user_pin: PinPolicyBody = field(name="UserPinPolicy")
    admin_pin: PinPolicyBody = field(name="AdminPinPolicy")
    default_admin_key_hex: str = field(name="DefaultAdminKeyHex")
    provider_name: str = field(name="ProviderName")
    provider_id: str = field(name="ProviderId")
    provider_type: int = field(name="ProviderType")
    diversify_admin_key: bool = field(name="DiversifyAdminKey")
    initialization_type: str = field(name="CardInitializationType")
    initialization_data: str = field(name="CardInitializationData")
    initialize_new_card: bool = field(name="InitializeNewSmartcard")
    use_secure_key_injection: bool = field(name="UseSecureKeyInjection")
    do_not_install_ca_certificates: bool = field(name="DoNotInstallCaCertificates")
    certificate_label: str = field(name="CertificateLabel")
    max_certificates: int = field(name="MaxNumberOfCertificates")
    allow_reuse: bool = field(name="AllowSmartcardReuse")
    erase_on_overflow: bool = field(name="EraseOnOverflow")
    use_virtual_smartcards: bool = field(name="UseVirtualSmartcards")
    print_policy: PrintPolicyBody = field(name="SmartcardPrintPolicy")

    @classmethod
    def of(cls, card: SmartcardConfiguration) -> Self:
        """Return *card* as the API answers it."""
        return cls(
            user_pin_option=card.user_pin_option,
            user_pin=PinPolicyBody.of(card.user_pin),
            admin_pin=PinPolicyBody.of(card.admin_pin),
            default_admin_key_hex=card.default_admin_key_hex,
            provider_name=card.provider_name,
            provider_id=card.provider_id,
            provider_type=card.provider_type,
            diversify_admin_key=card.diversify_admin_key,
            initialization_type=card.initialization_type,
            initialization_data=card.initialization_data,
            initialize_new_card=card.initialize_new_card,
            use_secure_key_injection=False,
            do_not_install_ca_certificates=not card.install_ca_certificates,
            certificate_label=card.certificate_label,
            max_certificates=card.max_certificates,
            allow_reuse=card.allow_reuse,
            erase_on_overflow=card.erase_on_overflow,
            use_virtual_smartcards=card.is_virtual,
            print_policy=PrintPolicyBody(),
        )
