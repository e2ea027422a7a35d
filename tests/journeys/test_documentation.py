"""The documentation says what is true: pages from code are current, links lead somewhere, commands work."""

import importlib.util
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
NAMED_MODULE = re.compile(r"`((?:application|domain|formats|adapters|wire|client)/[\w/]+\.py|bootstrap\.py|settings\.py)`")


def print_pages() -> dict[str, str]:
    """Return the reference pages as the code would print them now."""
    spec = importlib.util.spec_from_file_location("print_reference", REPOSITORY / "scripts" / "print_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pages: dict[str, str] = module.list_pages()
    return pages


@pytest.mark.parametrize(
    "name", ["settings.md", "command-line.md", "rest-api.md", "errors.md", "world.schema.json", "templates.schema.json"]
)
def test_a_reference_page_is_what_the_code_prints(name: str) -> None:
    page = REPOSITORY / "docs" / "reference" / name
    assert page.read_text("utf-8") == print_pages()[name], "run: make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_to_files_that_exist(page: Path) -> None:
    targets = LINK.findall(page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_modules_that_a_page_names_exist(page: Path) -> None:
    named = NAMED_MODULE.findall(page.read_text("utf-8"))
    assert [each for each in named if not (REPOSITORY / "src" / "certwright" / each).exists()] == []
