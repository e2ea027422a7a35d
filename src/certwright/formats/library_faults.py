"""Panics of the library, which pass by every ``except Exception``.

A panic of Rust comes as an exception that is none of Python's usual ones, so that it would end a thread or a process; found
by fuzzing in the reader of encrypted PEM keys. For whoever reads other people's bytes it is one more way to say that they
are damaged.
"""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def panics_as_faults() -> Iterator[None]:
    """Run the body, and raise ValueError where the library panics in it."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError("the library cannot read this") from error
