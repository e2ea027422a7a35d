"""Column types that hold the same values on every database, each in one spelling.

SQLite keeps GUIDs and times as text, and compares text: what is spelled otherwise than we write it is the same value to who
reads it, and no row at all to who looks it up. So reading refuses every spelling but ours; a database that has types for
these values has no second spelling.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Boolean, DateTime, Dialect, String, Text, TypeDecorator, Uuid

from certwright.domain.certificates import SerialNumber, format_serial_number
from certwright.domain.errors import MalformedValue, StoredRowAltered

SERIAL_LIMIT_CHARACTERS = 64
"""RFC 5280 allows twenty octets; certificates of other authorities have been seen with more."""
SHOWN_CHARACTERS = 100
"""Of a value that is refused."""
_TRUTHS = {0: False, 1: True}
_log = structlog.get_logger(__name__)


def refuse(kind: str, value: object) -> StoredRowAltered:
    """Return the error for a stored *value*, which the log is told of."""
    shown = repr(value)[:SHOWN_CHARACTERS]
    # The log has to say it, whatever the answer is.
    _log.critical("stored value respelled", kind=kind, value=shown)
    return StoredRowAltered(kind, shown)


class Guid(Uuid[UUID]):
    """GUIDs; where the database has no type for them, 32 small hexadecimal digits.

    Errors: StoredRowAltered for other text, when it is read.
    """

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], UUID | None] | None:
        """Return what reads a stored GUID; to compare its digits costs what looking for braces in them would."""
        if not dialect.supports_native_uuid:
            return _read_guid
        native: Callable[[Any], UUID | None] | None = super().result_processor(dialect, coltype)  # type: ignore[no-untyped-call]
        return native


class Flag(Boolean):
    """Truth values; 0 and 1 where the database has no type for them. Errors: StoredRowAltered for all else, when read."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], bool | None] | None:
        """Return what reads a stored truth value."""
        if not dialect.supports_native_boolean:
            return _read_flag
        native: Callable[[Any], bool | None] | None = super().result_processor(dialect, coltype)  # type: ignore[no-untyped-call]
        return native


class UtcTime(TypeDecorator[datetime]):
    """Aware times, UTC when they come back; TIMESTAMPTZ where the database has it.

    Errors: ValueError for a naive time, which is a bug of ours; StoredRowAltered for text that we did not write, when read.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Return what makes a stored time of ours; for SQLite the text that its dialect would make, in a fifth of the time."""
        return _spell_time if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """Return what reads a stored time; of SQLite's text, only as `bind_processor` spells it."""
        return _read_time if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time as the driver wants it: SQLite's writes down the clock and drops the zone. Errors: ValueError."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time cannot be stored")
        moved = value.astimezone(UTC)
        return moved.replace(tzinfo=None) if dialect.name == "sqlite" else moved

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Return the stored time, aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class DatabaseTime(UtcTime):
    """Times that the database writes down by itself, for information; SQLite spells them without parts of a second."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """Return what reads a stored time, in any spelling."""
        return TypeDecorator.result_processor(self, dialect, coltype)


def _spell_time(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a naive time cannot be stored")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _read_time(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise refuse("time", value) from None
    if found.tzinfo is not None or found.isoformat(" ", "microseconds") != value:
        raise refuse("time", value)
    return found.replace(tzinfo=UTC)


def _read_guid(value: Any) -> UUID | None:
    if value is None:
        return None
    try:
        found = UUID(int=int(value, 16))
    except (ValueError, TypeError):
        raise refuse("GUID", value) from None
    if found.hex != value:
        raise refuse("GUID", value)
    return found


def _read_flag(value: Any) -> bool | None:
    if value is None:
        return None
    if type(value) is not int or value not in _TRUTHS:
        raise refuse("truth value", value)
    return _TRUTHS[value]


class PlainText(TypeDecorator[str]):
    """Text of any length.

    Errors: MalformedValue for U+0000, which PostgreSQL cannot store, and for half a surrogate pair, which no encoding can
            write: refused everywhere, so that an answer does not depend on the database.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """Return *value*, which the database can store. Errors: MalformedValue."""
        if value is None or (value.isascii() and "\0" not in value):
            return value
        if "\0" in value:
            raise MalformedValue("text", "the character U+0000 cannot be stored")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise MalformedValue("text", "half a surrogate pair cannot be stored") from None
        return value


class Serial(TypeDecorator[SerialNumber]):
    """Serial numbers, larger than any integer of a database: hexadecimal, as an administrator reads them elsewhere.

    Errors: StoredRowAltered for other text, when it is read.
    """

    impl = String(SERIAL_LIMIT_CHARACTERS)
    cache_ok = True

    def process_bind_param(self, value: SerialNumber | None, _dialect: Dialect) -> str | None:
        """Return the digits of the REST API."""
        return None if value is None else format_serial_number(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> SerialNumber | None:
        """Return the number. Errors: StoredRowAltered."""
        if value is None:
            return None
        try:
            found = SerialNumber(int(value, 16))
        except (ValueError, TypeError):
            raise refuse("serial number", value) from None
        if format_serial_number(found) != value:
            raise refuse("serial number", value)
        return found
