"""Every column that holds something sealed, so that a rotation of the key forgets none.

Whoever adds such a column adds it to `SEALED_COLUMNS`; a test goes through all columns that could be one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Column, Select, Update, bindparam, select, update

from certwright.adapters.sql.card_tables import card_master_keys, smartcards
from certwright.adapters.sql.external_tables import external_certificates
from certwright.adapters.sql.key_tables import keys, pooled_keys
from certwright.adapters.sql.outbox import name_sealed_message
from certwright.adapters.sql.passwords import name_passwords_key
from certwright.adapters.sql.prepared import Connection
from certwright.adapters.sql.requests import list_sealed_answers, replace_sealed_answers
from certwright.adapters.sql.smartcards import list_sealed_admin_keys, replace_sealed_admin_keys
from certwright.adapters.sql.tables import outbox, requests
from certwright.adapters.sql.work_tables import one_time_passwords
from certwright.domain.admin_keys import name_master_key
from certwright.domain.external_certificates import name_external_key
from certwright.domain.keys import SealedPart, SealedRow
from certwright.domain.smartcards import name_pin


def _whole(name: Callable[[Any], str]) -> Callable[[Any, Any], tuple[SealedPart, ...]]:
    """Return how a column is read that holds one sealed value and nothing else."""
    return lambda named_by, stored: () if stored is None else (SealedPart(name(named_by), stored),)


def _replace_whole(_stored: Any, parts: Sequence[SealedPart]) -> bytes:
    (part,) = parts
    return part.sealed


@dataclass(frozen=True)
class SealedColumn:
    """A column with sealed values.

    Shape: *key* is unique and never changes; the values' names are made of *named_by*; *list_parts* finds the values in what is
    stored, *replace_parts* returns what to store with others in their places.
    """

    column: Column[Any]
    key: Column[Any]
    named_by: Column[Any]
    list_parts: Callable[[Any, Any], tuple[SealedPart, ...]]
    replace_parts: Callable[[Any, Sequence[SealedPart]], Any] = _replace_whole

    @property
    def place(self) -> str:
        """Return its name."""
        return f"{self.column.table.name}.{self.column.name}"

    @cached_property
    def first(self) -> Select[Any]:
        """Return the statement that lists rows from the beginning."""
        listed = select(self.key.label("row_key"), self.named_by.label("named_by"), self.column.label("stored"))
        return listed.order_by(self.key).limit(bindparam("at_most"))

    @cached_property
    def following(self) -> Select[Any]:
        """Return the statement that lists the rows after one."""
        return self.first.where(self.key > bindparam("after", type_=self.key.type))

    @cached_property
    def change(self) -> Update:
        """Return the statement that replaces what has not changed."""
        is_same = self.column == bindparam("before", type_=self.column.type)
        changed = update(self.column.table).where(self.key == bindparam("row_key", type_=self.key.type), is_same)
        return changed.values({self.column.name: bindparam("now_stored", type_=self.column.type)})


SEALED_COLUMNS = (
    SealedColumn(keys.c.sealed, keys.c.name, keys.c.name, _whole(str)),
    SealedColumn(pooled_keys.c.sealed, pooled_keys.c.number, pooled_keys.c.name, _whole(str)),
    SealedColumn(
        external_certificates.c.sealed_key,
        external_certificates.c.number,
        external_certificates.c.thumbprint,
        _whole(name_external_key),
    ),
    SealedColumn(requests.c.data, requests.c.number, requests.c.id, list_sealed_answers, replace_sealed_answers),
    SealedColumn(outbox.c.sealed, outbox.c.number, outbox.c.id, _whole(name_sealed_message)),
    SealedColumn(
        one_time_passwords.c.sealed_key,
        one_time_passwords.c.request_id,
        one_time_passwords.c.request_id,
        _whole(name_passwords_key),
    ),
    SealedColumn(smartcards.c.sealed_pin, smartcards.c.number, smartcards.c.id, _whole(name_pin)),
    SealedColumn(card_master_keys.c.sealed, card_master_keys.c.version, card_master_keys.c.version, _whole(name_master_key)),
    SealedColumn(
        smartcards.c.admin_keys, smartcards.c.number, smartcards.c.card_id, list_sealed_admin_keys, replace_sealed_admin_keys
    ),
)
_BY_PLACE = {each.place: each for each in SEALED_COLUMNS}


class SqlSealedRows:
    """Sealed values, wherever they are."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def places(self) -> tuple[str, ...]:
        """Return every ``table.column`` that holds sealed values."""
        return tuple(_BY_PLACE)

    def list_after(self, place: str, key: Any, limit: int) -> tuple[SealedRow, ...]:
        """Return rows that follow the row of *key*, or the first ones for None; those without a sealed value, too."""
        of = _BY_PLACE[place]
        if key is None:
            rows = self._connection.execute(of.first, {"at_most": limit})
        else:
            rows = self._connection.execute(of.following, {"at_most": limit, "after": key})
        return tuple(
            SealedRow(place=place, key=row.row_key, stored=row.stored, parts=of.list_parts(row.named_by, row.stored))
            for row in rows
        )

    def replace(self, row: SealedRow, parts: Sequence[SealedPart]) -> bool:
        """Store *parts* in place of those of *row*, unless the row has changed since; return whether it had not."""
        of = _BY_PLACE[row.place]
        values = {"row_key": row.key, "before": row.stored, "now_stored": of.replace_parts(row.stored, parts)}
        return self._connection.execute(of.change, values).rowcount == 1
