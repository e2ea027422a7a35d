"""Which webhooks are told of something."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from certwright.application.notification_facts import describe_notification
from certwright.domain.identifiers import make_identifier
from certwright.domain.notifications import NotificationType
from certwright.domain.notified_events import Notification
from certwright.domain.outbox import OutboxMessage, OutboxMessageId
from certwright.domain.ports import Entropy, Session

WEBHOOK = "webhook:"
"""What the sinks of webhooks begin with; their names follow."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One webhook, and what it is told of."""

    name: str
    types: frozenset[NotificationType]

    @property
    def sink(self) -> str:
        """Return the sink of its messages."""
        return f"{WEBHOOK}{self.name}"


class WebhookSink:
    """Keeps `ports.NotificationSink`. Shape: the payload is the body as it is sent: the facts, and the message's own *id*."""

    def __init__(self, subscriptions: Sequence[Subscription], entropy: Entropy) -> None:
        self._subscriptions = tuple(subscriptions)
        self._entropy = entropy

    def notify(self, notification: Notification, session: Session) -> None:
        """Put one message into the outbox for each webhook that wants to know."""
        wanted = [each for each in self._subscriptions if notification.type in each.types]
        session.outbox.add([self._make_message(each, notification) for each in wanted])

    def _make_message(self, subscription: Subscription, notification: Notification) -> OutboxMessage:
        message_id = OutboxMessageId(make_identifier(notification.event.at, self._entropy))
        return OutboxMessage(
            id=message_id,
            sink=subscription.sink,
            recipient="",
            notification=notification.type,
            subject_id=notification.request.target_id,
            request_id=notification.request.id,
            created=notification.event.at,
            due=notification.event.at,
            payload=msgspec.json.encode({"id": str(message_id), **describe_notification(notification)}),
        )
