"""No module keeps state: what is assigned at module or class level can never change."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.source_tree import PRODUCT, Module, called, modules

MUTABLE_LITERALS = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp, ast.GeneratorExp)
MUTABLE_CALLS = frozenset(
    {
        *("dict", "list", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict", "ChainMap"),
        *("WeakKeyDictionary", "WeakValueDictionary", "WeakSet", "count", "cycle", "iter", "open"),
        *("Lock", "RLock", "Semaphore", "local", "ContextVar", "Queue"),
        *("Typer", "FastAPI", "APIRouter", "Starlette", "Environment", "MetaData", "create_engine", "sessionmaker"),
    }
)
# Names that a library asks for in this form, and why it does no harm.
ALLOWED: dict[str, str] = {
    "__all__": "read by Python; a list or a tuple",
    "__slots__": "read by Python",
    "model_config": "read by pydantic when the class is made, then frozen with it",
}
# ``path:name``, each with its reason.
EXCEPTIONS: dict[str, str] = {
    "runtime/storage/table_parts.py:PRODUCT": "SQLAlchemy collects the declared tables while the module loads",
}


def assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr, ast.stmt]]:
    """Name, value and statement of every assignment in ``body``; ``if``, ``try`` and class bodies included.

    An annotated default in a class is left out: it declares a field, which dataclasses check and pydantic copies.
    """
    for statement in body:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                yield ast.unparse(target), statement.value, statement
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            yield ast.unparse(statement.target), statement.value, statement
        elif isinstance(statement, ast.If | ast.Try):
            yield from assigned(statement.body)
            yield from assigned(statement.orelse)
        elif isinstance(statement, ast.ClassDef):
            yield from (each for each in assigned(statement.body) if not isinstance(each[2], ast.AnnAssign))


def mutable(value: ast.expr) -> bool:
    """Whether ``value`` makes something that can change; ``tuple([...])`` and ``MappingProxyType({...})`` do not."""
    return isinstance(value, MUTABLE_LITERALS) or (isinstance(value, ast.Call) and called(value) in MUTABLE_CALLS)


def kept_state(module: Module) -> list[str]:
    return [
        f"{module.at(statement)} {name}"
        for name, value, statement in assigned(module.tree.body)
        if mutable(value) and name not in ALLOWED and f"{module.path}:{name}" not in EXCEPTIONS
    ]


def test_nothing_at_module_level_can_change() -> None:
    assert [found for module in modules(*PRODUCT) for found in kept_state(module)] == []


def test_no_function_changes_its_module() -> None:
    changing = [
        module.at(node)
        for module in modules(*PRODUCT)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Global)
    ]
    assert changing == []


def test_the_check_sees_what_it_should() -> None:
    source = (
        "A = {}\nB: list[int] = []\nC = (1, 2)\nD = defaultdict(int)\nclass K:\n    e = set()\nF = frozenset({1})\n"
    )
    module = Module(name="m", path="m.py", text=source, tree=ast.parse(source))
    assert [found.split()[-1] for found in kept_state(module)] == ["A", "B", "D", "e"]
