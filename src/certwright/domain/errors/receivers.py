"""What becomes of a message on its way to a mail server or a webhook."""

from dataclasses import dataclass

from certwright.domain.errors.tree import Refused, Unavailable


@dataclass(eq=False)
class ReceiverUnavailable(Unavailable):
    """The receiver does not answer, or not as one: it hangs, refuses, or ends the connection. Others would fare no better."""

    code = "receiver-unavailable"
    sentence = "{receiver} cannot be reached: {detail}."
    receiver: str
    detail: str


@dataclass(eq=False)
class DeliveryDeferred(Unavailable):
    """The receiver does not take this message now; it may take others."""

    code = "delivery-deferred"
    sentence = "{receiver} does not take the message now: {detail}."
    receiver: str
    detail: str


@dataclass(eq=False)
class DeliveryRejected(Refused):
    """The message can never be delivered."""

    code = "delivery-rejected"
    sentence = "The message cannot be delivered: {detail}."
    detail: str


@dataclass(eq=False)
class MailNotConfigured(Refused):
    """Something is to be sent by mail, and the settings name no mail server."""

    code = "mail-not-configured"
    sentence = "No mail can be sent: the settings name no mail server (mail.host)."
