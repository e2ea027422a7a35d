"""GET /health: outside of the API, for monitoring; without sign-in, and without anything secret.

A look writes to the database, so that its answer is kept for a moment, whatever the number of callers.
"""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any

import msgspec
import structlog

from certwright.domain.health import Health
from certwright.domain.sealing import format_time
from certwright.wire.rest.asgi import Response
from certwright.wire.rest.workers import Workers

HEALTH = "/health"
KEPT_SECONDS = 2.0
LOOK_SECONDS = 5.0
"""How long a caller waits for a look before the answer is that it takes so long."""

LookAtHealth = Callable[[], Health]

_HEADERS = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
_log = structlog.get_logger(__name__)


class HealthDesk:
    """Answers from one thread of its own, within a bounded time, so that a database that hangs delays only this address."""

    def __init__(self, look: LookAtHealth, look_seconds: float = LOOK_SECONDS) -> None:
        self._look = look
        self._look_seconds = look_seconds
        self._workers = Workers(1, "health")
        self._under_way: asyncio.Future[Response] | None = None
        self._kept: Response | None = None
        self._kept_until = 0.0

    async def take(self, method: str) -> Response:
        """Return the answer to a call of the address with *method*."""
        if method not in ("GET", "HEAD"):
            return Response(405, b"", (("Allow", "GET, HEAD"), *_HEADERS))
        if self._kept is not None and monotonic() < self._kept_until:
            return self._kept
        if self._under_way is None:
            self._under_way = asyncio.ensure_future(self._workers.run(self._answer))
            self._under_way.add_done_callback(self._note_end)
        try:
            return await asyncio.wait_for(asyncio.shield(self._under_way), self._look_seconds)
        except TimeoutError:
            # The look goes on. A frozen process may have the lock of the database, or the network may lose what is sent to it.
            fault = f"store: it did not answer within {self._look_seconds:g} seconds"
            return _respond(Health(faults=(fault,), is_writable=False))

    def close(self) -> None:
        """End the thread."""
        self._workers.close()

    def _note_end(self, look: asyncio.Future[Response]) -> None:
        self._under_way = None
        if not look.cancelled() and look.exception() is not None:
            _log.error("health not found", exc_info=look.exception())

    def _answer(self) -> Response:
        health = self._look()
        if not health.is_well:
            _log.warning("not well", faults=health.faults)
        self._kept, self._kept_until = _respond(health), monotonic() + KEPT_SECONDS
        return self._kept


def _respond(health: Health) -> Response:
    return Response(200 if health.is_well else 503, msgspec.json.encode(describe_health(health)), _HEADERS)


def describe_health(health: Health) -> dict[str, Any]:
    """Return the body. Units: seconds, of what is named so."""
    oldest = health.oldest_unsealed
    return {
        "status": "ok" if health.is_well else "failing",
        "faults": list(health.faults),
        "warnings": list(health.warnings),
        "store": {"writable": health.is_writable},
        "history": {
            "sealed_until": health.sealed_until,
            "sealed_at": None if health.sealed_at is None else format_time(health.sealed_at),
            "unsealed": health.unsealed,
            "oldest_unsealed_seconds": None if oldest is None else round(oldest.total_seconds(), 1),
        },
        "checkpoints": {"until": health.checkpointed_until},
        "leases": {name: {"age_seconds": round(age.total_seconds(), 1)} for name, age in health.leases},
    }
