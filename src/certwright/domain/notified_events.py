"""Which events are notices, and of what."""

from dataclasses import dataclass

from certwright.domain.events import Event, EventType
from certwright.domain.identities import User
from certwright.domain.notifications import NotificationType
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import ProfileTemplate
from certwright.domain.profiles import ProfileStatus
from certwright.domain.program import PROGRAM_ID
from certwright.domain.requests import Request
from certwright.domain.workflows import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One notice, with everything that it can tell. Source: Notification in domain.md 2.12.

    Shape: *request* as the event leaves it; *subject* and *originator* are None when the directory has them no more.
    """

    type: NotificationType
    event: Event
    request: Request
    template: ProfileTemplate
    subject: User | None
    originator: User | None

    @property
    def policy(self) -> Policy | None:
        """Return the policy that the request is under."""
        return self.template.policies.get(self.request.type)


NOTIFICATIONS: dict[EventType, NotificationType] = {
    EventType.REQUEST_CREATED: NotificationType.CREATE_REQUEST,
    EventType.REQUEST_APPROVED: NotificationType.APPROVE_REQUEST,
    EventType.REQUEST_DENIED: NotificationType.DENY_REQUEST,
    EventType.REQUEST_CANCELED: NotificationType.CANCEL_REQUEST,
    EventType.REQUEST_ABANDONED: NotificationType.CANCEL_REQUEST,
    EventType.REQUEST_EXPIRED: NotificationType.CANCEL_REQUEST,
    EventType.REQUEST_COMPLETED: NotificationType.COMPLETE_REQUEST,
    EventType.CERTIFICATE_ISSUED: NotificationType.INSTALL_CERTIFICATE,
}
"""The events that are the same notice whatever they say. What is abandoned or expired is canceled: see domain.md 1.2."""

TELLING = frozenset(NOTIFICATIONS) | {EventType.PROFILE_CHANGED}
"""The events of which there is a notice at all."""


def list_notification_types(event: Event, *, is_smartcard: bool) -> tuple[NotificationType, ...]:
    """Return what *event* is a notice of; *is_smartcard* says whether the profile lives on a card.

    Source: domain.md 1.17, and 4.2 "Renewal notice": a renewal that the service opens by itself raises DistributeSecrets.
    """
    if event.type is EventType.PROFILE_CHANGED:
        return _list_of_profile(event, is_smartcard=is_smartcard)
    plain = NOTIFICATIONS.get(event.type)
    if plain is None:
        return ()
    is_renewal_notice = (
        event.type is EventType.REQUEST_CREATED
        and event.actor_id == PROGRAM_ID
        and event.details.get("operation") == Operation.RENEW.value
    )
    return (plain, NotificationType.DISTRIBUTE_SECRETS) if is_renewal_notice else (plain,)


def _list_of_profile(event: Event, *, is_smartcard: bool) -> tuple[NotificationType, ...]:
    before, _, after = event.details.get("status", "").partition(" to ")
    if before == after:
        return ()
    if after == ProfileStatus.DISABLED.name:
        return (NotificationType.DISABLE_SMARTCARD if is_smartcard else NotificationType.DISABLE_PROFILE,)
    if (before, after) == (ProfileStatus.NEW.name, ProfileStatus.ACTIVE.name):
        return (NotificationType.CREATE_SMARTCARD if is_smartcard else NotificationType.CREATE_PROFILE,)
    return ()
