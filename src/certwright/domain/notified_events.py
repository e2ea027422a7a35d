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
from certwright.domain.smartcards import SmartcardStatus
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
    EventType.REQUEST_FAILED: NotificationType.MARK_REQUEST_AS_FAILED,
    EventType.REQUEST_COMPLETED: NotificationType.COMPLETE_REQUEST,
    EventType.EXTERNAL_CERTIFICATE_ENDS: NotificationType.CERTIFICATE_ENDS,
    EventType.CERTIFICATE_ISSUED: NotificationType.INSTALL_CERTIFICATE,
    EventType.PASSWORDS_DISTRIBUTED: NotificationType.DISTRIBUTE_SECRETS,
    EventType.KEY_DELIVERED: NotificationType.DOWNLOAD_PFX,
    EventType.SMARTCARD_ASSIGNED: NotificationType.CREATE_SMARTCARD,
}
"""The events that are the same notice whatever they say. What is abandoned or expired is canceled: see domain.md 1.2."""

_STATUSES: dict[tuple[EventType, str, str], NotificationType] = {
    (EventType.PROFILE_CHANGED, ProfileStatus.NEW.name, ProfileStatus.ACTIVE.name): NotificationType.CREATE_PROFILE,
    (EventType.PROFILE_CHANGED, "", ProfileStatus.DISABLED.name): NotificationType.DISABLE_PROFILE,
    (EventType.SMARTCARD_CHANGED, "", SmartcardStatus.DISABLED.name): NotificationType.DISABLE_SMARTCARD,
}
"""The events that are a notice where they tell of a change from one status, or any other, to one."""

TELLING = frozenset(NOTIFICATIONS) | {event_type for event_type, _, _ in _STATUSES}
"""The events of which there is a notice at all."""


def list_notification_types(event: Event) -> tuple[NotificationType, ...]:
    """Return what *event* is a notice of.

    Source: domain.md 1.17, and 4.2 "Renewal notice": a renewal that the service opens by itself raises DistributeSecrets.
    """
    plain = NOTIFICATIONS.get(event.type)
    if plain is None:
        return _list_of_change(event)
    is_renewal_notice = (
        event.type is EventType.REQUEST_CREATED
        and event.actor_id == PROGRAM_ID
        and event.details.get("operation") == Operation.RENEW.value
    )
    return (plain, NotificationType.DISTRIBUTE_SECRETS) if is_renewal_notice else (plain,)


def _list_of_change(event: Event) -> tuple[NotificationType, ...]:
    before, _, after = event.details.get("status", "").partition(" to ")
    if before == after:
        return ()
    found = _STATUSES.get((event.type, before, after)) or _STATUSES.get((event.type, "", after))
    return () if found is None else (found,)
