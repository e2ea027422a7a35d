"""The part of the bootstrap that is about telling people and programs: what fills the outbox, and what empties it."""

import ssl
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from certwright.adapters.mail.smtp import MailServer, SmtpCarrier
from certwright.adapters.webhooks.signed import WebhookCarrier, WebhookReceiver
from certwright.application.due_work import Due, Job
from certwright.application.notify import Notifier
from certwright.application.notify_by_mail import MailSink
from certwright.application.notify_by_webhook import Subscription, WebhookSink
from certwright.application.send_outbox import list_forgettable, list_sendable
from certwright.application.world import World
from certwright.domain.errors import DefinitionInvalid
from certwright.domain.notifications import NotificationType
from certwright.domain.outbox import Pace
from certwright.domain.ports import Entropy, NotificationSink
from certwright.domain.work_ports import Carrier
from certwright.outbox_settings import MailSettings, OutboxSettings, WebhookSettings
from certwright.setting_values import SecretReference
from certwright.settings import Settings

ReadSecret = Callable[[SecretReference], str]


def make_notifier(settings: Settings, entropy: Entropy) -> Notifier | None:
    """Return what hears of events, or None where the settings name nobody to tell: then events cost nothing more."""
    sinks: list[NotificationSink] = [MailSink(entropy)] if settings.mail.host else []
    if settings.webhooks:
        sinks.append(WebhookSink([_subscribe(each) for each in settings.webhooks], entropy))
    return Notifier(sinks) if sinks else None


def list_outbox_jobs(settings: Settings, world: World, data: Path, read_secret: ReadSecret) -> Iterator[Job]:
    """Return the jobs that empty the outbox, one for each receiver: none waits for another.

    Errors: DefinitionInvalid for authorities of receivers that cannot be read.
    """
    pace = make_pace(settings.outbox)
    for carrier in list_carriers(settings, data, read_secret):
        yield Job(
            name=f"send-{carrier.sink.replace(':', '-')}",
            purpose=f"send what is in the outbox by {carrier.sink}",
            interval=settings.outbox.interval,
            list_due=_make_query(carrier, world, pace),
        )
    yield Job(
        name="forget-sent",
        purpose="forget messages that were sent long ago",
        interval=settings.worker.interval,
        list_due=lambda _: list_forgettable(settings.outbox.keep_sent, world=world),
    )


def list_carriers(settings: Settings, data: Path, read_secret: ReadSecret) -> Iterator[Carrier]:
    """Return what carries messages to the receivers in the settings. Errors: DefinitionInvalid."""
    if settings.mail.host:
        yield SmtpCarrier(_find_mail_server(settings.mail, data, read_secret))
    for number, each in enumerate(settings.webhooks):
        tls = _trust(each.ca_file, data, f"webhooks[{number}].ca_file")
        yield WebhookCarrier(_find_receiver(each, tls, read_secret))


def make_pace(settings: OutboxSettings) -> Pace:
    """Return how often what failed is tried again."""
    return Pace(first_delay=settings.first_delay, longest_delay=settings.longest_delay, maximum_age=settings.maximum_age)


def _make_query(carrier: Carrier, world: World, pace: Pace) -> Callable[[int], Sequence[Due]]:
    return lambda _: list_sendable(carrier, world=world, pace=pace)


def _subscribe(settings: WebhookSettings) -> Subscription:
    return Subscription(settings.name, frozenset(map(NotificationType, settings.types)) or frozenset(NotificationType))


def _find_mail_server(settings: MailSettings, data: Path, read_secret: ReadSecret) -> MailServer:
    reference = settings.password
    return MailServer(
        host=settings.host,
        port=settings.port,
        security=settings.security,
        sender=settings.sender,
        time_limit=settings.time_limit,
        tls=_trust(settings.ca_file, data, "mail.ca_file"),
        user=settings.user,
        read_password=(lambda: "") if reference is None else partial(read_secret, reference),
    )


def _find_receiver(settings: WebhookSettings, tls: ssl.SSLContext, read_secret: ReadSecret) -> WebhookReceiver:
    return WebhookReceiver(
        name=settings.name,
        url=settings.url,
        time_limit=settings.time_limit,
        tls=tls,
        read_secret=partial(read_secret, settings.secret),
    )


def _trust(ca_file: str, data: Path, where: str) -> ssl.SSLContext:
    """Return what verifies a receiver: its name, and that its certificate comes from the system's authorities or these."""
    try:
        return ssl.create_default_context(cafile=str(data / ca_file) if ca_file else None)
    except OSError as error:
        raise DefinitionInvalid(where, f"{data / ca_file}: {error.strerror or error}") from error
