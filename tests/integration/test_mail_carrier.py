"""Mail over real SMTP, with TLS from our own authority, to servers that behave and to such as do not."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from certwright.adapters.mail.smtp import MailServer, SmtpCarrier
from certwright.application.notify_by_mail import MailContent
from certwright.domain.errors import CertwrightError, DeliveryDeferred, DeliveryRejected, ReceiverUnavailable, SecretUnavailable
from certwright.domain.identities import UserId
from certwright.domain.mail_security import MailSecurity
from certwright.domain.notifications import MailTemplate, NotificationType
from certwright.domain.outbox import MAIL, OutboxMessage, OutboxMessageId
from certwright.domain.requests import RequestId
from certwright.formats.built_in_mails import make_sample_facts
from worlds.contoso import NOW
from worlds.receivers import (
    Mailbox,
    disconnect,
    drip,
    find_free_port,
    greet_and_disconnect,
    hang,
    make_server_tls,
    misbehaving,
    receiving_mail,
    take_and_disconnect,
)

SENDER = "ca@contoso.com"
LIMIT = timedelta(seconds=1)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    return make_server_tls(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(tls: tuple[ssl.SSLContext, Path]) -> MailServer:
    return MailServer(
        host="localhost",
        port=1,
        security=MailSecurity.STARTTLS,
        sender=SENDER,
        time_limit=timedelta(seconds=30),
        tls=ssl.create_default_context(cafile=tls[1]),
    )


@pytest.fixture
def mailbox(tls: tuple[ssl.SSLContext, Path]) -> Iterator[Mailbox]:
    with receiving_mail(tls[0]) as received:
        yield received


def message(number: int = 1, kind: NotificationType = NotificationType.CREATE_REQUEST, **changed) -> OutboxMessage:
    content = MailContent(make_sample_facts(kind) | changed.pop("facts", {}), changed.pop("template", None))
    plain = {
        "id": OutboxMessageId(UUID(int=number)),
        "sink": MAIL,
        "recipient": "sam@contoso.com",
        "notification": kind,
        "subject_id": UserId(UUID(int=7)),
        "request_id": RequestId(UUID(int=8)),
        "created": NOW,
        "due": NOW,
        "payload": msgspec.json.encode(content),
    }
    return OutboxMessage(**(plain | changed))


def send(server: MailServer, *messages: OutboxMessage) -> list[CertwrightError | None]:
    """Return what became of each message, sent on one connection as long as the server is there."""
    became: list[CertwrightError | None] = []
    with SmtpCarrier(server).carrying() as carry:
        for each in messages:
            try:
                carry(each, NOW)
            except CertwrightError as error:
                became.append(error)
            else:
                became.append(None)
    return became


def test_a_mail_arrives_as_text_and_html_from_whom_to_whom_and_when(server: MailServer, mailbox: Mailbox) -> None:
    assert send(replace(server, port=mailbox.port), message()) == [None]
    ((sender, recipients, content),) = mailbox.taken
    assert (sender, recipients, mailbox.was_encrypted) == (SENDER, ["sam@contoso.com"], [True])
    (letter,) = mailbox.letters
    assert letter["From"].addresses[0].addr_spec == SENDER
    assert [each.addr_spec for each in letter["To"].addresses] == ["sam@contoso.com"]
    assert letter["Subject"] == "Request opened: enroll · Sample Template · Sam Sample <sample & co>"
    assert letter["Message-ID"] == f"<{UUID(int=1)}@contoso.com>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(letter["Date"]) == NOW.replace(microsecond=0)
    text, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Sam Sample <sample & co>" in text.get_content()
    assert "Sam Sample &lt;sample &amp; co&gt;" in html.get_content()
    assert content.isascii(), "no server is asked for more than the oldest can"
    assert max(map(len, content.splitlines())) < 998


def test_several_mails_go_over_one_connection_and_the_same_message_keeps_its_identifier(
    server: MailServer, mailbox: Mailbox
) -> None:
    assert send(replace(server, port=mailbox.port), message(1), message(2), message(1)) == [None] * 3
    first, second, again = (each["Message-ID"] for each in mailbox.letters)
    assert first == again != second


def test_a_template_without_html_makes_a_mail_of_text(server: MailServer, mailbox: Mailbox) -> None:
    template = MailTemplate(subject="Größe", text="Grüße an {{ subject.name }}\n.\nnach dem Punkt\n")
    assert send(replace(server, port=mailbox.port), message(template=template)) == [None]
    (letter,) = mailbox.letters
    assert (letter["Subject"], letter.get_content_type()) == ("Größe", "text/plain")
    assert letter.get_content().replace("\r\n", "\n") == "Grüße an Sam Sample <sample & co>\n.\nnach dem Punkt\n"


def test_no_header_comes_out_of_anybodys_data(server: MailServer, mailbox: Mailbox) -> None:
    hostile = "x\r\nBcc: eve@example.com\r\n\r\nbody \u2028 more"
    facts = {"comment": hostile, "profile_template": {"id": "1", "name": hostile}, "actor": hostile}
    assert send(replace(server, port=mailbox.port), message(facts=facts)) == [None]
    assert mailbox.letters[0]["Bcc"] is None
    assert [each.lower() for each in mailbox.letters[0]].count("subject") == 1
    assert mailbox.taken[0][1] == ["sam@contoso.com"]


@pytest.mark.parametrize("recipient", ["", "sam", "sam@contoso.com\r\nRCPT TO:<eve@example.com>", "a@b.c, d@e.f"])
def test_what_is_no_address_never_reaches_a_server(server: MailServer, mailbox: Mailbox, recipient: str) -> None:
    (became,) = send(replace(server, port=mailbox.port), message(recipient=recipient))
    assert isinstance(became, DeliveryRejected)
    assert mailbox.taken == []


@pytest.mark.parametrize("payload", [b"", b"no json", b"{}", b'{"facts": {}, "template": {"subject": "{{", "text": ""}}'])
def test_what_cannot_be_made_into_a_mail_is_rejected_for_good(server: MailServer, payload: bytes) -> None:
    (became,) = send(server, message(payload=payload))
    assert isinstance(became, DeliveryRejected)


# -- who the server is -----------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("at_once", [False, True])
def test_the_sender_signs_in_over_tls(server: MailServer, tls: tuple[ssl.SSLContext, Path], at_once: bool) -> None:
    security = MailSecurity.TLS if at_once else MailSecurity.STARTTLS
    with receiving_mail(tls[0], at_once=at_once, signs_in=True) as mailbox:
        here = replace(server, port=mailbox.port, security=security)
        (anonymous,) = send(here, message())
        assert isinstance(anonymous, ReceiverUnavailable)
        (refused,) = send(replace(here, user="certwright", read_password=lambda: "wrong"), message())
        assert isinstance(refused, ReceiverUnavailable)
        assert "wrong" not in str(refused)
        assert send(replace(here, user="certwright", read_password=lambda: "mail password"), message()) == [None]
        assert mailbox.signed_in == ["certwright"]
        assert len(mailbox.taken) == 1


def test_a_password_that_is_not_to_be_found_is_told(server: MailServer, mailbox: Mailbox) -> None:
    def read() -> str:
        raise SecretUnavailable("file:mail-password", "no such file")

    (became,) = send(replace(server, port=mailbox.port, user="certwright", read_password=read), message())
    assert isinstance(became, ReceiverUnavailable)
    assert "file:mail-password" in became.text


@pytest.mark.parametrize("security", [MailSecurity.STARTTLS, MailSecurity.TLS])
def test_a_server_that_nobody_vouches_for_gets_no_mail(
    server: MailServer, tls: tuple[ssl.SSLContext, Path], security: MailSecurity
) -> None:
    with receiving_mail(tls[0], at_once=security is MailSecurity.TLS) as mailbox:
        here = replace(server, port=mailbox.port, security=security, tls=ssl.create_default_context())
        (became,) = send(here, message())
        assert isinstance(became, ReceiverUnavailable)
        assert "certificate" in became.detail.lower()
        assert mailbox.taken == []


def test_a_server_of_another_name_gets_no_mail(server: MailServer, tmp_path: Path) -> None:
    context, root = make_server_tls(tmp_path, "mail.example.com")
    with receiving_mail(context) as mailbox:
        trusting = replace(server, port=mailbox.port, tls=ssl.create_default_context(cafile=root))
        (became,) = send(trusting, message())
        assert isinstance(became, ReceiverUnavailable)
        assert mailbox.taken == []


def test_a_server_that_offers_no_tls_gets_no_mail(server: MailServer) -> None:
    with misbehaving(take_and_disconnect) as port:
        (became,) = send(replace(server, port=port), message())
    assert isinstance(became, ReceiverUnavailable)
    assert "STARTTLS" in became.detail


# -- what it answers -------------------------------------------------------------------------------------------------------


def test_a_mailbox_that_is_not_there_is_rejected_for_good_and_others_get_their_mail(
    server: MailServer, mailbox: Mailbox
) -> None:
    mailbox.to_rcpt["gone@contoso.com"] = "550 5.1.1 no such mailbox"
    mailbox.to_rcpt["full@contoso.com"] = "452 4.2.2 mailbox full"
    became = send(
        replace(server, port=mailbox.port),
        message(1, recipient="gone@contoso.com"),
        message(2, recipient="full@contoso.com"),
        message(3),
    )
    assert [type(each) for each in became] == [DeliveryRejected, DeliveryDeferred, type(None)]
    assert "no such mailbox" in str(became[0])
    assert [recipients for _, recipients, _ in mailbox.taken] == [["sam@contoso.com"]]


def test_what_the_server_says_to_the_content_counts_as_much(server: MailServer, mailbox: Mailbox) -> None:
    mailbox.to_data += ["451 4.3.0 try later", "554 5.7.1 looks like spam"]
    became = send(replace(server, port=mailbox.port), message(1), message(2), message(3))
    assert [type(each) for each in became] == [DeliveryDeferred, DeliveryRejected, type(None)]


def test_a_server_that_is_about_to_go_takes_nothing_more(server: MailServer, mailbox: Mailbox) -> None:
    mailbox.to_rcpt["sam@contoso.com"] = "421 4.3.2 going down"
    (became,) = send(replace(server, port=mailbox.port), message())
    assert isinstance(became, ReceiverUnavailable)


# -- such as misbehave -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [hang, drip, disconnect, greet_and_disconnect, take_and_disconnect])
@pytest.mark.parametrize("security", MailSecurity)
def test_a_server_that_misbehaves_is_given_up(server: MailServer, act: Callable[..., None], security: MailSecurity) -> None:
    with misbehaving(act) as port:
        (became,) = send(replace(server, port=port, security=security, time_limit=LIMIT), message())
    assert isinstance(became, ReceiverUnavailable)
    assert "localhost" in became.receiver


@pytest.mark.parametrize("act", [hang, drip])
def test_a_server_that_hangs_is_cut_off_and_it_is_said_so(server: MailServer, act: Callable[..., None]) -> None:
    with misbehaving(act) as port:
        (became,) = send(replace(server, port=port, time_limit=LIMIT), message())
    assert isinstance(became, ReceiverUnavailable)
    assert became.detail == "it took longer than 1 s"


@pytest.mark.parametrize("host", ["localhost", "no-such-host.invalid", "x" * 70 + ".invalid"])
def test_a_server_that_is_not_there_is_told(server: MailServer, host: str) -> None:
    (became,) = send(replace(server, host=host, port=find_free_port(), time_limit=LIMIT), message())
    assert isinstance(became, ReceiverUnavailable)
