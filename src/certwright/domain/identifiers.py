"""Identifiers of what we make: requests, profiles, cards, messages."""

from datetime import datetime
from uuid import UUID

from certwright.domain.ports import Entropy

RANDOM_BITS = 74
_LOW_BITS = 62


def make_identifier(now: datetime, entropy: Entropy) -> UUID:
    """Return a new identifier, which sorts behind those of earlier milliseconds.

    So what is made at one time lies together in every index: with identifiers that are random throughout, each enrollment
    changes a page of its own in five of them. They are no secret: who may see what is decided by rights.

    Source: RFC 9562 section 5.7, version 7.
    """
    milliseconds, random = int(now.timestamp() * 1_000), entropy.bits(RANDOM_BITS)
    high, low = random >> _LOW_BITS, random & ((1 << _LOW_BITS) - 1)
    return UUID(int=milliseconds << 80 | 7 << 76 | high << 64 | 0b10 << _LOW_BITS | low)
