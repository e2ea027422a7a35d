"""Who calls: from the Authorization header to a caller."""

from collections.abc import Sequence
from dataclasses import dataclass

from certwright.domain.bounded_events import format_for_display
from certwright.domain.errors import CredentialsMissing, SchemeNotOffered, SignInThrottled
from certwright.domain.identities import Caller
from certwright.domain.ports import SignIn
from certwright.wire.rest.workers import Workers

WAITING_LIMIT = 64
"""More people than this who wait for a password hash are told to come again: guessers must not fill the memory."""
RETRY_SECONDS = 5
THREADS = 2


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the Authorization header says. Shape: *source* is the address of the client."""

    scheme: str
    secret: str
    source: str


ANONYMOUS = Credentials("", "", "")


def parse_authorization(header: str | None, source: str) -> Credentials:
    """Return what the header says. Errors: CredentialsMissing. Source: RFC 9110 section 11.4."""
    scheme, _, secret = (header or "").strip().partition(" ")
    if not scheme:
        raise CredentialsMissing
    return Credentials(scheme, secret.strip(), source)


class Reception:
    """Finds out who calls, fast for whom it knows; slow checks have threads of their own and hold up nobody else."""

    def __init__(self, sign_ins: Sequence[SignIn]) -> None:
        self._sign_ins = tuple(sign_ins)
        names = [each.challenge.partition(" ")[0] for each in self._sign_ins]
        self._schemes = {name.lower(): name for name in names}
        self._workers = Workers(THREADS, "sign-in")
        self._waiting = 0

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
        """Return the caller. Errors: CredentialsMissing when nobody knows the scheme; CredentialsRejected; SignInThrottled."""
        if self._waiting >= WAITING_LIMIT:
            raise SignInThrottled(RETRY_SECONDS)
        self._waiting += 1
        try:
            return await self._workers.run(lambda: self._authenticate(credentials))
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the threads."""
        self._workers.close()

    def _authenticate(self, credentials: Credentials) -> Caller:
        for each in self._sign_ins:
            caller = each.authenticate(credentials.scheme, credentials.secret, credentials.source)
            if caller is not None:
                return caller
        raise CredentialsMissing
