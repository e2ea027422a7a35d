"""Rows into a database as fast as it takes them: indexes once all are there, the driver instead of statements."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Index, MetaData, Table, text

Values = dict[str, Any]


@contextmanager
def without_indexes(connection: Connection, metadata: MetaData) -> Iterator[None]:
    """Drop the indexes that no constraint needs, and make them again at the end, of all rows at once."""
    indexes = sorted((index for table in metadata.tables.values() for index in table.indexes), key=_name)
    if connection.dialect.name == "sqlite":
        for pragma in ("synchronous = OFF", "cache_size = -300000", "temp_store = MEMORY"):
            connection.execute(text(f"PRAGMA {pragma}"))
    else:
        # Each row names rows that are there: a look at each of millions would take most of the time.
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("SET synchronous_commit = off"))
        connection.execute(text("SET maintenance_work_mem = '300MB'"))
    for each in indexes:
        each.drop(connection)
    connection.commit()
    yield
    for each in indexes:
        each.create(connection)
    connection.commit()


def write_rows(connection: Connection, table: Table, rows: Iterable[Values]) -> None:
    """Write all of *rows*, which have the same columns, in one transaction."""
    given = iter(rows)
    first = next(given, None)
    if first is None:
        return
    names = tuple(first)
    columns = ", ".join(f'"{name}"' for name in names)
    written = _bind(connection, table, names, chain([first], given))
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(names))
        cursor = connection.connection.cursor()
        cursor.executemany(f'INSERT INTO "{table.name}" ({columns}) VALUES ({places})', written)
    else:
        with (
            connection.connection.cursor() as cursor,
            cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy,  # type: ignore[attr-defined]
        ):
            for row in written:
                copy.write_row(row)
    # A transaction that the driver began is none that SQLAlchemy knows of.
    connection.connection.commit()
    connection.commit()


def _bind(connection: Connection, table: Table, names: Sequence[str], rows: Iterator[Values]) -> Iterator[list[Any]]:
    """Return each row as the driver takes it."""
    processors = [
        table.columns[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect) for name in names
    ]
    pick = itemgetter(*names)
    while some := list(islice(rows, 10_000)):
        columns = zip(*map(pick, some), strict=True)
        yield from zip(*(_process(each, values) for each, values in zip(processors, columns, strict=True)), strict=True)


def _process(processor: Callable[[Any], Any] | None, values: Iterable[Any]) -> Iterable[Any]:
    return values if processor is None else map(processor, values)


def _name(index: Index) -> str:
    return str(index.name)
