"""Rows in bulk: what years of use leave behind, written past the use cases, in a way that the schema accepts."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Table, create_engine, func, select, text, update

from benchmarks.growth_copy import without_indexes, write_rows
from certwright.adapters.sql import tables
from certwright.adapters.sql.archive_tables import archived_keys
from certwright.adapters.sql.external_tables import external_certificates
from certwright.adapters.sql.marked_rows import MARKED_ROWS
from certwright.adapters.sql.row_marks import RowLedger
from certwright.adapters.sql.work_tables import delayed_revocations, one_time_passwords, renewals
from certwright.domain.certificates import SerialNumber
from certwright.domain.events import EventType
from certwright.domain.grants import ObjectKind, Right
from certwright.domain.notifications import NotificationType
from certwright.domain.outbox import MAIL
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.profiles import ProfileFlags, ProfileStatus
from certwright.domain.request_types import RequestType
from certwright.domain.requests import RequestStatus
from certwright.domain.workflows import Operation

OWN = 100
"""Rows of the one person whose own lists are measured, whatever the size."""
DUE = 50
"""Certificates whose renewal is due; of those of others in the period, it was begun."""
YEAR, DAY = timedelta(days=365), timedelta(days=1)
ENROLLING = (
    EventType.REQUEST_CREATED,
    EventType.REQUEST_EXECUTED,
    EventType.CERTIFICATE_ISSUED,
    EventType.PROFILE_CHANGED,
    EventType.REQUEST_COMPLETED,
)


@dataclass(frozen=True)
class Person:
    """Whose own rows are among the others. Shape: *collector* has as many as a tenth of all, up to 10,000."""

    id: UUID
    name: str
    sid: str
    collector_id: UUID


def identifier(kind: int, number: int) -> UUID:
    """Return the GUID of a row."""
    return UUID(int=(kind << 96) | (1 << 80) | number)


def sid_of(number: int) -> str:
    """Return the SID of a loaded account."""
    return f"S-1-5-21-7-7-7-{100_000 + number}"


def fill(url: str, size: int, person: Person, template: ProfileTemplateId, group: UUID, ledger: RowLedger) -> None:
    """Write *size* rows of each kind into the database, marked by *ledger*; five events are about one request."""
    now = datetime.now(UTC).replace(microsecond=0)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        with without_indexes(connection, tables.metadata):
            for table, make in _KINDS.items():
                rows = (make(number, size, now, person, template, group) for number in range(size))
                write_rows(connection, table, _mark((each for each in rows if each is not None), table, ledger))
            write_rows(connection, tables.events, _list_events(size, now, person))
        connection.execute(
            update(tables.directory_revision).values(
                revision=tables.directory_revision.c.revision + 1,
                grants_revision=tables.directory_revision.c.grants_revision + 1,
            )
        )
        connection.commit()
        connection.execute(text("ANALYZE")) if connection.dialect.name == "postgresql" else None
        connection.commit()
    engine.dispose()


def find_last_event(url: str) -> int:
    """Return the number of the newest event."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        last = connection.execute(select(func.max(tables.events.c.sequence))).scalar() or 0
    engine.dispose()
    return int(last)


def _mark(rows: Iterable[dict[str, Any]], table: Table, ledger: RowLedger) -> Iterator[dict[str, Any]]:
    """Return the rows with the marks without which the product would not believe them."""
    kinds = [each for each in MARKED_ROWS if each.table is table]
    missing: dict[str, Any] = dict.fromkeys(each.name for each in table.columns)
    for row in rows:
        whole = missing | row
        yield row | {each.mark: ledger.mark(each, whole) for each in kinds}


def _owner(number: int, size: int, person: Person) -> UUID:
    if number < OWN:
        return person.id
    return person.collector_id if number < OWN + min(size // 10, 10_000) else identifier(1, number)


def _user(number: int, *_: Any) -> dict[str, Any]:
    name = f"person{number:07}"
    return {
        "id": identifier(1, number),
        "sid": sid_of(number),
        "domain": "CORP",
        "account_name": name,
        "principal_name": f"{name}@corp.contoso.com",
        "display_name": name,
        "distinguished_name": f"CN={name},OU=Many,DC=corp,DC=contoso,DC=com",
        "email": f"{name}@contoso.com",
        "enabled": True,
        "domain_key": "corp",
        "account_key": name,
        "principal_key": f"{name}@corp.contoso.com",
    }


def _group(number: int, *_: Any) -> dict[str, Any]:
    name = f"Team {number:07}"
    return {"id": identifier(2, number), "sid": f"S-1-5-21-8-8-8-{number}", "name": name, "name_key": name.casefold()}


def _member(number: int, _size: int, _now: datetime, _person: Person, _template: UUID, group: UUID) -> dict[str, Any]:
    return {"group_id": group, "member_sid": sid_of(number)}


def _grant(number: int, *_: Any) -> dict[str, Any]:
    return {
        "object_kind": ObjectKind.PRINCIPAL.value,
        "object_name": sid_of(number),
        "access_right": Right.REQUEST_RENEW.value,
        "trustee": sid_of(number // 10),
    }


def _profile(number: int, size: int, _now: datetime, person: Person, template: UUID, _group: UUID) -> dict[str, Any]:
    return {
        "id": identifier(3, number),
        "status": int(ProfileStatus.ACTIVE),
        "flags": int(ProfileFlags.PRIMARY),
        "owner_id": _owner(number, size, person),
        "template_id": template,
        "template_version": 1,
        "comment": "",
    }


def _request(number: int, size: int, now: datetime, person: Person, template: UUID, _group: UUID) -> dict[str, Any]:
    is_open, owner = number % 10 == 0, _owner(number, size, person)
    return {
        "id": identifier(4, number),
        "type": int(RequestType.RENEW if is_open else RequestType.ENROLL),
        "operation": (Operation.RENEW if is_open else Operation.ENROLL).value,
        "status": int(RequestStatus.PENDING if is_open else RequestStatus.COMPLETED),
        "flags": 0,
        "template_id": template,
        "template_version": 1,
        "originator_id": owner,
        "target_id": owner,
        "submitted": now - DAY,
        "completed": None if is_open else now,
        "priority": 0,
        "comment": "",
        "data": "[]",
        "data_flags": 0,
        "profile_id": None if is_open else identifier(3, number),
        "old_profile_id": identifier(3, number) if is_open else None,
        "choices": "",
    }


def _certificate(number: int, size: int, now: datetime, person: Person, *_: Any) -> dict[str, Any]:
    return {
        "serial": SerialNumber((7 << 120) | number),
        "request_id": identifier(4, number),
        "place": 0,
        "profile_id": identifier(3, number),
        "subject_id": _owner(number, size, person),
        "requester_name": "CORP\\person",
        "template_common_name": "ContosoUser",
        "authority_name": "ca\\Contoso",
        "not_before": now - DAY,
        "not_after": now + DAY + YEAR * number / size,
        "request_digest": b"0" * 32,
        "key_digest": number.to_bytes(32),
        "encoded": b"certificate " * 100,
        "thumbprint": f"{number:040X}",
        "is_key_history": False,
        "is_archived": False,
    }


def _renewal(number: int, size: int, now: datetime, *_: Any) -> dict[str, Any] | None:
    if number < DUE:
        return None
    end = now + DAY + YEAR * number / size
    return {"profile_id": identifier(3, number), "last_end": end, "at": now, "request_id": identifier(4, number), "refusal": ""}


def _message(number: int, _size: int, now: datetime, *_: Any) -> dict[str, Any]:
    is_sent = number % 2 == 0
    return {
        "id": identifier(5, number),
        "sink": MAIL,
        "recipient": "person@contoso.com",
        "notification": NotificationType.DISTRIBUTE_SECRETS.value,
        # The first subject has a tenth of all that waits, and its first message waits for its next try.
        "subject_id": identifier(1, 0 if number % 20 == 1 else number),
        "request_id": identifier(4, number),
        "created": now - DAY,
        "due": now - DAY + timedelta(seconds=1) * (number % 80_000) / 100,
        "attempts": 0,
        "state": "sent" if is_sent else "waiting",
        "error": "",
        "payload": b"{}",
        "has_secret": False,
    }


def _external(number: int, size: int, now: datetime, person: Person, template: UUID, _group: UUID) -> dict[str, Any]:
    return {
        "thumbprint": f"E{number:039X}",
        "serial": SerialNumber((9 << 120) | number),
        "subject_id": _owner(number, size, person),
        "template_id": template,
        "requester_name": "CORP\\person",
        "authority_name": "old\\Contoso",
        "subject_name": "CN=person",
        "not_before": now - DAY,
        "not_after": now + DAY + YEAR * number / size,
        "public_key": b"key",
        "encoded": b"certificate",
        "imported_at": now,
        "reminded_at": None if number < DUE else now,
    }


def _password(number: int, _size: int, now: datetime, *_: Any) -> dict[str, Any]:
    return {
        "request_id": identifier(4, number),
        "sealed_key": b"",
        "digests": b"",
        "distributed": now - DAY,
        "expires": now + DAY,
        "tries_left": 3,
        "is_expiry_told": False,
    }


def _delayed(number: int, _size: int, now: datetime, *_: Any) -> dict[str, Any]:
    serial = SerialNumber((7 << 120) | number)
    return {"serial": serial, "request_id": identifier(4, number), "effective": now + DAY, "lists": "base"}


def _archived(number: int, _size: int, now: datetime, *_: Any) -> dict[str, Any]:
    return {"serial": SerialNumber((7 << 120) | number), "enveloped": b"key", "agents": b"agents", "archived": now}


def _list_events(size: int, now: datetime, person: Person) -> Iterator[dict[str, Any]]:
    for number in range(size):
        request, kind = number // len(ENROLLING), ENROLLING[number % len(ENROLLING)]
        owner = _owner(request, size, person)
        name = person.name if owner == person.id else f"CORP\\person{request:07}"
        yield {
            "type": kind.value if number % 1_000 else EventType.HISTORY_READ.value,
            "at": now - YEAR + YEAR * number / size,
            "actor": name,
            "actor_id": owner,
            "source": "192.0.2.7",
            "request_id": identifier(4, request),
            "subject_id": owner,
            "comment": "",
            "details": f'{{"profile": "{identifier(3, request)}", "serial": "{request:032X}"}}',
        }


_KINDS: dict[Table, Callable[..., dict[str, Any] | None]] = {
    tables.users: _user,
    tables.user_groups: _group,
    tables.group_members: _member,
    tables.grants: _grant,
    tables.profiles: _profile,
    tables.requests: _request,
    tables.certificates: _certificate,
    renewals: _renewal,
    tables.outbox: _message,
    external_certificates: _external,
    one_time_passwords: _password,
    delayed_revocations: _delayed,
    archived_keys: _archived,
}
"""In an order in which each row finds those that it names."""
