"""Workflows: what each operation asks of a profile, and what it leaves behind. The engine is this table.

One kind of request can have two operations: suspending and reinstating are both type 9.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from certwright.domain.errors import ProfileStateRefused
from certwright.domain.grants import Right
from certwright.domain.profiles import Profile, ProfileFlags, ProfileStatus
from certwright.domain.request_types import RequestType


class Operation(StrEnum):
    """What can be asked for; the value is the name in the lists of operations that clients read (domain.md 4.3, 8)."""

    ENROLL = "enroll"
    RENEW = "renew"
    RECOVER = "recover"
    RECOVER_ON_BEHALF = "recoveronbehalf"
    DISABLE = "disable"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    DUPLICATE = "duplicate"
    ONLINE_UPDATE = "onlineupdate"
    RETIRE = "retire"
    UNBLOCK = "unblock"
    OFFLINE_UNBLOCK = "offlineunblock"
    TEMPORARY_CARD_ENROLL = "temporarycardenroll"
    TEMPORARY_CARD_RETIRE = "temporarycardretire"
    TEMPORARY_CARD_DISABLE = "temporarycarddisable"


class CardSecret(StrEnum):
    """What the server gives a client for the card in the reader; the value is what a refusal calls it."""

    PIN = "the PIN"
    ADMIN_KEY = "the administrator key"
    ANSWER = "an answer to the challenge"


ANY_STANDING = ProfileFlags.PRIMARY | ProfileFlags.DUPLICATE | ProfileFlags.SUPERSEDED | ProfileFlags.KEY_ESCROW
"""A profile has one of these flags, or else it is on a temporary card, which has operations of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """One row of the table.

    Shape: *right* is what somebody else than the subject needs over him. *from_statuses* and *standing* say which profiles
    the operation is for; none for Enroll, which starts from nothing. *new_flags* are those of the profile that it makes; None
    where it makes none. *leaves* is the status in which it leaves the profile that it is about, where it changes that by
    itself and not by the policy's revocation settings. *delivers* says that certificates come of it, *is_for_cards* that the
    profile has to be on a card, *unblocks* that the card may be given another PIN. *card_secrets* are those of a card that it
    needs: all to set a card up, none to change what its certificates are worth.
    """

    request_type: RequestType
    right: Right
    from_statuses: frozenset[ProfileStatus] = frozenset()
    standing: ProfileFlags = ANY_STANDING
    new_flags: ProfileFlags | None = None
    leaves: ProfileStatus | None = None
    delivers: bool = True
    supersedes: bool = False
    needs_archived_keys: bool = False
    is_for_somebody_else: bool = False
    is_for_cards: bool = False
    unblocks: bool = False
    card_secrets: frozenset[CardSecret] = frozenset()

    @property
    def serves_subject(self) -> bool:
        """Return whether it is for an account that is switched on alone."""
        return self.unblocks or (self.delivers and not self.is_for_somebody_else)


_LIVE = frozenset({ProfileStatus.ACTIVE, ProfileStatus.SUSPENDED})
_ACTIVE = frozenset({ProfileStatus.ACTIVE})
_SETS_UP = frozenset(CardSecret)
_ANSWER = frozenset({CardSecret.ANSWER})

WORKFLOWS: Mapping[Operation, Workflow] = {
    Operation.ENROLL: Workflow(
        request_type=RequestType.ENROLL,
        right=Right.REQUEST_ENROLL,
        new_flags=ProfileFlags.PRIMARY,
        card_secrets=_SETS_UP,
    ),
    Operation.RENEW: Workflow(
        request_type=RequestType.RENEW,
        right=Right.REQUEST_RENEW,
        from_statuses=_ACTIVE,
        standing=ProfileFlags.PRIMARY,
        new_flags=ProfileFlags.PRIMARY,
        supersedes=True,
        card_secrets=_SETS_UP,
    ),
    Operation.RECOVER: Workflow(
        request_type=RequestType.RECOVER,
        right=Right.REQUEST_RECOVER,
        # Who has lost a key often had it revoked first.
        from_statuses=_LIVE | {ProfileStatus.DISABLED},
        standing=ProfileFlags.PRIMARY,
        new_flags=ProfileFlags.PRIMARY,
        supersedes=True,
        needs_archived_keys=True,
        card_secrets=_SETS_UP,
    ),
    Operation.RECOVER_ON_BEHALF: Workflow(
        request_type=RequestType.RECOVER_ON_BEHALF,
        right=Right.REQUEST_RECOVER,
        from_statuses=_LIVE | {ProfileStatus.DISABLED, ProfileStatus.RETIRED},
        standing=ProfileFlags.PRIMARY | ProfileFlags.SUPERSEDED,
        new_flags=ProfileFlags.KEY_ESCROW,
        needs_archived_keys=True,
        is_for_somebody_else=True,
    ),
    Operation.DISABLE: Workflow(
        request_type=RequestType.DISABLE,
        right=Right.REQUEST_REVOKE,
        from_statuses=_LIVE,
        leaves=ProfileStatus.DISABLED,
        delivers=False,
    ),
    Operation.SUSPEND: Workflow(
        request_type=RequestType.SUSPEND_OR_REINSTATE,
        right=Right.REQUEST_REVOKE,
        from_statuses=_ACTIVE,
        leaves=ProfileStatus.SUSPENDED,
        delivers=False,
    ),
    Operation.REINSTATE: Workflow(
        request_type=RequestType.SUSPEND_OR_REINSTATE,
        right=Right.REQUEST_REVOKE,
        from_statuses=frozenset({ProfileStatus.SUSPENDED}),
        leaves=ProfileStatus.ACTIVE,
        delivers=False,
    ),
    Operation.DUPLICATE: Workflow(
        request_type=RequestType.DUPLICATE,
        right=Right.REQUEST_ENROLL,
        from_statuses=_ACTIVE,
        standing=ProfileFlags.PRIMARY,
        new_flags=ProfileFlags.DUPLICATE,
        card_secrets=_SETS_UP,
    ),
    Operation.ONLINE_UPDATE: Workflow(
        request_type=RequestType.ONLINE_UPDATE,
        right=Right.REQUEST_RENEW,
        from_statuses=_ACTIVE,
        standing=ProfileFlags.PRIMARY | ProfileFlags.DUPLICATE,
        card_secrets=frozenset({CardSecret.ADMIN_KEY, CardSecret.ANSWER}),
    ),
    Operation.RETIRE: Workflow(
        request_type=RequestType.RETIRE,
        right=Right.REQUEST_REVOKE,
        from_statuses=_LIVE | {ProfileStatus.DISABLED},
        leaves=ProfileStatus.RETIRED,
        delivers=False,
        card_secrets=_ANSWER,
    ),
    Operation.UNBLOCK: Workflow(
        request_type=RequestType.UNBLOCK,
        right=Right.REQUEST_UNBLOCK,
        from_statuses=_ACTIVE,
        standing=ANY_STANDING | ProfileFlags.TEMPORARY,
        delivers=False,
        is_for_cards=True,
        unblocks=True,
        card_secrets=frozenset({CardSecret.PIN, CardSecret.ANSWER}),
    ),
    Operation.OFFLINE_UNBLOCK: Workflow(
        request_type=RequestType.OFFLINE_UNBLOCK,
        right=Right.REQUEST_UNBLOCK,
        from_statuses=_ACTIVE,
        standing=ANY_STANDING | ProfileFlags.TEMPORARY,
        delivers=False,
        is_for_cards=True,
        unblocks=True,
        card_secrets=_ANSWER,
    ),
    # About the card that it stands for, or about none.
    Operation.TEMPORARY_CARD_ENROLL: Workflow(
        request_type=RequestType.TEMPORARY_CARD_ENROLL,
        right=Right.REQUEST_ENROLL,
        from_statuses=_LIVE,
        standing=ProfileFlags.PRIMARY,
        new_flags=ProfileFlags.TEMPORARY,
        is_for_cards=True,
        card_secrets=_SETS_UP,
    ),
    Operation.TEMPORARY_CARD_RETIRE: Workflow(
        request_type=RequestType.TEMPORARY_CARD_RETIRE,
        right=Right.REQUEST_REVOKE,
        from_statuses=_LIVE | {ProfileStatus.DISABLED},
        standing=ProfileFlags.TEMPORARY,
        leaves=ProfileStatus.RETIRED,
        delivers=False,
        is_for_cards=True,
        card_secrets=_ANSWER,
    ),
    Operation.TEMPORARY_CARD_DISABLE: Workflow(
        request_type=RequestType.TEMPORARY_CARD_DISABLE,
        right=Right.REQUEST_REVOKE,
        from_statuses=_LIVE,
        standing=ProfileFlags.TEMPORARY,
        leaves=ProfileStatus.DISABLED,
        delivers=False,
        is_for_cards=True,
    ),
}
"""Source: domain.md 1.11, 4.3 and the decisions "Completed" and "Suspend, Reinstate". Ours, where it is silent: which
statuses Renew, Recover, Duplicate and OnlineUpdate start from, and that what was superseded can only be recovered for
somebody else, put on hold or ended."""


def check_profile_fits(operation: Operation, profile: Profile) -> None:
    """Raise unless *operation* is for a profile in that state.

    Errors: ProfileStateRefused.
    """
    workflow = WORKFLOWS[operation]
    if not profile.flags & workflow.standing:
        standing = profile.flags & (ANY_STANDING | ProfileFlags.TEMPORARY)
        raise ProfileStateRefused(operation.value, (standing.name or "of no standing").lower().replace("_", " "))
    if profile.status not in workflow.from_statuses:
        raise ProfileStateRefused(operation.value, profile.status.name.lower())
