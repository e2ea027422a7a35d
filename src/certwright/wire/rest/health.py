"""GET /health: outside of the API, for whoever watches the server; nobody signs in, and nothing secret is told.

Looking costs a write, so that an answer is kept for a moment, however many ask.
"""

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

LookAtHealth = Callable[[], Health]

_HEADERS = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
_log = structlog.get_logger(__name__)


class HealthDesk:
    """Answers in a thread of its own: a database that hangs keeps nobody's work waiting but that of watchers."""

    def __init__(self, look: LookAtHealth) -> None:
        self._look = look
        self._workers = Workers(1, "health")
        self._kept: Response | None = None
        self._kept_until = 0.0

    async def take(self, method: str) -> Response:
        """Return the answer to a call of the address with *method*."""
        if method not in ("GET", "HEAD"):
            return Response(405, b"", (("Allow", "GET, HEAD"), *_HEADERS))
        return await self._workers.run(self._answer)

    def close(self) -> None:
        """End the thread."""
        self._workers.close()

    def _answer(self) -> Response:
        if self._kept is None or monotonic() >= self._kept_until:
            health = self._look()
            if not health.is_well:
                _log.warning("not well", faults=health.faults)
            self._kept = Response(200 if health.is_well else 503, msgspec.json.encode(describe_health(health)), _HEADERS)
            self._kept_until = monotonic() + KEPT_SECONDS
        return self._kept


def describe_health(health: Health) -> dict[str, Any]:
    """Return the body. Units: seconds, of what is named so."""
    oldest = health.oldest_unsealed
    return {
        "status": "ok" if health.is_well else "failing",
        "faults": list(health.faults),
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
