"""Checkpoints of the history as lines of JSON: what stands in the file, and what is posted.

Source: our own; docs/how-to/prove-the-history.md says how to check one with other programs.
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from certwright.domain.errors import MalformedValue
from certwright.domain.events import Checkpoint, SealStatement
from certwright.domain.sealing import SIGNED_STATEMENTS, format_time

FIELDS = {
    "version": int,
    "number": int,
    "sealed": str,
    "events": int,
    "first": int,
    "last": int,
    "chain": str,
    "signature": str,
}


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Return the line, with its end. Source: the lines of the statement, `encode_statement`, as fields; then the signature."""
    said = checkpoint.statement
    fields = {
        "version": said.version,
        "number": said.number,
        "sealed": format_time(said.sealed_at),
        "events": said.events,
        "first": said.first,
        "last": said.last,
        "chain": said.chain.hex(),
        "signature": base64.b64encode(checkpoint.signature).decode(),
    }
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def parse_checkpoint(line: bytes) -> Checkpoint:
    """Return what a line says. Errors: MalformedValue. Source: as `encode_checkpoint`."""
    try:
        fields = _add_version(json.loads(line))
        if not _is_of_fields(fields):
            raise MalformedValue("checkpoint", f"an object of {', '.join(FIELDS)} is wanted")
        sealed_at = datetime.fromisoformat(fields["sealed"])
        if format_time(sealed_at) != fields["sealed"]:
            raise MalformedValue("sealed", "a time in UTC with microseconds is wanted")
        statement = SealStatement(
            number=fields["number"],
            sealed_at=sealed_at,
            events=fields["events"],
            first=fields["first"],
            last=fields["last"],
            chain=bytes.fromhex(fields["chain"]),
            version=fields["version"],
        )
        return Checkpoint(statement, base64.b64decode(fields["signature"], validate=True))
    except (ValueError, RecursionError) as fault:
        raise MalformedValue("checkpoint", "this is no line of checkpoints") from fault


def _add_version(fields: Any) -> Any:
    """Return *fields* with the version, which the first lines did not say."""
    return {"version": SIGNED_STATEMENTS, **fields} if isinstance(fields, Mapping) else fields


def _is_of_fields(fields: Any) -> bool:
    if not isinstance(fields, Mapping) or fields.keys() != FIELDS.keys():
        return False
    return all(type(fields[name]) is kind for name, kind in FIELDS.items())
