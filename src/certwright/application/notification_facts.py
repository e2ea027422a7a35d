"""What a notice tells: facts as texts, the same for mail templates and for webhooks."""

from typing import Any

from certwright.domain.identities import User
from certwright.domain.notified_events import Notification

Facts = dict[str, Any]
"""Texts, lists of texts, and tables of texts, by name."""


def describe_notification(notification: Notification) -> Facts:
    """Return the facts. Answers to data items are among them only where the event itself repeats some, never sensitive ones."""
    event, request, template = notification.event, notification.request, notification.template
    return {
        "type": notification.type.value,
        "at": event.at.isoformat(),
        "actor": event.actor,
        "comment": event.comment,
        "request": {
            "id": str(request.id),
            "operation": request.operation.value,
            "status": request.status.name.lower(),
            "submitted": request.submitted.isoformat(),
            "comment": request.comment,
        },
        "profile_template": {"id": str(template.id), "name": template.name},
        "subject": _describe_person(notification.subject, str(request.target_id)),
        "originator": _describe_person(notification.originator, str(request.originator_id)),
        "details": dict(event.details),
    }


def _describe_person(user: User | None, identifier: str) -> dict[str, str]:
    """Return who it is; of a person whom the directory has no more, the identifier is left."""
    if user is None:
        return {"id": identifier, "account": "", "name": identifier, "email": ""}
    return {"id": identifier, "account": user.nt4_name, "name": user.display_name or user.nt4_name, "email": user.email}
