"""How the history is chained: digests of events, a chain over batches of them, a statement of each batch that is signed."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from certwright.domain.events import Checkpoint, Digested, Event, Seal, SealStatement, StoredEvent, StoredSeal, UnreadableEvent

SIGNED_STATEMENTS = 2
"""From this version on the signature is over the statement. That of version 1 was over the chain alone; such seals stay."""
MARKED_EVENTS = 3
"""From this version on a seal says that every event under it was marked when it was written."""

ABOVE_ALL = 2**63 - 1
BELOW_ALL = -(2**62)
"""Events are numbered from 1: what stands below was put there by somebody else than us."""

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


def digest_of(event: StoredEvent) -> bytes:
    """Return SHA-256 over the event in a form that never changes: a JSON list of its fields, keys of details sorted.

    Shape: the list of an unreadable event is its number alone, so that the events after it can be sealed none the less.
    """
    fields = [event.sequence] if isinstance(event, UnreadableEvent) else list_fields(event)
    return digest_fields(fields)


def digest_fields(fields: Sequence[object]) -> bytes:
    """Return SHA-256 over the fields as JSON without blanks, what is not ASCII escaped."""
    return sha256(_encode(fields).encode()).digest()


def format_time(at: datetime) -> str:
    """Return *at* as it stands in what is digested and signed: UTC, microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def list_fields(event: Event) -> list[object]:
    """Return what an event is digested and marked over: its number first, keys of details sorted."""
    return [
        event.sequence,
        event.type.value,
        format_time(event.at),
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


def encode_statement(statement: SealStatement) -> bytes:
    """Return exactly what is signed: lines of a word and a value, so that it can be written by hand."""
    lines = (
        f"certwright seal {statement.version}",
        f"number {statement.number}",
        f"sealed {format_time(statement.sealed_at)}",
        f"events {statement.events}",
        f"first {statement.first}",
        f"last {statement.last}",
        f"chain {statement.chain.hex()}",
    )
    return "".join(f"{line}\n" for line in lines).encode()


def list_signed(seal: Seal) -> bytes:
    """Return what the signature of *seal* is over."""
    return encode_statement(seal.statement) if seal.version >= SIGNED_STATEMENTS else seal.chain


def choose_events(
    digests: tuple[tuple[int, bytes], ...], previous: StoredSeal | None, marked_after: int | None
) -> tuple[tuple[tuple[int, bytes], ...], int]:
    """Return which of *digests* come under the seal after *previous*, and its version.

    Shape: events with numbers above *marked_after* have to be marked, none where it is None. Those from before marks get seals
    of their own; once there is a seal over marked events, there are no others any more.
    """
    if marked_after is None:
        return digests, SIGNED_STATEMENTS
    if isinstance(previous, Seal) and previous.version >= MARKED_EVENTS:
        return digests, MARKED_EVENTS
    from_before = tuple(each for each in digests if each[0] <= marked_after)
    return (from_before, SIGNED_STATEMENTS) if from_before else (digests, MARKED_EVENTS)


def plan_seal(
    digests: tuple[tuple[int, bytes], ...],
    previous: StoredSeal | None,
    *,
    now: datetime,
    sign: Callable[[bytes], bytes],
    version: int = SIGNED_STATEMENTS,
) -> Seal:
    """Return the seal over *digests*, which are ascending, at least one, and all newer than *previous*.

    Shape: after a seal that cannot be read the chain begins anew; that it is broken there can be seen for good.
    """
    statement = SealStatement(
        number=previous.number + 1 if previous else 1,
        sealed_at=now,
        events=len(digests),
        first=digests[0][0],
        last=digests[-1][0],
        chain=chain_of(previous.chain if isinstance(previous, Seal) else b"", digests),
        version=version,
    )
    return Seal(
        number=statement.number,
        digests=digests,
        last_sequence=statement.last,
        chain=statement.chain,
        signature=sign(encode_statement(statement)),
        sealed_at=now,
        version=version,
    )


def find_checkpoint(seal: StoredSeal | None) -> Checkpoint | None:
    """Return what is to be written outside of the database about *seal*; None where its statement is not signed."""
    if not isinstance(seal, Seal) or seal.version < SIGNED_STATEMENTS:
        return None
    return Checkpoint(seal.statement, seal.signature)


def list_faults(sealed: Iterable[tuple[int, bytes]], found: Digested) -> list[str]:
    """Return a sentence for each event, or range of them, that is not as it was sealed, or was unreadable even then."""
    before, now = dict(sealed), dict(found.digests)
    unreadable = frozenset(found.unreadable)
    changed = [number for number in sorted((now.keys() & before.keys()) - unreadable) if now[number] != before[number]]
    return [
        *list_unreadable(found),
        *tell_of_events(changed, "was changed", "were changed"),
        *tell_of_events(sorted(now.keys() - before.keys()), "was added", "were added"),
        *tell_of_events(sorted(before.keys() - now.keys()), "is missing", "are missing"),
    ]


def list_unreadable(found: Digested) -> list[str]:
    """Return a sentence for each event, or range of them, that cannot be read."""
    return tell_of_events(found.unreadable, "cannot be read", "cannot be read")


def tell_of_events(numbers: Sequence[int], about_one: str, about_many: str) -> list[str]:
    """Return one sentence for each run of ascending *numbers* that follow each other."""
    sentences, start = [], 0
    for index, number in enumerate(numbers):
        if index + 1 == len(numbers) or numbers[index + 1] != number + 1:
            first = numbers[start]
            sentences.append(f"{name_events(first, number)} {about_one if first == number else about_many}")
            start = index + 1
    return sentences


def find_gaps(after: int, numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return the ranges of numbers, first and last, that are left out above *after* by *numbers*, which are ascending."""
    gaps, last = [], after
    for each in numbers:
        if each > last + 1:
            gaps.append((last + 1, each - 1))
        last = max(last, each)
    return gaps


def name_events(first: int, last: int) -> str:
    """Return what a range of events is called."""
    return f"event {first}" if first == last else f"events {first} to {last}"
