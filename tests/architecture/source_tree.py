"""The product's source as syntax trees: what the architecture tests walk. Nothing of the product is imported here."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("engine", "runtime", "builder_ui", "plugins")
WORKSHOP = ("tools", "bench")
NOT_SOURCE = frozenset(
    {
        *(".git", ".venv", "node_modules", "__pycache__"),
        *(".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"),
    }
)
LEFT_BEHIND = frozenset({"build", "dist", "data", ".data", "bench/out"})


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module: its dotted name, the line, and whether it stands inside a function."""

    name: str
    line: int
    deferred: bool


@dataclass(frozen=True, slots=True)
class Module:
    """One parsed file. ``name`` is dotted, ``path`` relative to the repository."""

    name: str
    path: str
    text: str
    tree: ast.Module

    def line(self, number: int) -> str:
        """The source line ``number``, counted from 1."""
        return self.text.splitlines()[number - 1]

    def at(self, node: ast.AST) -> str:
        """``path:line`` of ``node``, for failure messages."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


@cache
def modules(*packages: str) -> tuple[Module, ...]:
    """Every Python module below ``packages``, sorted by path."""
    paths = sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))
    return tuple(_parsed(path) for path in paths)


def _parsed(path: Path) -> Module:
    relative = path.relative_to(ROOT)
    parts = relative.with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    text = path.read_text("utf-8")
    return Module(name=name, path=str(relative), text=text, tree=ast.parse(text, filename=str(relative)))


@cache
def module_names() -> frozenset[str]:
    """Dotted names of every module of the product."""
    return frozenset(module.name for module in modules(*PRODUCT))


@cache
def imports(module: Module) -> tuple[Import, ...]:
    """What ``module`` imports, by the name of the module meant: ``from engine import labels`` is ``engine.labels``."""
    inside = {id(node) for function in functions(module.tree) for node in ast.walk(function)}
    return tuple(
        Import(name=name, line=node.lineno, deferred=id(node) in inside)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in _names(node, module)
    )


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]:
    """Every function below ``tree``."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))


def _names(node: ast.Import | ast.ImportFrom, module: Module) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    assert node.level == 0, f"{module.at(node)}: relative import"
    source = node.module or ""
    for alias in node.names:
        longer = f"{source}.{alias.name}"
        yield longer if longer in module_names() else source


def below(name: str, *prefixes: str) -> bool:
    """Whether the dotted ``name`` is one of ``prefixes`` or inside it."""
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def called(node: ast.Call) -> str:
    """The last part of what is called: ``now`` for ``datetime.now()``."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@cache
def source_files() -> tuple[str, ...]:
    """Every file a clone has, relative to the repository, without what tools leave behind. Git is not needed."""
    found = []
    for folder, folders, files in os.walk(ROOT):
        relative = Path(folder).relative_to(ROOT)
        folders[:] = [each for each in folders if each not in NOT_SOURCE and str(relative / each) not in LEFT_BEHIND]
        found += [str(relative / each) for each in files]
    return tuple(sorted(found))


def source_text(*suffixes: str) -> Iterator[tuple[str, str]]:
    """Path and text of files with one of ``suffixes`` (of all text files without), vendored ones left out."""
    for path in source_files():
        if path.startswith("runtime/web/static/vendor/") or (suffixes and not path.endswith(suffixes)):
            continue
        try:
            yield path, (ROOT / path).read_text("utf-8")
        except UnicodeDecodeError:
            continue
