"""PostgreSQL: as many writers as there are connections; compare-and-set decides who was first."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, event, func, select, text

from certwright.adapters.sql.history import LAST_SEALED
from certwright.adapters.sql.prepared import Connection, Watcher
from certwright.adapters.sql.tables import events

CONNECTIONS = 20
POOL_WAIT_SECONDS = 10
CONNECT_SECONDS = 10
SETTLE_MILLISECONDS = 2_000
"""How long the one who seals waits for writers; others who want to write wait behind him."""
IDLE_MILLISECONDS = 60_000
"""How long a transaction may do nothing before the server ends it: it would keep everybody's changes from being sealed."""

EVENTS_LOCK = 0x43_57_45_76_65_6E_74_73
MIGRATION_LOCK = EVENTS_LOCK + 1
"""Advisory locks are numbers; these read "CWEvents"."""

_SHARE = select(func.pg_advisory_xact_lock_shared(EVENTS_LOCK))
_EXCLUDE = select(func.pg_advisory_xact_lock(EVENTS_LOCK))
_PATIENCE = text(f"SET LOCAL lock_timeout = {SETTLE_MILLISECONDS}")
_LAST = select(func.coalesce(func.max(events.c.sequence), 0))


class WritersOrder:
    """For sessions that write: each holds its share of a lock while it has events that are not committed."""

    def announce(self, connection: Connection, /) -> None:
        """Take the share; it is given back with the end of the transaction."""
        connection.execute(_SHARE)

    def list_settled(self, connection: Connection, _limit: int, /) -> list[int] | None:
        """Return None: with the whole lock, nobody else has events that are not committed, and each query sees what is."""
        connection.execute(_PATIENCE)
        connection.execute(_EXCLUDE)
        return None


class ReadersOrder:
    """For sessions that read, whose view may be older than a writer that is still at work: asks in a session of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def announce(self, _connection: Connection, /) -> None:
        """Do nothing; the event that follows is refused."""

    def list_settled(self, _connection: Connection, limit: int, /) -> list[int] | None:
        """Return the numbers as of the moment at which we had the whole lock, which means that no writer was at work."""
        with self._engine.connect() as own:
            with own.begin():
                own.execute(_PATIENCE)
                own.execute(_EXCLUDE)
                last = own.execute(_LAST).scalar_one()
            unsealed = select(events.c.sequence).where(events.c.sequence > LAST_SEALED, events.c.sequence <= last)
            return list(own.execute(unsealed.order_by(events.c.sequence).limit(limit)).scalars())


class PostgresqlTransactions:
    """How a store on PostgreSQL reads and writes."""

    def __init__(self, url: URL) -> None:
        self._readers = create_postgresql_engine(url, isolation_level="REPEATABLE READ")
        self._writers = create_postgresql_engine(url, isolation_level="READ COMMITTED")
        event.listen(self._readers, "connect", _refuse_writing)
        self.engines: tuple[Engine, ...] = (self._readers, self._writers)
        self.reading_order = ReadersOrder(self._writers)
        self.writing_order = WritersOrder()
        self.watch: Watcher | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a view that begins with the first statement."""
        with _borrowed(self._readers) as driver:
            yield Connection(driver, self._readers.dialect, self.watch)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction; it is durable when the body of the ``with`` has been left."""
        with _borrowed(self._writers) as driver:
            yield Connection(driver, self._writers.dialect, self.watch)
            driver.commit()

    def close(self) -> None:
        """Close all connections."""
        for engine in self.engines:
            engine.dispose()


@contextmanager
def _borrowed(engine: Engine) -> Iterator[psycopg.Connection[Any]]:
    """Give out a connection of the pool, which rolls back whatever was not committed."""
    pooled = engine.raw_connection()
    driver = pooled.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("the driver is not the one this module is written for")
    try:
        yield driver
    except psycopg.OperationalError:
        if driver.closed:
            # The server went away, and with it every other connection of the pool.
            pooled.invalidate()
            engine.dispose()
        raise
    finally:
        pooled.close()


def create_postgresql_engine(url: URL, isolation_level: Any) -> Engine:
    """Return an engine whose connections speak UTC and do not hang."""
    options = f"-c timezone=UTC -c idle_in_transaction_session_timeout={IDLE_MILLISECONDS}"
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        isolation_level=isolation_level,
        connect_args={"connect_timeout": CONNECT_SECONDS, "options": options, "application_name": "certwright"},
        pool_size=CONNECTIONS,
        max_overflow=CONNECTIONS,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_use_lifo=True,
        hide_parameters=True,
    )


def _refuse_writing(connection: Any, _record: Any) -> None:
    connection.read_only = True
