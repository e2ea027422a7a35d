"""Make guessing slow: each failure makes the next attempt wait longer."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from threading import Lock

from certwright.domain.client_sources import group_source
from certwright.domain.errors import SignInThrottled
from certwright.domain.ports import Clock

ANYWHERE, ANYWHERE_FAMILIAR = "", "familiar"
"""The sources under which an account's failures are counted together: those from familiar sources apart from all others."""


@dataclass(frozen=True, slots=True)
class Limit:
    """After *free_failures* each failure doubles the delay, from one second up to *longest*."""

    free_failures: int
    longest: timedelta

    def delay(self, failures: int) -> timedelta:
        """Return how long the attempt after *failures* failures has to wait."""
        if failures <= self.free_failures:
            return timedelta()
        return min(timedelta(seconds=2 ** min(failures - self.free_failures - 1, 30)), self.longest)


@dataclass(slots=True)
class _Record:
    failures: int
    last: datetime
    until: datetime


FROM_ONE_SOURCE = Limit(free_failures=3, longest=timedelta(minutes=5))
FROM_EVERYWHERE = Limit(free_failures=20, longest=timedelta(seconds=30))
"""Kept short: whoever fails on purpose in somebody else's name must not lock him out for long."""


class Throttle:
    """Counts failures an account and source, and an account from all sources together.

    Memory is bounded: the *capacity* most recent records are kept under digests, and none longer than *lifetime*. A source from
    which anybody has signed in before is familiar, and not bound by what comes from sources that are not. That depends on the
    source alone: if it depended on the account as well, the answer would say which accounts have signed in from there.
    """

    def __init__(self, clock: Clock, *, capacity: int = 40_000, lifetime: timedelta = timedelta(minutes=15)) -> None:
        self._clock = clock
        self._capacity = capacity
        self._lifetime = lifetime
        self._records: OrderedDict[bytes, _Record] = OrderedDict()
        self._familiar: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def check(self, account: str, source: str) -> None:
        """Raise while the account has to wait. Errors: SignInThrottled."""
        now = self._clock.now()
        with self._lock:
            keys = [_digest(account, source), self._digest_anywhere(account, source)]
            waits = [each.until - now for key in keys if (each := self._find(key, now)) is not None]
        longest = max(waits, default=timedelta())
        if longest > timedelta():
            raise SignInThrottled(retry_after_seconds=int(longest.total_seconds()) + 1)

    def note_failure(self, account: str, source: str) -> None:
        """Count a failed attempt."""
        now = self._clock.now()
        with self._lock:
            self._count(_digest(account, source), FROM_ONE_SOURCE, now)
            self._count(self._digest_anywhere(account, source), FROM_EVERYWHERE, now)

    def note_success(self, account: str, source: str) -> None:
        """Forget the failures of this account and source; those from elsewhere stay, or guessers would gain from it."""
        here = group_source(source)
        with self._lock:
            self._records.pop(_digest(account, source), None)
            self._familiar[here] = None
            self._familiar.move_to_end(here)
            while len(self._familiar) > self._capacity:
                self._familiar.popitem(last=False)

    def _digest_anywhere(self, account: str, source: str) -> bytes:
        """Return the key of what counts together with *source*."""
        return _digest(account, ANYWHERE_FAMILIAR if group_source(source) in self._familiar else ANYWHERE)

    def _find(self, key: bytes, now: datetime) -> _Record | None:
        record = self._records.get(key)
        if record is not None and now - record.last > self._lifetime:
            del self._records[key]
            return None
        return record

    def _count(self, key: bytes, limit: Limit, now: datetime) -> None:
        record = self._find(key, now)
        failures = record.failures + 1 if record else 1
        self._records[key] = _Record(failures, now, now + limit.delay(failures))
        self._records.move_to_end(key)
        while len(self._records) > self._capacity:
            self._records.popitem(last=False)


def _digest(account: str, source: str) -> bytes:
    """Return a key of constant size; the length in front keeps "ab" + "c" and "a" + "bc" apart."""
    return blake2b(f"{len(account)} {account}{group_source(source)}".encode(), digest_size=16).digest()
