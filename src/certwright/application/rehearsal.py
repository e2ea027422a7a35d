"""Do work in a transaction that is rolled back: what it would change is known, and nothing was changed."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from certwright.application.world import World
from certwright.domain.ports import Session

Result = TypeVar("Result")


class _RolledBackError(Exception):
    """Ends a rehearsal."""


def rehearse(work: Callable[[Session], Result], world: World) -> Result:
    """Return what *work* returns; nothing of what it stores stays. Errors: those of *work*."""
    results: list[Result] = []
    with suppress(_RolledBackError), world.store.writing() as session:
        results.append(work(session))
        raise _RolledBackError
    return results[0]
