"""Whose each certified key is and which are compromised, compared with certificates and history, from which both follow.

The table is written with each enrollment and carries no marks; the rows that it follows from do.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key
from sqlalchemy import bindparam, func, select

from certwright.adapters.sql.external_tables import external_certificates
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.retention_tables import retention_records
from certwright.adapters.sql.row_marks import MarkedRows
from certwright.adapters.sql.row_walk import walk_rows
from certwright.adapters.sql.tables import certificates, certified_keys, events
from certwright.domain.certificates import format_serial_number
from certwright.domain.events import EventType
from certwright.domain.revocation import RevocationReason
from certwright.formats.public_keys import describe_public_key

_CLAIMS = MarkedRows(
    "certified-key",
    certified_keys,
    ("key_digest",),
    ("key_digest", "subject_id", "is_compromised"),
    mark="key_digest",
    spell={"key_digest": bytes.hex},
)
_CERTIFICATES = MarkedRows(
    "certificate",
    certificates,
    ("serial",),
    ("serial", "key_digest", "subject_id", "revocation_reason"),
    mark="key_digest",
    spell={"serial": format_serial_number},
)
_EXTERNAL = MarkedRows(
    "external-certificate",
    external_certificates,
    ("thumbprint",),
    ("thumbprint", "public_key", "subject_id"),
    mark="public_key",
)
"""None of them is looked at for its mark here."""
_TABLE = """CREATE TABLE held (key_digest BLOB, subject TEXT, is_compromised INTEGER, is_seen INTEGER DEFAULT 0,
    PRIMARY KEY (key_digest, subject)) WITHOUT ROWID"""
_HOLD = """INSERT INTO held (key_digest, subject, is_compromised) VALUES (?, ?, ?)
    ON CONFLICT (key_digest, subject) DO UPDATE SET is_compromised = max(is_compromised, excluded.is_compromised)"""
_HELD = "SELECT subject, is_compromised FROM held WHERE key_digest = ?"
_SEE = "UPDATE held SET is_seen = 1 WHERE key_digest = ?"
_UNSEEN = "SELECT DISTINCT key_digest FROM held WHERE is_seen = 0 ORDER BY key_digest"
_REVOCATIONS = select(events.c.details).where(
    events.c.type == EventType.CERTIFICATE_REVOKED.value,
    events.c.details.like(f'%"{RevocationReason.KEY_COMPROMISE.name}"%'),
)
_KEY_OF = select(certificates.c.key_digest).where(certificates.c.serial == bindparam("of_serial"))
_REMOVALS = select(func.count()).select_from(retention_records)
_decode_details = msgspec.json.Decoder(dict[str, str]).decode


class KeyClaims:
    """A comparison. Shape: *faults* and *remarks* are sentences."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._has_unreadable = False
        self._unexplained: list[bytes] = []
        self.faults: list[str] = []
        self.remarks: list[str] = []

    def compare(self) -> None:
        """Go through certificates and keys."""
        # An empty name: a database that is on the disk when it grows, and gone when it is closed.
        with closing(sqlite3.connect("")) as held:
            held.execute(_TABLE)
            held.executemany(_HOLD, self._list_held())
            for each in walk_rows(_CLAIMS, self._connection):
                if each.row is None:
                    self.faults.append(f"certified-key {each.key or 'without a key that can be read'} cannot be read")
                else:
                    self._compare(each.row, held)
            for (digest,) in held.execute(_UNSEEN):
                self._tell(digest, "is gone: there are certificates for it")
        if self._unexplained:
            self._explain()

    def _list_held(self) -> Iterator[tuple[bytes, str, bool]]:
        for kind in (_CERTIFICATES, _EXTERNAL):
            for each in walk_rows(kind, self._connection):
                if each.row is None:
                    # That is told where rows are compared with their marks.
                    self._has_unreadable = True
                elif kind is _CERTIFICATES:
                    is_compromised = each.row.revocation_reason == RevocationReason.KEY_COMPROMISE
                    yield each.row.key_digest, str(each.row.subject_id), is_compromised
                else:
                    yield _digest(each.row.public_key), str(each.row.subject_id), False

    def _compare(self, row: Row, held: sqlite3.Connection) -> None:
        found = held.execute(_HELD, (row.key_digest,)).fetchall()
        held.execute(_SEE, (row.key_digest,))
        subjects = {subject for subject, _ in found}
        if str(row.subject_id) not in subjects and not self._has_unreadable:
            self._tell(row.key_digest, "is said to be another person's than that of its certificates" if found else "was added")
        if any(is_compromised for _, is_compromised in found) and not row.is_compromised:
            self._tell(row.key_digest, "is said to be good, and a certificate for it was revoked for its compromise")
        elif row.is_compromised and not any(is_compromised for _, is_compromised in found):
            self._unexplained.append(row.key_digest)

    def _explain(self) -> None:
        """Look into the history for compromised keys whose certificates say another reason: of the earliest revocation."""
        told = set()
        for row in self._connection.execute(_REVOCATIONS):
            try:
                serial = int(_decode_details(row.details)["serial"], 16)
            except (ValueError, KeyError, TypeError):
                continue
            told.add(self._connection.execute(_KEY_OF, {"of_serial": serial}).scalar())
        unexplained = [each for each in self._unexplained if each not in told]
        if unexplained and self._connection.execute(_REMOVALS).scalar():
            said = "of which no event tells any more: events were removed"
            self.remarks.append(f"{len(unexplained)} certified keys are said to be compromised, {said}")
            return
        for each in unexplained:
            self._tell(each, "is said to be compromised, and neither a certificate nor an event says so")

    def _tell(self, digest: bytes, fault: str) -> None:
        self.faults.append(f"certified-key {digest.hex()} {fault}")


def _digest(public_key: bytes) -> bytes:
    try:
        return describe_public_key(load_der_public_key(public_key)).digest
    except (ValueError, UnsupportedAlgorithm):
        return sha256(public_key).digest()
