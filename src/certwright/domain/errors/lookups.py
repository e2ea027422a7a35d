"""What is not there, or not switched on."""

from dataclasses import dataclass
from uuid import UUID

from certwright.domain.errors.tree import Refused


@dataclass(eq=False)
class NotFound(Refused):
    """Nothing that the caller may know of has this identifier."""

    code = "not-found"
    sentence = "There is nothing called {name}."
    name: UUID | str


class RequestNotFound(NotFound):
    """No request has this identifier."""

    code = "request-not-found"
    sentence = "There is no request {name}."


class ProfileTemplateNotFound(NotFound):
    """No profile template has this identifier, or not in this version."""

    code = "profile-template-not-found"
    sentence = "There is no profile template {name}."


class CertificateTemplateNotFound(NotFound):
    """No profile template issues a certificate template of this name."""

    code = "certificate-template-not-found"
    sentence = "There is no certificate template {name}."


class ProfileNotFound(NotFound):
    """No profile has this identifier."""

    code = "profile-not-found"
    sentence = "There is no profile {name}."


class UserNotFound(NotFound):
    """The directory has no such user."""

    code = "user-not-found"
    sentence = "There is no user {name}."


class GroupNotFound(NotFound):
    """The directory has no such group."""

    code = "group-not-found"
    sentence = "There is no group {name}."


class OutboxMessageNotFound(NotFound):
    """The outbox has no such message."""

    code = "outbox-message-not-found"
    sentence = "The outbox has no message {name}."


@dataclass(eq=False)
class PolicyMissing(Refused):
    """The template has no such policy, or it is switched off."""

    code = "policy-disabled"
    sentence = "The profile template {template} takes no {request_type} requests."
    template: str
    request_type: str
