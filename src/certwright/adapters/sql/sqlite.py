"""SQLite: many readers, and one writer at a time among all threads and processes.

SQLite 3.40.1, which Debian 12 links, can damage a database when two connections write and checkpoint at the same instant (its
WAL-reset bug). So whatever writes, commits included, checkpoints or closes does so under a lock between processes, and
readers cannot write, not even a checkpoint.
"""

import os
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import PoolProxiedConnection, QueuePool, StaticPool

from certwright.adapters.sql.faults import plain_fault
from certwright.adapters.sql.file_lock import FileLock
from certwright.adapters.sql.group_commit import GroupCommit, GroupLost
from certwright.adapters.sql.prepared import Connection, Watcher
from certwright.domain.errors import StoreUnavailable
from certwright.domain.ports import Turns

READERS = 40
WAIT_SECONDS = 10
"""How long SQLite itself waits for a lock; only programs that do not know our file lock can make it wait."""
LOG_OCTETS = 16 * 1024 * 1024
"""How long the write-ahead log becomes before it is brought into the database and cut."""
LOG_COMMITS = 48
"""Commits after which it is brought into the database and written over from its beginning, as long as it is."""
CHECKPOINT_WAIT_MILLISECONDS = 50
READER_CACHE_KIB = 1_000
WRITER_CACHE_KIB = 4_000


class SingleWriterOrder:
    """One writer at a time commits events in the order of their numbers: there is nothing to settle."""

    def announce(self, _connection: Connection, /) -> None:
        """Do nothing."""

    def list_settled(self, _connection: Connection, _limit: int, /) -> list[int] | None:
        """Return None: every view is whole."""
        return None


class SqliteTransaction:
    """The writing connection of this process and the lock between processes; kept to `group_commit.Transaction`."""

    def __init__(self, path: Path) -> None:
        self._lock = FileLock(path)
        self._log = path.with_name(f"{path.name}-wal")
        self._cut_above = LOG_OCTETS
        self._restart_at = LOG_COMMITS
        self._commits = 0
        self._lock.acquire()
        try:
            self.engine = _create_writing_engine(path)
            self.connection = self.engine.connect()
            self.driver = _get_driver(self.connection.connection)
            # The first look finishes what a crash has left, and makes the files that readers only open.
            self.driver.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except BaseException:
            self._lock.close()
            raise
        self._lock.release()

    def begin(self) -> None:
        """Begin to write, after all other processes that wait."""
        self._lock.acquire()
        try:
            self.driver.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._lock.release()
            raise

    def open_block(self) -> None:
        """Set the savepoint."""
        self.driver.execute("SAVEPOINT block")

    def keep_block(self) -> None:
        """Give the savepoint up."""
        self.driver.execute("RELEASE block")

    def undo_block(self) -> None:
        """Go back to the savepoint, and give it up."""
        self.driver.execute("ROLLBACK TO block")
        self.driver.execute("RELEASE block")

    def commit(self) -> None:
        """Commit, and sometimes checkpoint; when it fails, `rollback` is to follow."""
        self.driver.execute("COMMIT")
        self._commits += 1
        if self._log.stat().st_size > self._cut_above:
            is_busy = self._checkpoint("TRUNCATE")
            self._cut_above = self._log.stat().st_size + LOG_OCTETS // 4 if is_busy else LOG_OCTETS
        elif self._commits >= self._restart_at:
            is_busy = self._checkpoint("RESTART")
            self._restart_at = self._commits + LOG_COMMITS // 4 if is_busy else LOG_COMMITS
        self._lock.release()

    def _checkpoint(self, mode: str) -> bool:
        """Bring the log into the database, to be written from its beginning again; return whether a reader was in the way.

        SQLite would do so by itself at every commit once the log is long, and as long as there always are readers the log
        stays long: several times the work of the commit itself. This waits a moment for the readers of that moment; when one
        of them takes longer, it is tried again a quarter later. A log that keeps its length is forced to the disk in
        two thirds of the time of one that grows, so that it is cut only when it has become very long.
        """
        self.driver.execute(f"PRAGMA busy_timeout = {CHECKPOINT_WAIT_MILLISECONDS}")
        is_busy, *_ = self.driver.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        self.driver.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1_000}")
        if not is_busy:
            self._commits = 0
        return bool(is_busy)

    def rollback(self) -> None:
        """End the transaction, unless SQLite did so itself."""
        with suppress(sqlite3.Error):
            self.driver.execute("ROLLBACK")
        self._lock.release()

    def close(self) -> None:
        """Close the connection, which checkpoints when it is the last one."""
        self._lock.acquire()
        try:
            self.connection.close()
            self.engine.dispose()
        finally:
            self._lock.close()


class SqliteTransactions:
    """How a store on SQLite reads and writes. *on_lost* is called when a transaction is lost that others may have seen."""

    def __init__(self, path: Path, on_lost: Callable[[], None], turns: Turns) -> None:
        self._writer = SqliteTransaction(path)
        self._group = GroupCommit(self._writer, on_lost=on_lost, turns=turns)
        self._readers = _create_reading_engine(path)
        self._idle: deque[PoolProxiedConnection] = deque()
        """Readers of before: the pool does much that a view which is opened thousands of times does not need."""
        self.engines: tuple[Engine, ...] = (self._readers, self._writer.engine)
        self.reading_order = self.writing_order = SingleWriterOrder()
        self.watch: Watcher | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a view that begins with the first statement."""
        try:
            pooled = self._idle.pop()
        except IndexError:
            pooled = self._readers.raw_connection()
        driver = _get_driver(pooled)
        try:
            # The driver itself begins transactions for changes only, so that each query would see another moment.
            driver.execute("BEGIN")
            yield Connection(driver, self._readers.dialect, self.watch)
            driver.execute("ROLLBACK")
        except BaseException:
            # The pool rolls back what is given back.
            pooled.close()
            raise
        self._idle.append(pooled)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a block of the writing connection; it is durable when the body of the ``with`` has been left.

        Errors: StoreUnavailable when the transaction was lost.
        """
        try:
            with self._group.block():
                yield Connection(self._writer.driver, self._writer.engine.dialect, self.watch)
        except GroupLost as lost:
            raise _describe(lost) from lost

    def close(self) -> None:
        """Close the readers, then, alone, the writer."""
        while self._idle:
            self._idle.pop().close()
        self._readers.dispose()
        with self._group.alone():
            self._writer.close()


def create_file(path: Path) -> None:
    """Create an empty database file that only its owner may read, unless there is a file."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _describe(lost: GroupLost) -> StoreUnavailable:
    """Return what to tell everybody of the group: also to those who did nothing wrong, later may work."""
    plain = plain_fault(lost.__cause__) if isinstance(lost.__cause__, Exception) else None
    return plain if isinstance(plain, StoreUnavailable) else StoreUnavailable("the transaction was lost")


def _get_driver(pooled: PoolProxiedConnection) -> sqlite3.Connection:
    """Return what the pool's connection stands for."""
    driver = pooled.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError("the driver is not the one this module is written for")
    return driver


def _create_reading_engine(path: Path) -> Engine:
    def connect() -> sqlite3.Connection:
        connection = _connect(path, "ro")
        connection.execute("PRAGMA query_only = ON")
        connection.execute(f"PRAGMA cache_size = -{READER_CACHE_KIB}")
        return connection

    return create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=READERS,
        max_overflow=READERS,
        pool_use_lifo=True,
        hide_parameters=True,
    )


def _create_writing_engine(path: Path) -> Engine:
    def connect() -> sqlite3.Connection:
        connection = _connect(path, "rw")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
        return connection

    # Transactions are begun and ended by `SqliteTransaction`; to SQLAlchemy each statement stands for itself.
    return create_engine("sqlite://", creator=connect, poolclass=StaticPool, isolation_level="AUTOCOMMIT", hide_parameters=True)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        timeout=WAIT_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
