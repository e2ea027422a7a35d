"""Each test of the store runs on a SQLite and on a PostgreSQL, each time in a new database."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from certwright.adapters.sql.schema import migrate
from certwright.adapters.sql.store import VERSION_TABLE, SqlStore, open_store
from certwright.adapters.sql.tables import SCHEMA_VERSION, metadata
from postgresql import END_OTHERS, PACKAGE, PostgresqlServer, find_programs, run_postgresql
from worlds.estate import Estate, found_estate

WRITTEN = """
SELECT relname FROM pg_class WHERE relkind = 'r' AND relname = ANY(%s) AND (pg_relation_size(oid) > 0 OR reltuples <> -1)
"""
"""The tables that are not as they were made: to truncate one that is takes as long, for it and for each of its indexes."""
COUNTED = "SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL"
"""The sequences from which a number was taken, by what was rolled back, too."""


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    programs = find_programs()
    if programs is None:
        pytest.skip(f"no PostgreSQL here: apt-get install {PACKAGE}")
    with run_postgresql(programs) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_database(postgresql_server: PostgresqlServer) -> str:
    url = postgresql_server.create_database()
    migrate(url)
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "store.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any schema."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    url = server.create_database()
    yield url
    server.drop_database(url)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of an SQLite database with the schema."""
    path = tmp_path / "store.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgresql_database: str) -> Iterator[str]:
    """The URL of a PostgreSQL database with the schema, as after its migration: emptied, which is faster than made."""
    yield postgresql_database
    with psycopg.connect(postgresql_database) as connection:
        connection.execute(END_OTHERS)
        written = [name for (name,) in connection.execute(WRITTEN, [list(metadata.tables)])]
        connection.execute(f"TRUNCATE {', '.join(written)} RESTART IDENTITY CASCADE".encode())
        for (name,) in connection.execute(COUNTED).fetchall():
            connection.execute(f"ALTER SEQUENCE {name} RESTART".encode())
        connection.execute("INSERT INTO directory_revision (id, revision) VALUES (1, 1)")
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = {SCHEMA_VERSION}".encode())


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a database with the schema."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def estate(url: str) -> Iterator[Estate]:
    with found_estate(url) as found:
        yield found


@pytest.fixture
def sqlite_estate(sqlite_url: str) -> Iterator[Estate]:
    """For what the types of PostgreSQL's columns do not let in."""
    with found_estate(sqlite_url) as found:
        yield found
