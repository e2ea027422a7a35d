"""What people see: sentences, progress, tables. Colours only on a terminal; results on stdout, progress on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


def make_console(*, stderr: bool = False) -> Console:
    """Return a console that leaves texts as they are: no markup, no highlighting, no wrapping away from a terminal."""
    return Console(stderr=stderr, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def show_progress(title: str) -> Iterator[Callable[[str], None]]:
    """Return a function that shows what is being done now: a spinner on a terminal, else a line each."""
    console = make_console(stderr=True)
    if not console.is_terminal:
        yield lambda sentence: console.print(f"{sentence} ...")
        return
    with console.status(title) as status:

        def tell(sentence: str) -> None:
            console.print(f"  {sentence}", style="dim")
            status.update(f"{sentence} ...")

        yield tell
