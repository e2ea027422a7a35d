"""The server's side: an authority whose signatures are made by processes of their own."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import structlog
from msgspec import MsgspecError

from certwright.adapters.authorities.embedded import EmbeddedAuthority
from certwright.adapters.signers.channel import Channel, Charge, Errand, Outcome
from certwright.domain.errors import KeyUnavailable, SignerUnavailable
from certwright.domain.issuing import Cleared, Issuer, Signed, SigningOrder
from certwright.domain.ports import Turns
from certwright.domain.profile_templates import ResponseForm
from certwright.domain.public_keys import HashAlgorithm, KeyAlgorithm, PublicKey

PROGRAM = (sys.executable, "-P", "-m", "certwright.adapters.signers.signer")
ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
"""What of the server's environment a signer gets: the passphrase of the keys may be in the rest."""
PATIENCE_SECONDS = 60
"""How long an errand may take before its signer is taken for dead; thousands of signatures are made in that time."""
SIGNERS_BY_RSA_BITS = {2048: 2, 3072: 3, 4096: 4}
"""No more of them than there are processors. Each takes about 18 MiB of memory, and the server waits while they sign."""

log = structlog.get_logger(__name__)


def count_signers(key: PublicKey) -> int:
    """Return how many processes sign with *key* while the server serves; with none, it signs by itself."""
    # A signature with a curve is made in less time than it takes to hand it over.
    wanted = SIGNERS_BY_RSA_BITS[key.bits] if key.algorithm is KeyAlgorithm.RSA else 0
    return min(wanted, os.cpu_count() or 1)


class SignerProcess:
    """One signer: started at once, ready when it has imported its modules, and given one errand at a time."""

    def __init__(self, charge: Charge) -> None:
        ours, theirs = socket.socketpair()
        ours.settimeout(PATIENCE_SECONDS)
        self._channel = Channel(ours)
        environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        with theirs:
            # Standard error is the server's: what a signer has to say before it ends by a fault belongs into the same log.
            self._process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own program
                PROGRAM, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, env=environment
            )
        # Where it has ended already, its first errand finds out.
        with suppress(OSError):
            self._channel.send(charge)

    @property
    def pid(self) -> int:
        """Return the number of its process."""
        return self._process.pid

    def send(self, errand: Errand) -> None:
        """Begin the errand; where the signer is gone, `receive` tells."""
        with suppress(OSError):
            self._channel.send(errand)

    def receive(self) -> Outcome | None:
        """Return what became of the errand; None when the signer is gone."""
        with suppress(OSError, MsgspecError):
            return self._channel.receive(Outcome)
        return None

    def end(self) -> None:
        """End the process, and return when it has ended."""
        self._channel.close()
        self._process.kill()
        self._process.wait()


class SignerCrew:
    """Keeps `CertificationAuthority` while it is `at_work`; before and after that the *authority* within signs by itself.

    An errand is shared among *hands* signers. One that ends is replaced and its share is done again, once: signed twice is
    signed alike, or else only the first form is recorded.
    """

    def __init__(self, authority: EmbeddedAuthority, load: Callable[[], Charge], turns: Turns, hands: int) -> None:
        self._authority = authority
        self._load = load
        self._turns = turns
        self._hands = hands
        self._lock = threading.Lock()
        self._signers: list[SignerProcess] = []

    @property
    def issuer(self) -> Issuer:
        """Return what certificates say about this authority."""
        return self._authority.issuer

    @property
    def pids(self) -> list[int]:
        """Return the numbers of the processes that are at work."""
        return [each.pid for each in self._signers]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Have signers while the block runs; none of them is left when it has ended."""
        try:
            for _ in range(self._hands):
                self._signers.append(SignerProcess(self._load()))
            yield
        finally:
            with self._lock:
                for each in self._signers:
                    each.end()
                self._signers.clear()

    def prepare(self, cleared: Cleared) -> bytes:
        """Return the DER TBSCertificate. Errors: NameRefused; DefinitionInvalid."""
        return self._authority.prepare(cleared)

    def respond(self, certificate: bytes, form: ResponseForm, digest: HashAlgorithm) -> bytes:
        """Return the answer for a certificate of before. Errors: KeyUnavailable."""
        return self._authority.respond(certificate, form, digest)

    def sign_each(self, orders: Sequence[SigningOrder]) -> list[Signed]:
        """Return what becomes of each order. Errors: KeyUnavailable; SignerUnavailable when a new signer ended, too."""
        with self._turns.aside(), self._lock:
            hands = min(len(self._signers), len(orders))
            if hands:
                outcomes = self._run([Errand(orders[start::hands]) for start in range(hands)])
        if not hands:
            return self._authority.sign_each(orders)
        shares = [self._get_signed(each) for each in outcomes]
        return [shares[number % hands][number // hands] for number in range(len(orders))]

    def _run(self, errands: Sequence[Errand]) -> list[Outcome | None]:
        """Return what became of each errand, of each a signer's, at the same time."""
        for signer, errand in zip(self._signers, errands, strict=False):
            signer.send(errand)
        # Every answer is waited for, so that none is left to be taken for that of the next errand.
        return [self._signers[place].receive() or self._try_again(place, errand) for place, errand in enumerate(errands)]

    def _try_again(self, place: int, errand: Errand) -> Outcome | None:
        """Put a new signer in the place of one that ended, and return what it makes of the errand."""
        ended = self._signers[place]
        log.error("signer ended", pid=ended.pid)
        ended.end()
        self._signers[place] = SignerProcess(self._load())
        self._signers[place].send(errand)
        return self._signers[place].receive()

    def _get_signed(self, outcome: Outcome | None) -> Sequence[Signed]:
        if outcome is None:
            raise SignerUnavailable(self._authority.key_name)
        if outcome.signed is None:
            raise KeyUnavailable(self._authority.key_name)
        return outcome.signed
