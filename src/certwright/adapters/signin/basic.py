"""Sign-in with a password, as HTTP Basic."""

import binascii
from base64 import b64decode
from dataclasses import dataclass
from datetime import timedelta
from threading import BoundedSemaphore

from certwright.adapters.signin.failures import FailureHistory
from certwright.adapters.signin.remembered import Proof, RememberedProofs
from certwright.adapters.signin.throttle import Throttle
from certwright.domain.account_names import find_named, fold_account_name
from certwright.domain.directory_ports import Directory
from certwright.domain.errors import CredentialsRejected, CurrentPasswordWrong, SignInThrottled
from certwright.domain.events import EventType
from certwright.domain.identities import Caller, Principal
from certwright.domain.password_ports import ExchangedHashes, PasswordHasher
from certwright.domain.ports import Clock, Entropy, Store

REALM = "Certificate Management"
NAME_LIMIT_CHARACTERS = 1_024
"""The longest user principal name of a directory. Source: rangeUpper of userPrincipalName in Active Directory's schema."""
EXCHANGE_RETRY_SECONDS = 2


@dataclass(frozen=True, slots=True)
class _Claim:
    """Who somebody says he is, and whose account that is, if anybody's."""

    name: str
    password: str
    principal: Principal | None
    password_hash: str | None
    revision: int

    @property
    def account(self) -> str:
        """Return what failures are counted under. Nothing in it depends on whether there is such an account."""
        return fold_account_name(self.name)


class BasicSignIn:
    """Keeps `domain.ports.SignIn` and `domain.password_ports.OwnPasswords`.

    A right password is remembered for as long as *remember* says. Each call still asks the directory for its revision, so
    that a changed password, a disabled account or a changed right counts at once.

    Source: RFC 7617. We differ in nothing, and take UTF-8 only, as the challenge says.
    """

    def __init__(
        self,
        store: Store,
        hasher: PasswordHasher,
        clock: Clock,
        entropy: Entropy,
        *,
        remember: timedelta = timedelta(minutes=5),
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._remembered = RememberedProofs(clock, entropy, lifetime=remember)
        self._throttle = Throttle(clock)
        self._failures = FailureHistory(store, clock)
        self._exchanging = BoundedSemaphore()

    @property
    def challenge(self) -> str:
        """Return the WWW-Authenticate value."""
        return f'Basic realm="{REALM}", charset="UTF-8"'

    def recall(self, scheme: str, credentials: str, source: str) -> Caller | None:
        """Return who it is when that is known without a password hash.

        Errors: CredentialsRejected when they cannot be read; SignInThrottled.
        """
        if scheme.lower() != "basic":
            return None
        name, password = parse_basic_credentials(credentials)
        proof = self._remembered.find(name, password)
        with self._store.reading() as session:
            if proof is not None:
                proof = self._confirm(name, password, proof, session.directory)
            if proof is not None:
                return _admit(proof.principal, source)
            claim = _read_claim(name, password, session.directory)
        self._check_not_throttled(claim, source)
        return None

    def authenticate(self, scheme: str, credentials: str, source: str) -> Caller | None:
        """Return who it is, or None when *scheme* is not Basic.

        Errors: CredentialsRejected; SignInThrottled.
        """
        if scheme.lower() != "basic":
            return None
        # Whoever waited here behind others may have been proven meanwhile by another of his own calls.
        known = self.recall(scheme, credentials, source)
        if known is not None:
            return known
        name, password = parse_basic_credentials(credentials)
        with self._store.reading() as session:
            claim = _read_claim(name, password, session.directory)
        principal = self._prove(claim)
        if principal is None:
            self._throttle.note_failure(claim.account, source)
            self._tell(EventType.SIGN_IN_FAILED, claim, source)
            raise CredentialsRejected
        self._throttle.note_success(claim.account, source)
        return _admit(principal, source)

    def exchange(self, by: Caller, current: str, new: str) -> ExchangedHashes:
        """Return the hash that *current* fits, and one of *new*.

        One exchange at a time: the threads that wait are those that answer everybody's calls.

        Errors: CurrentPasswordWrong; SignInThrottled.
        """
        if not self._exchanging.acquire(blocking=False):
            raise SignInThrottled(EXCHANGE_RETRY_SECONDS)
        try:
            claim = self._read_own_claim(by, current)
            self._check_not_throttled(claim, by.source)
            if claim.password_hash is None or not self._hasher.is_match(current, claim.password_hash):
                self._throttle.note_failure(claim.account, by.source)
                self._tell(EventType.SIGN_IN_FAILED, claim, by.source)
                raise CurrentPasswordWrong
            self._throttle.note_success(claim.account, by.source)
            return ExchangedHashes(claim.password_hash, self._hasher.hash(new))
        finally:
            self._exchanging.release()

    def _read_own_claim(self, by: Caller, password: str) -> _Claim:
        with self._store.reading() as session:
            directory = session.directory
            principal = directory.find_principal(by.user.id)
            password_hash = directory.find_password_hash(by.user.id)
            return _Claim(by.user.nt4_name, password, principal, password_hash, directory.revision())

    def _confirm(self, name: str, password: str, proof: Proof, directory: Directory) -> Proof | None:
        """Return the proof as the directory of this moment has it, or None when it does not hold any more."""
        revision = directory.revision()
        if revision == proof.revision:
            return proof
        # Something in the directory changed, not necessarily this account: looking is cheaper than a password hash.
        claim = _read_claim(name, password, directory)
        if claim.principal is None or not claim.principal.user.enabled or claim.password_hash != proof.password_hash:
            self._remembered.forget(name, password)
            return None
        renewed = Proof(claim.principal, proof.password_hash, revision)
        self._remembered.renew(name, password, renewed)
        return renewed

    def _prove(self, claim: _Claim) -> Principal | None:
        """Return the principal when the password is his; it takes as long to say no as to say yes."""
        if claim.principal is None or claim.password_hash is None:
            self._hasher.burn(claim.password)
            return None
        if not self._hasher.is_match(claim.password, claim.password_hash) or not claim.principal.user.enabled:
            return None
        self._remembered.remember(claim.name, claim.password, Proof(claim.principal, claim.password_hash, claim.revision))
        return claim.principal

    def _check_not_throttled(self, claim: _Claim, source: str) -> None:
        try:
            self._throttle.check(claim.account, source)
        except SignInThrottled:
            self._tell(EventType.SIGN_IN_THROTTLED, claim, source)
            raise

    def _tell(self, event_type: EventType, claim: _Claim, source: str) -> None:
        self._failures.append(event_type, claim.name, source, claim.principal.user.id if claim.principal else None)


def parse_basic_credentials(credentials: str) -> tuple[str, str]:
    """Return name and password.

    Errors: CredentialsRejected. Source: RFC 7617 section 2: the first colon ends the name, control characters are not allowed.
    Names that nobody can have are rejected before anything is looked up or kept.
    """
    try:
        name, colon, password = b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise CredentialsRejected from None
    if not colon or not name or len(name) > NAME_LIMIT_CHARACTERS or not name.isprintable():
        raise CredentialsRejected
    return name, password


def _read_claim(name: str, password: str, directory: Directory) -> _Claim:
    principal = find_named(name, directory)
    password_hash = directory.find_password_hash(principal.user.id) if principal else None
    return _Claim(name, password, principal, password_hash, directory.revision())


def _admit(principal: Principal, source: str) -> Caller:
    return Caller(principal.user, principal.sids, source)
