"""Lists as spreadsheets save them: comma-separated, or with the separators that spreadsheets take in other countries.

Source: RFC 4180; separators other than commas, and the line ``sep=``, are Microsoft Excel's.
"""

import csv
import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from certwright.domain.counts import count_of
from certwright.domain.errors import MalformedValue, Refused, check_none_broken
from certwright.formats.text_files import describe_fault

_SEPARATORS = (",", ";", "\t")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
_SHORTENED_NUMBER = re.compile(r"[0-9][.,][0-9]+e\+[0-9]+", re.IGNORECASE)
"""What is left of a long number that a spreadsheet took for one: digits are lost, and cannot be put back."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row. Shape: *line* is where it ends in the file; *cells* are by column, without blanks around."""

    line: int
    cells: dict[str, str]


def parse_sheet(text: str, name: str, columns: Sequence[str], required: Collection[str]) -> tuple[SheetRow, ...]:
    """Return the rows of *text*, whose first line names some of *columns*, all of *required* among them, in any order and case.

    Shape: *name* is what faults call the file. Rows without any text are left out.
    Errors: MalformedValue, as RulesBroken for several, which name line and column. Source: see the module.
    """
    wanted = f"a list with the columns {', '.join(columns)}"
    stated = _SEPARATOR_LINE.match(text)
    skipped = 1 if stated else 0
    text = text[stated.end() :] if stated else text
    head = text.partition("\n")[0]
    separator = stated[1] if stated else max(_SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    faults: list[Refused] = []
    rows: list[SheetRow] = []
    names: list[str] | None = None
    try:
        for cells in reader:
            line = reader.line_num + skipped
            stripped = [each.strip() for each in cells]
            if not any(stripped):
                continue
            if names is None:
                names = _read_names(stripped, name, line, columns, required)
                continue
            faults += _list_faults(stripped, names, name, line)
            rows.append(SheetRow(line, dict(zip(names, stripped, strict=False))))
    except csv.Error as error:
        raise describe_fault(name, reader.line_num + skipped, wanted, f"it cannot be split into cells: {error}") from error
    if names is None:
        raise describe_fault(name, 1, wanted, "the file is empty")
    check_none_broken(faults)
    return tuple(rows)


def _read_names(cells: list[str], name: str, line: int, columns: Sequence[str], required: Collection[str]) -> list[str]:
    names = [each.lower() for each in cells]
    missing = [each for each in required if each not in names]
    unknown = [each for each in names if each not in columns]
    if not missing and not unknown and len(set(names)) == len(names):
        return names
    wanted = f"its first line has to name {', '.join(required)}, and else only {', '.join(columns)}, each once"
    found = f", but names {', '.join(repr(each[:40]) for each in names[:20])}"
    raise MalformedValue(f"{name}, line {line}", f"{wanted}{found}")


def _list_faults(cells: list[str], names: list[str], name: str, line: int) -> list[Refused]:
    """Return what is wrong with a row. No cell is repeated: it may be a key."""
    faults: list[Refused] = []
    if len(cells) > len(names):
        detail = f"it has {count_of(len(cells), 'cell')}, but the first line names {count_of(len(names), 'column')}"
        faults.append(MalformedValue(f"{name}, line {line}", detail))
    for column, cell in zip(names, cells, strict=False):
        if _SHORTENED_NUMBER.fullmatch(cell):
            detail = (
                "a spreadsheet has shortened this to a number with fewer digits: format the column as text, and enter it again"
            )
            faults.append(MalformedValue(f"{name}, line {line}, column {column}", detail))
    return faults
