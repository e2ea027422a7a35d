"""Migrations: what they make is what the program expects."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from certwright.adapters.sql.schema import get_newest_migration, migrate
from certwright.adapters.sql.store import VERSION_TABLE, open_store
from certwright.adapters.sql.tables import SCHEMA_VERSION, metadata
from certwright.domain.errors import StoreUnavailable


def make_engine(url: str) -> Engine:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


def describe(connection: Connection) -> dict[str, Any]:
    """Return everything that the database says about its tables but the order in which it was told."""
    found = inspect(connection)
    described: dict[str, Any] = {}
    for table in sorted(set(found.get_table_names()) - {VERSION_TABLE}):
        described[table] = {
            "columns": [each | {"type": str(each["type"])} for each in found.get_columns(table)],
            "primary key": found.get_pk_constraint(table),
            "uniques": sorted(map(str, found.get_unique_constraints(table))),
            "checks": sorted(map(str, found.get_check_constraints(table))),
            "foreign keys": sorted(map(str, found.get_foreign_keys(table))),
            "indexes": sorted(str({**each, "dialect_options": None}) for each in found.get_indexes(table)),
        }
    # What SQLAlchemy does not tell: conditions of indexes, and whether numbers are given again.
    if connection.dialect.name == "sqlite":
        options = "SELECT name, sql LIKE '%AUTOINCREMENT%', iif(type = 'index', sql, '') FROM sqlite_schema ORDER BY name"
    else:
        options = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname"
    described["options"] = [tuple(each) for each in connection.execute(text(options)) if VERSION_TABLE not in each[0]]
    return described


def test_a_migrated_database_equals_a_fresh_one(empty_url: str) -> None:
    engine = make_engine(empty_url)
    with engine.begin() as connection:
        metadata.create_all(connection)
        fresh = describe(connection)
        metadata.drop_all(connection)
    engine.dispose()
    migrate(empty_url)
    with engine.connect() as connection:
        assert describe(connection) == fresh
    engine.dispose()
    assert set(fresh) == {*metadata.tables, "options"}


def test_the_version_is_that_of_the_newest_migration() -> None:
    assert get_newest_migration() == SCHEMA_VERSION


def test_a_migrated_database_opens_and_may_be_migrated_again(empty_url: str) -> None:
    migrate(empty_url)
    migrate(empty_url)
    store = open_store(empty_url)
    with store.reading() as session:
        assert session.directory.revision() > 0
    store.close()


def set_version(url: str, version: str) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = :version"), {"version": version})
    engine.dispose()


def test_a_database_without_a_schema_is_not_opened(empty_url: str) -> None:
    if empty_url.startswith("sqlite"):
        Path(empty_url.removeprefix("sqlite:///")).touch()
    with pytest.raises(StoreUnavailable, match="has to be migrated"):
        open_store(empty_url)


def test_a_database_of_an_older_schema_is_not_opened(url: str) -> None:
    set_version(url, "0000")
    with pytest.raises(StoreUnavailable, match="version 0 and has to be migrated"):
        open_store(url)


def test_a_database_of_a_newer_schema_is_neither_opened_nor_migrated(url: str) -> None:
    set_version(url, "9999")
    with pytest.raises(StoreUnavailable, match="version 9999, of a newer program"):
        open_store(url)
    with pytest.raises(StoreUnavailable, match="newer"):
        migrate(url)


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear database, " * 1_000)
    for act in (open_store, migrate):
        with pytest.raises(StoreUnavailable, match="not a database"):
            act(f"sqlite:///{path}")
    assert path.read_text().startswith("Dear")


def test_a_database_in_a_folder_that_is_not_there_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be made"):
        migrate(f"sqlite:///{tmp_path / 'nowhere' / 'store.db'}")


def test_only_its_owner_may_read_a_database_file(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path / 'store.db'}")
    modes = {each.name: oct(each.stat().st_mode & 0o777) for each in tmp_path.iterdir()}
    assert set(modes.values()) == {"0o600"}
