"""What the API answers, property by property, in the order and the spelling of the documented examples.

The names of the wire are written out: no rule makes ``isPkcs7`` and ``IsExternal`` from names of ours.

Source: domain.md 2.1 to 2.6 and 2.11.
"""

from binascii import b2a_base64
from datetime import UTC, datetime
from struct import unpack
from typing import Self
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import asdict

from certwright.application.places import Delivered
from certwright.application.read_holdings import HeldProfile
from certwright.application.request_parties import SeenRequest
from certwright.domain.certificates import format_serial_number
from certwright.domain.data_items import DataItem, list_items
from certwright.domain.external_certificates import HeldCertificate
from certwright.domain.profile_templates import CertificateTemplate, ProfileTemplate
from certwright.domain.requests import RequestFlags
from certwright.formats.sddl import encode_security_descriptor
from certwright.wire.rest.errors import CertificateErrorBody
from certwright.wire.rest.identifiers import UNSET_IDENTIFIER

UNSET_MOMENT = "0001-01-01T00:00:00"
PKCS7_FLAG, PFX_FLAG = 0x10000, 0x20000
KEY_HISTORY_FLAG, EXTERNAL_FLAG, SERVER_GENERATED_FLAG, LOCAL_MACHINE_FLAG = 0x1, 0x2, 0x4, 0x8
"""``Flags`` of a certificate say what its other properties say. Source: domain.md 1.5."""

_LINE = 64


class DataItemBody(Struct):
    """A data item; *value* is None while it is open."""

    name: str = field(name="Name")
    value: str | None = field(name="Value")

    @classmethod
    def of(cls, item: DataItem) -> Self:
        """Return *item* as the API answers it."""
        return cls(item.name, item.value)


class RequestBody(Struct):
    """Source: domain.md 2.1."""

    uuid: UUID = field(name="Uuid")
    request_type: int = field(name="RequestType")
    status: int = field(name="Status")
    flags: int = field(name="Flags")
    data: list[DataItemBody] = field(name="DataCollection")
    data_flags: int = field(name="DataCollectionFlags")
    originator: UUID = field(name="OriginatorUserUuid")
    target: UUID = field(name="TargetUserUuid")
    submitted: str = field(name="Submitted")
    completed: str = field(name="Completed")
    new_profile: UUID = field(name="NewProfileUuid")
    old_profile: UUID = field(name="OldProfileUuid")
    new_smartcard: UUID = field(name="NewSmartcardUuid")
    old_smartcard: UUID = field(name="OldSmartcardUuid")
    priority: int = field(name="Priority")
    comment: str = field(name="Comment")
    template: UUID = field(name="ProfileTemplateUuid")
    security: str = field(name="SecurityDescriptor")
    is_smartcard: bool = field(name="IsSmartcard")
    is_enrollment_agent: bool = field(name="IsEnrollmentAgent")
    is_data_complete: bool = field(name="IsDataCollectionComplete")

    @classmethod
    def of(cls, seen: SeenRequest) -> Self:
        """Return *seen* as the API answers it."""
        request = seen.request
        return cls(
            uuid=request.id,
            request_type=request.type,
            status=request.status,
            flags=request.flags,
            data=[DataItemBody.of(each) for each in list_items(seen.policy.data_items, request.data)],
            data_flags=request.data_flags,
            originator=request.originator_id,
            target=request.target_id,
            submitted=format_moment(request.submitted),
            completed=UNSET_MOMENT if request.completed is None else format_moment(request.completed),
            new_profile=request.profile_id or UNSET_IDENTIFIER,
            old_profile=request.old_profile_id or UNSET_IDENTIFIER,
            new_smartcard=request.smartcard_id or UNSET_IDENTIFIER,
            old_smartcard=request.old_smartcard_id or UNSET_IDENTIFIER,
            priority=request.priority,
            comment=request.comment,
            template=request.template_id,
            security=encode_security_descriptor(seen.security),
            is_smartcard=RequestFlags.SMARTCARD in request.flags,
            is_enrollment_agent=RequestFlags.ENROLLMENT_AGENT in request.flags,
            is_data_complete=request.is_data_complete,
        )


class ProfileBody(Struct):
    """Source: domain.md 2.2 and 4.3 (operations)."""

    uuid: UUID = field(name="Uuid")
    status: int = field(name="Status")
    flags: int = field(name="Flags")
    parent: UUID = field(name="ParentProfileUuid")
    primary: UUID = field(name="PrimaryProfileUuid")
    owner: UUID = field(name="AssignedUserUuid")
    template: UUID = field(name="ProfileTemplateUuid")
    template_version: int = field(name="ProfileTemplateVersion")
    comment: str = field(name="Comment")
    operations: list[str] = field(name="ProfileOperations")

    @classmethod
    def of(cls, held: HeldProfile) -> Self:
        """Return *held* as the API answers it."""
        profile = held.profile
        return cls(
            uuid=profile.id,
            status=profile.status,
            flags=profile.flags,
            parent=profile.parent_id or UNSET_IDENTIFIER,
            primary=profile.primary_id or UNSET_IDENTIFIER,
            owner=profile.owner_id,
            template=profile.template_id,
            template_version=profile.template_version,
            comment=profile.comment,
            operations=[each.value for each in held.operations],
        )


class ProfileTemplateView(Struct):
    """The limited view of a profile template. Source: domain.md 2.6."""

    name: str = field(name="Name")
    description: str = field(name="Description")
    uuid: UUID = field(name="Uuid")
    is_smartcard: bool = field(name="IsSmartcardProfileTemplate")
    is_virtual_smartcard: bool = field(name="IsVirtualSmartcardProfileTemplate")

    @classmethod
    def of(cls, template: ProfileTemplate) -> Self:
        """Return *template* as the API answers it."""
        return cls(template.name, template.description, template.id, template.is_smartcard, template.is_virtual_smartcard)


class GenerationOptionsBody(Struct):
    """How the client makes one key and its request. Source: domain.md 2.11."""

    subject: str = field(name="Subject")
    algorithm: str = field(name="KeyAlgorithmName")
    bits: int = field(name="KeySize")
    friendly_name: str = field(name="FriendlyName")
    hash: str = field(name="HashAlgorithmName")
    providers: list[str] = field(name="KeyStorageProviderNames")
    exportable: int = field(name="Exportable")
    protection_level: int = field(name="KeyProtectionLevel")
    usages: int = field(name="KeyUsages")

    @classmethod
    def of(cls, template: CertificateTemplate) -> Self:
        """Return *template* as the API answers it."""
        key = template.key
        return cls(
            subject="",
            algorithm=key.algorithm.value,
            bits=key.bits,
            friendly_name=key.friendly_name,
            hash=key.hash.value,
            providers=list(key.providers),
            exportable=int(key.exportable),
            protection_level=key.protection_level,
            usages=template.generation_usages,
        )


class DeliveredBody(Struct):
    """One certificate of an answer, or why there is none. Source: domain.md 2.4 and its correction 5."""

    template_common_name: str = field(name="TemplateCommonName")
    certificate_id: int = field(name="CertificateId")
    flags: int = field(name="Flags")
    use_local_machine_store: bool = field(name="UseLocalMachineStore")
    error: CertificateErrorBody | None = field(name="Error")
    pkcs7: str | None = field(name="Pkcs7")
    pfx: str | None = field(name="Pfx")
    is_external: bool = field(name="IsExternal")
    is_server_generated: bool = field(name="isServerGenerated")
    is_pfx: bool = field(name="isPfx")
    is_pkcs7: bool = field(name="isPkcs7")
    is_key_history: bool = field(name="isKeyHistory")

    @classmethod
    def of(cls, delivered: Delivered) -> Self:
        """Return *delivered* as the API answers it."""
        response, pfx = delivered.response, delivered.pfx
        flags = {
            PKCS7_FLAG: response is not None,
            EXTERNAL_FLAG: delivered.is_external,
            PFX_FLAG: pfx is not None,
            KEY_HISTORY_FLAG: delivered.is_key_history,
            SERVER_GENERATED_FLAG: delivered.is_server_generated,
            LOCAL_MACHINE_FLAG: delivered.use_local_machine_store,
        }
        return cls(
            template_common_name=delivered.template_common_name,
            certificate_id=0,
            flags=sum(flag for flag, is_set in flags.items() if is_set),
            use_local_machine_store=delivered.use_local_machine_store,
            error=None if delivered.error is None else CertificateErrorBody.of(delivered.error),
            pkcs7=None if response is None else format_base64(response),
            pfx=None if pfx is None else format_base64(pfx),
            is_external=delivered.is_external,
            is_server_generated=delivered.is_server_generated,
            is_pfx=pfx is not None,
            is_pkcs7=response is not None,
            is_key_history=delivered.is_key_history,
        )


class HeldCertificateBody(Struct):
    """A certificate in the list of a profile or card. Source: domain.md 2.5."""

    is_key_history: bool = field(name="IsKeyHistory")
    is_archived: bool = field(name="ArchivedOnCa")
    certificate_type: int = field(name="CertificateType")
    template_common_name: str = field(name="TemplateCommonName")
    serial_number: str = field(name="SerialNumber")
    thumbprint: str = field(name="Thumbprint")

    @classmethod
    def of(cls, certificate: HeldCertificate) -> Self:
        """Return *certificate* as the API answers it."""
        return cls(
            is_key_history=certificate.is_key_history,
            is_archived=certificate.is_archived,
            certificate_type=certificate.type,
            template_common_name=certificate.template_common_name,
            serial_number=format_serial_number(certificate.serial),
            thumbprint=certificate.thumbprint,
        )


class OwnCertificateBody(HeldCertificateBody):
    """A certificate in the list of one's own: as in a profile's, and what follows. Source: domain.md 2.5."""

    not_after: str = field(name="NotAfter")
    not_before: str = field(name="NotBefore")
    issuer: str = field(name="Issuer")
    requester_name: str = field(name="RequesterName")
    status: int = field(name="Status")

    @classmethod
    def at(cls, certificate: HeldCertificate, now: datetime) -> Self:
        """Return *certificate* as the API answers it."""
        return cls(
            **asdict(HeldCertificateBody.of(certificate)),
            not_after=format_moment(certificate.not_after).removesuffix("Z"),
            not_before=format_moment(certificate.not_before).removesuffix("Z"),
            issuer=certificate.authority_name,
            requester_name=certificate.requester_name,
            status=certificate.status(now),
        )


def format_moment(moment: datetime) -> str:
    """Return the time as requests have it. Shape: UTC with Z; milliseconds without zeros at the end, none when zero."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return text.rstrip("0").rstrip(".") + "Z"


def format_base64(octets: bytes) -> str:
    """Return base64 in lines of 64, each of them, the last one too, ended by CR and LF."""
    text = b2a_base64(octets, newline=False)
    whole, rest = divmod(len(text), _LINE)
    # Cut by one call: a loop over the lines of a long answer costs several times what encoding it does.
    lines = unpack(f"{_LINE}s" * whole + f"{rest}s", text)
    return b"\r\n".join(lines).decode() + "\r\n" * bool(rest)
