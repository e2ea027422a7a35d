"""What one-time passwords need to be stored. See `ports` for the others."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from certwright.domain.distributed_passwords import DistributedPasswords
from certwright.domain.identities import Caller
from certwright.domain.requests import RequestId


class Passwords(Protocol):
    """One-time passwords of requests. The key of their hashes rests encrypted."""

    def save(self, passwords: DistributedPasswords) -> None:
        """Store *passwords* in place of those of the same request."""

    def find(self, request_id: RequestId) -> DistributedPasswords | None:
        """Return the passwords of the request."""

    def find_locked(self, request_id: RequestId) -> DistributedPasswords | None:
        """Return them; nobody else changes them until this session has ended."""

    def list_expired(self, now: datetime, limit: int) -> tuple[DistributedPasswords, ...]:
        """Return those of open requests that have expired, were not used, and of which that is not marked; oldest first."""

    def mark_expired(self, request_id: RequestId, now: datetime) -> bool:
        """Mark that they have expired, and return whether that is so, and was not marked before."""


class PasswordHasher(Protocol):
    """A slow, salted password hash."""

    def hash(self, password: str) -> str: ...

    def is_match(self, password: str, password_hash: str) -> bool: ...

    def burn(self, password: str) -> None:
        """Take as long as `is_match`, for accounts that do not exist."""


@dataclass(frozen=True, slots=True)
class ExchangedHashes:
    """Shape: *current* is the stored hash that the current password fits; *new* is a hash of the new one, not stored yet."""

    current: str
    new: str


class OwnPasswords(Protocol):
    """What users prove before they change their password."""

    def exchange(self, by: Caller, current: str, new: str) -> ExchangedHashes:
        """Return both hashes, after *current* was found to be the caller's password. It takes long.

        Errors: CurrentPasswordWrong; SignInThrottled, by the same counts as at sign-in, and while another exchange lasts.
        """
