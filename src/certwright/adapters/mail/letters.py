"""From a message of the outbox to a mail as it goes over the wire."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

import msgspec

from certwright.application.notify_by_mail import MailContent
from certwright.domain.errors import DefinitionInvalid, DeliveryRejected
from certwright.domain.mail_addresses import find_address_fault
from certwright.domain.outbox import OutboxMessage
from certwright.formats.built_in_mails import BUILT_IN_MAILS
from certwright.formats.mail_templates import render_mail

SENDER_NAME = "Certwright"
SEVEN_BIT = SMTP_POLICY.clone(cte_type="7bit")
"""What every server takes, whatever it says that it can."""


def write_letter(message: OutboxMessage, *, sender: str, at: datetime) -> EmailMessage:
    """Return the mail: text, and HTML beside it where the template has some.

    Shape: its Message-ID is made of the message's identifier, so that a second copy can be told from a second mail; nobody is
    to answer it by program (RFC 3834). Errors: DeliveryRejected when no mail can be made of it.
    """
    fault = find_address_fault(message.recipient)
    if fault is not None:
        raise DeliveryRejected(fault)
    try:
        content = msgspec.json.decode(message.payload, type=MailContent)
        rendered = render_mail(content.template or BUILT_IN_MAILS[message.notification], content.facts)
    except DefinitionInvalid as invalid:
        raise DeliveryRejected(f"{invalid.where}: {invalid.detail}") from invalid
    except msgspec.MsgspecError as error:
        raise DeliveryRejected(f"what is stored of it cannot be read: {type(error).__name__}") from error
    letter = EmailMessage(policy=SEVEN_BIT)
    letter["From"] = Address(SENDER_NAME, addr_spec=sender)
    letter["To"] = Address(addr_spec=message.recipient)
    letter["Subject"] = rendered.subject
    letter["Date"] = format_datetime(at)
    letter["Message-ID"] = f"<{message.id}@{sender.partition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(rendered.text)
    if rendered.html:
        letter.add_alternative(rendered.html, subtype="html")
    return letter
