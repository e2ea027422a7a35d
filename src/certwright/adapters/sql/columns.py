"""Column types that hold the same values on every database."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, String, Text, TypeDecorator

from certwright.domain.certificates import SerialNumber, format_serial_number
from certwright.domain.errors import MalformedValue

SERIAL_LIMIT_CHARACTERS = 64
"""RFC 5280 allows twenty octets; certificates of other authorities have been seen with more."""


class UtcTime(TypeDecorator[datetime]):
    """Aware times, UTC when they come back; TIMESTAMPTZ where the database has it.

    Errors: ValueError for a naive time, which is a bug of ours.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Return what makes a stored time of ours; for SQLite the text that its dialect would make, in a fifth of the time."""
        return _spell_time if dialect.name == "sqlite" else super().bind_processor(dialect)

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


def _spell_time(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a naive time cannot be stored")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


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
    """Serial numbers, larger than any integer of a database: hexadecimal, as an administrator reads them elsewhere."""

    impl = String(SERIAL_LIMIT_CHARACTERS)
    cache_ok = True

    def process_bind_param(self, value: SerialNumber | None, _dialect: Dialect) -> str | None:
        """Return the digits of the REST API."""
        return None if value is None else format_serial_number(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> SerialNumber | None:
        """Return the number."""
        return None if value is None else SerialNumber(int(value, 16))
