"""The settings about what is sent: how often it is tried, the mail server, webhooks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from certwright.domain.mail_security import MailSecurity
from certwright.domain.notifications import NotificationType
from certwright.setting_values import (
    SecretReference,
    a_mailbox,
    a_web_address,
    between,
    setting,
    spanning,
    wanted_setting,
)

TIME_LIMITS = spanning(timedelta(seconds=1), timedelta(minutes=2))


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _a_name(name: str) -> str | None:
    return (
        None if re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?", name) else "small letters, digits and hyphens are wanted"
    )


def _notification_types(types: tuple[str, ...]) -> str | None:
    unknown = [each for each in types if each not in frozenset(NotificationType)]
    return f"{unknown[0]!r:.60} is not one of {', '.join(NotificationType)}" if unknown else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxSettings:
    """What is to be sent, by mail and to webhooks: how often it is tried, and for how long it is kept."""

    interval: timedelta = setting(
        timedelta(seconds=1), "How often the worker looks for messages.", spanning(timedelta(seconds=1), timedelta(hours=1))
    )
    first_delay: timedelta = setting(
        timedelta(seconds=10),
        "How long a message waits after its first failure; then twice as long each time. Up to half is taken away by chance.",
        spanning(timedelta(seconds=1), timedelta(hours=1)),
    )
    longest_delay: timedelta = setting(
        timedelta(minutes=15),
        "How long it waits at most between two tries.",
        spanning(timedelta(seconds=1), timedelta(days=1)),
    )
    maximum_age: timedelta = setting(
        timedelta(days=2),
        "A message that fails when it is older becomes a dead letter: see certwright outbox.",
        spanning(timedelta(minutes=1), timedelta(days=30)),
    )
    keep_sent: timedelta = setting(
        timedelta(days=7),
        "How long what was sent can still be listed, without the secrets that were in it.",
        spanning(timedelta(), timedelta(days=365)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """The mail server. Without a host no mail is sent, and policies that ask for some tell nobody."""

    host: str = setting("", "The name of the mail server, as in its certificate; empty for none.")
    port: int = setting(587, "Its TCP port: usually 587 for starttls, 465 for tls.", between(1, 65_535))
    security: MailSecurity = setting(
        MailSecurity.STARTTLS,
        "How the way there is protected; the certificate is verified. None is for a server on this machine only.",
    )
    ca_file: str = setting(
        "",
        "A PEM file with the authorities its certificate may come from, from the data folder; empty for the system's.",
    )
    sender: str = setting("", "The address that mail comes from; it has to be given with a host.", a_mailbox)
    user: str = setting("", "The name to sign in with; empty for none.")
    password: SecretReference | None = setting(None, "Where the password to sign in with is kept.")
    time_limit: timedelta = setting(
        timedelta(seconds=10), "After which time a server that hangs is given up, for one mail.", TIME_LIMITS
    )

    def list_contradictions(self) -> Iterator[tuple[str, str]]:
        """Return which setting does not fit the others, and why."""
        if self.host and not self.sender:
            yield "sender", "with a host the address has to be given that mail comes from"
        if self.host and self.security is MailSecurity.NONE and not _is_this_machine(self.host):
            yield "security", "mail in clear goes no further than this machine"
        if self.user and self.password is None:
            yield "password", "with a user the place of the password has to be given"
        if self.user and self.security is MailSecurity.NONE:
            yield "security", "a password is sent over TLS only"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """A program that is told of what happens; any number of them."""

    name: str = wanted_setting("What it is called in the outbox: small letters, digits and hyphens.", _a_name)
    url: str = wanted_setting("The https address that is called; http for a program on this machine only.", a_web_address)
    secret: SecretReference = wanted_setting("Where the secret is kept that signs each call.")
    types: tuple[str, ...] = setting((), "Of which kinds of notification it is told; empty for all.", _notification_types)
    ca_file: str = setting(
        "", "A PEM file with the authorities its certificate may come from, from the data folder; empty for the system's."
    )
    time_limit: timedelta = setting(
        timedelta(seconds=10), "After which time a receiver that hangs is given up, for one call.", TIME_LIMITS
    )

    def list_contradictions(self) -> Iterator[tuple[str, str]]:
        """Return which setting does not fit the others, and why."""
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not _is_this_machine(parts.hostname or ""):
            yield "url", "an address that begins with https is wanted: http goes no further than this machine"
