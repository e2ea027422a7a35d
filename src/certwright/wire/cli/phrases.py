"""Words that depend on a number."""

from certwright.domain.counts import count_of


def tell_approvals(given: int, needed: int) -> str:
    """Return ``1 of 2 approvals``."""
    return f"{given} of {count_of(needed, 'approval')}"
