"""Marks of events: what nobody can make who can write to the database and has not the key that it is marked with.

A mark is a number used once and BLAKE2b, with a key, over it and all of the event but its sequence number, which the database
gives. Two events never have the same mark, so that a copy shows itself.
"""

import secrets
from collections.abc import Callable, Sequence
from hashlib import blake2b
from hmac import compare_digest

import msgspec

from certwright.domain.events import Event
from certwright.domain.sealing import list_fields

KEY_OCTETS = 32
ONCE_OCTETS = 16
DIGEST_OCTETS = 32
_encode = msgspec.json.Encoder().encode


class EventMarker:
    """Marks events with *key*. Shape: all events with numbers above *after* have to be marked, and none below."""

    def __init__(self, key: bytes, after: int = 0, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._key = key
        self._random = random
        self.after = after

    def __repr__(self) -> str:
        return "EventMarker(...)"

    def mark(self, events: Sequence[Event]) -> list[bytes | None]:
        """Return a mark for each of *events*; None for one with text that no database of ours can store, and refuses."""
        octets = self._random(ONCE_OCTETS * len(events))
        starts = range(0, len(octets), ONCE_OCTETS)
        return [self._mark(octets[start : start + ONCE_OCTETS], each) for start, each in zip(starts, events, strict=True)]

    def is_right(self, mark: object, written: bytes) -> bool:
        """Return whether *mark* was made by `mark` for the event that *written* is of, as `cut_number` gives it."""
        if not isinstance(mark, bytes):
            return False
        once = mark[:ONCE_OCTETS]
        return len(once) == ONCE_OCTETS and compare_digest(mark, once + self._digest(once + written))

    def _mark(self, once: bytes, event: Event) -> bytes | None:
        try:
            written = cut_number(_encode(list_fields(event)))
        except UnicodeEncodeError:
            return None
        return once + self._digest(once + written)

    def _digest(self, written: bytes) -> bytes:
        return blake2b(written, key=self._key, digest_size=DIGEST_OCTETS).digest()


def cut_number(encoded: bytes) -> bytes:
    """Return the JSON list of an event's fields without the first, which is its number."""
    return encoded[encoded.index(b",") :]
