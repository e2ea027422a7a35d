"""The one-time passwords of a request after they were handed out: their hashes, and what became of them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from certwright.domain.requests import RequestId


class PasswordState(StrEnum):
    """What the passwords of a request are worth; computed, never stored."""

    NOT_DISTRIBUTED = "not distributed"
    WAITING = "waiting"
    USED = "used"
    EXHAUSTED = "exhausted"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributedPasswords:
    """All passwords of one request. Shape: *digests* are made under *key*, see `one_time_passwords.digest_of`."""

    request_id: RequestId
    key: bytes = field(repr=False)
    digests: tuple[bytes, ...] = field(repr=False)
    distributed: datetime
    expires: datetime
    tries_left: int
    used: datetime | None = None

    def state(self, now: datetime) -> PasswordState:
        """Return what the passwords are worth at *now*."""
        if self.used is not None:
            return PasswordState.USED
        if self.tries_left <= 0:
            return PasswordState.EXHAUSTED
        return PasswordState.EXPIRED if self.expires <= now else PasswordState.WAITING
