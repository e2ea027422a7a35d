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
from time import monotonic
from urllib.parse import quote

import structlog
from sqlalchemy import Connection as SqlalchemyConnection
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import PoolProxiedConnection, QueuePool, StaticPool

from certwright.adapters.files import open_or_create
from certwright.adapters.sql.faults import plain_fault
from certwright.adapters.sql.file_lock import FileLock
from certwright.adapters.sql.group_commit import WAIT_SECONDS, GroupCommit, GroupLost, WaitedTooLong
from certwright.adapters.sql.prepared import Connection, Watcher
from certwright.domain.errors import StoreUnavailable
from certwright.domain.ports import Turns

READERS = 40
OPENING_WAIT_SECONDS = 2
"""How long a process that opens the database waits for the lock before it begins without a connection that writes."""
COMPLAINT_INTERVAL_SECONDS = 60
LOG_OCTETS = 16 * 1024 * 1024
"""How long the write-ahead log becomes before it is brought into the database and cut."""
LOG_COMMITS = 48
"""Commits after which it is brought into the database and written over from its beginning, as long as it is."""
CHECKPOINT_WAIT_MILLISECONDS = 50
READER_CACHE_KIB = 1_000
WRITER_CACHE_KIB = 4_000

log = structlog.get_logger(__name__)


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
        self._complains_again_at = 0.0
        self._restart_at = LOG_COMMITS
        self._commits = 0
        self.engine = _create_writing_engine(path)
        self._connection: SqlalchemyConnection | None = None
        self._driver: sqlite3.Connection | None = None
        try:
            # Where another process has the lock, it has the files that readers open, too; the first block connects then.
            if self._lock.acquire(monotonic() + OPENING_WAIT_SECONDS):
                self._connect()
                self._lock.release()
        except BaseException:
            self._lock.close()
            raise

    @property
    def connection(self) -> SqlalchemyConnection:
        """Return the connection, which is there once a transaction has begun."""
        if self._connection is None:
            raise RuntimeError("there is no connection before the first transaction")
        return self._connection

    @property
    def driver(self) -> sqlite3.Connection:
        """Return what the connection stands for."""
        if self._driver is None:
            raise RuntimeError("there is no connection before the first transaction")
        return self._driver

    def _connect(self) -> None:
        connection = self.engine.connect()
        driver = _get_driver(connection.connection)
        # The first look finishes what a crash has left, and makes the files that readers only open.
        driver.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        self._connection, self._driver = connection, driver

    def begin(self, deadline: float) -> bool:
        """Begin to write, after all other processes that wait; return False where one of them has the lock until *deadline*."""
        if not self._lock.acquire(deadline):
            return False
        try:
            if self._connection is None:
                self._connect()
            self.driver.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._lock.release()
            raise
        return True

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
        """Commit, and sometimes checkpoint; when it fails, `rollback` is to follow.

        What has been committed is there, also when the checkpoint after it fails.
        """
        self.driver.execute("COMMIT")
        self._commits += 1
        try:
            self._shorten_log()
        except (sqlite3.Error, OSError) as error:
            self._complain(error)
        self._lock.release()

    def _complain(self, error: Exception) -> None:
        """Log that the write-ahead log cannot be brought into the database, once a minute."""
        if monotonic() >= self._complains_again_at:
            self._complains_again_at = monotonic() + COMPLAINT_INTERVAL_SECONDS
            log.error("database not checkpointed", file=str(self._log), error=str(error))

    def _shorten_log(self) -> None:
        if self._log.stat().st_size > self._cut_above:
            is_busy = self._checkpoint("TRUNCATE")
            self._cut_above = self._log.stat().st_size + LOG_OCTETS // 4 if is_busy else LOG_OCTETS
        elif self._commits >= self._restart_at:
            is_busy = self._checkpoint("RESTART")
            self._restart_at = self._commits + LOG_COMMITS // 4 if is_busy else LOG_COMMITS

    def _checkpoint(self, mode: str) -> bool:
        """Bring the log into the database, to be written from its beginning again; return whether a reader was in the way.

        SQLite would do so by itself at every commit once the log is long, and as long as there always are readers the log
        stays long: several times the work of the commit itself. This waits a moment for the readers of that moment; when one
        of them takes longer, it is tried again a quarter later. A log that keeps its length is forced to the disk in
        two thirds of the time of one that grows, so that it is cut only when it has become very long.
        """
        self.driver.execute(f"PRAGMA busy_timeout = {CHECKPOINT_WAIT_MILLISECONDS}")
        try:
            is_busy, *_ = self.driver.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        finally:
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
        """Close the connection, which checkpoints when it is the last one: then no process has the lock.

        Where one has it without end, the connection is left to the end of this process: it is not the last one.
        """
        try:
            if self._connection is not None and self._lock.acquire(monotonic() + WAIT_SECONDS):
                self._connection.close()
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

        Errors: StoreUnavailable when the transaction was lost, or could not begin in time; TakesLong, see `group_commit`.
        """
        try:
            with self._group.block():
                yield Connection(self._writer.driver, self._writer.engine.dialect, self.watch)
        except GroupLost as lost:
            raise _describe(lost) from lost
        except WaitedTooLong:
            raise StoreUnavailable(f"another program has kept its lock for more than {WAIT_SECONDS} seconds") from None

    def close(self) -> None:
        """Close the readers, then, alone, the writer."""
        while self._idle:
            self._idle.pop().close()
        self._readers.dispose()
        with self._group.alone():
            self._writer.close()


def create_file(path: Path) -> None:
    """Create an empty database file that only its owner may read, unless there is a file."""
    os.close(open_or_create(path, os.O_RDWR))


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
