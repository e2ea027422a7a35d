"""Whether the server can do its work: whoever watches it asks for this."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

LATE = timedelta(minutes=1)
"""How long sealing, or the file of checkpoints, may be behind what it should have done by its interval."""

WARNED_BEFORE = timedelta(days=30)
"""How long before a certificate of the installation's own ends there are warnings."""
UNSENT_AFTER = timedelta(hours=1)
"""Messages that have waited for so long to be sent are warned of."""
GIVEN_UP_SHOWN = timedelta(days=1)
"""How long a message that was given up is warned of, unless it is sent again."""


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """A certificate that the installation itself needs. Shape: *name* says whose it is, in the middle of a sentence."""

    name: str
    ends: datetime


def list_ends(certificates: Iterable[OwnCertificate], now: datetime) -> tuple[str, ...]:
    """Return a warning for each certificate that has ended, or ends within `WARNED_BEFORE`."""
    return tuple(
        f"certificates: that of {each.name} {'has ended' if each.ends <= now else 'ends'} at {each.ends:%Y-%m-%d %H:%M} UTC"
        for each in certificates
        if each.ends - now < WARNED_BEFORE
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a watcher is told; nothing in it is secret.

    Shape: *faults* are sentences, each led by the part that it is about; empty when all is well. *warnings* are likewise what
    needs an administrator, while the server does its work. Numbers are those of events;
    *checkpointed_until* is None where this machine keeps no checkpoints. *leases* has, by the name of the work, how long ago
    it was taken or renewed.
    """

    faults: tuple[str, ...]
    is_writable: bool
    warnings: tuple[str, ...] = ()
    sealed_until: int = 0
    sealed_at: datetime | None = None
    unsealed: int = 0
    oldest_unsealed: timedelta | None = None
    checkpointed_until: int | None = None
    leases: tuple[tuple[str, timedelta], ...] = ()

    @property
    def is_well(self) -> bool:
        """Return whether there is no fault."""
        return not self.faults
