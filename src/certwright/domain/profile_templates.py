"""Profile templates: which certificates are issued together, to whom, by which policies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, IntFlag, StrEnum
from typing import NewType
from uuid import UUID

from certwright.domain.errors import PolicyMissing
from certwright.domain.pfx import PfxProtection
from certwright.domain.policies import Policy
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm
from certwright.domain.request_types import RequestType
from certwright.domain.smartcard_configuration import SmartcardConfiguration

ProfileTemplateId = NewType("ProfileTemplateId", UUID)

CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.2"
EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
SMARTCARD_LOGON = "1.3.6.1.4.1.311.20.2.2"
PKINIT_CLIENT_AUTHENTICATION = "1.3.6.1.5.2.3.4"
ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0"
CERTIFICATE_REQUEST_AGENT = "1.3.6.1.4.1.311.20.2.1"


class KeyOrigin(StrEnum):
    """Who makes the key."""

    CLIENT = "client"
    SERVER = "server"


class KeyUsages(IntFlag):
    """``KeyUsages`` of the generation options. Source: EnrollKeyUsages in domain.md 1.17."""

    NONE = 0
    DECRYPTION = 1
    SIGNING = 2
    KEY_AGREEMENT = 4


class SubjectSource(StrEnum):
    """Where the subject of a certificate comes from."""

    DISTINGUISHED_NAME = "distinguished-name"
    COMMON_NAME = "common-name"
    NONE = "none"
    REQUEST = "request"


class AlternativeName(StrEnum):
    """Which names of the directory go into the subject alternative name."""

    PRINCIPAL_NAME = "principal-name"
    EMAIL = "email"


class ResponseForm(StrEnum):
    """What the ``Pkcs7`` of an answer holds."""

    CMC = "cmc"
    CERTIFICATES_ONLY = "certificates-only"


class X509KeyUsage(Enum):
    """Bits of the key usage extension. Source: RFC 5280 section 4.2.1.3."""

    DIGITAL_SIGNATURE = "digital-signature"
    CONTENT_COMMITMENT = "content-commitment"
    KEY_ENCIPHERMENT = "key-encipherment"
    KEY_AGREEMENT = "key-agreement"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySpecification:
    """The generation options of one key. Source: domain.md 2.11.

    Shape: *providers* are key storage provider names, tried in order; *allow_roca* takes keys of the chips whose library is
    flawed (CVE-2017-15361), for as long as cards with them are in people's hands.
    """

    algorithm: KeyAlgorithm = KeyAlgorithm.RSA
    bits: int = 2048
    hash: HashAlgorithm = HashAlgorithm.SHA256
    providers: tuple[str, ...] = ("Microsoft Software Key Storage Provider",)
    origin: KeyOrigin = KeyOrigin.CLIENT
    exportable: bool = False
    protection_level: int = 0
    archived: bool = False
    friendly_name: str = ""
    allow_roca: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateTemplate:
    """One certificate that a profile template issues.

    Shape: *oid* is the template's own identifier; *extended_key_usages* and *certificate_policies* are dotted identifiers.
    """

    common_name: str
    oid: str
    display_name: str = ""
    major_version: int = 100
    minor_version: int = 0
    key: KeySpecification = KeySpecification()
    validity: timedelta = timedelta(days=365)
    subject: SubjectSource = SubjectSource.DISTINGUISHED_NAME
    alternative_names: tuple[AlternativeName, ...] = (AlternativeName.PRINCIPAL_NAME,)
    key_usages: frozenset[X509KeyUsage] = frozenset({X509KeyUsage.DIGITAL_SIGNATURE, X509KeyUsage.KEY_ENCIPHERMENT})
    extended_key_usages: tuple[str, ...] = (CLIENT_AUTHENTICATION,)
    certificate_policies: tuple[str, ...] = ()
    include_security_identifier: bool = True
    use_local_machine_store: bool = False

    @property
    def friendly_name(self) -> str:
        """Return what people read on a key that comes in a PFX file."""
        return self.key.friendly_name or self.display_name or self.common_name

    @property
    def generation_usages(self) -> KeyUsages:
        """Return what the client is to make the key for; agreement keys of curves sign and agree."""
        signs = {X509KeyUsage.DIGITAL_SIGNATURE, X509KeyUsage.CONTENT_COMMITMENT} & self.key_usages
        return (
            (KeyUsages.SIGNING if signs else KeyUsages.NONE)
            | (KeyUsages.DECRYPTION if X509KeyUsage.KEY_ENCIPHERMENT in self.key_usages else KeyUsages.NONE)
            | (KeyUsages.KEY_AGREEMENT if X509KeyUsage.KEY_AGREEMENT in self.key_usages else KeyUsages.NONE)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileTemplate:
    """One version of a profile template; a change makes a new version, the old ones stay.

    Shape: *certificate_templates* in the order of the generation options; *policies* has no entry for kinds of request that
    the template does not take. *external_certificates* lets certificates that were issued elsewhere come back with its own.
    """

    id: ProfileTemplateId
    name: str
    description: str = ""
    version: int = 1
    certificate_templates: tuple[CertificateTemplate, ...] = ()
    policies: Mapping[RequestType, Policy] = field(default_factory=dict)
    smartcard: SmartcardConfiguration | None = None
    response_form: ResponseForm = ResponseForm.CMC
    response_hash: HashAlgorithm = HashAlgorithm.SHA256
    pfx_protection: PfxProtection = PfxProtection.AES_256
    external_certificates: bool = False

    @property
    def is_smartcard(self) -> bool:
        """Return whether its profiles live on cards, virtual ones included."""
        return self.smartcard is not None

    @property
    def is_virtual_smartcard(self) -> bool:
        """Return whether its cards are virtual."""
        return self.smartcard is not None and self.smartcard.is_virtual

    def get_policy(self, request_type: RequestType) -> Policy:
        """Return the policy for *request_type*.

        Errors: PolicyMissing when there is none, or it is switched off.
        """
        policy = self.policies.get(request_type)
        if policy is None or not policy.enabled:
            raise PolicyMissing(self.name, request_type.name.lower().replace("_", " "))
        return policy
