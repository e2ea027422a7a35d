"""Smart cards: how a profile template wants them set up."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from certwright.domain.admin_keys import AdminKeyAlgorithm


class PinRecipient(StrEnum):
    """Who is shown, once, a PIN that the server made and keeps. Ours: the product leaves it to its secret providers."""

    SUBJECT = "subject"
    ORIGINATOR = "originator"


class PinCharacters(IntEnum):
    """What a PIN is made of. Source: domain.md 1.17."""

    NONE = 0
    NUMERIC = 1
    ALPHABETIC = 2
    ALPHANUMERIC = 3


class UserPinOption(IntEnum):
    """Where a card's first user PIN comes from. Source: domain.md 1.16."""

    NONE = 0
    RANDOMIZED = 1
    SERVER_DISTRIBUTED = 2
    USER_PROVIDED = 3
    CUSTOM_SERVER_DISTRIBUTED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PinPolicy:
    """Units: lengths in characters. Source: domain.md 2.10."""

    min_length: int = 10
    max_length: int = 10
    character_set: int = 1
    rollover: bool = False
    default_value: str = "11111111"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartcardConfiguration:
    """The card side of a profile template.

    Shape: *default_admin_key_hex* has as many hexadecimal digits as the algorithm's keys; empty means zeros. Ours:
    *admin_key_algorithm*, for cards that take AES, and *maximum_challenges*, which are answered for one request (0 is no
    limit), and *pin_shown_to*.
    Source: domain.md 2.10.
    """

    is_virtual: bool = False
    user_pin_option: UserPinOption = UserPinOption.USER_PROVIDED
    user_pin: PinPolicy = PinPolicy()
    admin_pin: PinPolicy = PinPolicy(rollover=True)
    default_admin_key_hex: str = ""
    provider_name: str = ""
    provider_id: str = ""
    provider_type: int = 2
    diversify_admin_key: bool = False
    initialization_type: str = ""
    initialization_data: str = ""
    initialize_new_card: bool = True
    install_ca_certificates: bool = True
    certificate_label: str = "{Template!cn}"
    max_certificates: int = 0
    allow_reuse: bool = False
    erase_on_overflow: bool = False
    admin_key_algorithm: AdminKeyAlgorithm = AdminKeyAlgorithm.TRIPLE_DES
    maximum_challenges: int = 50
    pin_shown_to: PinRecipient = PinRecipient.SUBJECT

    @property
    def default_admin_key(self) -> bytes:
        """Return the key that new cards have."""
        return bytes.fromhex(self.default_admin_key_hex) or bytes(self.admin_key_algorithm.key_octets)
