"""A limit to how long a conversation over a socket takes, however slowly the other side goes on with it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer


class Leash:
    """Holds a connection, so that it can be shut down under whoever waits for it, whatever was wrapped around it since.

    The timeouts of a socket are for one read or write each: a peer that sends a byte now and then never meets them.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected.dup()
        self.was_cut = False

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Run the body of a ``with``; when it takes longer, what it waits for fails."""
        timer = Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        """Let go. The connection itself is closed by whoever opened it."""
        self._socket.close()

    def _cut(self) -> None:
        self.was_cut = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


def connect(host: str, port: int, seconds: float) -> tuple[socket.socket, Leash]:
    """Return a connection and what holds it. Shape: each address of *host* has *seconds*. Errors: OSError."""
    connected = socket.create_connection((host, port), timeout=seconds)
    # From here on the leash says when it has taken too long. At the same moment the socket would say so in other words.
    connected.settimeout(2 * seconds)
    try:
        return connected, Leash(connected)
    except BaseException:
        connected.close()
        raise
