"""Who may import whom: the arrows of docs/architecture.md, each as a row."""

from __future__ import annotations

import ast
import sys

import pytest

from tests.architecture.source_tree import PRODUCT, below, called, imports, module_names, modules

ENGINE_LIBRARIES = ("pydantic", "pydantic_core", "yaml", "jsonschema", "simpleeval")
IMPURE = (
    *("os", "io", "sys", "time", "random", "secrets", "uuid", "socket", "ssl", "http", "urllib", "subprocess"),
    *("threading", "multiprocessing", "asyncio", "concurrent", "sqlite3", "shutil", "tempfile", "glob", "logging"),
    *("locale", "platform", "signal", "importlib", "pkgutil"),
)
IMPURE_CALLS = frozenset({"open", "input", "print", "now", "today", "utcnow", "getenv", "Path", "read_bytes"})
PEERS = (
    *("forms", "permissions", "workflow", "ledger", "costing", "rules", "reports", "evolution", "sheets", "forecast"),
    *("bom", "picking", "promise", "units"),
)

SPEAKS_TO_PEOPLE = ("runtime.web", "runtime.api", "runtime.cli", "runtime.commands", "runtime.app", "builder_ui")
JOINS = ("runtime.submit", "runtime.stages", "runtime.publishing", "runtime.jobs", "runtime.delivering")
SQL = ("sqlalchemy", "alembic", "psycopg", "sqlite3")
OUTSIDE = ("tests", "tools", "bench", "templates_catalog")

# A module below the first name imports nothing below the others.
FORBIDDEN_ARROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("engine", ("runtime", "builder_ui", "plugins", *OUTSIDE)),
    ("plugins", ("runtime.storage", "builder_ui", *SPEAKS_TO_PEOPLE, *JOINS, *SQL, *OUTSIDE)),
    ("runtime", ("builder_ui", *OUTSIDE)),
    ("runtime.messages", ("runtime.storage", "runtime.facade", *JOINS, *SPEAKS_TO_PEOPLE)),
    ("runtime.storage", ("runtime.facade", *JOINS, *SPEAKS_TO_PEOPLE)),
    *((joint, ("runtime.facade", *SPEAKS_TO_PEOPLE)) for joint in JOINS),
    ("runtime.facade", SPEAKS_TO_PEOPLE),
    ("runtime.web", ("runtime.storage", "runtime.commands", "runtime.cli", "runtime.app", *JOINS, *SQL, "dbos")),
    ("runtime.api", ("runtime.storage", "runtime.commands", "runtime.cli", "runtime.app", *JOINS, *SQL, "dbos")),
    ("builder_ui", ("runtime.storage", "runtime.commands", "runtime.cli", *JOINS, *SQL, "dbos", *OUTSIDE)),
    ("runtime.commands", ("runtime.storage", *SQL)),
)
# The composition root hangs the builder's pages under its application.
ALLOWED_ARROWS = frozenset({("runtime.app", "builder_ui")})

# Who else may know a database library, and why.
KNOWS_SQL = {
    "runtime.storage": "the only package that knows SQL",
    "runtime.migrations": "Alembic revisions of the product's own tables",
    "runtime.jobs": "hands the job engine its database",
    "runtime.system_parts": "asks whether the configured server answers",
}
IMPORTS_BY_NAME = {
    "runtime.cli": "a command's module is imported when it is wanted",
    "runtime.plugin_loading": "plugins are found by entry point",
}


def test_the_engine_knows_only_pure_libraries() -> None:
    wrong = [
        f"{module.path}:{each.line} imports {each.name}"
        for module in modules("engine")
        for each in imports(module)
        if not below(each.name, "engine", *ENGINE_LIBRARIES)
        and (each.name.split(".")[0] not in sys.stdlib_module_names or below(each.name, *IMPURE))
    ]
    assert wrong == []


def test_the_engine_asks_neither_disk_nor_clock() -> None:
    wrong = [
        f"{module.at(node)} calls {called(node)}()"
        for module in modules("engine")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and called(node) in IMPURE_CALLS
    ]
    assert wrong == []


def test_peers_in_the_engine_do_not_know_each_other() -> None:
    wrong = [
        f"{module.path}:{each.line} imports {each.name}"
        for peer in PEERS
        for module in modules("engine")
        if below(module.name, f"engine.{peer}")
        for each in imports(module)
        if below(each.name, *(f"engine.{other}" for other in PEERS if other != peer))
    ]
    assert wrong == []


def test_what_all_peers_share_knows_none_of_them() -> None:
    shared = (
        *("engine.expressions", "engine.fieldtypes", "engine.definitions", "engine.document", "engine.values"),
        *("engine.shares", "engine.pools", "engine.calendars", "engine.decisions", "engine.schedules", "engine.texts"),
        "engine.goods",
    )
    wrong = [
        f"{module.path}:{each.line} imports {each.name}"
        for module in modules("engine")
        if below(module.name, *shared)
        for each in imports(module)
        if below(each.name, *(f"engine.{peer}" for peer in PEERS))
    ]
    assert wrong == []


@pytest.mark.parametrize(("package", "forbidden"), FORBIDDEN_ARROWS, ids=[row[0] for row in FORBIDDEN_ARROWS])
def test_arrows_point_downwards(package: str, forbidden: tuple[str, ...]) -> None:
    wrong = [
        f"{module.path}:{each.line} imports {each.name}"
        for module in modules(*PRODUCT)
        if below(module.name, package)
        for each in imports(module)
        if below(each.name, *forbidden)
        and not any(below(module.name, source) and below(each.name, target) for source, target in ALLOWED_ARROWS)
    ]
    assert wrong == []


def test_only_storage_knows_sql() -> None:
    wrong = [
        f"{module.path}:{each.line} imports {each.name}"
        for module in modules(*PRODUCT)
        if not below(module.name, *KNOWS_SQL)
        for each in imports(module)
        if below(each.name, *SQL)
    ]
    assert wrong == []


def test_imports_stand_at_the_top() -> None:
    """A late import hides a cycle; only a heavy library may wait, and its line says why after ``# deferred:``."""
    wrong = [
        f"{module.path}:{each.line} imports {each.name}"
        for module in modules(*PRODUCT)
        for each in imports(module)
        if each.deferred and "# deferred: " not in module.line(each.line)
    ]
    wrong += [
        f"{module.at(node)} imports by name"
        for module in modules(*PRODUCT)
        if not below(module.name, *IMPORTS_BY_NAME)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and called(node) in {"import_module", "__import__"}
    ]
    assert wrong == []


def test_no_module_imports_itself_in_a_circle() -> None:
    """Deferred imports count: they may save time, never hide a circle."""
    below_me = {
        module.name: {each.name for each in imports(module) if each.name in module_names()}
        for module in modules(*PRODUCT)
    }
    settled: set[str] = set()

    def circle(name: str, path: tuple[str, ...]) -> tuple[str, ...]:
        if name in path:
            return (*path[path.index(name) :], name)
        if name in settled:
            return ()
        found = next((hit for target in sorted(below_me[name]) if (hit := circle(target, (*path, name)))), ())
        settled.add(name)
        return found

    assert [hit for name in sorted(below_me) if (hit := circle(name, ()))] == []
