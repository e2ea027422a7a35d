"""How the history is chained: digests of events, a chain over batches of them."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from certwright.domain.events import Event, Seal, StoredEvent, UnreadableEvent


def digest_of(event: StoredEvent) -> bytes:
    """Return SHA-256 over the event in a form that never changes: a JSON list of its fields, keys of details sorted.

    Shape: the list of an unreadable event is its number alone, so that the events after it can be sealed none the less.
    """
    fields = [event.sequence] if isinstance(event, UnreadableEvent) else _list_fields(event)
    return sha256(json.dumps(fields, separators=(",", ":"), ensure_ascii=True).encode()).digest()


def _list_fields(event: Event) -> list[object]:
    return [
        event.sequence,
        event.type.value,
        event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        event.actor,
        str(event.actor_id or ""),
        event.source,
        str(event.request_id or ""),
        str(event.subject_id or ""),
        event.comment,
        sorted(event.details.items()),
    ]


def chain_of(previous_chain: bytes, digests: Iterable[tuple[int, bytes]]) -> bytes:
    """Return SHA-256 over the chain so far and each event's sequence number (8 octets, big-endian) and digest."""
    running = sha256(previous_chain)
    for sequence, digest in digests:
        running.update(sequence.to_bytes(8, "big") + digest)
    return running.digest()


def plan_seal(events: Sequence[StoredEvent], previous: Seal | None, *, now: datetime, sign: Callable[[bytes], bytes]) -> Seal:
    """Return the seal over *events*, which are ascending and all newer than *previous*."""
    digests = tuple((each.sequence, digest_of(each)) for each in events)
    chain = chain_of(previous.chain if previous else b"", digests)
    number = previous.number + 1 if previous else 1
    return Seal(number=number, digests=digests, chain=chain, signature=sign(chain), sealed_at=now)


def list_faults(seal: Seal, events: Sequence[StoredEvent]) -> list[str]:
    """Return a sentence for each event of the seal's range that is not as it was sealed, or was unreadable even then."""
    sealed = dict(seal.digests)
    found = {each.sequence: digest_of(each) for each in events}
    readable = {each.sequence for each in events if isinstance(each, Event)}
    return [
        *list_unreadable(events),
        *[f"event {number} was changed" for number in sorted(readable & sealed.keys()) if sealed[number] != found[number]],
        *[f"event {number} was added" for number in found if number not in sealed],
        *[f"event {number} is missing" for number in sealed if number not in found],
    ]


def list_unreadable(events: Iterable[StoredEvent]) -> list[str]:
    """Return a sentence for each event that cannot be read."""
    return [f"event {each.sequence} cannot be read" for each in events if isinstance(each, UnreadableEvent)]
