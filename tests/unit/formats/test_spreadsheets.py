"""Lists as spreadsheets save them."""

import pytest

from certwright.domain.errors import MalformedValue, RulesBroken
from certwright.formats.spreadsheets import parse_sheet

COLUMNS = ("card", "atr", "user", "comment")


def read(text: str) -> list[tuple[int, dict[str, str]]]:
    return [(each.line, each.cells) for each in parse_sheet(text, "cards.csv", COLUMNS, ("card",))]


@pytest.mark.parametrize(
    "text",
    [
        "card,user\n1,alice\n",
        "card;user\r\n1;alice\r\n",
        "card\tuser\n1\talice\n",
        "Card ; USER\n1 ; alice\n",
        '"card";"user"\n"1";"alice"\n',
    ],
)
def test_the_separators_of_spreadsheets_are_read(text: str) -> None:
    assert read(text) == [(2, {"card": "1", "user": "alice"})]


def test_a_line_that_names_the_separator_is_followed() -> None:
    assert read("sep=|\ncard|user\n1|alice\n") == [(3, {"card": "1", "user": "alice"})]


def test_empty_rows_are_left_out_and_lines_are_counted_on() -> None:
    assert read("card,user\n,\n\n2,bob\n,,\n"[:-3]) == [(4, {"card": "2", "user": "bob"})]


def test_a_cell_may_have_separators_and_line_ends_in_quotation_marks() -> None:
    assert read('card,comment\n1,"a, b\nc"\n') == [(3, {"card": "1", "comment": "a, b\nc"})]


@pytest.mark.parametrize("number", ["1,23E+15", "1.23E+15", "3.14159e+20"])
def test_a_number_that_a_spreadsheet_has_shortened_is_refused_by_line_and_column(number: str) -> None:
    with pytest.raises(MalformedValue, match=r"cards\.csv, line 3, column atr: a spreadsheet has shortened") as refused:
        read(f'card;atr\n1;3b00\n2;"{number}"\n')
    assert number not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cards.csv, line 1: the file is empty"),
        ("user,atr\nalice,\n", "cards.csv, line 1: its first line has to name card"),
        ("card,colour\n1,red\n", "'colour'"),
        ("card,card\n1,2\n", "each once"),
        ("card,user\n1,alice,more\n", "cards.csv, line 2: it has 3 cells"),
        ('card,user\n1,"alice\n', "cannot be split into cells"),
    ],
)
def test_a_list_of_another_shape_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(MalformedValue) as refused:
        read(text)
    assert words in refused.value.text


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(RulesBroken) as refused:
        read("card,atr\n1,1.5E+10\n2,x,y\n")
    assert len(refused.value.broken) == 2
