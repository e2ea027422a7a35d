"""Use cases on a real database and a real authority."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from certwright.adapters.sql.schema import migrate
from certwright.adapters.sql.store import open_store
from worlds.authorities import KEK
from worlds.house import House, found_house


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("founded") / "store.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def house(founded: Path, tmp_path: Path) -> Iterator[House]:
    path = tmp_path / "store.db"
    shutil.copy(founded, path)
    store = open_store(f"sqlite:///{path}", cipher=KEK)
    yield found_house(store)
    store.close()
