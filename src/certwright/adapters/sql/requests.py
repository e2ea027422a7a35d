"""Requests, changed by compare-and-set."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Select, bindparam, exists, func, literal, literal_column, select, update

from certwright.adapters.sql.look_indexes import unless_closed, while_open
from certwright.adapters.sql.marked_rows import ANSWERS, APPROVALS, REQUESTS
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.profile_spans import in_span, span_values
from certwright.adapters.sql.request_choices import decode_choices, encode_choices
from certwright.adapters.sql.request_pages import page_statement
from certwright.adapters.sql.row_marks import MarkedRows, RowLedger
from certwright.adapters.sql.tables import OPEN_ABOUT_PROFILE, approvals, events, profiles, requests
from certwright.adapters.sql.upserts import insert_unless_taken
from certwright.domain.data_items import DataItem
from certwright.domain.errors import ChangedMeanwhile, RequestNotFound
from certwright.domain.identities import UserId
from certwright.domain.keys import SealedPart
from certwright.domain.ports_at_rest import Cipher
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.profiles import Profile, ProfileId
from certwright.domain.program import THE_PROGRAM
from certwright.domain.requests import (
    Approval,
    DataCollectionFlags,
    Request,
    RequestFilter,
    RequestFlags,
    RequestId,
    RequestStatus,
)
from certwright.domain.smartcards import SmartcardId
from certwright.domain.workflows import Operation

_REQUEST = (
    requests.c.id,
    requests.c.operation,
    requests.c.status,
    requests.c.flags,
    requests.c.template_id,
    requests.c.template_version,
    requests.c.originator_id,
    requests.c.target_id,
    requests.c.submitted,
    requests.c.completed,
    requests.c.priority,
    requests.c.comment,
    requests.c.data,
    requests.c.data_flags,
    requests.c.profile_id,
    requests.c.old_profile_id,
    requests.c.choices,
    requests.c.smartcard_id,
    requests.c.old_smartcard_id,
    requests.c.mark,
    requests.c.answers_mark,
)
_ADD = insert_unless_taken(requests)
_BY_ID = select(*_REQUEST).where(requests.c.id == bindparam("request_id"))
_BY_ID_LOCKED = _BY_ID.with_for_update()
"""SQLite has no such words, and one writer at a time."""
_CHANGEABLE = (
    "status",
    "completed",
    "profile_id",
    "old_profile_id",
    "smartcard_id",
    "mark",
)
_CHANGE = (
    update(requests)
    .where(requests.c.id == bindparam("of_request"), requests.c.status == bindparam("from_status"))
    .values({name: bindparam(name) for name in _CHANGEABLE})
)
"""Whose request it is, of which kind, with which words and under which template version is written once."""
_ANSWER = (
    update(requests)
    .where(requests.c.id == bindparam("of_request"))
    .values(data=bindparam("data"), data_flags=bindparam("data_flags"), answers_mark=bindparam("answers_mark"))
)

_IS_OPEN = while_open()
_OPEN_ABOUT = (
    select(*_REQUEST)
    .where(requests.c.old_profile_id == bindparam("profile_id"), OPEN_ABOUT_PROFILE)
    .order_by(requests.c.number.desc())
)
_OPEN_ABOUT_OF = (
    select(*_REQUEST)
    .join(profiles, profiles.c.id == requests.c.old_profile_id)
    .where(in_span(), requests.c.old_profile_id.is_not(None), _IS_OPEN)
    .order_by(requests.c.number.desc())
)
_NEWEST_FOR = (
    select(requests.c.id)
    .where(
        requests.c.target_id == bindparam("of_target"),
        # So that the index of all the requests under the template does not lead.
        func.coalesce(requests.c.template_id, requests.c.template_id) == bindparam("of_template"),
    )
    .order_by(requests.c.number.desc())
    .limit(1)
)
_OPEN_OF_TEMPLATE = select(func.count()).where(requests.c.template_id == bindparam("template_id"), _IS_OPEN)
_OPEN_BY = (
    select(requests.c.number)
    .where(
        requests.c.originator_id == bindparam("originator"),
        requests.c.target_id == bindparam("target"),
        requests.c.template_id == bindparam("template"),
        _IS_OPEN,
    )
    .limit(literal_column("1"))
    .offset(bindparam("before_it"))
)
_IDLE = select(*_REQUEST).where(
    unless_closed(),
    requests.c.submitted <= bindparam("idle_since", type_=requests.c.submitted.type),
    # What the program itself notes about a request is nobody's work on it.
    ~exists().where(
        events.c.request_id == requests.c.id,
        events.c.at > bindparam("idle_since", type_=events.c.at.type),
        events.c.source != literal(THE_PROGRAM.source, type_=events.c.source.type),
    ),
)
_LIST_IDLE = _IDLE.order_by(requests.c.submitted, requests.c.number).limit(bindparam("most"))
_IS_IDLE = _IDLE.where(requests.c.id == bindparam("request_id"))
_OF_CARD = select(*_REQUEST).where(requests.c.smartcard_id == bindparam("of_card")).order_by(requests.c.number.desc())
_APPROVE = insert_unless_taken(approvals)
_APPROVALS = (
    select(
        approvals.c.request_id,
        approvals.c.approver_id,
        approvals.c.at,
        approvals.c.comment,
        approvals.c.answers,
        approvals.c.mark,
    )
    .where(approvals.c.request_id == bindparam("request_id"))
    .order_by(approvals.c.number)
)

_ITEMS_ENCODER = msgspec.json.Encoder()
_ITEMS_DECODER = msgspec.json.Decoder(tuple[DataItem, ...])
_APPROVED_DECODER = msgspec.json.Decoder(dict[str, str])


class SqlRequests:
    """Requests."""

    def __init__(self, connection: Connection, cipher: Cipher | None, ledger: RowLedger) -> None:
        self._connection = connection
        self._ledger = ledger
        self._cipher = cipher

    def add(self, request: Request) -> None:
        """Store a new request.

        Errors: ChangedMeanwhile when another open one asks for the same operation of the same profile.
        """
        row = self._row(request, REQUESTS, ANSWERS)
        if not _ADD.run(self._connection, [row]):
            raise ChangedMeanwhile("profile")
        self._ledger.note(REQUESTS, row)
        self._ledger.note(ANSWERS, row)

    def get(self, request_id: RequestId) -> Request:
        """Errors: RequestNotFound."""
        return self._get(_BY_ID, request_id)

    def get_locked(self, request_id: RequestId) -> Request:
        """Return the request, which nobody else changes until this session has ended. Errors: RequestNotFound."""
        return self._get(_BY_ID_LOCKED, request_id)

    def list_page(self, wanted: RequestFilter, *, after: RequestId | None, limit: int) -> tuple[Request, ...]:
        """Return the first *limit* requests that *wanted* asks for, of those that are older than *after*, newest first."""
        statement, values = page_statement(_REQUEST, wanted, has_after=after is not None)
        rows = self._connection.execute(statement, values | {"after": after, "most": limit})
        return tuple(self._read(row) for row in rows)

    def find_newest_id(self, target_id: UserId, template_id: ProfileTemplateId) -> RequestId | None:
        """Return the newest request for the person under any version of the template."""
        values = {"of_target": target_id, "of_template": template_id}
        newest: RequestId | None = self._connection.execute(_NEWEST_FOR, values).scalar()
        return newest

    def change(self, request: Request, *, from_status: RequestStatus) -> None:
        """Store *request*, but for its answers, if its status is still *from_status*. Errors: ChangedMeanwhile."""
        row = self._row(request, REQUESTS)
        values = {name: row[name] for name in _CHANGEABLE}
        keys = {"of_request": request.id, "from_status": int(from_status)}
        if self._connection.execute(_CHANGE, values | keys).rowcount != 1:
            raise ChangedMeanwhile("request")
        self._ledger.note(REQUESTS, row)

    def answer(self, request: Request) -> None:
        """Store the answers to data items that *request* has."""
        row = self._row(request, ANSWERS)
        values = {name: row[name] for name in ("data", "data_flags", "answers_mark")}
        self._connection.execute(_ANSWER, values | {"of_request": request.id})
        self._ledger.note(ANSWERS, row)

    def list_open_about(self, profile_id: ProfileId) -> tuple[Request, ...]:
        """Return the requests about the profile that are still open, newest first."""
        rows = self._connection.execute(_OPEN_ABOUT, {"profile_id": profile_id})
        return tuple(self._read(row) for row in rows)

    def list_open_about_profiles_of(self, page: Sequence[Profile]) -> tuple[Request, ...]:
        """Return the requests about any profile of a page that are still open, newest first."""
        return tuple(self._read(row) for row in self._connection.execute(_OPEN_ABOUT_OF, span_values(page)))

    def list_idle(self, idle_since: datetime, limit: int) -> tuple[Request, ...]:
        """Return open requests, oldest first, with which nobody but the program has done anything since."""
        rows = self._connection.execute(_LIST_IDLE, {"idle_since": idle_since, "most": limit})
        return tuple(self._read(row) for row in rows)

    def is_idle(self, request_id: RequestId, idle_since: datetime) -> bool:
        """Return whether `list_idle` would list the request."""
        return self._connection.execute(_IS_IDLE, {"idle_since": idle_since, "request_id": request_id}).first() is not None

    def list_of_card(self, smartcard_id: SmartcardId) -> tuple[Request, ...]:
        """Return the requests that are for the card, newest first."""
        return tuple(self._read(row) for row in self._connection.execute(_OF_CARD, {"of_card": smartcard_id}))

    def has_open(self, count: int, originator_id: UserId, target_id: UserId, template_id: ProfileTemplateId) -> bool:
        """Return whether the originator has at least *count* open requests of the template for the target."""
        asked = {"originator": originator_id, "target": target_id, "template": template_id, "before_it": count - 1}
        return self._connection.execute(_OPEN_BY, asked).first() is not None

    def count_open_of_template(self, template_id: ProfileTemplateId) -> int:
        """Return how many open requests any version of the template has."""
        count: int = self._connection.execute(_OPEN_OF_TEMPLATE, {"template_id": template_id}).scalar()
        return count

    def add_approval(self, approval: Approval, answers: Sequence[DataItem] = ()) -> bool:
        """Store the approval of *answers* unless its approver gave one already, and return whether this was the first."""
        row: dict[str, Any] = {
            "request_id": approval.request_id,
            "approver_id": approval.approver_id,
            "at": approval.at,
            "comment": approval.comment,
            "answers": _ITEMS_ENCODER.encode(self._fingerprint(approval.request_id, answers)).decode(),
        }
        row["mark"] = self._ledger.mark(APPROVALS, row)
        is_first = _APPROVE.run(self._connection, [row]) == 1
        if is_first:
            self._ledger.note(APPROVALS, row)
        return is_first

    def list_approvals(self, request_id: RequestId) -> tuple[Approval, ...]:
        """Return them in the order in which they were given."""
        return tuple(_read_approval(row) for row in self._list_approval_rows(request_id))

    def list_standing_approvals(self, request: Request) -> tuple[Approval, ...]:
        """Return those whose answers the request still has, in the order in which they were given."""
        rows = self._list_approval_rows(request.id)
        if not rows:
            return ()
        now = self._fingerprint(request.id, request.data).items()
        return tuple(_read_approval(row) for row in rows if _read_approved(row.answers).items() <= now)

    def _list_approval_rows(self, request_id: RequestId) -> Sequence[Row]:
        rows = self._connection.execute(_APPROVALS, {"request_id": request_id}).all()
        for row in rows:
            self._ledger.check(APPROVALS, row)
        return rows

    def _fingerprint(self, request_id: RequestId, answers: Sequence[DataItem]) -> dict[str, str]:
        """Return what stands for each answer that is not open, by the item's name."""
        return {each.name: self._ledger.fingerprint(str(request_id), each.name, each.value) for each in answers if each.value}

    def _get(self, statement: Select[Any], request_id: RequestId) -> Request:
        row = self._connection.execute(statement, {"request_id": request_id}).first()
        if row is None:
            raise RequestNotFound(request_id)
        return self._read(row)

    def _row(self, request: Request, *marked: MarkedRows) -> dict[str, Any]:
        items = tuple(self._seal(request.id, each) for each in request.data)
        row: dict[str, Any] = {
            "id": request.id,
            "type": int(request.type),
            "operation": request.operation.value,
            "status": int(request.status),
            "flags": int(request.flags),
            "template_id": request.template_id,
            "template_version": request.template_version,
            "originator_id": request.originator_id,
            "target_id": request.target_id,
            "submitted": request.submitted,
            "completed": request.completed,
            "priority": request.priority,
            "comment": request.comment,
            "data": _ITEMS_ENCODER.encode(items).decode(),
            "data_flags": int(request.data_flags),
            "profile_id": request.profile_id,
            "old_profile_id": request.old_profile_id,
            "choices": encode_choices(request.choices),
            "smartcard_id": request.smartcard_id,
            "old_smartcard_id": request.old_smartcard_id,
        }
        for kind in marked:
            row[kind.mark] = self._ledger.mark(kind, row)
        return row

    def _read(self, row: Row) -> Request:
        self._ledger.check(REQUESTS, row)
        self._ledger.check(ANSWERS, row)
        return Request(
            id=row.id,
            operation=Operation(row.operation),
            status=RequestStatus(row.status),
            flags=RequestFlags(row.flags),
            template_id=row.template_id,
            template_version=row.template_version,
            originator_id=row.originator_id,
            target_id=row.target_id,
            submitted=row.submitted,
            completed=row.completed,
            priority=row.priority,
            comment=row.comment,
            data=tuple(self._open(row.id, each) for each in _ITEMS_DECODER.decode(row.data)),
            data_flags=DataCollectionFlags(row.data_flags),
            profile_id=row.profile_id,
            old_profile_id=row.old_profile_id,
            choices=decode_choices(row.choices),
            smartcard_id=row.smartcard_id,
            old_smartcard_id=row.old_smartcard_id,
        )

    def _seal(self, request_id: RequestId, item: DataItem) -> DataItem:
        if not item.is_sensitive or item.value is None:
            return item
        sealed = self._get_cipher().seal(item.value.encode(), _name_item(request_id, item))
        return replace(item, value=b64encode(sealed).decode())

    def _open(self, request_id: RequestId, item: DataItem) -> DataItem:
        if not item.is_sensitive or item.value is None:
            return item
        opened = self._get_cipher().open(b64decode(item.value), _name_item(request_id, item))
        return replace(item, value=opened.decode())

    def _get_cipher(self) -> Cipher:
        if self._cipher is None:
            raise RuntimeError("the store was opened without what encrypts sensitive data items")
        return self._cipher


def _read_approval(row: Row) -> Approval:
    return Approval(request_id=row.request_id, approver_id=row.approver_id, at=row.at, comment=row.comment)


def _read_approved(answers: str | None) -> dict[str, str]:
    """Return what stands for the answers that were approved; none where an older program has stored the approval."""
    return {} if answers is None else _APPROVED_DECODER.decode(answers)


def list_sealed_answers(request_id: RequestId, data: str) -> tuple[SealedPart, ...]:
    """Return the encrypted answers in what the column *data* of a request holds."""
    items: tuple[DataItem, ...] = _ITEMS_DECODER.decode(data)
    return tuple(SealedPart(_name_item(request_id, each), b64decode(each.value or "")) for each in items if _is_sealed(each))


def replace_sealed_answers(data: str, parts: Sequence[SealedPart]) -> str:
    """Return *data* with *parts* in place of the encrypted answers, which are as many."""
    sealed = iter(parts)
    items: tuple[DataItem, ...] = _ITEMS_DECODER.decode(data)
    replaced = (replace(each, value=b64encode(next(sealed).sealed).decode()) if _is_sealed(each) else each for each in items)
    return _ITEMS_ENCODER.encode(tuple(replaced)).decode()


def _is_sealed(item: DataItem) -> bool:
    return item.is_sensitive and item.value is not None


def _name_item(request_id: RequestId, item: DataItem) -> str:
    """Return what an encrypted answer is bound to, so that it opens nowhere else."""
    return f"data item {item.name} of request {request_id}"
