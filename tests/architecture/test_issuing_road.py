"""Only what was cleared is signed, and only `clear` clears."""

import ast

from architecture.source import MODULES

CLEARING = "domain/issuing.py"


def list_constructions() -> list[str]:
    return [
        module.line(node)
        for module in MODULES
        for node in ast.walk(module.syntax)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Cleared"
    ]


def test_cleared_is_made_in_one_place_only() -> None:
    (place,) = list_constructions()
    assert place.startswith(f"{CLEARING}:")


def test_that_place_is_the_function_that_asks_every_rule() -> None:
    (module,) = (each for each in MODULES if each.place == CLEARING)
    (clear,) = (each for each in module.syntax.body if isinstance(each, ast.FunctionDef) and each.name == "clear")
    assert any(isinstance(node, ast.Call) and ast.unparse(node.func) == "Cleared" for node in ast.walk(clear))


def test_nobody_replaces_the_draft_of_what_was_cleared() -> None:
    passing_it_on = [
        module.line(node)
        for module in MODULES
        for node in ast.walk(module.syntax)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] == "replace"
        and any(keyword.arg == "draft" for keyword in node.keywords)
    ]
    assert passing_it_on == []


def test_nothing_takes_the_class_under_another_name() -> None:
    renamed = [
        module.line(node)
        for module in MODULES
        for node in ast.walk(module.syntax)
        if isinstance(node, ast.alias) and node.name == "Cleared" and node.asname is not None
    ]
    assert renamed == []
