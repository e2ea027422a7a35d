"""The outbox: what is to be sent, written with the event it tells of, and when it is tried again."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from certwright.domain.identities import UserId
from certwright.domain.notifications import MailTemplate, NotificationType
from certwright.domain.requests import RequestId

OutboxMessageId = NewType("OutboxMessageId", UUID)

MAIL = "mail"
"""The sink of everything that goes out by mail; webhooks are ``webhook:NAME``."""
CLAIM = timedelta(minutes=5)
"""How long a message is its sender's: one that a dead sender had in hand is sent again after this time."""
JITTER_BITS = 32
DETAIL_LIMIT_CHARACTERS = 200


class OutboxState(StrEnum):
    """What became of a message. A dead one is tried no more, until somebody has it sent again."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """One message to one receiver.

    Shape: *id* is the same at each try, so that a receiver can tell a second copy. Messages of one *sink* about one
    *subject_id* go out in their order. *recipient* is an address, or empty for a webhook. *payload* is what is sent, or made
    into a mail; the store encrypts it where it *has_secret*, and shows it to nobody but the sender. It waits until *due*;
    *error* is what the last try came to. *number* is 0 until the store gives one.
    """

    id: OutboxMessageId
    sink: str
    recipient: str
    notification: NotificationType
    subject_id: UserId
    request_id: RequestId
    created: datetime
    due: datetime
    payload: bytes = field(repr=False)
    has_secret: bool = False
    attempts: int = 0
    state: OutboxState = OutboxState.WAITING
    error: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretMessage:
    """Secrets for one person: one-time passwords. The outbox holds them encrypted; nothing lists or shows them.

    Shape: without a *template* it is the built-in one of DistributeSecrets; *secrets* are its fact of this name.
    """

    request_id: RequestId
    recipient: str
    secrets: tuple[str, ...] = field(repr=False)
    template: MailTemplate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a message that could not be delivered is tried again, and for how long."""

    first_delay: timedelta = timedelta(seconds=10)
    longest_delay: timedelta = timedelta(minutes=15)
    maximum_age: timedelta = timedelta(days=2)


def plain_detail(text: str) -> str:
    """Return what a receiver said as one line that can be stored and listed: it may have sent anything."""
    printable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(printable.split())[:DETAIL_LIMIT_CHARACTERS].rstrip(".")


def fail(message: OutboxMessage, error: str, *, now: datetime, pace: Pace, chance: int) -> OutboxMessage:
    """Return *message* after a try that failed: waiting twice as long as the time before, or dead where it is too old.

    Shape: *chance* is a number of `JITTER_BITS` bits; it takes up to half of the delay away, so that what failed together is
    not tried again together.
    """
    if now - message.created >= pace.maximum_age:
        return replace(message, state=OutboxState.DEAD, error=error)
    # The exponent is bounded: no calendar reaches 2**1000 seconds.
    delay = min(pace.first_delay * 2 ** min(message.attempts - 1, 20), pace.longest_delay)
    return replace(message, due=now + delay * (1 - chance / 2 ** (JITTER_BITS + 1)), error=error)


def find_latest_due(now: datetime, pace: Pace) -> datetime:
    """Return until when a message can wait at most: what waits longer was put there by a clock that has been put back since."""
    return now + max(pace.longest_delay, CLAIM)
