"""The store: opens a database and gives out sessions."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL, Engine, inspect, make_url, text
from sqlalchemy.exc import ArgumentError

from certwright.adapters.sql.event_marks import EventMarker
from certwright.adapters.sql.faults import DRIVER_ERRORS, plain_fault
from certwright.adapters.sql.history import CommitOrder
from certwright.adapters.sql.memory import Memory
from certwright.adapters.sql.postgresql import PostgresqlTransactions
from certwright.adapters.sql.prepared import Connection, Watcher
from certwright.adapters.sql.session import SqlSession
from certwright.adapters.sql.sqlite import SqliteTransactions
from certwright.adapters.sql.tables import SCHEMA_VERSION
from certwright.adapters.turns import NoTurns
from certwright.domain.errors import CertwrightError, DefinitionInvalid, StoreUnavailable
from certwright.domain.ports import EventListener, Result, Turns
from certwright.domain.ports_at_rest import Cipher

VERSION_TABLE = "schema_version"
_SAVE, _KEEP, _UNDO = text("SAVEPOINT part"), text("RELEASE SAVEPOINT part"), text("ROLLBACK TO SAVEPOINT part")
_VERSION = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - a constant of ours


class Transactions(Protocol):
    """What a kind of database does in its own way."""

    watch: Watcher | None
    """Told each statement that a session runs."""

    @property
    def engines(self) -> tuple[Engine, ...]: ...
    @property
    def reading_order(self) -> CommitOrder: ...
    @property
    def writing_order(self) -> CommitOrder: ...

    def reading(self) -> AbstractContextManager[Connection]: ...

    def writing(self) -> AbstractContextManager[Connection]: ...

    def close(self) -> None: ...


class SqlStore:
    """`ports.Store` on a database whose schema is ours."""

    def __init__(
        self,
        transactions: Transactions,
        memory: Memory,
        cipher: Cipher | None = None,
        listener: EventListener | None = None,
    ) -> None:
        self._transactions = transactions
        self._memory = memory
        self._cipher = cipher
        self._listener = listener
        self._marker: EventMarker | None = None
        self._row_key: bytes | None = None

    @property
    def engines(self) -> tuple[Engine, ...]:
        """Return what the connections come from."""
        return self._transactions.engines

    @contextmanager
    def watched(self, watch: Watcher) -> Iterator[None]:
        """Tell *watch* each statement of the sessions that are opened in the block."""
        self._transactions.watch = watch
        try:
            yield
        finally:
            self._transactions.watch = None

    @contextmanager
    def reading(self) -> Iterator[SqlSession]:
        """Open a consistent view.

        Errors: StoreUnavailable; WritingRefused, a bug, when the session is used for writing.
        """
        with _plainly(), self._transactions.reading() as connection:
            yield self._open(connection, self._transactions.reading_order)

    @contextmanager
    def writing(self) -> Iterator[SqlSession]:
        """Open a transaction that is durable when the block has ended; a block that raises leaves nothing.

        Errors: StoreUnavailable; ChangedMeanwhile when the database gave another session precedence; RuntimeError, a bug,
                for a block inside a block of the same thread, on SQLite.
        """
        with _plainly(), self._transactions.writing() as connection:
            session = self._open(connection, self._transactions.writing_order)
            yield session
            session.finish()

    def writing_each(self, blocks: Sequence[Callable[[SqlSession], Result]]) -> list[Result | CertwrightError]:
        """Return what each block returns, or the error that it raised and for which nothing of it was stored.

        Nearly always nobody is refused, so that they share one savepoint first; who is refused has all run once more, each
        with its own.

        Errors: StoreUnavailable when the whole was lost; RuntimeError as for `writing`.
        """
        with _plainly(), self._transactions.writing() as connection:
            results = self._write_block(connection, lambda session: [each(session) for each in blocks])
            if not isinstance(results, CertwrightError):
                return list(results)
            return [self._write_block(connection, each) for each in blocks]

    def _write_block(self, connection: Connection, block: Callable[[SqlSession], Result]) -> Result | CertwrightError:
        connection.execute(_SAVE)
        try:
            with _plainly():
                session = self._open(connection, self._transactions.writing_order)
                result = block(session)
                session.finish()
        except StoreUnavailable:
            # The database has a fault that concerns everybody in this transaction.
            raise
        except CertwrightError as refused:
            connection.execute(_UNDO)
            connection.execute(_KEEP)
            return refused
        connection.execute(_KEEP)
        return result

    def _open(self, connection: Connection, order: CommitOrder) -> SqlSession:
        return SqlSession(
            connection,
            self._memory,
            order,
            self._cipher,
            self._listener,
            marker=self._marker,
            row_key=self._row_key,
        )

    def mark_with(self, marker: EventMarker) -> None:
        """Let sessions that are opened from now on mark their events; without this, events have no marks.

        Not an argument of `open_store`: the key of the marks is in the store.
        """
        self._marker = marker

    def mark_rows_with(self, key: bytes) -> None:
        """Let sessions that are opened from now on mark rows, and refuse those without the right mark; as `mark_with`."""
        self._row_key = key
        self._memory.forget()

    def close(self) -> None:
        """Close all connections. No session may be open, and none can be opened afterwards."""
        self._transactions.close()


def open_store(
    url: str, turns: Turns | None = None, cipher: Cipher | None = None, listener: EventListener | None = None
) -> SqlStore:
    """Return the store in the database that *url* names, as it is: see `schema.migrate` for making one.

    *cipher* encrypts the answers to sensitive data items, and secrets in the outbox; without it there can be none. *listener*
    hears of every event.

    While a thread waits for the disk or for another writer, it lets others have their turn in *turns*.

    Shape: ``sqlite:////folder/file`` or ``postgresql://user:password@host/name``.
    Errors: StoreUnavailable when it cannot be reached, or its schema is another version's; DefinitionInvalid for *url*.
    """
    parsed = parse_database_url(url)
    memory = Memory()
    with _plainly():
        transactions = _open_transactions(parsed, memory, turns or NoTurns())
        store = SqlStore(transactions, memory, cipher, listener)
        try:
            _check_schema(transactions)
        except BaseException:
            store.close()
            raise
    return store


def parse_database_url(url: str) -> URL:
    """Return the parts of *url*. Errors: DefinitionInvalid, which does not repeat it: it may hold a password."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DefinitionInvalid("database.url", "this is no database URL, like sqlite:////folder/file") from None
    kind = parsed.get_backend_name()
    if kind not in ("sqlite", "postgresql"):
        raise DefinitionInvalid("database.url", "sqlite and postgresql are the databases there are")
    if kind == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise DefinitionInvalid("database.url", "a database in memory would not outlive the server: name a file")
    return parsed


def get_database_path(url: URL) -> Path:
    """Return the file of an SQLite URL, absolute."""
    return Path(url.database or "").absolute()


def _open_transactions(url: URL, memory: Memory, turns: Turns) -> Transactions:
    if url.get_backend_name() == "postgresql":
        return PostgresqlTransactions(url)
    path = get_database_path(url)
    if not path.is_file():
        raise StoreUnavailable(f"there is no file {path}")
    _check_writable(path)
    return SqliteTransactions(path, memory.forget, turns)


def _check_writable(path: Path) -> None:
    """Refuse files that another account made, such as root, or a file system that is for reading. Errors: StoreUnavailable."""
    beside = [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")]
    for each in (path, path.parent, *(each for each in beside if each.exists())):
        if not os.access(each, os.W_OK):
            raise StoreUnavailable(
                f"this account may not write {each}; run the command as the account of the service, and see who owns the file"
            )


def _check_schema(transactions: Transactions) -> None:
    with transactions.engines[0].connect() as connection:
        is_ours = inspect(connection).has_table(VERSION_TABLE)
        version = int(connection.execute(_VERSION).scalar_one()) if is_ours else 0
    if version < SCHEMA_VERSION:
        raise StoreUnavailable(
            f"its schema is version {version} and has to be migrated to version {SCHEMA_VERSION} first: certwright migrate"
        )
    if version > SCHEMA_VERSION:
        raise StoreUnavailable(f"its schema is version {version}, of a newer program; this one knows version {SCHEMA_VERSION}")


@contextmanager
def _plainly() -> Iterator[None]:
    """Let what a database raises come out in the words of the domain."""
    try:
        yield
    except DRIVER_ERRORS as error:
        plain = plain_fault(error)
        if plain is error:
            raise
        raise plain from error
