"""Private keys for people, made ahead where there are some."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import structlog

from certwright.domain.errors import KeyUnavailable, KeyVersionUnavailable
from certwright.domain.key_ports import KeyMaker, KeySafe, name_pool_kind
from certwright.domain.keys import PrivateKey
from certwright.domain.ports import Store
from certwright.domain.profile_templates import KeySpecification

LOWEST_PRIORITY = 19

log = structlog.get_logger(__name__)


class PooledKeyMaker:
    """Keeps the port `KeyMaker`: takes keys of *kinds* from the pool, and lets *maker* make what the pool has not."""

    def __init__(self, store: Store, safe: KeySafe, maker: KeyMaker, kinds: frozenset[str]) -> None:
        self._store = store
        self._safe = safe
        self._maker = maker
        self._kinds = kinds

    def make(self, specification: KeySpecification) -> PrivateKey:
        """Return a key that nobody has had before. Errors: as those of the maker."""
        taken = self._take(name_pool_kind(specification))
        return taken if taken is not None else self._maker.make(specification)

    def _take(self, kind: str) -> PrivateKey | None:
        if kind not in self._kinds:
            return None
        # Gone from the pool for good before anybody sees it: a crash from here on wastes a key, and gives none away twice.
        with self._store.writing() as session:
            sealed = session.key_pool.take(kind)
        if sealed is None:
            return None
        try:
            return self._safe.open(sealed)
        except (KeyUnavailable, KeyVersionUnavailable) as fault:
            log.warning("pooled key not used", error=str(fault))
            return None


class IdleKeyMaker:
    """Keeps the port `KeyMaker` with a thread of the lowest priority: keys are made when processors have nothing else to do."""

    def __init__(self, maker: KeyMaker) -> None:
        self._maker = maker

    def make(self, specification: KeySpecification) -> PrivateKey:
        """Return a new key. Errors: as those of the maker."""
        # A thread cannot raise its priority again, so it is one that ends.
        with ThreadPoolExecutor(1, "key-maker", initializer=_step_back) as thread:
            return thread.submit(self._maker.make, specification).result()


def _step_back() -> None:
    """Give this thread the lowest priority, where the system has one for each."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST_PRIORITY)
