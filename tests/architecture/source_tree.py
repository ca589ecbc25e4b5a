"""The tree under test: every module of the product with its syntax tree, read once."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("kernel", "matching", "consent", "webhooks", "mdm", "stewardship", "api", "workers", "cli", "sampledata")
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """One source file: its path relative to the root, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.path.split("/")[0]


def _read(folders: tuple[str, ...]) -> tuple[Module, ...]:
    files = sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    texts = [(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")) for file in files]
    return tuple(Module(path, text, ast.parse(text)) for path, text in texts)


@cache
def product_modules() -> tuple[Module, ...]:
    """All modules of the product's packages."""
    return _read(PACKAGES)


@cache
def suite_modules() -> tuple[Module, ...]:
    """All modules below tests/."""
    return _read(("tests",))


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the last part of the called name: `session.commit()` gives `commit`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Attribute(attr=name) | ast.Name(id=name):
                    yield name, node


def functions(tree: ast.AST) -> Iterator[FunctionNode]:
    """Every function and method, nested ones included."""
    return (node for node in ast.walk(tree) if isinstance(node, FunctionNode))


def statements(function: FunctionNode) -> int:
    """Count the statements of a function at any depth, its docstring left out."""
    body = [node for node in ast.walk(function) if isinstance(node, ast.stmt) and node is not function]
    has_docstring = ast.get_docstring(function) is not None
    return len(body) - has_docstring
