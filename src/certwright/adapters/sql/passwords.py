"""One-time passwords of requests: hashes, under a key that rests encrypted."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, text, update

from certwright.adapters.sql.look_indexes import unless_closed
from certwright.adapters.sql.marked_rows import PASSWORDS_OF_REQUESTS
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.row_marks import RowLedger
from certwright.adapters.sql.tables import requests
from certwright.adapters.sql.upserts import insert_or_replace
from certwright.adapters.sql.work_tables import one_time_passwords
from certwright.domain.distributed_passwords import DistributedPasswords
from certwright.domain.ports_at_rest import Cipher
from certwright.domain.requests import RequestId

DIGEST_OCTETS = 32

_COLUMNS = (
    one_time_passwords.c.request_id,
    one_time_passwords.c.sealed_key,
    one_time_passwords.c.digests,
    one_time_passwords.c.distributed,
    one_time_passwords.c.expires,
    one_time_passwords.c.tries_left,
    one_time_passwords.c.used,
    one_time_passwords.c.mark,
)
_SAVE = insert_or_replace(one_time_passwords)
_FIND = select(*_COLUMNS).where(one_time_passwords.c.request_id == bindparam("of_request"))
_FIND_LOCKED = _FIND.with_for_update()
"""SQLite has no such words, and one writer at a time."""
_IS_EXPIRED = (
    one_time_passwords.c.expires <= bindparam("now", type_=one_time_passwords.c.expires.type),
    one_time_passwords.c.used.is_(None),
    # In the words of the index.
    text("NOT is_expiry_told"),
)
_EXPIRED = (
    select(*_COLUMNS)
    .join(requests, requests.c.id == one_time_passwords.c.request_id)
    .where(*_IS_EXPIRED, unless_closed())
    .order_by(one_time_passwords.c.expires)
    .limit(bindparam("most"))
)
_MARK = (
    update(one_time_passwords)
    .where(one_time_passwords.c.request_id == bindparam("of_request"), *_IS_EXPIRED)
    .values(is_expiry_told=True)
)


class SqlPasswords:
    """One-time passwords."""

    def __init__(self, connection: Connection, cipher: Cipher | None, ledger: RowLedger) -> None:
        self._connection = connection
        self._ledger = ledger
        self._cipher = cipher

    def save(self, passwords: DistributedPasswords) -> None:
        """Store *passwords* in place of those of the same request."""
        row: dict[str, Any] = {
            "request_id": passwords.request_id,
            "sealed_key": self._get_cipher().seal(passwords.key, name_passwords_key(passwords.request_id)),
            "digests": b"".join(passwords.digests),
            "distributed": passwords.distributed,
            "expires": passwords.expires,
            "tries_left": passwords.tries_left,
            "used": passwords.used,
            "is_expiry_told": False,
        }
        row["mark"] = self._ledger.mark(PASSWORDS_OF_REQUESTS, row)
        _SAVE.run(self._connection, [row])
        self._ledger.note(PASSWORDS_OF_REQUESTS, row)

    def find(self, request_id: RequestId) -> DistributedPasswords | None:
        """Return the passwords of the request."""
        row = self._connection.execute(_FIND, {"of_request": request_id}).first()
        return None if row is None else self._read(row)

    def find_locked(self, request_id: RequestId) -> DistributedPasswords | None:
        """Return them; nobody else changes them until this session has ended."""
        row = self._connection.execute(_FIND_LOCKED, {"of_request": request_id}).first()
        return None if row is None else self._read(row)

    def list_expired(self, now: datetime, limit: int) -> tuple[DistributedPasswords, ...]:
        """Return those of open requests that have expired, were not used, and of which that is not marked."""
        rows = self._connection.execute(_EXPIRED, {"now": now, "most": limit})
        return tuple(self._read(row) for row in rows)

    def mark_expired(self, request_id: RequestId, now: datetime) -> bool:
        """Mark that they have expired, and return whether that is so, and was not marked before."""
        return self._connection.execute(_MARK, {"of_request": request_id, "now": now}).rowcount == 1

    def _read(self, row: Row) -> DistributedPasswords:
        self._ledger.check(PASSWORDS_OF_REQUESTS, row)
        digests: Any = row.digests
        return DistributedPasswords(
            request_id=row.request_id,
            key=self._get_cipher().open(row.sealed_key, name_passwords_key(row.request_id)),
            digests=tuple(digests[each : each + DIGEST_OCTETS] for each in range(0, len(digests), DIGEST_OCTETS)),
            distributed=row.distributed,
            expires=row.expires,
            tries_left=row.tries_left,
            used=row.used,
        )

    def _get_cipher(self) -> Cipher:
        if self._cipher is None:
            raise RuntimeError("the store was opened without what encrypts the keys of one-time passwords")
        return self._cipher


def name_passwords_key(request_id: RequestId) -> str:
    """Return what an encrypted key is bound to, so that it opens nowhere else."""
    return f"one-time passwords of request {request_id}"
