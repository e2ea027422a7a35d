"""One way through the house: who may import whom."""

import ast
import sys
from graphlib import CycleError, TopologicalSorter

import grimp
import pytest
from importlinter.cli import lint_imports

from architecture.source import MODULES, ROOT, Module

DOMAIN = [each for each in MODULES if each.place.startswith("domain/")]
OUTSIDE_WORLD = {"asyncio", "io", "os", "pathlib", "random", "secrets", "socket", "sqlite3", "subprocess", "threading", "time"}
"""Modules of the standard library through which time, chance and the machine come in."""


def list_imported(module: Module) -> set[str]:
    names = {alias.name for node in ast.walk(module.syntax) if isinstance(node, ast.Import) for alias in node.names}
    froms = {node.module or "" for node in ast.walk(module.syntax) if isinstance(node, ast.ImportFrom)}
    return names | froms


def test_every_contract_of_the_linter_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == 0, capfd.readouterr().out


def test_no_module_imports_itself_through_others() -> None:
    graph = grimp.build_graph("certwright", cache_dir=None)
    edges = {each: graph.find_modules_directly_imported_by(each) for each in graph.modules}
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as ring:
        pytest.fail(" -> ".join(ring.args[1]))


@pytest.mark.parametrize("module", DOMAIN, ids=lambda each: each.place)
def test_the_domain_imports_itself_and_the_pure_part_of_the_standard_library(module: Module) -> None:
    imported = {each for each in list_imported(module) if not each.startswith("certwright.domain")}
    tops = {each.partition(".")[0] for each in imported}
    assert tops <= set(sys.stdlib_module_names) - OUTSIDE_WORLD


def test_only_the_bootstrap_and_the_command_line_know_both_wire_and_adapters() -> None:
    both = [
        each.place
        for each in MODULES
        if any(name.startswith("certwright.adapters") for name in list_imported(each))
        and any(name.startswith("certwright.wire") for name in list_imported(each))
    ]
    assert [each for each in both if each != "bootstrap.py" and not each.startswith("wire/cli/")] == []
