"""The register of certificates, and who holds which key."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, Table, Update, and_, bindparam, exists, func, literal_column, or_, select, union, update

from certwright.adapters.sql.marked_rows import CERTIFICATES, COPIES, COPIES_BESIDE, REVOCATIONS
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.profile_spans import in_span, span_values
from certwright.adapters.sql.row_marks import RowLedger
from certwright.adapters.sql.tables import certificate_copies, certificates, certified_keys, profiles
from certwright.adapters.sql.upserts import AnyInsert, Upsert, insert_unless_taken
from certwright.domain.certificates import Certificate, KeyHolder, SerialNumber
from certwright.domain.errors import ChangedMeanwhile
from certwright.domain.identities import UserId
from certwright.domain.profiles import Profile, ProfileId, ProfileStatus
from certwright.domain.requests import RequestId
from certwright.domain.revocation import RevocationReason

CERTIFICATE_COLUMNS = (
    certificates.c.serial,
    certificates.c.request_id,
    certificates.c.place,
    certificates.c.profile_id,
    certificates.c.subject_id,
    certificates.c.requester_name,
    certificates.c.template_common_name,
    certificates.c.authority_name,
    certificates.c.not_before,
    certificates.c.not_after,
    certificates.c.request_digest,
    certificates.c.key_digest,
    certificates.c.to_be_signed,
    certificates.c.encoded,
    certificates.c.thumbprint,
    certificates.c.revoked_at,
    certificates.c.revocation_reason,
    certificates.c.is_key_history,
    certificates.c.is_archived,
    certificates.c.mark,
    certificates.c.revocation_mark,
)
_ADD = insert_unless_taken(certificates)


def _spell_claim(insert: Callable[[Table], AnyInsert]) -> Insert:
    """Return the statement that changes a row only if it is the subject's own and good, so that the count tells."""
    statement = insert(certified_keys)
    return statement.on_conflict_do_update(
        index_elements=["key_digest"],
        set_={"subject_id": statement.excluded.subject_id},
        where=and_(certified_keys.c.subject_id == statement.excluded.subject_id, ~certified_keys.c.is_compromised),
    )


_CLAIM = Upsert(_spell_claim)
_HOLDER = select(certified_keys.c.subject_id, certified_keys.c.is_compromised).where(
    certified_keys.c.key_digest == bindparam("key_digest")
)
_COMPROMISE = (
    update(certified_keys)
    .where(
        certified_keys.c.key_digest.in_(
            select(certificates.c.key_digest).where(certificates.c.serial == bindparam("of_serial"))
        )
    )
    .values(is_compromised=True)
)
_RECORD = (
    update(certificates)
    .where(certificates.c.serial == bindparam("of_serial"), certificates.c.encoded.is_(None))
    .values(encoded=bindparam("encoded"), thumbprint=bindparam("thumbprint"), to_be_signed=None, mark=bindparam("mark"))
)
_REVOKE = (
    update(certificates)
    .where(
        certificates.c.serial == bindparam("of_serial"),
        or_(
            certificates.c.revocation_reason.is_(None),
            certificates.c.revocation_reason == int(RevocationReason.CERTIFICATE_HOLD),
            # A hold takes the place of nothing that is final, also where that is still to come.
            and_(
                certificates.c.revoked_at > bindparam("revoked_at", type_=certificates.c.revoked_at.type),
                bindparam("revocation_reason", type_=certificates.c.revocation_reason.type)
                != int(RevocationReason.CERTIFICATE_HOLD),
            ),
        ),
    )
    .values(
        revoked_at=bindparam("revoked_at"),
        revocation_reason=bindparam("revocation_reason"),
        revocation_mark=bindparam("revocation_mark"),
    )
)
_RELEASE = (
    update(certificates)
    .where(
        certificates.c.serial == bindparam("of_serial"),
        certificates.c.revocation_reason == int(RevocationReason.CERTIFICATE_HOLD),
    )
    .values(revoked_at=None, revocation_reason=None, revocation_mark=bindparam("revocation_mark"))
)
_FIND = select(*CERTIFICATE_COLUMNS).where(certificates.c.serial == bindparam("of_serial", type_=certificates.c.serial.type))
_OF_REQUEST = (
    select(*CERTIFICATE_COLUMNS).where(certificates.c.request_id == bindparam("request_id")).order_by(certificates.c.place)
)
_ISSUED = select(*CERTIFICATE_COLUMNS).where(certificates.c.encoded.is_not(None)).order_by(certificates.c.number.desc())
_COPY = and_(certificate_copies.c.serial == certificates.c.serial, certificate_copies.c.profile_id == bindparam("profile_id"))
_BESIDE = (certificate_copies.c.profile_id.label("copy_profile_id"), certificate_copies.c.mark.label("copy_mark"))
_HELD = union(
    select(certificates.c.serial).where(certificates.c.profile_id == bindparam("profile_id")),
    select(certificate_copies.c.serial).where(certificate_copies.c.profile_id == bindparam("profile_id")),
)
_OF_PROFILE = (
    select(
        *(each for each in CERTIFICATE_COLUMNS if each is not certificates.c.is_key_history),
        func.coalesce(certificate_copies.c.is_key_history, certificates.c.is_key_history).label("is_key_history"),
        *_BESIDE,
    )
    .select_from(certificates.outerjoin(certificate_copies, _COPY))
    .where(certificates.c.encoded.is_not(None), certificates.c.serial.in_(_HELD))
    .order_by(certificates.c.number.desc())
)
"""Two look-ups by index; an OR over both tables would look at every certificate."""
_IN_OWN_ROWS = (
    select(
        *(each for each in CERTIFICATE_COLUMNS if each is not certificates.c.is_key_history),
        func.coalesce(certificate_copies.c.is_key_history, certificates.c.is_key_history).label("is_key_history"),
        *_BESIDE,
        certificates.c.number,
        profiles.c.id.label("holder_id"),
    )
    .select_from(
        profiles.join(certificates, certificates.c.profile_id == profiles.c.id).outerjoin(
            certificate_copies,
            and_(certificate_copies.c.serial == certificates.c.serial, certificate_copies.c.profile_id == profiles.c.id),
        )
    )
    .where(in_span(), certificates.c.encoded.is_not(None))
)
_IN_COPIES = (
    select(
        *(each for each in CERTIFICATE_COLUMNS if each is not certificates.c.is_key_history),
        certificate_copies.c.is_key_history,
        *_BESIDE,
        certificates.c.number,
        profiles.c.id.label("holder_id"),
    )
    .select_from(
        profiles.join(certificate_copies, certificate_copies.c.profile_id == profiles.c.id).join(
            certificates, certificates.c.serial == certificate_copies.c.serial
        )
    )
    .where(
        in_span(),
        certificates.c.profile_id != profiles.c.id,
        certificates.c.encoded.is_not(None),
    )
)
_UNSIGNED_OF_PROFILE = (
    select(*CERTIFICATE_COLUMNS)
    .where(certificates.c.profile_id == bindparam("profile_id"), certificates.c.encoded.is_(None))
    .order_by(certificates.c.number.desc())
)
_COPIES_OF = select(certificate_copies.c.serial, certificate_copies.c.mark).where(
    certificate_copies.c.profile_id == bindparam("profile_id")
)
_COPY_ADD = insert_unless_taken(certificate_copies)
_OF_SUBJECT = _ISSUED.where(certificates.c.subject_id == bindparam("subject_id"))
_IS_IN_USE = and_(
    profiles.c.owner_id == certificates.c.subject_id, profiles.c.status != literal_column(str(int(ProfileStatus.RETIRED)))
)
_shared = certificate_copies.join(profiles, profiles.c.id == certificate_copies.c.profile_id)
_NEWEST_OF_SUBJECT = _OF_SUBJECT.where(
    or_(
        exists().where(profiles.c.id == certificates.c.profile_id, _IS_IN_USE),
        exists(select(1).select_from(_shared).where(certificate_copies.c.serial == certificates.c.serial, _IS_IN_USE)),
    )
).limit(bindparam("most"))
_earlier = certificates.alias("earlier")
_OLDER_OF_SUBJECT = _NEWEST_OF_SUBJECT.where(
    certificates.c.number < select(_earlier.c.number).where(_earlier.c.serial == bindparam("after")).scalar_subquery()
)

_KEY_HISTORY = (
    select(certificate_copies.c.serial, certificate_copies.c.is_key_history, *_BESIDE)
    .select_from(
        profiles.join(certificate_copies, certificate_copies.c.profile_id == profiles.c.id).join(
            certificates, certificates.c.serial == certificate_copies.c.serial
        )
    )
    .where(
        profiles.c.owner_id == bindparam("subject_id"),
        certificates.c.subject_id == profiles.c.owner_id,
        certificate_copies.c.is_key_history.is_(True),
    )
)


class SqlCertificates:
    """Certificates."""

    def __init__(self, connection: Connection, ledger: RowLedger) -> None:
        self._connection = connection
        self._ledger = ledger

    def add(self, new: Iterable[Certificate]) -> None:
        """Store certificates and claim their keys, in an order of their own so that no two sessions wait for each other.

        Errors: ChangedMeanwhile when a place of a request or a serial number is taken, or a key has become another's.
        """
        added = sorted(new, key=lambda each: (each.request_id, each.place))
        if not added:
            return
        rows = [self._row(each) for each in added]
        if _ADD.run(self._connection, rows) != len(rows):
            raise ChangedMeanwhile("certificate")
        for each in rows:
            self._ledger.note(CERTIFICATES, each)
            self._ledger.note(REVOCATIONS, each)
        claim_keys({(each.key_digest, each.subject_id) for each in added}, self._connection)

    def record(self, certificate: Certificate) -> bool:
        """Store the signed form unless there is one already, and return whether this was the first."""
        row = _row(certificate)
        row["mark"] = self._ledger.mark(CERTIFICATES, row)
        values = {name: row[name] for name in ("encoded", "thumbprint", "mark")}
        is_first = self._connection.execute(_RECORD, values | {"of_serial": certificate.serial}).rowcount == 1
        if is_first:
            self._ledger.note(CERTIFICATES, row)
        return is_first

    def find(self, serial: SerialNumber) -> Certificate | None:
        """Return the certificate, signed or not."""
        row = self._connection.execute(_FIND, {"of_serial": serial}).first()
        return None if row is None else read_certificate(row, self._ledger)

    def list_of_request(self, request_id: RequestId) -> tuple[Certificate, ...]:
        """Return them in the order of their places, those about to be signed included."""
        return self._list(_OF_REQUEST, {"request_id": request_id})

    def list_of_profile(self, profile_id: ProfileId) -> tuple[Certificate, ...]:
        """Return the issued ones, newest first, those included that the profile holds a copy of."""
        return tuple(map(self._read_held, self._connection.execute(_OF_PROFILE, {"profile_id": profile_id})))

    def list_by_profile(self, page: Sequence[Profile]) -> dict[ProfileId, tuple[Certificate, ...]]:
        """Return what `list_of_profile` does, for each profile of a page that has any: two statements for all of them."""
        values = span_values(page)
        rows = [row for each in (_IN_OWN_ROWS, _IN_COPIES) for row in self._connection.execute(each, values)]
        found: dict[ProfileId, list[Certificate]] = {}
        for row in sorted(rows, key=lambda each: each.number, reverse=True):
            found.setdefault(row.holder_id, []).append(self._read_held(row))
        return {profile_id: tuple(held) for profile_id, held in found.items()}

    def list_unsigned_of_profile(self, profile_id: ProfileId) -> tuple[Certificate, ...]:
        """Return those of its own that are about to be signed."""
        return self._list(_UNSIGNED_OF_PROFILE, {"profile_id": profile_id})

    def add_copies(self, profile_id: ProfileId, serials: Iterable[SerialNumber], *, is_key_history: bool) -> None:
        """Say that the profile holds certificates of another one, too; what it holds already stays as it is."""
        rows: list[dict[str, Any]] = [
            {"profile_id": profile_id, "serial": each, "is_key_history": is_key_history} for each in serials
        ]
        if not rows:
            return
        for row in rows:
            row["mark"] = self._ledger.mark(COPIES, row)
        if _COPY_ADD.run(self._connection, rows) != len(rows):
            there = {each.serial: each.mark for each in self._connection.execute(_COPIES_OF, {"profile_id": profile_id})}
            rows = [row for row in rows if there.get(row["serial"]) == row["mark"]]
        for row in rows:
            self._ledger.note(COPIES, row)

    def list_of_subject(self, subject_id: UserId) -> tuple[Certificate, ...]:
        """Return the issued ones, newest first."""
        return self._list(_OF_SUBJECT, {"subject_id": subject_id})

    def list_page_of_subject(self, subject_id: UserId, *, after: SerialNumber | None, limit: int) -> tuple[Certificate, ...]:
        """Return the newest that a profile of the subject holds which is not retired, or the newest older than *after*."""
        statement = _NEWEST_OF_SUBJECT if after is None else _OLDER_OF_SUBJECT
        return self._list(statement, {"subject_id": subject_id, "after": after, "most": limit})

    def list_key_history(self, subject_id: UserId) -> tuple[SerialNumber, ...]:
        """Return what one of the subject's own profiles holds as key history, of certificates that were issued to him."""
        rows = self._connection.execute(_KEY_HISTORY, {"subject_id": subject_id}).all()
        for row in rows:
            self._ledger.check(COPIES_BESIDE, row)
        return tuple(row.serial for row in rows)

    def find_key_holder(self, key_digest: bytes) -> KeyHolder | None:
        """Return who holds, or is about to hold, a certificate for the key."""
        row = self._connection.execute(_HOLDER, {"key_digest": key_digest}).first()
        return None if row is None else KeyHolder(UserId(row.subject_id), row.is_compromised)

    def revoke(self, serial: SerialNumber, reason: RevocationReason, at: datetime) -> None:
        """Revoke the certificate: a hold may be followed by any reason, any other stays unless the new time is earlier.

        A key that is said to be compromised is so from now on, whatever becomes of the certificate.
        """
        self._change_revocation(_REVOKE, {"serial": serial, "revoked_at": at, "revocation_reason": int(reason)})
        if reason is RevocationReason.KEY_COMPROMISE:
            self._connection.execute(_COMPROMISE, {"of_serial": serial})

    def release(self, serial: SerialNumber) -> None:
        """End the hold of a certificate; any other revocation stays."""
        self._change_revocation(_RELEASE, {"serial": serial, "revoked_at": None, "revocation_reason": None})

    def _change_revocation(self, statement: Update, row: dict[str, Any]) -> None:
        row["revocation_mark"] = self._ledger.mark(REVOCATIONS, row)
        if self._connection.execute(statement, row | {"of_serial": row["serial"]}).rowcount:
            self._ledger.note(REVOCATIONS, row)

    def _row(self, certificate: Certificate) -> dict[str, Any]:
        row = _row(certificate)
        marks = {each.mark: self._ledger.mark(each, row) for each in (CERTIFICATES, REVOCATIONS)}
        return row | marks

    def _read_held(self, row: Row) -> Certificate:
        """Return a certificate that a profile holds, as its own or as a copy. Errors: StoredRowAltered."""
        if row.copy_profile_id is not None:
            self._ledger.check(COPIES_BESIDE, row)
        return read_certificate(row, self._ledger)

    def _list(self, statement: Any, values: dict[str, Any]) -> tuple[Certificate, ...]:
        return tuple(read_certificate(row, self._ledger) for row in self._connection.execute(statement, values))


def claim_keys(holders: Iterable[tuple[bytes, UserId]], connection: Connection) -> None:
    """Say whose the keys are, by their digests. Errors: ChangedMeanwhile when one has become another's."""
    rows = [{"key_digest": digest, "subject_id": subject_id, "is_compromised": False} for digest, subject_id in sorted(holders)]
    if _CLAIM.run(connection, rows) != len(rows):
        raise ChangedMeanwhile("holder of the key")


def _row(certificate: Certificate) -> dict[str, Any]:
    reason = certificate.revocation_reason
    return {
        "serial": certificate.serial,
        "request_id": certificate.request_id,
        "place": certificate.place,
        "profile_id": certificate.profile_id,
        "subject_id": certificate.subject_id,
        "requester_name": certificate.requester_name,
        "template_common_name": certificate.template_common_name,
        "authority_name": certificate.authority_name,
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
        "request_digest": certificate.request_digest,
        "key_digest": certificate.key_digest,
        "to_be_signed": certificate.to_be_signed,
        "encoded": certificate.encoded,
        "thumbprint": certificate.thumbprint,
        "revoked_at": certificate.revoked_at,
        "revocation_reason": None if reason is None else int(reason),
        "is_key_history": certificate.is_key_history,
        "is_archived": certificate.is_archived,
    }


def read_certificate(row: Row, ledger: RowLedger) -> Certificate:
    """Return the certificate of a row of `CERTIFICATE_COLUMNS`. Errors: StoredRowAltered."""
    ledger.check(CERTIFICATES, row)
    ledger.check(REVOCATIONS, row)
    reason = row.revocation_reason
    return Certificate(
        serial=row.serial,
        request_id=row.request_id,
        place=row.place,
        profile_id=row.profile_id,
        subject_id=row.subject_id,
        requester_name=row.requester_name,
        template_common_name=row.template_common_name,
        authority_name=row.authority_name,
        not_before=row.not_before,
        not_after=row.not_after,
        request_digest=row.request_digest,
        key_digest=row.key_digest,
        to_be_signed=row.to_be_signed,
        encoded=row.encoded,
        thumbprint=row.thumbprint,
        revoked_at=row.revoked_at,
        revocation_reason=None if reason is None else RevocationReason(reason),
        is_key_history=row.is_key_history,
        is_archived=row.is_archived,
    )
