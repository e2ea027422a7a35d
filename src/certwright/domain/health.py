"""Whether the server can do its work: whoever watches it asks for this."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LATE = timedelta(minutes=1)
"""How long sealing, or the file of checkpoints, may be behind what it should have done by its interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a watcher is told; nothing in it is secret.

    Shape: *faults* are sentences, each led by the part that it is about; empty when all is well. Numbers are those of events;
    *checkpointed_until* is None where this machine keeps no checkpoints. *leases* has, by the name of the work, how long ago
    it was taken or renewed.
    """

    faults: tuple[str, ...]
    is_writable: bool
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
