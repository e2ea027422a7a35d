"""Statements that are compiled once, on the driver's own connection.

SQLAlchemy says what a statement is on each database and how values cross over; running it through its connection costs three
to five times what the database takes, which enrollment, with a dozen short statements, feels. So we keep the compiled text and
the converters, and hand them to the driver ourselves.
"""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Insert, Select
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Row = Any
"""A tuple of the selected columns, which are its attributes, too."""
Values = Mapping[str, Any]
Converter = Callable[[Any], Any]
Watcher = Callable[[str], None]


class Prepared:
    """One statement in the words of one database.

    Shape: a statement that changes rows is prepared for the names of the values it is first given.
    """

    def __init__(self, statement: Executable, dialect: Dialect, names: Sequence[str]) -> None:
        compiled = _compile(statement, dialect, names)
        self.text = str(compiled)
        self._constants = {name: bind.effective_value for bind, name in compiled.bind_names.items() if not bind.required}
        converters = {
            name: _get_implementation(bind.type, dialect).bind_processor(dialect) for bind, name in compiled.bind_names.items()
        }
        wanted = compiled.positiontup or list(converters)
        # With one name alone, itemgetter gives no tuple.
        self._pick = itemgetter(*wanted) if len(wanted) > 1 else lambda given: tuple(given[name] for name in wanted)
        self._converters = [(place, convert) for place, name in enumerate(wanted) if (convert := converters[name]) is not None]
        self._names = None if compiled.positiontup is not None else wanted
        self._make_row: Callable[[Sequence[Any]], Row] | None = None
        self._readers: list[tuple[int, Converter]] = []
        if isinstance(statement, Select):
            columns = list(statement.selected_columns)
            self._make_row = _make_row_type([each.key or "" for each in columns])._make
            readers = [_get_implementation(each.type, dialect).result_processor(dialect, None) for each in columns]
            self._readers = [(index, reader) for index, reader in enumerate(readers) if reader is not None]

    def encode(self, values: Values) -> Sequence[Any] | dict[str, Any]:
        """Return *values* as the driver takes them."""
        encoded = list(self._pick({**self._constants, **values} if self._constants else values))
        for place, convert in self._converters:
            encoded[place] = convert(encoded[place])
        return encoded if self._names is None else dict(zip(self._names, encoded, strict=True))

    def decode(self, raw: Sequence[Any]) -> Row:
        """Return a row as the columns' types have it."""
        if self._make_row is None:
            return raw
        decoded = list(raw)
        for index, read in self._readers:
            decoded[index] = read(decoded[index])
        return self._make_row(decoded)


class Rows:
    """What a statement gave."""

    def __init__(self, prepared: Prepared, cursor: Any) -> None:
        self._prepared = prepared
        self._cursor = cursor

    def __iter__(self) -> Iterator[Row]:
        return map(self._prepared.decode, self._cursor)

    @property
    def rowcount(self) -> int:
        """Return how many rows were changed."""
        count: int = self._cursor.rowcount
        return count

    def raw(self) -> Iterator[tuple[Any, ...]]:
        """Return the rows as the driver gives them."""
        rows: Iterator[tuple[Any, ...]] = iter(self._cursor)
        return rows

    def all(self) -> list[Row]:
        """Return every row."""
        return list(self)

    def first(self) -> Row | None:
        """Return the first row, or None."""
        raw = self._cursor.fetchone()
        return None if raw is None else self._prepared.decode(raw)

    def scalar(self) -> Any:
        """Return the first column of the first row, or None where there is no row."""
        row = self.first()
        return None if row is None else row[0]


class Connection:
    """A driver's connection, in a transaction that somebody else begins and ends. *watch* is told each statement."""

    def __init__(self, driver: Any, dialect: Dialect, watch: Watcher | None = None) -> None:
        self._driver = driver
        self._dialect = dialect
        self._watch = watch

    @property
    def dialect_name(self) -> str:
        """Return which database it is."""
        return self._dialect.name

    def execute(self, statement: Executable, values: Values | Sequence[Values] = ()) -> Rows:
        """Return what *statement* gives with *values*; a list of values runs it once for each.

        Shape: *statement* is a constant of its module, or cached there: what was compiled for it is kept for good.
        """
        many = values if isinstance(values, list | tuple) else None
        sample: Values = (many[0] if many else {}) if many is not None else values  # type: ignore[assignment]
        prepared = _prepare(statement, self._dialect, sample)
        if self._watch is not None:
            self._watch(prepared.text)
        cursor = self._driver.cursor()
        if many and len(many) > 1:
            cursor.executemany(prepared.text, [prepared.encode(each) for each in many])
        else:
            cursor.execute(prepared.text, prepared.encode(sample))
        return Rows(prepared, cursor)


_kept: dict[tuple[str, Executable], Prepared] = {}


def _prepare(statement: Executable, dialect: Dialect, values: Values) -> Prepared:
    key = (dialect.name, statement)
    prepared = _kept.get(key)
    if prepared is None:
        prepared = _kept[key] = Prepared(statement, dialect, list(values))
    return prepared


def _compile(statement: Executable, dialect: Dialect, names: Sequence[str]) -> SQLCompiler:
    """Return the statement, without the return of generated keys."""
    if isinstance(statement, Insert):
        statement = statement.inline()
    compiled = statement.compile(  # type: ignore[attr-defined]
        dialect=dialect,
        column_keys=list(names) if isinstance(statement, Insert) else None,
    )
    if not isinstance(compiled, SQLCompiler):
        raise TypeError("only statements about rows are prepared")
    return compiled


def _make_row_type(names: list[str]) -> Any:
    """Return a type of tuples; columns without a name of their own are reached by place only."""
    return namedtuple("Row", names, rename=True)


def _get_implementation(column_type: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    return column_type.dialect_impl(dialect)
