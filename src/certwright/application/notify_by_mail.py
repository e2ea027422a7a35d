"""Whom the rules of a policy tell of something by mail."""

from collections.abc import Iterator

import msgspec

from certwright.application.notification_facts import Facts, describe_notification
from certwright.application.notify import make_notification
from certwright.application.world import World
from certwright.domain.errors import DeliveryRejected, MailNotConfigured
from certwright.domain.events import Event, EventType
from certwright.domain.identifiers import make_identifier
from certwright.domain.identities import Sid, User
from certwright.domain.mail_addresses import find_address_fault
from certwright.domain.notifications import MailTemplate, NotificationRule, NotificationType, Recipient
from certwright.domain.notified_events import Notification
from certwright.domain.outbox import MAIL, OutboxMessage, OutboxMessageId, OutboxState, SecretMessage
from certwright.domain.ports import Entropy, Session
from certwright.domain.requests import RequestId

MOST_APPROVERS = 100
"""Beyond these, by account name, nobody is told that his approval is wanted: a group of thousands is not meant."""
MEMBERS_A_GROUP = 1_000
"""At most so many members of a group are read; from among them come the first by account name."""


class MailContent(msgspec.Struct, frozen=True):
    """The payload of a message that becomes a mail. Shape: without a *template* it is the built-in one of the type."""

    facts: Facts
    template: MailTemplate | None = None


class MailSink:
    """Keeps `ports.NotificationSink`."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy

    def notify(self, notification: Notification, session: Session) -> None:
        """Put one message into the outbox for each person whom a rule names, once a rule."""
        for rule in _list_rules(notification):
            content = MailContent(describe_notification(notification), rule.template)
            addresses = list(dict.fromkeys(_list_addresses(rule, notification, session)))
            # A rule that reaches nobody is a fault that an administrator can see and mend.
            session.outbox.add(
                [_make_message(notification, each, content, self._entropy) for each in addresses or [""]],
            )


def send_secrets(message: SecretMessage, event: Event, *, session: Session, world: World) -> None:
    """Put *message* into the outbox, encrypted, in the transaction of *session*; *event* tells of it.

    A message without a template has that of the policy's rule for DistributeSecrets, where there is one.

    Errors: RequestNotFound; MailNotConfigured; DeliveryRejected when its recipient is no address.
    """
    if not world.sends_mail:
        raise MailNotConfigured()
    fault = find_address_fault(message.recipient)
    if fault is not None:
        raise DeliveryRejected(fault)
    request = session.requests.get(RequestId(message.request_id))
    notification = make_notification(NotificationType.DISTRIBUTE_SECRETS, event, request, session)
    facts = describe_notification(notification) | {"secrets": list(message.secrets)}
    content = MailContent(facts, message.template or _find_template(notification))
    session.outbox.add([_make_message(notification, message.recipient, content, world.entropy, has_secret=True)])


def _list_rules(notification: Notification) -> Iterator[NotificationRule]:
    policy = notification.policy
    if policy is None:
        return
    # A rule that names nobody is there for its template: see `send_secrets`.
    rules = [each for each in policy.notifications if each.type is notification.type and each.to]
    yield from rules
    is_renewal_notice = (
        notification.type is NotificationType.DISTRIBUTE_SECRETS and notification.event.type is EventType.REQUEST_CREATED
    )
    if is_renewal_notice and policy.notify_of_renewal and not rules:
        yield NotificationRule(type=notification.type, to=(Recipient.SUBJECT,))


def _find_template(notification: Notification) -> MailTemplate | None:
    rules = () if notification.policy is None else notification.policy.notifications
    return next((each.template for each in rules if each.type is notification.type and each.template), None)


def _list_addresses(rule: NotificationRule, notification: Notification, session: Session) -> Iterator[str]:
    """Return the addresses of people who have one; of an address that is none the message says so itself."""
    for each in rule.to:
        match each:
            case Recipient.SUBJECT:
                people = [notification.subject]
            case Recipient.ORIGINATOR:
                people = [notification.originator]
            case Recipient.APPROVERS:
                people = list(_list_approvers(notification, session))
            case _:
                yield each
                continue
        yield from (person.email for person in people if person is not None and person.email)


def _list_approvers(notification: Notification, session: Session) -> Iterator[User | None]:
    """Return who can approve: neither the originator nor the subject, and nobody who is switched off."""
    policy, request = notification.policy, notification.request
    sids: frozenset[Sid] = frozenset() if policy is None else policy.approvers
    found = {user.id: user for sid in sorted(sids) for user in session.directory.list_some_members(sid, MEMBERS_A_GROUP)}
    concerned = (request.originator_id, request.target_id)
    able = [each for each in found.values() if each.id not in concerned]
    yield from sorted(able, key=lambda each: each.nt4_name.casefold())[:MOST_APPROVERS]


def _make_message(
    notification: Notification, address: str, content: MailContent, entropy: Entropy, *, has_secret: bool = False
) -> OutboxMessage:
    fault = find_address_fault(address) if address else "nobody to be told has an address"
    at = notification.event.at
    return OutboxMessage(
        id=OutboxMessageId(make_identifier(at, entropy)),
        sink=MAIL,
        recipient=address,
        notification=notification.type,
        subject_id=notification.request.target_id,
        request_id=notification.request.id,
        created=at,
        due=at,
        payload=msgspec.json.encode(content),
        has_secret=has_secret,
        state=OutboxState.WAITING if fault is None else OutboxState.DEAD,
        error=fault or "",
    )
