"""Marks of rows: what nobody can make who can write to the database and has not the key that it is marked with.

A mark is BLAKE2b, with a key, over the kind of row, its primary key and every column by which the product decides. It stands in
the row itself, so that looking at it takes no statement; and each event carries the marks of the rows that its transaction
changed, so that the history says which mark a row has to have.
"""

from binascii import b2a_base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from hmac import compare_digest
from operator import attrgetter, itemgetter
from typing import Any, Protocol
from urllib.parse import quote
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import Table

from certwright.domain.errors import StoredRowAltered

MARK_OCTETS = 16
REMOVED = "-"
"""Stands in place of a mark for a row that was removed."""
NOTES_AT_ONCE = 500
"""As many rows one event tells of; about 40 KB."""
_encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode
_log = structlog.get_logger(__name__)


class _Fields(Protocol):
    def __call__(self, values: Any, /) -> Any: ...


@dataclass(frozen=True, eq=False)
class MarkedRows:
    """A kind of row that carries a mark.

    Shape: *columns* are those that the mark is over, of which the first are those of *key*; *mark* is the column that it stands
    in; *spell* makes of each value what can be digested, and *label* is what a row is called besides its key. *since* is the
    version of the marks that brought this kind; *has_newer* says that older rows have nothing in the last of *columns*, nor in
    their mark for it.
    """

    name: str
    table: Table
    key: tuple[str, ...]
    columns: tuple[str, ...]
    mark: str = "mark"
    label: tuple[str, ...] = ()
    spell: Mapping[str, _Fields] = field(default_factory=dict)
    since: int = 1
    has_newer: bool = False

    @cached_property
    def from_row(self) -> _Fields:
        """Return what picks the columns of a row."""
        return self._pick(attrgetter)

    @cached_property
    def from_values(self) -> _Fields:
        """Return what picks them of a dictionary."""
        return self._pick(itemgetter)

    def name_key(self, values: Mapping[str, Any]) -> str:
        """Return the row's key as one word."""
        return "/".join(self._name_part(each, values[each]) for each in self.key)

    def name_row(self, values: Mapping[str, Any]) -> str:
        """Return what the row is called."""
        label = "\\".join(str(values[each]) for each in self.label)
        return f"{self.name} {self.name_key(values)}" + (f" ({label})" if label else "")

    def _name_part(self, name: str, value: Any) -> str:
        spelled = self.spell[name](value) if name in self.spell else value
        # Nothing in a GUID has to be quoted, and most keys are one.
        return str(spelled) if isinstance(spelled, UUID) else quote(str(spelled), safe="")

    def _pick(self, pick: Any) -> _Fields:
        fields: _Fields = pick(*self.columns) if len(self.columns) > 1 else lambda values: (pick(*self.columns)(values),)
        if self.has_newer:
            return lambda values: _without_last_none(fields(values))
        if not self.spell:
            return fields
        places = [(self.columns.index(name), spell) for name, spell in self.spell.items()]

        def spelled(values: Any) -> list[Any]:
            found = list(fields(values))
            for place, spell in places:
                found[place] = spell(found[place])
            return found

        return spelled


def _without_last_none(fields: Sequence[Any]) -> Sequence[Any]:
    return fields[:-1] if fields[-1] is None else fields


class RowLedger:
    """Marks what one session writes, looks at what it reads, and keeps what its events have to tell of the rows.

    Shape: without a *key* it marks nothing and finds everything right.
    """

    def __init__(self, key: bytes | None) -> None:
        self._key = key
        self._notes: list[str] = []

    def __repr__(self) -> str:
        return "RowLedger(...)"

    @property
    def is_on(self) -> bool:
        """Return whether there is a key."""
        return self._key is not None

    def mark(self, kind: MarkedRows, values: Mapping[str, Any]) -> bytes | None:
        """Return the mark of a row of *values*; None for text that no database of ours can store, and refuses."""
        if self._key is None:
            return None
        try:
            return self.digest(kind, kind.from_values(values))
        except UnicodeEncodeError:
            return None

    def note(self, kind: MarkedRows, values: Mapping[str, Any]) -> None:
        """Keep that the row of *values*, which has its mark in it, is stored."""
        if self._key is not None:
            self._notes.append(write_note(kind.name, kind.name_key(values), spell_mark(values[kind.mark])))

    def note_removed(self, kind: MarkedRows, values: Mapping[str, Any]) -> None:
        """Keep that the row of *values* is there no more."""
        if self._key is not None:
            self._notes.append(write_note(kind.name, kind.name_key(values), REMOVED))

    def note_text(self, note: str) -> None:
        """Keep a note that is written already."""
        self._notes.append(note)

    def check(self, kind: MarkedRows, row: Any) -> None:
        """See that *row* is as this installation wrote it. Errors: StoredRowAltered."""
        if self._key is not None and not self._is_certainly_right(kind, row):
            values = {each: getattr(row, each) for each in kind.columns}
            key = kind.name_key(values)
            # The log has to say it, whatever the answer is.
            _log.critical("stored row altered", kind=kind.name, key=key)
            raise StoredRowAltered(kind.name, key)

    def _is_certainly_right(self, kind: MarkedRows, row: Any) -> bool:
        try:
            return self.is_right(kind, row)
        except (ValueError, TypeError):
            # We never wrote what cannot be read.
            return False

    def is_right(self, kind: MarkedRows, row: Any) -> bool:
        """Return whether *row* has the mark that this installation gives it."""
        mark = getattr(row, kind.mark)
        return isinstance(mark, bytes) and compare_digest(mark, self.digest(kind, kind.from_row(row)))

    def digest(self, kind: MarkedRows, fields: Sequence[Any]) -> bytes:
        """Return the mark over *fields*, which are the columns of *kind* in their order."""
        if self._key is None:
            raise RuntimeError("there is no key to mark rows with")
        written = _encode((kind.name, *fields))
        return blake2b(written, key=self._key, digest_size=MARK_OCTETS).digest()

    def fingerprint(self, *parts: str) -> str:
        """Return what only *parts* have, and what says nothing of them to those who have not the key."""
        return spell_mark(blake2b(_encode(parts), key=self._key or b"", digest_size=MARK_OCTETS).digest())

    @property
    def has_notes(self) -> bool:
        """Return whether there is something to be told of rows."""
        return bool(self._notes)

    def take_notes(self) -> tuple[str, ...]:
        """Return what is to be told of rows, in parts for one event each, and forget it."""
        if not self._notes:
            return ()
        notes, self._notes = self._notes, []
        return tuple(join_notes(notes))


def spell_mark(mark: bytes) -> str:
    """Return *mark* as it stands in an event."""
    return b2a_base64(mark, newline=False).rstrip(b"=").decode()


def write_note(kind: str, key: str, mark: str) -> str:
    """Return what an event tells of one row."""
    return f"{kind} {key} {mark}"


def join_notes(notes: Sequence[str]) -> Iterator[str]:
    """Return *notes* in parts for one event each."""
    for start in range(0, len(notes), NOTES_AT_ONCE):
        yield "; ".join(notes[start : start + NOTES_AT_ONCE])


def read_notes(text: str) -> Iterator[tuple[str, str, str, int | None]]:
    """Return kind, key and mark of each row that an event tells of, and of which event that is said, if not of itself."""
    for note in text.split("; "):
        words = note.split(" ")
        if len(words) == 3:
            yield words[0], words[1], words[2], None
        elif len(words) == 4 and words[3].isdecimal():
            yield words[0], words[1], words[2], int(words[3])
