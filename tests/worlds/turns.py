"""A turn that somebody else has."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from certwright.adapters.turns import SingleTurn

PATIENCE_SECONDS = 120


@contextmanager
def held_by_another(turns: SingleTurn) -> Iterator[Callable[[], None]]:
    """Let another thread have the turn until the block ends, or until the function is called that the block gets."""
    is_held, may_go = Event(), Event()

    def hold() -> None:
        with turns.held():
            is_held.set()
            may_go.wait(PATIENCE_SECONDS)

    thread = Thread(target=hold)
    thread.start()
    try:
        assert is_held.wait(PATIENCE_SECONDS)
        yield may_go.set
    finally:
        may_go.set()
        thread.join(PATIENCE_SECONDS)
