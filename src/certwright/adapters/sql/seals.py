"""Rows of seals. Who can write to the database can put anything into them."""

import struct
from typing import Any

from certwright.adapters.sql.prepared import Row
from certwright.domain.events import Seal

_DIGEST = struct.Struct(">Q32s")
"""One event in a seal: its sequence number, eight octets, and the SHA-256."""


def seal_row(seal: Seal) -> dict[str, Any]:
    """Return the row of *seal*."""
    return {
        "number": seal.number,
        "last_sequence": seal.last_sequence,
        "digests": b"".join(_DIGEST.pack(*each) for each in seal.digests),
        "chain": seal.chain,
        "signature": seal.signature,
        "sealed_at": seal.sealed_at,
        "version": seal.version,
    }


def read_seal(row: Row) -> Seal:
    """Return the seal of *row*. Errors: TypeError for what is no seal of ours."""
    numbers, octets = (row.number, row.last_sequence, row.version), (row.digests, row.chain, row.signature)
    if not all(isinstance(each, int) for each in numbers) or not all(isinstance(each, bytes) for each in octets):
        raise TypeError("these are not the columns of a seal")
    return Seal(
        number=row.number,
        # A seal that somebody cut short is read as far as it goes; that its chain is broken is for the verifier to say.
        digests=tuple(_DIGEST.iter_unpack(row.digests[: len(row.digests) // _DIGEST.size * _DIGEST.size])),
        last_sequence=row.last_sequence,
        chain=row.chain,
        signature=row.signature,
        sealed_at=row.sealed_at,
        version=row.version,
    )
