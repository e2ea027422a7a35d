"""Certificates that were issued elsewhere."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from certwright.adapters.sql.certificates import claim_keys
from certwright.adapters.sql.external_tables import external_certificates
from certwright.adapters.sql.marked_rows import EXTERNAL_CERTIFICATES
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.row_marks import RowLedger
from certwright.adapters.sql.upserts import insert_unless_taken
from certwright.domain.errors import ChangedMeanwhile
from certwright.domain.external_certificates import ExternalCertificate
from certwright.domain.identities import UserId
from certwright.domain.profile_templates import ProfileTemplateId

_NAMES = tuple(each.name for each in external_certificates.columns if each.name not in ("number", "reminded_at", "mark"))
"""The columns, and the fields of `ExternalCertificate`."""
_COLUMNS = (*(external_certificates.c[each] for each in _NAMES), external_certificates.c.mark)
_ALL = select(*_COLUMNS).order_by(external_certificates.c.number)
_FIND = _ALL.where(external_certificates.c.thumbprint == bindparam("of_thumbprint"))
_OF_SUBJECT = _ALL.where(external_certificates.c.subject_id == bindparam("of_subject"))
_OF_TEMPLATE = _OF_SUBJECT.where(external_certificates.c.template_id == bindparam("of_template"))
_ENDING = (
    select(*_COLUMNS)
    .where(
        external_certificates.c.template_id == bindparam("of_template"),
        external_certificates.c.reminded_at.is_(None),
        external_certificates.c.not_after > bindparam("now", type_=external_certificates.c.not_after.type),
        external_certificates.c.not_after <= bindparam("until", type_=external_certificates.c.not_after.type),
    )
    .order_by(external_certificates.c.not_after, external_certificates.c.number)
    .limit(bindparam("most"))
)
_REMIND = (
    update(external_certificates)
    .where(external_certificates.c.thumbprint == bindparam("of_thumbprint"), external_certificates.c.reminded_at.is_(None))
    .values(reminded_at=bindparam("at"))
)
_ADD = insert_unless_taken(external_certificates)


class SqlExternalCertificates:
    """`key_ports.ExternalCertificates`."""

    def __init__(self, connection: Connection, ledger: RowLedger) -> None:
        self._connection = connection
        self._ledger = ledger

    def add(self, new: Iterable[ExternalCertificate]) -> None:
        """Store certificates and claim their keys. Errors: ChangedMeanwhile when one is there, or its key is another's."""
        added = tuple(new)
        if not added:
            return
        rows = [self._mark({name: getattr(each, name) for name in _NAMES}) for each in added]
        if _ADD.run(self._connection, rows) != len(rows):
            raise ChangedMeanwhile("external certificate")
        for row in rows:
            self._ledger.note(EXTERNAL_CERTIFICATES, row)
        claim_keys({(each.key_digest, each.subject_id) for each in added}, self._connection)

    def find(self, thumbprint: str) -> ExternalCertificate | None:
        """Return the certificate."""
        row = self._connection.execute(_FIND, {"of_thumbprint": thumbprint}).first()
        return None if row is None else self._read(row)

    def list_of(self, subject_id: UserId, template_id: ProfileTemplateId | None = None) -> tuple[ExternalCertificate, ...]:
        """Return those of the person, for the profile template or for any, in the order in which they came."""
        if template_id is None:
            return tuple(map(self._read, self._connection.execute(_OF_SUBJECT, {"of_subject": subject_id})))
        values = {"of_subject": subject_id, "of_template": template_id}
        return tuple(map(self._read, self._connection.execute(_OF_TEMPLATE, values)))

    def list_ending(
        self, template_id: ProfileTemplateId, *, now: datetime, until: datetime, limit: int
    ) -> tuple[ExternalCertificate, ...]:
        """Return those that end after *now* and by *until*, and of which nobody was reminded, the first to end first."""
        values = {"of_template": template_id, "now": now, "until": until, "most": limit}
        return tuple(map(self._read, self._connection.execute(_ENDING, values)))

    def mark_reminded(self, thumbprint: str, at: datetime) -> bool:
        """Say that its owner was reminded of it, and return whether nobody had been."""
        return self._connection.execute(_REMIND, {"of_thumbprint": thumbprint, "at": at}).rowcount == 1

    def _mark(self, row: dict[str, Any]) -> dict[str, Any]:
        return row | {"mark": self._ledger.mark(EXTERNAL_CERTIFICATES, row)}

    def _read(self, row: Row) -> ExternalCertificate:
        self._ledger.check(EXTERNAL_CERTIFICATES, row)
        return ExternalCertificate(**{name: getattr(row, name) for name in _NAMES})
