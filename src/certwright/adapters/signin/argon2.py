"""Password hashes that cost an attacker time and memory."""

from threading import BoundedSemaphore

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError

MEMORY_KIB = 65_536
"""64 MiB a hash."""


class Argon2Hasher:
    """Keeps `password_ports.PasswordHasher` with argon2id.

    No more than *at_once* hashes are made at the same time: each takes *memory_kib* while it lasts.

    Source: RFC 9106 section 4, its second recommended setting (3 passes, 4 lanes, 64 MiB).
    """

    def __init__(self, *, passes: int = 3, memory_kib: int = MEMORY_KIB, lanes: int = 4, at_once: int = 2) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes, type=Type.ID)
        self._room = BoundedSemaphore(at_once)

    def hash(self, password: str) -> str:
        """Return a new salted hash. Shape: the PHC string of argon2id, which carries its own parameters."""
        with self._room:
            return self._hasher.hash(password)

    def is_match(self, password: str, password_hash: str) -> bool:
        """Return whether *password* is the one that *password_hash* was made of."""
        with self._room:
            try:
                return self._hasher.verify(password_hash, password)
            except VerifyMismatchError:
                return False

    def burn(self, password: str) -> None:
        """Take as long as `is_match`."""
        self.hash(password)
