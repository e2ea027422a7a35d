"""What commands show: for people on a terminal, for programs that read lines, and for programs that read JSON."""

import json
import os
import pty
import subprocess
import sys

import pytest

from certwright.domain.counts import count_of
from certwright.wire.cli.console import Rows, escape, show_result
from certwright.wire.cli.phrases import tell_approvals

ROW = ("8d1f0c56-6a4c-4f5e-9f57-0c6a3b6d27c2", "active", "CORP\\alice", "A comment of some length that goes on and on")
SHOWN = Rows(("Card", "Status", "User", "Comment"), [ROW])
ON_TERMINAL = f"""
from certwright.wire.cli.console import Rows, show_result
show_result(None, Rows(("Card", "Status", "User", "Comment"), [{ROW!r}]), as_json=False)
"""


def see_on_terminal(columns: int) -> str:
    ours, theirs = pty.openpty()
    variables = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    process = subprocess.Popen([sys.executable, "-c", ON_TERMINAL], stdout=theirs, env=variables)
    os.close(theirs)
    seen = bytearray()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        while True:
            try:
                piece = screen.read(65_536)
            except OSError:
                # Linux: the other end of a terminal was closed.
                break
            if not piece:
                break
            seen += piece
    assert process.wait(120) == 0
    return seen.decode()


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_a_table_fits_the_terminal_and_loses_nothing(columns: int) -> None:
    seen = see_on_terminal(columns)
    lines = seen.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    assert max(len(each.rstrip()) for each in lines) <= columns
    assert ROW[0] in seen
    words = "".join(each[len(ROW[0]) :] for each in lines)
    assert [each for each in ROW[3].split() if each not in words] == []


def test_away_from_a_terminal_each_row_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_result(None, Rows(SHOWN.headers, [ROW, ("x", "", "", "two\nlines")]), as_json=False)
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == list(SHOWN.headers)
    assert first.startswith(f"{ROW[0]}  active  CORP\\alice  A comment")
    assert first.endswith("on and on")
    assert second.endswith("two\\nlines")


def test_the_same_is_shown_as_json_and_remarks_are_not_among_it(capsys: pytest.CaptureFixture[str]) -> None:
    show_result([{"card": ROW[0]}], SHOWN, as_json=True, remark="1 card.")
    shown = capsys.readouterr()
    assert json.loads(shown.out) == [{"card": ROW[0]}]
    assert shown.err == ""
    show_result([{"card": ROW[0]}], SHOWN, as_json=False, remark="1 card.")
    assert capsys.readouterr().err == "1 card.\n"


def test_text_from_elsewhere_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;title\x07 \x1b[2J \u202e"
    show_result(None, [evil], as_json=False, remark=evil)
    show_result(None, Rows(("Comment",), [(evil,)]), as_json=False)
    shown = capsys.readouterr()
    for each in (shown.out, shown.err):
        assert "\\x1b]0;title\\x07" in each
        assert "\x1b" not in each
        assert "\u202e" not in each
    assert escape("Zoë, 张\nnext") == "Zoë, 张\nnext"


@pytest.mark.parametrize(("told", "count"), [("0 cards", 0), ("1 card", 1), ("2 cards", 2), ("12,345 cards", 12_345)])
def test_counts_are_in_the_singular_where_there_is_one(told: str, count: int) -> None:
    assert count_of(count, "card") == told
    assert count_of(1, "row was", "rows were") == "1 row was"
    assert count_of(2, "row was", "rows were") == "2 rows were"
    assert (tell_approvals(1, 2), tell_approvals(0, 1)) == ("1 of 2 approvals", "0 of 1 approval")
