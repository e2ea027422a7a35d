"""The schema's migrations, run by Alembic."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, func, select

from certwright.adapters.sql.faults import DRIVER_ERRORS, plain_fault
from certwright.adapters.sql.postgresql import MIGRATION_LOCK, create_postgresql_engine
from certwright.adapters.sql.sqlite import SqliteTransaction, create_file
from certwright.adapters.sql.store import get_database_path, parse_database_url
from certwright.domain.errors import StoreUnavailable

MIGRATIONS = Path(__file__).with_name("migrations")
MIGRATION_WAIT_SECONDS = 600
"""How long a migration waits for another one, which may take minutes."""


def migrate(url: str) -> None:
    """Bring the schema of the database that *url* names to this program's version, from any older one or from nothing.

    All of it or nothing; programs that migrate at the same moment take turns. The file of an SQLite database is made.

    Errors: StoreUnavailable when the database cannot be reached, or is of a newer program; DefinitionInvalid for *url*.
    """
    parsed = parse_database_url(url)
    try:
        with _migrating(parsed) as connection:
            configuration = _configure()
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
    except DRIVER_ERRORS as error:
        raise plain_fault(error) from error
    except CommandError as error:
        raise StoreUnavailable("its schema is of a newer program, or of none that we know") from error


def get_newest_migration() -> int:
    """Return the number of the newest migration in the package."""
    return int(ScriptDirectory.from_config(_configure()).get_current_head() or 0)


def _configure() -> Config:
    configuration = Config()
    # Percent signs in a path would be read as references to other options.
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration


@contextmanager
def _migrating(url: URL) -> Iterator[Connection]:
    if url.get_backend_name() == "sqlite":
        with _migrating_sqlite(get_database_path(url)) as connection:
            yield connection
        return
    engine = create_postgresql_engine(url, "READ COMMITTED")
    try:
        with engine.begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _migrating_sqlite(path: Path) -> Iterator[Connection]:
    try:
        create_file(path)
    except OSError as error:
        raise StoreUnavailable(f"the file {path} cannot be made: {error.strerror}") from error
    transaction = SqliteTransaction(path)
    try:
        if not transaction.begin(monotonic() + MIGRATION_WAIT_SECONDS):
            raise StoreUnavailable(f"another program has kept its lock for more than {MIGRATION_WAIT_SECONDS} seconds")
        try:
            # SQLAlchemy, and with it Alembic, does not know of the transaction before the first statement.
            transaction.connection.begin()
            yield transaction.connection
        except BaseException:
            transaction.rollback()
            raise
        transaction.commit()
    finally:
        transaction.close()
