"""Words that depend on a number."""


def count_of(count: int, noun: str, plural: str = "") -> str:
    """Return ``1 card`` or ``3 cards``. Shape: *plural* is for nouns that take more than an s."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def tell_approvals(given: int, needed: int) -> str:
    """Return ``1 of 2 approvals``."""
    return f"{given} of {count_of(needed, 'approval')}"
