"""How the package is written, as far as a program can tell."""

import ast
import re
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from architecture.source import MODULES, ROOT, Function, Module, is_only_declared, list_functions, list_public

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "process", "handle", "data", "misc", "shared"}
MODULE_LINES = 400
FUNCTION_LINES = 50
DOCUMENTED = ("domain/", "application/", "formats/")
EDGES = ("wire/", "bootstrap.py", "adapters/sql/group_commit.py")
"""Where a bug must not take the process or the connection with it, or must reach everybody who waits for the outcome."""


def find_all(look: Callable[[Module], Iterator[str]]) -> list[str]:
    return [found for module in MODULES for found in look(module)]


def calls(module: Module) -> Iterator[tuple[str, ast.Call]]:
    return ((ast.unparse(each.func), each) for each in ast.walk(module.syntax) if isinstance(each, ast.Call))


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 40


# -- size and names --------------------------------------------------------------------------------------------------------


def test_no_module_is_longer_than_one_can_read_in_one_go() -> None:
    assert [each.place for each in MODULES if len(each.text.splitlines()) > MODULE_LINES] == []


def test_no_function_is_longer_than_a_screen() -> None:
    def look(module: Module) -> Iterator[str]:
        for each in list_functions(module):
            length = (each.end_lineno or each.lineno) - each.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{module.line(each)} {each.name}"

    assert find_all(look) == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    parts = {part.removesuffix(".py").strip("_"): each.place for each in MODULES for part in each.place.split("/")}
    assert {name: place for name, place in parts.items() if name in VAGUE_NAMES} == {}


def test_what_was_counted_is_one_thing_or_several() -> None:
    """`count_of` finds the word: one message was sent, two messages were."""

    def look(module: Module) -> Iterator[str]:
        for text in module.walk(ast.JoinedStr):
            assert isinstance(text, ast.JoinedStr)
            for number, words in pairwise(text.values):
                if isinstance(number, ast.FormattedValue) and isinstance(words, ast.Constant):
                    is_counted = re.search(r"\blen\(|^count$", ast.unparse(number.value).partition("count_of")[0])
                    if is_counted and re.match(r" \w+s\b", str(words.value)):
                        yield module.line(text)

    assert find_all(look) == []


@pytest.mark.parametrize(
    ("verb", "wanted"),
    [("check", r"None"), ("is", r"bool|TypeGuard.*|TypeIs.*"), ("has", r"bool")],
)
def test_a_functions_verb_tells_what_comes_back(verb: str, wanted: str) -> None:
    def look(module: Module) -> Iterator[str]:
        for each in list_functions(module):
            returned = ast.unparse(each.returns) if each.returns else ""
            if re.match(rf"_?{verb}_", each.name) and not re.fullmatch(wanted, returned):
                yield f"{module.line(each)} {each.name} -> {returned}"

    assert find_all(look) == []


# -- docstrings ------------------------------------------------------------------------------------------------------------


def test_every_module_says_what_it_is_for() -> None:
    silent = [each.place for each in MODULES if each.text.strip() and ast.get_docstring(each.syntax) is None]
    assert silent == []


def test_every_public_name_of_the_core_has_a_docstring() -> None:
    def look(module: Module) -> Iterator[str]:
        if not module.place.startswith(DOCUMENTED):
            return
        for each in list_public(module.syntax):
            spoken_for = isinstance(each, Function) and is_only_declared(each)
            if ast.get_docstring(each) is None and not spoken_for:
                yield f"{module.line(each)} {each.name}"

    assert find_all(look) == []


def test_public_functions_of_the_core_that_raise_say_so() -> None:
    def look(module: Module) -> Iterator[str]:
        for each in list_public(module.syntax) if module.place.startswith(DOCUMENTED) else ():
            raises = any(isinstance(node, ast.Raise) and node.exc is not None for node in ast.walk(each))
            if (
                isinstance(each, Function)
                and raises
                and not re.search(r"rais|error|refus", ast.get_docstring(each) or "", re.IGNORECASE)
            ):
                yield f"{module.line(each)} {each.name}"

    assert find_all(look) == []


def test_formats_and_rules_name_their_sources() -> None:
    places = [each for each in MODULES if each.place.startswith("domain/rules/") and not each.place.endswith("__init__.py")]
    assert [each.place for each in places if "Source:" not in each.text] == []


# -- what must not be there ------------------------------------------------------------------------------------------------


def test_the_package_asserts_nothing() -> None:
    assert find_all(lambda module: (module.line(each) for each in module.walk(ast.Assert))) == []


def test_only_the_command_line_prints() -> None:
    def look(module: Module) -> Iterator[str]:
        return (
            module.line(call) for name, call in calls(module) if name == "print" and not module.place.startswith("wire/cli/")
        )

    assert find_all(look) == []


def test_every_time_knows_its_zone() -> None:
    naive = re.compile(r"(?:.*\.)?(?:datetime\.(?:utcnow|utcfromtimestamp|today)|date\.today)")
    needs_zone = re.compile(r"(?:.*\.)?datetime\.(?:now|fromtimestamp)")

    def look(module: Module) -> Iterator[str]:
        for name, call in calls(module):
            arguments = len(call.args) + len(call.keywords) - name.endswith("fromtimestamp")
            if naive.fullmatch(name) or (needs_zone.fullmatch(name) and arguments < 1):
                yield module.line(call)

    assert find_all(look) == []


def test_nothing_is_left_to_be_done_in_a_comment() -> None:
    mark = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("src", "tests", "benchmarks", "docs")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".md", ".toml"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if mark.search(line)
    ]
    assert found == []


def test_imports_stand_at_the_top() -> None:
    def look(module: Module) -> Iterator[str]:
        for function in list_functions(module):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield module.line(node)

    assert find_all(look) == []


def test_everything_is_caught_at_the_edges_only_and_with_a_reason() -> None:
    def look(module: Module) -> Iterator[str]:
        lines = module.text.splitlines()
        for each in ast.walk(module.syntax):
            if isinstance(each, ast.ExceptHandler) and catches_everything(each) and not ends_in_raising(each):
                near = lines[each.lineno - 2 : each.lineno + 1]
                if not (module.place.startswith(EDGES) and any("#" in line for line in near)):
                    yield module.line(each)

    assert find_all(look) == []


def catches_everything(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or bool(re.search(r"\b(?:Base)?Exception\b", ast.unparse(handler.type)))


def ends_in_raising(handler: ast.ExceptHandler) -> bool:
    """Return whether the handler only tidies up: what it caught, or what it made of it, goes on."""
    return isinstance(handler.body[-1], ast.Raise)


def test_no_test_patches_our_own_code() -> None:
    patching = re.compile(r"unittest\.mo" + r"ck|monkey" + r"patch\.setattr|import mo" + r"ck")
    found = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if patching.search(path.read_text("utf-8"))
    ]
    assert found == []
