"""The server process: one socket, one event loop, and a clean end."""

import gc
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address

import structlog
import uvicorn

from certwright import __version__
from certwright.application.find_health import find_health
from certwright.application.note_settings import note_settings
from certwright.application.role_separation import separate_roles
from certwright.application.world import World
from certwright.bootstrap import Installation
from certwright.domain.errors import AddressUnavailable
from certwright.domain.events import PROGRAM, EventType, tell_of_program
from certwright.settings import Settings, list_effective
from certwright.wire.rest.app import create_app
from certwright.wire.rest.asgi import ASGIApp
from certwright.wire.worker import Worker

SHUTDOWN_SECONDS = 10
"""How long calls that have begun may take after the end was asked for."""
BACKLOG = 2_048
COLLECTION_THRESHOLDS = (20_000, 50, 50)
"""New objects before the youngest are looked through, and how many such rounds before older ones are."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen. Shape: *port* 0 takes a free one; *is_plain* is HTTP without TLS, for loopback only."""

    host: str
    port: int
    is_plain: bool = False

    @property
    def is_loopback(self) -> bool:
        """Return whether only this machine can reach it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def url(self, port: int) -> str:
        """Return the server's address as one would type it on this machine."""
        host = "localhost" if self.is_loopback or self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        return f"{'http' if self.is_plain else 'https'}://{host}:{port}"


class RunningServer:
    """What somebody who waits for the server is given: where it is, and how to end it."""

    def __init__(self, url: str, server: uvicorn.Server) -> None:
        self.url = url
        self._server = server

    def stop(self) -> None:
        """Ask the server to end; calls that have begun are answered."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """Tells when it answers: not when it was asked to start, but when it can."""

    def __init__(self, config: uvicorn.Config, when_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_started = when_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._when_started()


def check_address_free(address: Address) -> None:
    """Raise when nobody can listen there now. Errors: AddressUnavailable."""
    with _listen(address):
        pass


def run_server(
    installation: Installation, address: Address, *, when_started: Callable[[RunningServer], None] = lambda _: None
) -> None:
    """Serve until SIGTERM, Ctrl-C or `RunningServer.stop`; then answer what has begun, and seal the history.

    What is due is done meanwhile, unless the settings leave that to others.

    Errors: AddressUnavailable.
    """
    with _listen(address) as listener, installation.signing(), _working(installation):
        url = address.url(listener.getsockname()[1])
        server = _Server(_configure(installation, address), lambda: when_started(RunningServer(url, server)))
        _spare_what_stays()
        with _signals_that_end(server):
            note_settings(list_effective(installation.settings), list_effective(Settings()), world=installation.world)
            _tell(installation, EventType.SERVICE_STARTED, url)
            _warn_of_combined_roles(installation.world)
            try:
                server.run(sockets=[listener])
            finally:
                _tell(installation, EventType.SERVICE_STOPPED, url)


def create_installed_app(installation: Installation) -> ASGIApp:
    """Return the application that serves the installation."""
    look = partial(
        find_health,
        world=installation.world,
        sealing_interval=installation.settings.history.sealing_interval,
        find_checkpoint=installation.checkpoints.read_last,
    )
    return create_app(installation.world, installation.sign_ins, installation.turns, look)


def _working(installation: Installation) -> AbstractContextManager[object]:
    return Worker(installation.jobs, installation.world) if installation.settings.worker.enabled else nullcontext()


def _spare_what_stays() -> None:
    """Keep the collector of garbage away from everything that was loaded to stay, and let it come less often.

    Otherwise it walks through all modules again and again while people enroll.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTION_THRESHOLDS)


def _configure(installation: Installation, address: Address) -> uvicorn.Config:
    tls = None if address.is_plain else installation.prepare_tls()
    return uvicorn.Config(
        create_installed_app(installation),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        backlog=BACKLOG,
        ssl_certfile=tls.identity if tls else None,
        ssl_keyfile_password=tls.password if tls else None,
    )


@contextmanager
def _listen(address: Address) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listener = socket.create_server((address.host, address.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise AddressUnavailable(f"{address.host}:{address.port}", error.strerror or str(error)) from error
    with listener:
        yield listener


@contextmanager
def _signals_that_end(server: uvicorn.Server) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the server, and not the process: there is something to do afterwards.

    The server has handlers of its own while it runs, and when it has ended it raises once more the signal that ended it.
    """

    def end(*_: object) -> None:
        server.should_exit = True

    before = {each: signal.signal(each, end) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _tell(installation: Installation, event_type: EventType, url: str) -> None:
    world = installation.world
    with world.store.writing() as session:
        session.history.append([tell_of_program(event_type, world.clock.now(), url=url, version=__version__)])
    log.info(event_type.value, url=url, version=__version__)


def _warn_of_combined_roles(world: World) -> None:
    """Say at each start what the installation's settings let pass."""
    if world.allows_combined_roles:
        with world.store.writing() as session:
            combined = separate_roles(session, operator=PROGRAM, world=world)
        for each in combined:
            log.warning("roles combined", detail=each.text)
