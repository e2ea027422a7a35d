"""The outbox: messages in lines, one line for each sink and subject."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, exists, func, insert, literal_column, or_, select, update

from certwright.adapters.sql.look_indexes import in_state, once_sent
from certwright.adapters.sql.prepared import Connection, Row
from certwright.adapters.sql.tables import outbox
from certwright.domain.errors import OutboxMessageNotFound
from certwright.domain.notifications import NotificationType
from certwright.domain.outbox import OutboxMessage, OutboxMessageId, OutboxState
from certwright.domain.ports_at_rest import Cipher
from certwright.domain.requests import RequestId

_MESSAGE = (
    outbox.c.number,
    outbox.c.id,
    outbox.c.sink,
    outbox.c.recipient,
    outbox.c.notification,
    outbox.c.subject_id,
    outbox.c.request_id,
    outbox.c.created,
    outbox.c.due,
    outbox.c.attempts,
    outbox.c.state,
    outbox.c.error,
    outbox.c.payload,
    outbox.c.has_secret,
)
_WAITING, _DEAD = OutboxState.WAITING.value, OutboxState.DEAD.value

_earlier = outbox.alias("earlier")
_IS_WAITING = in_state(OutboxState.WAITING)
_IS_OF_SINK = outbox.c.sink == bindparam("of_sink")
_IS_BEHIND = exists().where(
    _earlier.c.state == literal_column(f"'{_WAITING}'"),
    _earlier.c.sink == outbox.c.sink,
    _earlier.c.subject_id == outbox.c.subject_id,
    _earlier.c.number < outbox.c.number,
)
_ADD = insert(outbox)
WINDOW = 1_000
"""How many messages are looked at first for those whose turn it is."""


def _look_in_window(is_due: ColumnElement[bool]) -> Select[Any]:
    """Return the statement for messages whose turn it is among the first that are due, however many wait behind these."""
    first = (
        select(outbox.c.number)
        .where(_IS_WAITING, _IS_OF_SINK, is_due)
        .order_by(outbox.c.due, outbox.c.number)
        .limit(bindparam("window"))
        .subquery()
    )
    turn = select(*_MESSAGE).join(first, first.c.number == outbox.c.number).where(~_IS_BEHIND)
    return turn.order_by(outbox.c.due, outbox.c.number).limit(bindparam("most"))


_IS_DUE = outbox.c.due <= bindparam("now")
_IS_PUT_BACK = outbox.c.due > bindparam("latest")
_DUE, _PUT_BACK = _look_in_window(_IS_DUE), _look_in_window(_IS_PUT_BACK)
_COUNT_WINDOW = select(func.count()).select_from(
    select(outbox.c.number).where(_IS_WAITING, _IS_OF_SINK, _IS_DUE).limit(bindparam("window")).subquery()
)


def _first_subject(*conditions: ColumnElement[bool]) -> Select[Any]:
    listed = outbox.alias("listed")
    wanted = (listed.c.state == literal_column(f"'{_WAITING}'"), listed.c.sink == bindparam("of_sink"))
    after = (listed.c.subject_id > each for each in conditions)
    return select(listed.c.subject_id).where(*wanted, *after).order_by(listed.c.subject_id).limit(1)


_subjects = select(_first_subject().scalar_subquery().label("subject_id")).cte("subjects", recursive=True)
_subjects = _subjects.union_all(
    select(_first_subject(_subjects.c.subject_id).scalar_subquery()).where(_subjects.c.subject_id.is_not(None))
)
_FIRST_OF_SUBJECT = (
    select(func.min(_earlier.c.number))
    .where(
        _earlier.c.state == literal_column(f"'{_WAITING}'"),
        _earlier.c.sink == bindparam("of_sink"),
        _earlier.c.subject_id == _subjects.c.subject_id,
    )
    .scalar_subquery()
)
_DUE_BY_SUBJECT = (
    select(*_MESSAGE)
    .join(_subjects, outbox.c.number == _FIRST_OF_SUBJECT)
    .where(_IS_WAITING, or_(_IS_DUE, _IS_PUT_BACK))
    .order_by(outbox.c.due, outbox.c.number)
    .limit(bindparam("most"))
)
"""From subject to subject, each by one step in the index, however many messages each has."""
_IS_UNTOUCHED = (
    (outbox.c.number == bindparam("of_number"))
    & (outbox.c.state == _WAITING)
    & (outbox.c.attempts == bindparam("from_attempts"))
)
_CLAIM = update(outbox).where(_IS_UNTOUCHED).values(attempts=outbox.c.attempts + 1, due=bindparam("until"))
_CONTENT = select(outbox.c.payload, outbox.c.sealed).where(outbox.c.number == bindparam("of_number"))
_RECORD = (
    update(outbox)
    .where(_IS_UNTOUCHED)
    .values(state=bindparam("new_state"), due=bindparam("new_due"), error=bindparam("new_error"))
)
_DROP_SECRET = update(outbox).where(outbox.c.number == bindparam("of_number")).values(sealed=None)
_RELEASE = (
    update(outbox)
    .where(outbox.c.number == bindparam("of_number"), outbox.c.state == _DEAD)
    .values(
        state=_WAITING,
        attempts=0,
        recipient=bindparam("new_recipient"),
        created=bindparam("new_created"),
        due=bindparam("new_due"),
    )
)
_ONE = select(*_MESSAGE).where(outbox.c.id == bindparam("message_id"))
_OF_REQUEST = select(*_MESSAGE).where(outbox.c.request_id == bindparam("of_request")).order_by(outbox.c.number)
_NEWEST = select(*_MESSAGE).order_by(outbox.c.number.desc()).limit(bindparam("most"))
_NEWEST_OF_STATE = _NEWEST.where(outbox.c.state == bindparam("of_state"))
_OLDEST_WAITING = select(*_MESSAGE).where(outbox.c.state == _WAITING).order_by(outbox.c.number).limit(1)
# Of what was sent, *due* is when.
_FORGETTABLE = (
    select(outbox.c.number)
    .where(once_sent(), outbox.c.due < bindparam("before"))
    .order_by(outbox.c.due)
    .limit(bindparam("most"))
)
_COUNT_SENT = select(func.count()).select_from(_FORGETTABLE.subquery())
_FORGET = delete(outbox).where(outbox.c.number.in_(_FORGETTABLE))


class SqlOutbox:
    """Messages to be sent. Shape: a payload with a secret is in the column *sealed*, bound to the message's identifier."""

    def __init__(self, connection: Connection, cipher: Cipher | None = None) -> None:
        self._connection = connection
        self._cipher = cipher

    def add(self, messages: Iterable[OutboxMessage]) -> None:
        """Store new messages in their order."""
        rows = [self._row(each) for each in messages]
        if rows:
            self._connection.execute(_ADD, rows)

    def list_due(self, sink: str, *, now: datetime, latest: datetime, limit: int) -> tuple[OutboxMessage, ...]:
        """Return messages that are due, oldest first: of each subject the one whose turn it is."""
        values = {"of_sink": sink, "now": now, "latest": latest, "window": WINDOW, "most": limit}
        found = self._list(_DUE, values)
        if len(found) < limit and self._connection.execute(_COUNT_WINDOW, values).scalar() == WINDOW:
            return self._list(_DUE_BY_SUBJECT, values)
        return (*found, *self._list(_PUT_BACK, values))[:limit]

    def claim(self, message: OutboxMessage, *, until: datetime) -> OutboxMessage | None:
        """Return the message with its payload and one attempt more, or None when somebody was first."""
        keys = {"of_number": message.number, "from_attempts": message.attempts}
        if self._connection.execute(_CLAIM, {**keys, "until": until}).rowcount != 1:
            return None
        payload, sealed = self._connection.execute(_CONTENT, {"of_number": message.number}).all()[0]
        opened = payload if sealed is None else self._get_cipher().open(sealed, name_sealed_message(message.id))
        return replace(message, payload=opened or b"", attempts=message.attempts + 1, due=until)

    def record(self, message: OutboxMessage) -> bool:
        """Store what became of a claimed message, and return whether it was still the claimant's."""
        values = {
            "of_number": message.number,
            "from_attempts": message.attempts,
            "new_state": message.state.value,
            "new_due": message.due,
            "new_error": message.error,
        }
        is_recorded = self._connection.execute(_RECORD, values).rowcount == 1
        if is_recorded and message.has_secret and message.state is OutboxState.SENT:
            self._connection.execute(_DROP_SECRET, {"of_number": message.number})
        return is_recorded

    def release(self, message: OutboxMessage) -> bool:
        """Let a dead message wait again, as if it were new; return whether it was dead."""
        values = {
            "of_number": message.number,
            "new_recipient": message.recipient,
            "new_created": message.created,
            "new_due": message.due,
        }
        return self._connection.execute(_RELEASE, values).rowcount == 1

    def get(self, message_id: OutboxMessageId) -> OutboxMessage:
        """Errors: OutboxMessageNotFound."""
        found = self._list(_ONE, {"message_id": message_id})
        if not found:
            raise OutboxMessageNotFound(message_id)
        return found[0]

    def list_of_request(self, request_id: RequestId) -> tuple[OutboxMessage, ...]:
        """Return the messages about the request, oldest first."""
        return self._list(_OF_REQUEST, {"of_request": request_id})

    def list_all(self, state: OutboxState | None, limit: int) -> tuple[OutboxMessage, ...]:
        """Return the newest messages of *state*, or of any, newest first."""
        if state is None:
            return self._list(_NEWEST, {"most": limit})
        return self._list(_NEWEST_OF_STATE, {"most": limit, "of_state": state.value})

    def find_oldest_waiting(self) -> OutboxMessage | None:
        """Return the message that waits longest."""
        return next(iter(self._list(_OLDEST_WAITING, {})), None)

    def count_sent(self, before: datetime, limit: int) -> int:
        """Return how many messages were sent before, up to *limit*."""
        count: int = self._connection.execute(_COUNT_SENT, {"before": before, "most": limit}).scalar()
        return count

    def forget_sent(self, before: datetime, limit: int) -> int:
        """Remove up to *limit* messages that were sent before, the oldest first, and return how many that were."""
        return self._connection.execute(_FORGET, {"before": before, "most": limit}).rowcount

    def _list(self, statement: Select[Any], values: dict[str, Any]) -> tuple[OutboxMessage, ...]:
        return tuple(_read(row) for row in self._connection.execute(statement, values))

    def _row(self, message: OutboxMessage) -> dict[str, Any]:
        sealed = self._get_cipher().seal(message.payload, name_sealed_message(message.id)) if message.has_secret else None
        return {
            "id": message.id,
            "sink": message.sink,
            "recipient": message.recipient,
            "notification": message.notification.value,
            "subject_id": message.subject_id,
            "request_id": message.request_id,
            "created": message.created,
            "due": message.due,
            "attempts": message.attempts,
            "state": message.state.value,
            "error": message.error,
            "payload": None if message.has_secret else message.payload,
            "sealed": sealed,
            "has_secret": message.has_secret,
        }

    def _get_cipher(self) -> Cipher:
        if self._cipher is None:
            raise RuntimeError("the store was opened without what encrypts secrets")
        return self._cipher


def name_sealed_message(message_id: OutboxMessageId) -> str:
    """Return what an encrypted payload is bound to, so that it opens nowhere else."""
    return f"outbox message {message_id}"


def _read(row: Row) -> OutboxMessage:
    return OutboxMessage(
        id=row.id,
        sink=row.sink,
        recipient=row.recipient,
        notification=NotificationType(row.notification),
        subject_id=row.subject_id,
        request_id=row.request_id,
        created=row.created,
        due=row.due,
        payload=row.payload or b"",
        has_secret=row.has_secret,
        attempts=row.attempts,
        state=OutboxState(row.state),
        error=row.error,
        number=row.number,
    )
