"""Leases: which of several workers does a kind of work now."""

from dataclasses import dataclass
from datetime import datetime, timedelta

TERM = timedelta(seconds=6)
"""How long a lease lasts unless it is renewed: for so long work rests after its holder has died."""
LONGEST_TERM = 2 * TERM
"""A lease that lasts longer from now on was taken under a clock that has been put back since, and counts for nothing. Clocks
of two machines may differ by one term."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Work *name* is *holder*'s until *until*."""

    name: str
    holder: str
    until: datetime


def is_in_force(lease: Lease, now: datetime) -> bool:
    """Return whether the lease keeps others away at *now*."""
    return now < lease.until <= now + LONGEST_TERM
