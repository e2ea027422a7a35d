"""The archive of encryption keys: each is encrypted to recovery agents, so that the database alone is worth nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from certwright.domain.certificates import SerialNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryAgent:
    """Who can read archived keys.

    Shape: *certificate* is DER. The key of an online agent rests in the store under *key_name*; that of an offline one, whose
    *key_name* is None, is elsewhere. Nothing more is encrypted to a *retired* agent; what was, he can still read.
    """

    name: str
    certificate: bytes
    key_name: str | None
    added: datetime
    retired: datetime | None = None

    @property
    def is_online(self) -> bool:
        """Return whether the server itself can use the agent's key."""
        return self.key_name is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedKey:
    """The private key of one certificate, for its recovery agents to read.

    Shape: *enveloped* is a CMS AuthEnvelopedData around PKCS#8; *agents* is what `digest_agents` made of its recipients.
    """

    serial: SerialNumber
    enveloped: bytes
    agents: bytes
    archived: datetime


def list_current(agents: Iterable[RecoveryAgent]) -> tuple[RecoveryAgent, ...]:
    """Return those to whom keys are encrypted now."""
    return tuple(each for each in agents if each.retired is None)


def digest_agents(agents: Iterable[RecoveryAgent]) -> bytes:
    """Return the SHA-256 by which archived keys are found whose recipients are not the current agents."""
    return sha256(b"".join(sorted(sha256(each.certificate).digest() for each in agents))).digest()
