"""Notifications: of what people and programs can be told, and what a policy says about it.

Source: NotificationType in domain.md 1.17 and in the FIM CM SDK (bb490379), whose list we know up to MarkRequestAsFailed.
CertificateEnds, of a certificate from elsewhere, is ours, and so is CompleteRequest: without it nobody would learn that a
revocation, a hold or a retirement took effect.
"""

from dataclasses import dataclass
from enum import StrEnum


class NotificationType(StrEnum):
    """What people and programs are told of. Source: see the module."""

    CREATE_REQUEST = "create-request"
    APPROVE_REQUEST = "approve-request"
    DENY_REQUEST = "deny-request"
    CANCEL_REQUEST = "cancel-request"
    DISTRIBUTE_SECRETS = "distribute-secrets"
    INSTALL_CERTIFICATE = "install-certificate"
    DOWNLOAD_PFX = "download-pfx"
    CREATE_PROFILE = "create-profile"
    CREATE_SMARTCARD = "create-smartcard"
    DISABLE_PROFILE = "disable-profile"
    DISABLE_SMARTCARD = "disable-smartcard"
    MARK_REQUEST_AS_FAILED = "mark-request-as-failed"
    CERTIFICATE_ENDS = "certificate-ends"
    COMPLETE_REQUEST = "complete-request"


class Recipient(StrEnum):
    """Whom a policy can name without knowing his address."""

    SUBJECT = "subject"
    ORIGINATOR = "originator"
    APPROVERS = "approvers"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTemplate:
    """The text of a mail, with places for facts. Source: EmailTemplate in domain.md 2.12.

    Shape: the syntax is that of `formats.mail_templates`; without *html* the mail has text only.
    """

    subject: str
    text: str
    html: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRule:
    """Whom a policy tells of what by mail.

    Shape: *to* holds values of `Recipient` and addresses; without a *template* it is the built-in one of the type.
    """

    type: NotificationType
    to: tuple[str, ...]
    template: MailTemplate | None = None
