"""Who calls: from the Authorization header to a caller."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from certwright.domain.bounded_events import format_for_display
from certwright.domain.client_sources import group_source
from certwright.domain.errors import CredentialsMissing, CredentialsRejected, SchemeNotOffered
from certwright.domain.identities import Caller
from certwright.domain.ports import SignIn
from certwright.wire.rest.admission import WAITING_LIMIT, KnownSignIns, SignInQueue
from certwright.wire.rest.asgi import NoPlace, Place
from certwright.wire.rest.workers import Workers

THREADS = 2
"""That make password hashes: each takes memory while it lasts."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the Authorization header says.

    Shape: *source* is the address of the client, *connection* is the same on all calls of one connection, and so is *place*.
    """

    scheme: str
    secret: str
    source: str
    connection: str = ""
    place: Place = field(default_factory=NoPlace, compare=False)


ANONYMOUS = Credentials("", "", "")


def parse_authorization(header: str | None, source: str, connection: str = "", place: Place | None = None) -> Credentials:
    """Return what the header says. Errors: CredentialsMissing. Source: RFC 9110 section 11.4."""
    scheme, _, secret = (header or "").strip().partition(" ")
    if not scheme:
        raise CredentialsMissing
    return Credentials(scheme, secret.strip(), source, connection, place or NoPlace())


class Reception:
    """Finds out who calls, fast for whom it knows; slow checks have threads of their own and hold up nobody else."""

    def __init__(self, sign_ins: Sequence[SignIn], waiting_limit: int = WAITING_LIMIT) -> None:
        self._sign_ins = tuple(sign_ins)
        names = [each.challenge.partition(" ")[0] for each in self._sign_ins]
        self._schemes = {name.lower(): name for name in names}
        self._workers = Workers(THREADS, "sign-in")
        self._queue = SignInQueue(THREADS, waiting_limit)
        self._known = KnownSignIns()

    @property
    def challenges(self) -> tuple[str, ...]:
        """Return the WWW-Authenticate values, one a way to sign in."""
        return tuple(each.challenge for each in self._sign_ins)

    def recall(self, credentials: Credentials) -> Caller | None:
        """Return the caller when known already. Errors: SchemeNotOffered; CredentialsRejected; SignInThrottled."""
        if credentials.scheme.lower() not in self._schemes:
            raise SchemeNotOffered(format_for_display(credentials.scheme), " or ".join(self._schemes.values()))
        for each in self._sign_ins:
            caller = each.recall(credentials.scheme, credentials.secret, credentials.source)
            if caller is not None:
                return caller
        return None

    async def authenticate(self, credentials: Credentials) -> Caller:
        """Return the caller, when it is the turn of these credentials.

        Errors: CredentialsMissing when nobody knows the scheme; CredentialsRejected; SignInThrottled; ClientLeft.
        """
        source = group_source(credentials.source)
        lane = self._known.find_lane(credentials.secret, source, credentials.connection)
        waiter = await self._queue.wait(lane, source, credentials.place)
        try:
            caller = await self._workers.run(lambda: self._authenticate(credentials))
        except CredentialsRejected:
            self._known.note_failure(credentials.secret, credentials.connection)
            raise
        finally:
            self._queue.leave(waiter)
        self._known.note_success(credentials.secret, source, credentials.connection)
        credentials.place.note_known(source)
        return caller

    def close(self) -> None:
        """End the threads."""
        self._workers.close()

    def _authenticate(self, credentials: Credentials) -> Caller:
        for each in self._sign_ins:
            caller = each.authenticate(credentials.scheme, credentials.secret, credentials.source)
            if caller is not None:
                return caller
        raise CredentialsMissing
