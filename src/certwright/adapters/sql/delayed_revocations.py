"""Revocations that are still to take effect."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select

from certwright.adapters.sql.certificates import CERTIFICATE_COLUMNS, read_certificate
from certwright.adapters.sql.marked_rows import DELAYED_REVOCATIONS
from certwright.adapters.sql.prepared import Connection
from certwright.adapters.sql.row_marks import RowLedger
from certwright.adapters.sql.tables import certificates
from certwright.adapters.sql.upserts import insert_or_replace
from certwright.adapters.sql.work_tables import delayed_revocations
from certwright.domain.certificates import Certificate
from certwright.domain.delayed_revocations import DelayedRevocation

_ADD = insert_or_replace(delayed_revocations)
_DUE = (
    select(
        delayed_revocations.c.serial,
        delayed_revocations.c.request_id,
        delayed_revocations.c.effective,
        delayed_revocations.c.lists,
        delayed_revocations.c.mark,
    )
    .where(delayed_revocations.c.effective <= bindparam("now", type_=delayed_revocations.c.effective.type))
    .order_by(delayed_revocations.c.effective)
    .limit(bindparam("most"))
)
_SETTLE = delete(delayed_revocations).where(
    delayed_revocations.c.serial == bindparam("of_serial"), delayed_revocations.c.effective == bindparam("effective")
)
_REVOKED_AT = select(*CERTIFICATE_COLUMNS).where(
    certificates.c.serial == bindparam("of_serial"), certificates.c.revoked_at == bindparam("effective")
)


class SqlDelayedRevocations:
    """Delayed revocations."""

    def __init__(self, connection: Connection, ledger: RowLedger) -> None:
        self._connection = connection
        self._ledger = ledger

    def add(self, delayed: DelayedRevocation) -> None:
        """Store *delayed* in place of what is stored for the certificate."""
        row: dict[str, Any] = {
            "serial": delayed.serial,
            "request_id": delayed.request_id,
            "effective": delayed.effective,
            "lists": delayed.lists,
        }
        row["mark"] = self._ledger.mark(DELAYED_REVOCATIONS, row)
        _ADD.run(self._connection, [row])
        self._ledger.note(DELAYED_REVOCATIONS, row)

    def list_due(self, now: datetime, limit: int) -> tuple[DelayedRevocation, ...]:
        """Return those whose time has come, oldest first."""
        rows = self._connection.execute(_DUE, {"now": now, "most": limit}).all()
        for row in rows:
            self._ledger.check(DELAYED_REVOCATIONS, row)
        return tuple(
            DelayedRevocation(serial=row.serial, request_id=row.request_id, effective=row.effective, lists=row.lists)
            for row in rows
        )

    def settle(self, delayed: DelayedRevocation) -> Certificate | None:
        """Forget *delayed*, and return its certificate if it is revoked from that moment on: no other revocation was first."""
        values = {"of_serial": delayed.serial, "effective": delayed.effective}
        if self._connection.execute(_SETTLE, values).rowcount != 1:
            return None
        self._ledger.note_removed(DELAYED_REVOCATIONS, {"serial": delayed.serial})
        row = self._connection.execute(_REVOKED_AT, values).first()
        return None if row is None else read_certificate(row, self._ledger)
