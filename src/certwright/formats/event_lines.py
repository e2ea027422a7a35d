"""Events and seals as JSON: what is exported and what the API answers.

Source: our own; docs/how-to/prove-the-history.md describes the form, and how the digests of events come of it.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from certwright.domain.events import Seal, StoredEvent, StoredSeal, UnreadableEvent
from certwright.domain.retention import RetentionRecord, encode_ranges
from certwright.domain.sealing import format_time

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


def describe_event(event: StoredEvent) -> Mapping[str, Any]:
    """Return the fields of *event*: those that its digest is over, in their order. Source: ours, see the module.

    Shape: of an event that cannot be read, the number and that it cannot.
    """
    if isinstance(event, UnreadableEvent):
        return {"sequence": event.sequence, "unreadable": True}
    return {
        "sequence": event.sequence,
        "type": event.type.value,
        "at": format_time(event.at),
        "actor": event.actor,
        "actor_id": str(event.actor_id or ""),
        "source": event.source,
        "request_id": str(event.request_id or ""),
        "subject_id": str(event.subject_id or ""),
        "comment": event.comment,
        "details": dict(sorted(event.details.items())),
    }


def describe_seal(seal: StoredSeal) -> Mapping[str, Any]:
    """Return the fields of *seal*. Source: ours, see the module."""
    if not isinstance(seal, Seal):
        return {"number": seal.number, "unreadable": True}
    said = seal.statement
    return {
        "number": said.number,
        "version": seal.version,
        "sealed": format_time(said.sealed_at),
        "events": said.events,
        "first": said.first,
        "last": said.last,
        "chain": said.chain.hex(),
        "signature": base64.b64encode(seal.signature).decode(),
        "digests": [[sequence, digest.hex()] for sequence, digest in seal.digests],
    }


def describe_record(record: RetentionRecord) -> Mapping[str, Any]:
    """Return the fields of *record*: those that are signed, in their order, and the signature. Source: ours, see the module."""
    return {
        "number": record.number,
        "removed": format_time(record.removed_at),
        "before": format_time(record.before),
        "operator": record.operator,
        "events": record.events,
        "numbers": encode_ranges(record.ranges),
        "signature": base64.b64encode(record.signature).decode(),
    }


def encode_line(fields: Mapping[str, Any]) -> str:
    """Return *fields* as one line of ASCII, with its end. Source: ours, see the module."""
    return f"{_encode(fields)}\n"
