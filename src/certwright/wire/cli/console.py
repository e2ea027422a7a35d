"""What people see: sentences, progress, tables; and the same for programs, as JSON.

Colours only on a terminal; results on stdout, progress and remarks on stderr. Text that came from elsewhere cannot steer the
terminal: what is not printable is shown as an escape.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Rows:
    """A table. Shape: each of *rows* has a cell for each of *headers*; the first one is never broken."""

    headers: Sequence[str]
    rows: Sequence[Sequence[object]]


class Fault(str):
    """A line that says what is wrong; red on a terminal."""

    __slots__ = ()


class Doubt(str):
    """A line that says what is not known, or to be looked at; yellow on a terminal."""

    __slots__ = ()


def make_console(*, stderr: bool = False) -> Console:
    """Return a console that leaves texts as they are: no markup, no highlighting, no wrapping away from a terminal."""
    return Console(stderr=stderr, highlight=False, markup=False, soft_wrap=True)


def show_result(value: object, text: Iterable[str] | Rows, *, as_json: bool, remark: str = "") -> None:
    """Show what a command found: *value* as JSON, or *text* for people, and then *remark* on stderr."""
    if as_json:
        click.echo(json.dumps(value))
        return
    if isinstance(text, Rows):
        _show_rows(text)
    else:
        console = make_console()
        for line in text:
            style = "red" if isinstance(line, Fault) else "yellow" if isinstance(line, Doubt) else None
            console.print(escape(line), style=style)
    if remark:
        make_console(stderr=True).print(escape(remark))


def tell_moment(text: str | None) -> str:
    """Return a moment of JSON as people read it in a list."""
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}" if text else ""


def escape(text: str) -> str:
    """Return *text* with what would steer a terminal as escapes; line ends stay."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode() for each in text)


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


@contextmanager
def show_waiting(title: str) -> Iterator[None]:
    """Show on a terminal that something is being done that takes a while; elsewhere nothing."""
    console = make_console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(f"{title} ..."):
        yield


def _show_rows(shown: Rows) -> None:
    """Print a table that fits the terminal: a cell that is too wide goes on below. Elsewhere each row is a line."""
    cells = [[escape("" if each is None else str(each)) for each in row] for row in shown.rows]
    console = make_console()
    if not cells:
        return
    if not console.is_terminal:
        for line in _align([list(shown.headers), *cells]):
            click.echo(line)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for number, header in enumerate(shown.headers):
        table.add_column(Text(header), no_wrap=number == 0, overflow="fold")
    for row in cells:
        table.add_row(*(Text(each) for each in row))
    console.print(table, soft_wrap=False)


def _align(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    # A line end in a cell would begin another row.
    lines = [[cell.replace("\n", "\\n") for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for cells in lines:
        yield "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True)).rstrip()
