"""Each page with commands has a reader, and each of its blocks is run or stands in a list with its reason."""

import re
from pathlib import Path

import pytest

from worlds.pages import COMMANDS, PASSED_OVER, REPOSITORY, read_blocks

PAGES = (
    *[REPOSITORY / "README.md"],
    *sorted((REPOSITORY / "docs" / "how-to").glob("*.md")),
    *sorted((REPOSITORY / "docs" / "tutorial").glob("*.md")),
)
READ = re.compile(r'\b(?:reading|doing)\(\s*"([^"]+\.md)"')
FENCE_LINE = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)
LANGUAGES = COMMANDS | {"toml", "python", "text", "ini"}
LONGEST_LINE = 140
SHORTEST_REASON = 30


def name_of(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def test_each_page_has_one_reader() -> None:
    """`reading` sees that its reader comes to the end of the page, block by block."""
    tests = (Path(__file__).parent).glob("test_*.py")
    read = [name for test in tests for name in READ.findall(test.read_text("utf-8"))]
    assert sorted(read) == sorted(map(name_of, PAGES))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_fence_of_a_page_is_a_block_that_readers_know(page: Path) -> None:
    blocks = read_blocks(page)
    assert len(FENCE_LINE.findall(page.read_text("utf-8"))) == 2 * len(blocks)
    assert {each.language for each in blocks} <= LANGUAGES


@pytest.mark.parametrize(("page", "says"), PASSED_OVER)
def test_what_is_passed_over_is_one_block_with_a_reason(page: str, says: str) -> None:
    blocks = [each for each in read_blocks(REPOSITORY / page) if each.language in COMMANDS and says in each.text]
    assert len(blocks) == 1
    assert len(PASSED_OVER[page, says]) >= SHORTEST_REASON


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_lines_of_a_page_can_be_read_in_an_editor(page: Path) -> None:
    lines = page.read_text("utf-8").splitlines()
    assert [each for each in lines if len(each) > LONGEST_LINE and not each.startswith("|")] == []
