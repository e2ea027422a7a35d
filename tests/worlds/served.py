"""A server as shipped, but for its process: real sockets, real TLS."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import httpx
import uvicorn

from certwright.adapters.signin.argon2 import Argon2Hasher
from certwright.bootstrap import Installation, open_installation
from certwright.bootstrap_creation import create_installation
from certwright.wire.cli.load import load_world_file
from certwright.wire.cli.serving import configure, make_http
from certwright.wire.connections import raise_descriptor_limit

PASSWORD = "correct horse battery"
ROOT = "/CertificateManagement/api/v1.0"

SignedIn = Callable[[str], httpx.Client]
"""Gives a client for the account of that name."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running server and what it serves."""

    installation: Installation
    port: int
    tls: ssl.SSLContext

    def client(self, user: str | None = None, password: str = PASSWORD) -> httpx.Client:
        """Return a client that signs in as *user*, or not at all. Paths are under the root of the API."""
        auth = None if user is None else httpx.BasicAuth(user.encode(), password.encode())
        return httpx.Client(base_url=f"https://localhost:{self.port}{ROOT}", verify=self.tls, auth=auth, timeout=120)


@contextmanager
def install(folder: Path) -> Iterator[Installation]:
    """Make an installation with the demo world, whose people all have one password."""
    create_installation(folder)
    with open_installation(folder) as installation:
        load_world_file("demo", installation)
        # A hash carries its parameters: this one is cheap, so that nobody waits for each user's first call.
        password_hash = Argon2Hasher(passes=1, memory_kib=64, lanes=1).hash(PASSWORD)
        with installation.world.store.writing() as session:
            for user in session.directory.list_users():
                session.directory.save_password_hash(user.id, password_hash)
        yield installation


@contextmanager
def serve(installation: Installation) -> Iterator[Served]:
    """Serve the installation from a thread, on a free port."""
    config = configure(installation, make_http(installation.settings.server, raise_descriptor_limit(4_096)))
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            context = ssl.create_default_context(cafile=installation.ca_file)
            yield Served(installation, listener.getsockname()[1], context)
        finally:
            server.should_exit = True
            thread.join()
