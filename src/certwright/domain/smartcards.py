"""Smart cards: what each goes through from hand to hand, and what may become of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, IntEnum, IntFlag
from typing import NewType
from uuid import UUID

from certwright.domain.admin_keys import AdminKeys
from certwright.domain.errors import AtrDiffers, CardInUse, CardRetired, CardStateRefused
from certwright.domain.identities import UserId
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.profiles import ProfileFlags, ProfileId, ProfileStatus

SmartcardId = NewType("SmartcardId", UUID)
"""One assignment of a card to a person: the next one gets another."""
CardId = NewType("CardId", UUID)
"""The card itself, by the identifier that is written on it."""

MIDDLEWARE = "MSBaseCSP"


class SmartcardStatus(IntEnum):
    """Source: domain.md 1.10."""

    NEW = 0
    ASSIGNED = 1
    ACTIVE = 2
    DISABLED = 3
    SUSPENDED = 4
    RETIRED = 6


class SmartcardFlags(IntFlag):
    """Those of the profile behind it, by number and by name. Source: domain.md 1.11."""

    NONE = 0
    PRIMARY = 1
    DUPLICATE = 2
    SUPERSEDED = 4
    TEMPORARY = 8
    KEY_ESCROW = 16
    REUSED = 32


class SmartcardAction(Enum):
    """What can be done to a card; the value completes the sentence "a card that is retired cannot ..."."""

    ASSIGN = "be assigned"
    ACTIVATE = "be activated"
    RELEASE = "be released"
    SUSPEND = "be suspended"
    REINSTATE = "be reinstated"
    DISABLE = "be disabled"
    RETIRE = "be retired"


TRANSITIONS: dict[tuple[SmartcardStatus, SmartcardAction], SmartcardStatus] = {
    (SmartcardStatus.NEW, SmartcardAction.ASSIGN): SmartcardStatus.ASSIGNED,
    (SmartcardStatus.NEW, SmartcardAction.RETIRE): SmartcardStatus.RETIRED,
    (SmartcardStatus.ASSIGNED, SmartcardAction.ACTIVATE): SmartcardStatus.ACTIVE,
    (SmartcardStatus.ASSIGNED, SmartcardAction.RELEASE): SmartcardStatus.RETIRED,
    (SmartcardStatus.ACTIVE, SmartcardAction.SUSPEND): SmartcardStatus.SUSPENDED,
    (SmartcardStatus.ACTIVE, SmartcardAction.DISABLE): SmartcardStatus.DISABLED,
    (SmartcardStatus.ACTIVE, SmartcardAction.RETIRE): SmartcardStatus.RETIRED,
    (SmartcardStatus.SUSPENDED, SmartcardAction.REINSTATE): SmartcardStatus.ACTIVE,
    (SmartcardStatus.SUSPENDED, SmartcardAction.DISABLE): SmartcardStatus.DISABLED,
    (SmartcardStatus.SUSPENDED, SmartcardAction.RETIRE): SmartcardStatus.RETIRED,
    (SmartcardStatus.DISABLED, SmartcardAction.RETIRE): SmartcardStatus.RETIRED,
}
"""Every move there is. Source: domain.md 4.3. Ours: a card whose request ends before it was ever active is released."""

_FOLLOWING: dict[tuple[SmartcardStatus, ProfileStatus], SmartcardAction] = {
    (SmartcardStatus.ASSIGNED, ProfileStatus.ACTIVE): SmartcardAction.ACTIVATE,
    (SmartcardStatus.ASSIGNED, ProfileStatus.DISABLED): SmartcardAction.RELEASE,
    (SmartcardStatus.SUSPENDED, ProfileStatus.ACTIVE): SmartcardAction.REINSTATE,
    **{
        (status, following): action
        for status in (SmartcardStatus.ACTIVE, SmartcardStatus.SUSPENDED, SmartcardStatus.DISABLED)
        for following, action in (
            (ProfileStatus.SUSPENDED, SmartcardAction.SUSPEND),
            (ProfileStatus.DISABLED, SmartcardAction.DISABLE),
            (ProfileStatus.RETIRED, SmartcardAction.RETIRE),
        )
        if status.name != following.name
    },
}
"""What becomes of a card when the profile on it gets another status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Smartcard:
    """A card in one pair of hands, or in stock.

    Shape: *owner_id*, *template_id* and *profile_id* are None for a card in stock. *parent_id* is the card whose place it
    takes, *primary_id* the one that it is a copy of, *permanent_id* the one that a temporary card stands for. *atr* is
    lower-case hexadecimal, empty where nobody told. *activated* is None for one that never came into use.
    """

    id: SmartcardId
    card_id: CardId
    status: SmartcardStatus = SmartcardStatus.NEW
    flags: SmartcardFlags = SmartcardFlags.NONE
    owner_id: UserId | None = None
    template_id: ProfileTemplateId | None = None
    template_version: int = 0
    profile_id: ProfileId | None = None
    parent_id: SmartcardId | None = None
    primary_id: SmartcardId | None = None
    permanent_id: SmartcardId | None = None
    comment: str = ""
    middleware: str = MIDDLEWARE
    atr: str = ""
    admin_keys: AdminKeys = AdminKeys()
    sealed_pin: bytes | None = None
    activated: datetime | None = None


def name_pin(smartcard_id: UUID) -> str:
    """Return what a sealed PIN is bound to, so that it opens for no other card."""
    return f"PIN of smart card {smartcard_id}"


def advance_card(card: Smartcard, action: SmartcardAction) -> Smartcard:
    """Return *card* as *action* leaves it. Errors: CardStateRefused when the table has no such move."""
    following = TRANSITIONS.get((card.status, action))
    if following is None:
        raise CardStateRefused(card.status.name.lower(), action.value)
    return replace(card, status=following)


def follow_profile(card: Smartcard, status: ProfileStatus, flags: ProfileFlags, at: datetime) -> Smartcard:
    """Return *card* as it is once the profile on it has *status* and *flags*. Errors: CardStateRefused."""
    action = _FOLLOWING.get((card.status, status))
    moved = card if action is None else advance_card(card, action)
    activated = at if action is SmartcardAction.ACTIVATE else card.activated
    kept = card.flags & SmartcardFlags.REUSED
    return replace(moved, flags=SmartcardFlags(int(flags)) | kept, activated=activated)


def check_assignable(last: Smartcard, atr: str, *, allow_reuse: bool) -> None:
    """Raise unless the card, whose last assignment was *last*, may be assigned anew.

    A card in stock, and one whose request ended before it came into use, may; one that has been in use may where the template
    says that cards are used again. Shape: *atr* is what the client tells, empty when it does not.

    Errors: CardInUse; CardRetired; AtrDiffers.
    """
    check_atr(last, atr)
    if last.status not in (SmartcardStatus.NEW, SmartcardStatus.RETIRED):
        raise CardInUse(str(last.card_id))
    if last.activated is not None and not allow_reuse:
        raise CardRetired(str(last.card_id))


def check_atr(card: Smartcard, atr: str) -> None:
    """Raise when a card tells another answer-to-reset than before: it is another card. Errors: AtrDiffers."""
    if atr and card.atr and atr != card.atr:
        raise AtrDiffers(str(card.card_id))
