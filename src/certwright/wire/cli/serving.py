"""The server: one socket, processes that answer side by side, and a clean end."""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import Any, cast

import structlog
import uvicorn

from certwright import __version__
from certwright.application.find_health import find_health
from certwright.application.note_settings import note_settings
from certwright.application.role_separation import separate_roles
from certwright.application.world import World
from certwright.bootstrap import Installation, open_installation
from certwright.domain.errors import AddressUnavailable
from certwright.domain.events import PROGRAM, EventType, tell_of_program
from certwright.domain.health import OwnCertificate
from certwright.server_settings import ServerSettings
from certwright.settings import Settings, list_effective
from certwright.wire.cli.tls_renewal import TlsRenewal
from certwright.wire.connections import (
    RESERVED_DESCRIPTORS,
    Connections,
    Place,
    raise_descriptor_limit,
    share_limits,
)
from certwright.wire.processes import SIGNALS, Ending, Lifeline, Processes
from certwright.wire.protocol import BoundedProtocol, HttpLimits
from certwright.wire.rest.admission import WAITING_LIMIT, share_of_connections
from certwright.wire.rest.app import create_app
from certwright.wire.rest.asgi import ASGIApp
from certwright.wire.rest.desk import Edge
from certwright.wire.rest.health import LookAtHealth
from certwright.wire.rest.sources import Sources
from certwright.wire.worker import Worker

SHUTDOWN_SECONDS = 10
"""How long calls that have begun may take after the end was asked for."""
FAREWELL_SECONDS = 3
"""How long a client is waited for to say that it has read everything, when its connection ends; idle ones seldom do."""
PATIENCE_SECONDS = 2 * SHUTDOWN_SECONDS
"""How long the processes may take to end, with what is not left for later; then they are ended."""
MOST_PROCESSES = 4
"""As many as are started where the settings do not say; each takes memory, and writers on SQLite stand in one line."""
BACKLOG = 2_048
TLS_1_2_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Forward secrecy and authenticated encryption only. Source: RFC 9325 section 4.2; TLS 1.3 has no others."""
WATCH_SECONDS = 3_600
"""How often the log says what needs an administrator."""
COLLECTION_THRESHOLDS = (20_000, 50, 50)
"""New objects before the youngest are looked through, and how many such rounds before older ones are."""

Background = Iterator[Coroutine[Any, Any, None]]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen. Shape: *port* 0 takes a free one; *names* are those of the TLS certificate; *is_plain* is HTTP without
    TLS, for loopback only.
    """

    host: str
    port: int
    names: tuple[str, ...]
    is_plain: bool = False

    @property
    def is_loopback(self) -> bool:
        """Return whether only this machine can reach it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def url(self, port: int) -> str:
        """Return the server's address as one would type it on this machine, with a name that its TLS certificate has."""
        host = "localhost" if self.is_loopback or self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        if not self.is_plain and host not in self.names:
            host = self.names[0]
        return f"{'http' if self.is_plain else 'https'}://{f'[{host}]' if ':' in host else host}:{port}"


@dataclass(frozen=True, slots=True)
class RunningServer:
    """What somebody who waits for the server is given: where it is, and how to end it. Shape: *pid* is its first process."""

    url: str
    pid: int

    def stop(self) -> None:
        """Ask the server to end, from any process; calls that have begun are answered."""
        os.kill(self.pid, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Http:
    """How connections are answered: what bounds each of them, and all of them."""

    limits: HttpLimits
    connections: Connections

    def make_protocol(self, *arguments: Any, **named: Any) -> BoundedProtocol:
        """Return what answers one connection; the arguments are those that uvicorn gives."""
        return BoundedProtocol(*arguments, limits=self.limits, connections=self.connections, **named)


class _Server(uvicorn.Server):
    """One of the processes that answer: it takes the connections that the one above it deals out, and ends with it."""

    def __init__(
        self, config: uvicorn.Config, lifeline: Lifeline, http: Http, background: Callable[[uvicorn.Config], Background]
    ) -> None:
        super().__init__(config)
        self._lifeline = lifeline
        self._http = http
        self._list_background = background
        self._background: list[asyncio.Task[None]] = []
        self._admitting: set[asyncio.Task[None]] = set()

    def end(self, *_: object) -> None:
        """Ask the server to end; also as a handler of signals."""
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 (uvicorn calls it so)
        """Ask the server to end, however often: uvicorn would break off what has begun at the second Ctrl-C."""
        self.end()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._background = [asyncio.create_task(each) for each in self._list_background(self.config)]
            asyncio.get_running_loop().add_reader(self._lifeline.fileno(), self._receive)
            self._lifeline.tell_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for each in self._background:
            each.cancel()
        asyncio.get_running_loop().remove_reader(self._lifeline.fileno())
        self._lifeline.close()
        # Who is still shaking hands has asked for nothing yet, and would be waited for to the end.
        for each in self._admitting:
            each.cancel()
        await super().shutdown(sockets)

    def _receive(self) -> None:
        try:
            connection = self._lifeline.receive()
        except EOFError:
            asyncio.get_running_loop().remove_reader(self._lifeline.fileno())
            self.end()
            return
        if connection is None:
            return
        connection.setblocking(False)
        # Its place is taken before the TLS handshake: who never finishes that is a client like any other.
        place = self._http.connections.admit(_find_peer(connection))
        if place is None:
            connection.close()
            return
        admitting = asyncio.get_running_loop().create_task(self._admit(connection, place))
        place.end = admitting.cancel
        self._admitting.add(admitting)
        admitting.add_done_callback(self._admitting.discard)

    async def _admit(self, connection: socket.socket, place: Place) -> None:
        config, is_open = self.config, False
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                partial(self._http.make_protocol, config, self.server_state, self.lifespan.state, place=place),
                connection,
                ssl=config.ssl,
                ssl_handshake_timeout=self._http.limits.head_seconds if config.ssl else None,
                ssl_shutdown_timeout=FAREWELL_SECONDS if config.ssl else None,
            )
            is_open = True
        except OSError:
            # Whoever breaks off the handshake, or never finishes it, is the only one to notice.
            return
        finally:
            if not is_open:
                place.leave()


def check_address_free(address: Address) -> None:
    """Raise when nobody can listen there now. Errors: AddressUnavailable."""
    with _listen(address):
        pass


def run_server(data: Path, address: Address, *, when_started: Callable[[RunningServer], None] = lambda _: None) -> None:
    """Serve the installation in the folder *data* until SIGTERM, Ctrl-C or `RunningServer.stop`; then answer what has begun,
    and seal the history.

    What is due is done meanwhile, unless the settings leave that to others. *when_started* is called when all is ready, and
    calls are answered when it has returned; it must leave no thread behind.

    Errors: AddressUnavailable; ServingFailed; what `open_installation` raises.
    """
    ending = Ending()
    with _listen(address) as listener, ending.on_signals():
        url = address.url(listener.getsockname()[1])
        count = _begin(data, address, url)
        _spare_what_stays()
        processes = Processes(count, listener, partial(_serve, data, address))
        try:
            processes.start(ending)
            if not ending.is_asked:
                when_started(RunningServer(url, os.getpid()))
            processes.keep_up(ending)
        finally:
            processes.end(PATIENCE_SECONDS)
            with open_installation(data) as installation, _working(installation):
                _tell(installation, EventType.SERVICE_STOPPED, url)


def count_processes(settings: ServerSettings) -> int:
    """Return how many processes serve."""
    return settings.processes or min(os.cpu_count() or 1, MOST_PROCESSES)


def _begin(data: Path, address: Address, url: str) -> int:
    """Do what is done once a start, and return how many processes are to serve; of keys, nothing stays with the first one."""
    with open_installation(data) as installation:
        if not address.is_plain:
            installation.tls.renew()
        note_settings(list_effective(installation.settings), list_effective(Settings()), world=installation.world)
        _warn_of_combined_roles(installation.world)
        _tell(installation, EventType.SERVICE_STARTED, url)
        return count_processes(installation.settings.server)


def _serve(data: Path, address: Address, number: int, lifeline: Lifeline) -> None:
    """Be one of the processes; the first one also does what is due."""
    with open_installation(data) as installation, _working(installation) if number == 0 else nullcontext():
        settings = installation.settings.server
        http = make_http(settings, raise_descriptor_limit(settings.connections + RESERVED_DESCRIPTORS))
        background = partial(_list_background, installation, is_first=number == 0)
        server = _Server(configure(installation, http, is_plain=address.is_plain), lifeline, http, background)
        # To the end of the process: what follows the calls is not to be broken off either. The server has handlers of its own
        # while it runs, and when it has ended it raises once more the signal that ended it.
        for each in SIGNALS:
            signal.signal(each, server.end)
        _spare_what_stays()
        server.run(sockets=[])


def _list_background(installation: Installation, config: uvicorn.Config, *, is_first: bool) -> Background:
    """Return what one of the processes does beside answering: all load a renewed certificate, the first one renews it."""
    interval = installation.settings.server.tls_check
    if config.ssl is not None:
        yield TlsRenewal(installation.tls, config.ssl, interval, renews=is_first).run()
    if is_first:
        yield _watch(make_look(installation, is_plain=config.ssl is None))


async def _watch(look: LookAtHealth) -> None:
    """Log at a start, and again and again, what needs an administrator, for installations whose `/health` is not read."""
    while True:
        health = await asyncio.to_thread(look)
        for each in health.warnings:
            log.warning("attention needed", what=each)
        await asyncio.sleep(WATCH_SECONDS)


def make_look(installation: Installation, *, is_plain: bool) -> LookAtHealth:
    """Return what finds out how the installation is; without TLS, its certificate does not matter."""

    def list_certificates() -> Iterator[OwnCertificate]:
        yield from installation.list_certificates()
        end = None if is_plain else installation.tls.find_end()
        if end is not None:
            yield OwnCertificate("this server for TLS", end)

    return partial(
        find_health,
        world=installation.world,
        sealing_interval=installation.settings.history.sealing_interval,
        find_checkpoint=installation.checkpoints.read_last,
        list_certificates=list_certificates,
    )


def create_installed_app(
    installation: Installation, *, is_plain: bool = False, waiting_sign_ins: int = WAITING_LIMIT
) -> ASGIApp:
    """Return the application that serves the installation."""
    look = make_look(installation, is_plain=is_plain)
    server = installation.settings.server
    edge = Edge(
        sources=make_sources(server),
        body_seconds=server.body_timeout.total_seconds(),
        bodies_octets=server.bodies_limit,
        waiting_sign_ins=waiting_sign_ins,
    )
    return create_app(installation.world, installation.sign_ins, installation.turns, look, edge)


def make_sources(server: ServerSettings) -> Sources:
    """Return what finds the addresses of clients."""
    return Sources(server.trusted_proxies, server.proxy_header.value)


def make_http(server: ServerSettings, descriptors: int) -> Http:
    """Return the bounds of one process that serves, which may open so many file descriptors."""
    limits = share_limits(
        server.connections,
        server.connections_per_source,
        count_processes(server),
        descriptors,
        make_sources(server).is_proxy,
    )
    bounds = HttpLimits(
        request_line=server.request_line_limit,
        headers=server.headers_limit,
        head_seconds=server.head_timeout.total_seconds(),
    )
    return Http(bounds, Connections(limits))


def _working(installation: Installation) -> AbstractContextManager[object]:
    return Worker(installation.jobs, installation.world) if installation.settings.worker.enabled else nullcontext()


def _spare_what_stays() -> None:
    """Keep the collector of garbage away from everything that was loaded to stay, and let it come less often.

    Otherwise it walks through all modules again and again while people enroll.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTION_THRESHOLDS)


def configure(installation: Installation, http: Http, *, is_plain: bool = False) -> uvicorn.Config:
    """Return how uvicorn is to serve the installation, with the TLS certificate that is there."""
    tls = None if is_plain else installation.tls.open()
    waiting = share_of_connections(http.connections.in_all)
    return uvicorn.Config(
        create_installed_app(installation, is_plain=is_plain, waiting_sign_ins=waiting),
        loop="uvloop",
        http=cast("type[asyncio.Protocol]", http.make_protocol),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ssl_certfile=tls.identity if tls else None,
        ssl_keyfile_password=tls.password if tls else None,
        ssl_ciphers=TLS_1_2_CIPHERS,
    )


def _find_peer(connection: socket.socket) -> str:
    """Return the address of the other end; nothing where it has gone already."""
    try:
        return str(connection.getpeername()[0])
    except OSError:
        return ""


@contextmanager
def _listen(address: Address) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listener = socket.create_server((address.host, address.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise AddressUnavailable(f"{address.host}:{address.port}", error.strerror or str(error)) from error
    with listener:
        yield listener


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
