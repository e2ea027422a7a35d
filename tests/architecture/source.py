"""The package's source, read and parsed but never imported, for tests that look at how it is written."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "src" / "certwright"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file; *place* is its path below the package, with slashes."""

    place: str
    text: str

    @cached_property
    def syntax(self) -> ast.Module:
        """Return the parsed text."""
        return ast.parse(self.text)

    def walk(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        """Return every node of these kinds."""
        return (each for each in ast.walk(self.syntax) if isinstance(each, kinds))

    def line(self, node: ast.AST) -> str:
        """Return where *node* stands, as an editor finds it."""
        return f"{self.place}:{getattr(node, 'lineno', 1)}"


MODULES = tuple(
    Module(str(path.relative_to(PACKAGE)), path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))
)


def list_functions(module: Module) -> Iterator[Function]:
    """Return every function and method."""
    return (each for each in ast.walk(module.syntax) if isinstance(each, Function))


def list_public(node: ast.Module | ast.ClassDef) -> Iterator[ast.ClassDef | Function]:
    """Return the public classes and functions of a module, and those within its public classes."""
    for each in node.body:
        if isinstance(each, ast.ClassDef | Function) and not each.name.startswith("_"):
            yield each
            if isinstance(each, ast.ClassDef):
                yield from list_public(each)


def is_only_declared(function: Function) -> bool:
    """Return whether the body is no more than dots, as in a protocol."""
    return all(isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) for each in function.body)
