"""Whether work grows with the length of its input alone."""

from collections.abc import Callable
from time import thread_time
from typing import TypeVar

Input = TypeVar("Input", bytes, str)

SHORT, FACTOR = 2_000, 16
TIMES = 5


def find_growth(work: Callable[[Input], object], make: Callable[[int], Input]) -> float:
    """Return how much more processor time *work* takes for an input that is sixteen times as long.

    About 16 where it is linear, 256 where it is quadratic. Other processes are not counted, and the best of several times is
    taken for each length.
    """
    short, long = make(SHORT), make(SHORT * FACTOR)
    return _measure(work, long) / _measure(lambda each: [work(each) for _ in range(FACTOR)], short) * FACTOR


def _measure(work: Callable[[Input], object], given: Input) -> float:
    times = []
    for _ in range(TIMES):
        begun = thread_time()
        work(given)
        times.append(thread_time() - begun)
    return max(min(times), 1e-9)
