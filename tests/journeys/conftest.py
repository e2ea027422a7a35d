"""One installation and one server for all journeys: each works with requests of its own."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from worlds.readers import House, make_house, make_installation
from worlds.served import Served, SignedIn, install, serve


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A running server with the demo world."""
    folder: Path = tmp_path_factory.mktemp("installation") / "data"
    folder.mkdir()
    # The few people of the demo world open more requests for all journeys than one person is to have open.
    (folder / "certwright.toml").write_text("[access]\nopen_requests = 100000\n")
    with install(folder) as installation, serve(installation) as served:
        yield served


@pytest.fixture(scope="session")
def sign_in(served: Served) -> Iterator[SignedIn]:
    """Gives a client that is signed in as somebody; one for each, as their connections are kept."""
    clients: dict[str, httpx.Client] = {}
    with ExitStack() as stack:

        def find(user: str) -> httpx.Client:
            if user not in clients:
                clients[user] = stack.enter_context(served.client(user))
            return clients[user]

        yield find


@pytest.fixture
def subscriber(sign_in: SignedIn) -> httpx.Client:
    """A client of the subscriber."""
    return sign_in("subscriber")


@pytest.fixture(scope="session")
def installation_of_pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installation that readers of pages have copies of."""
    data = tmp_path_factory.mktemp("pages") / "data"
    make_installation(data)
    return data


@pytest.fixture
def house(installation_of_pages: Path, tmp_path: Path) -> House:
    """An installation for the reader of one page."""
    return make_house(installation_of_pages, tmp_path)
