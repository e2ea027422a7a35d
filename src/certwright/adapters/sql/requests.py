"""Requests, changed by compare-and-set."""

from functools import cache
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Select, bindparam, false, insert, or_, select, update

from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.tables import requests
from certwright.domain.errors import ChangedMeanwhile, RequestNotFound
from certwright.domain.identities import UserId
from certwright.domain.policies import DataItem
from certwright.domain.request_types import RequestType
from certwright.domain.requests import DataCollectionFlags, Request, RequestFlags, RequestId, RequestStatus

_REQUEST = (
    requests.c.id,
    requests.c.type,
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
)
_ADD = insert(requests)
_BY_ID = select(*_REQUEST).where(requests.c.id == bindparam("request_id"))
_CHANGEABLE = (
    "status",
    "completed",
    "priority",
    "comment",
    "data",
    "data_flags",
    "profile_id",
    "old_profile_id",
)
_CHANGE = (
    update(requests)
    .where(requests.c.id == bindparam("of_request"), requests.c.status == bindparam("from_status"))
    .values({name: bindparam(name) for name in _CHANGEABLE})
)
"""Whose request it is, of which kind and under which template version is written once."""

_ITEMS_ENCODER = msgspec.json.Encoder()
_ITEMS_DECODER = msgspec.json.Decoder(tuple[DataItem, ...])


class SqlRequests:
    """Requests."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, request: Request) -> None:
        """Store a new request."""
        self._connection.execute(_ADD, _row(request))

    def get(self, request_id: RequestId) -> Request:
        """Errors: RequestNotFound."""
        row = self._connection.execute(_BY_ID, {"request_id": request_id}).first()
        if row is None:
            raise RequestNotFound(request_id)
        return _read(row)

    def list_all(
        self, *, concerning: UserId | None = None, statuses: frozenset[RequestStatus] | None = None
    ) -> tuple[Request, ...]:
        """Return them newest first."""
        statement = _list_with(frozenset(RequestStatus) if statuses is None else statuses, is_of_one=concerning is not None)
        return tuple(_read(row) for row in self._connection.execute(statement, {"concerning": concerning}))

    def change(self, request: Request, *, from_status: RequestStatus) -> None:
        """Store *request* if its status is still *from_status*. Errors: ChangedMeanwhile when it is not."""
        row = _row(request)
        values = {name: row[name] for name in _CHANGEABLE}
        keys = {"of_request": request.id, "from_status": int(from_status)}
        if self._connection.execute(_CHANGE, values | keys).rowcount != 1:
            raise ChangedMeanwhile("request")


@cache
def _list_with(statuses: frozenset[RequestStatus], *, is_of_one: bool) -> Select[Any]:
    """Return the one statement for these statuses: `Connection.execute` keeps what it compiles for each."""
    wanted = or_(*(requests.c.status == each for each in sorted(map(int, statuses))), false())
    listed = select(*_REQUEST).where(wanted).order_by(requests.c.number.desc())
    if not is_of_one:
        return listed
    concerning: BindParameter[Any] = bindparam("concerning")
    return listed.where(or_(requests.c.originator_id == concerning, requests.c.target_id == concerning))


def _row(request: Request) -> dict[str, Any]:
    return {
        "id": request.id,
        "type": int(request.type),
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
        "data": _ITEMS_ENCODER.encode(request.data).decode(),
        "data_flags": int(request.data_flags),
        "profile_id": request.profile_id,
        "old_profile_id": request.old_profile_id,
    }


def _read(row: Row) -> Request:
    return Request(
        id=row.id,
        type=RequestType(row.type),
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
        data=_ITEMS_DECODER.decode(row.data),
        data_flags=DataCollectionFlags(row.data_flags),
        profile_id=row.profile_id,
        old_profile_id=row.old_profile_id,
    )
