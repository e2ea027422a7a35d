"""Remember for a short time who proved to be who, so that not every call costs a password hash."""

import hmac
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from certwright.domain.identities import Principal
from certwright.domain.ports import Clock, Entropy


@dataclass(frozen=True, slots=True)
class Proof:
    """What was true when a password was found right: whose it was, and the hash and directory it was checked against."""

    principal: Principal
    password_hash: str
    revision: int


class RememberedProofs:
    """Proofs under a hash of name and password, keyed with a number that dies with the process.

    Shape: at most *capacity* proofs, those that were not used for longest go first; each is used until it was not asked for
    during a *lifetime*.
    """

    def __init__(self, clock: Clock, entropy: Entropy, *, lifetime: timedelta, capacity: int = 10_000) -> None:
        self._clock = clock
        self._key = entropy.octets(32)
        self._capacity = capacity
        self._lifetime = lifetime
        self._proofs: OrderedDict[bytes, tuple[datetime, Proof]] = OrderedDict()
        self._lock = Lock()

    def find(self, name: str, password: str) -> Proof | None:
        """Return the proof while it is fresh; it stays so for another lifetime."""
        digest = self._digest(name, password)
        now = self._clock.now()
        with self._lock:
            ends, proof = self._proofs.get(digest, (now, None))
            if proof is not None and ends <= now:
                del self._proofs[digest]
                return None
            if proof is not None:
                self._proofs[digest] = (now + self._lifetime, proof)
                self._proofs.move_to_end(digest)
            return proof

    def remember(self, name: str, password: str, proof: Proof) -> None:
        """Keep *proof* for the lifetime."""
        digest = self._digest(name, password)
        with self._lock:
            self._proofs[digest] = (self._clock.now() + self._lifetime, proof)
            self._proofs.move_to_end(digest)
            while len(self._proofs) > self._capacity:
                self._proofs.popitem(last=False)

    def renew(self, name: str, password: str, proof: Proof) -> None:
        """Put *proof* in the place of the one that is there."""
        digest = self._digest(name, password)
        with self._lock:
            if digest in self._proofs:
                self._proofs[digest] = (self._proofs[digest][0], proof)

    def forget(self, name: str, password: str) -> None:
        """Drop the proof, if there is one."""
        with self._lock:
            self._proofs.pop(self._digest(name, password), None)

    def _digest(self, name: str, password: str) -> bytes:
        """Return the keyed hash; the length in front keeps "ab" + "c" and "a" + "bc" apart."""
        encoded = name.encode()
        return hmac.digest(self._key, len(encoded).to_bytes(4, "big") + encoded + password.encode(), "sha256")
