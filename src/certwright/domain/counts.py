"""Numbers of things in sentences."""


def count_of(count: int, noun: str, plural: str = "", *, or_more: bool = False) -> str:
    """Return ``1 card``, ``3 cards`` or, where there may be more, ``3 or more cards``.

    Shape: *plural* is for nouns that take more than an s.
    """
    if or_more:
        return f"{count:,} or more {plural or noun + 's'}"
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
