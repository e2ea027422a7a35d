"""One thread computes at a time, so that threads do not fight for the interpreter.

Python's lock is let go and asked for again around each step of an SQLite statement. With several threads that all want it, each
of these becomes a switch between threads, dozens an enrollment. So a thread takes a turn for the whole of its work, and
steps aside only while it waits for something long: a signature, the disk, another writer.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from certwright.domain.ports import SigningKey
from certwright.domain.public_keys import HashAlgorithm, PublicKey


class SingleTurn:
    """Keeps `ports.Turns`: one at a time."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._holder: int | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Run the body as this thread's turn, once nobody else has it."""
        self._take()
        try:
            yield
        finally:
            self._give()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Run the body while others may take their turn; a thread that holds none simply runs it."""
        if self._holder != threading.get_ident():
            yield
            return
        self._give()
        try:
            yield
        finally:
            self._take()

    def _take(self) -> None:
        self._turn.acquire()
        self._holder = threading.get_ident()

    def _give(self) -> None:
        self._holder = None
        self._turn.release()


class NoTurns:
    """Keeps `ports.Turns`: everybody at once, for a database whose statements are waits for another machine."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Run the body."""
        yield

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Run the body."""
        yield


class PatientKey:
    """A signing key whose signatures take long enough that others should compute meanwhile."""

    def __init__(self, key: SigningKey, turns: SingleTurn | NoTurns) -> None:
        self._key = key
        self._turns = turns

    @property
    def name(self) -> str:
        """Return the name under which the key rests."""
        return self._key.name

    @property
    def public_key(self) -> PublicKey:
        """Return the other half."""
        return self._key.public_key

    def sign(self, data: bytes, hash_algorithm: HashAlgorithm) -> bytes:
        """Return the signature. Errors: KeyUnavailable."""
        with self._turns.aside():
            return self._key.sign(data, hash_algorithm)
