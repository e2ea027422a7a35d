"""What work that is due needs from outside: who does it, what is due, the outbox and ways to carry what is in it.

See `ports` for the others.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from certwright.domain.certificates import Certificate
from certwright.domain.delayed_revocations import DelayedRevocation
from certwright.domain.leases import Lease
from certwright.domain.outbox import OutboxMessage, OutboxMessageId, OutboxState
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.profiles import ProfileId
from certwright.domain.renewals import CERTIFICATES_A_LOOK, DueRenewal, DueSlice, Renewal
from certwright.domain.requests import RequestId


class Leases(Protocol):
    """Who does which work. See `leases.is_in_force`."""

    def take(self, lease: Lease, *, now: datetime) -> bool:
        """Store *lease* unless another holder's is in force at *now*, and return whether it is stored.

        Errors: ChangedMeanwhile when another session takes it at the same moment.
        """

    def give_up(self, holder: str) -> None:
        """Remove every lease of *holder*."""

    def list_all(self) -> tuple[Lease, ...]:
        """Return all leases by name, those that are over included."""


class Renewals(Protocol):
    """Renewals that the program begins by itself."""

    def list_due(
        self,
        until: Mapping[ProfileTemplateId, datetime],
        *,
        now: datetime,
        limit: int,
        after: datetime | None = None,
        among: int = CERTIFICATES_A_LOOK,
    ) -> DueSlice:
        """Return the active, primary profiles of the templates in *until* of which a certificate in use ends from *now* on and
        by the time there, the first to end first; without those about which a renewal is open, was begun, or was refused a
        short while ago.

        Shape: the first *limit* of them, *among* so many certificates that end after *after*, whatever becomes of those.
        """

    def find_due(self, profile_id: ProfileId, *, now: datetime, until: datetime) -> DueRenewal | None:
        """Return the profile if `list_due` would list it."""

    def record(self, renewal: Renewal) -> None:
        """Store *renewal* in place of what is stored for the profile."""

    def find(self, profile_id: ProfileId) -> Renewal | None:
        """Return what was stored last."""


class DelayedRevocations(Protocol):
    """Revocations that are still to take effect."""

    def add(self, delayed: DelayedRevocation) -> None:
        """Store *delayed* in place of what is stored for the certificate."""

    def list_due(self, now: datetime, limit: int) -> tuple[DelayedRevocation, ...]:
        """Return those whose time has come, oldest first."""

    def settle(self, delayed: DelayedRevocation) -> Certificate | None:
        """Forget *delayed*, and return its certificate if it is revoked from that moment on: no other revocation was first.

        None also when *delayed* was forgotten already.
        """


class Outbox(Protocol):
    """What is to be sent. A payload with a secret rests encrypted, and comes back from `claim` only: elsewhere it is empty."""

    def add(self, messages: Iterable[OutboxMessage]) -> None:
        """Store new messages in their order; the store gives the numbers."""

    def list_due(self, sink: str, *, now: datetime, latest: datetime, limit: int) -> tuple[OutboxMessage, ...]:
        """Return messages that are due, oldest first: of each subject the one whose turn it is.

        What is due after *latest* counts as due: no message waits so long, unless a clock was put back.
        """

    def claim(self, message: OutboxMessage, *, until: datetime) -> OutboxMessage | None:
        """Return *message* with its payload and one attempt more, nobody else's until *until*; None when somebody was first."""

    def record(self, message: OutboxMessage) -> bool:
        """Store what became of a claimed message, and return whether it was still the claimant's.

        What has been sent is kept without the secret that it had.
        """

    def release(self, message: OutboxMessage) -> bool:
        """Let a dead message wait again as *message* says, as if it were new; return whether it was dead."""

    def get(self, message_id: OutboxMessageId) -> OutboxMessage:
        """Errors: OutboxMessageNotFound."""

    def list_of_request(self, request_id: RequestId) -> tuple[OutboxMessage, ...]:
        """Return the messages about the request, oldest first."""

    def list_all(self, state: OutboxState | None, limit: int) -> tuple[OutboxMessage, ...]:
        """Return the newest messages of *state*, or of any, newest first."""

    def find_oldest_waiting(self) -> OutboxMessage | None:
        """Return the message that waits longest; None where none waits."""

    def count_sent(self, before: datetime, limit: int) -> int:
        """Return how many messages were sent before, up to *limit*."""

    def forget_sent(self, before: datetime, limit: int) -> int:
        """Remove up to *limit* messages that were sent before, the oldest first, and return how many that were."""


class Carrier(Protocol):
    """Brings the messages of one sink to their receivers."""

    @property
    def sink(self) -> str: ...

    def carrying(self) -> AbstractContextManager[Callable[[OutboxMessage, datetime], None]]:
        """Give what carries one message at a time; *datetime* is now. It returns when the receiver has taken the message.

        Errors, of what is given: ReceiverUnavailable, after which it is of no use; DeliveryDeferred; DeliveryRejected. It
        takes no longer than the settings allow.
        """
