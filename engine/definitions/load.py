"""A folder of texts → the definitions an author wrote, or every problem with their shape.

Looks at each file by itself: is it YAML we accept, has it the keys its model asks for, does its name agree with its
key. What one file says about another is the business of ``compile`` and ``checks``. Opens no files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from pydantic import ValidationError

from engine.definitions import source, upgrade
from engine.definitions.app import AppDef
from engine.definitions.calendar import CalendarDef
from engine.definitions.field_options import split_fields
from engine.definitions.file_kinds import (
    APP,
    APP_FILE,
    CALENDARS,
    FILE_KINDS,
    FORMS,
    POSTINGS,
    ROLES,
    RULES,
    STORIES,
    SUFFIX,
    VOUCHERS,
    WORKFLOWS,
    FileKind,
    kind_of,
)
from engine.definitions.form import FormDef
from engine.definitions.mistakes import explained
from engine.definitions.posting import PostingDef
from engine.definitions.role import RoleDef
from engine.definitions.rule import RuleDef
from engine.definitions.shape import Definition
from engine.definitions.source import Node, Path
from engine.definitions.story import StoryDef
from engine.definitions.voucher import VoucherDef
from engine.definitions.workflow import WorkflowDef
from engine.kinds import Kinds
from engine.problems import Problem, problem, suggestion

Kind = TypeVar("Kind", bound=Definition)
FOREIGN = ("demo", "reports", "dashboards", "prints", "imports")  # folders of an app that hold no definitions


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Definitions by kind and key, each sound in itself.

    Attributes:
        app: None when ``app.yaml`` is missing or unsound.
        nodes: what was read, by path; knows lines and columns.
        problems: errors and warnings; with an error in it the rest is incomplete.
    """

    app: AppDef | None
    forms: Mapping[str, FormDef]
    workflows: Mapping[str, WorkflowDef]
    postings: Mapping[str, PostingDef]
    rules: Mapping[str, RuleDef]
    roles: Mapping[str, RoleDef]
    vouchers: Mapping[str, VoucherDef]
    calendars: Mapping[str, CalendarDef]
    stories: Mapping[str, StoryDef]
    nodes: Mapping[str, Node]
    files: Mapping[str, str]
    problems: tuple[Problem, ...]

    def where(self, kind: FileKind, name: str, *path: str | int, key: bool = False, offset: int = 0) -> str:
        """Address of a value (or of its key) in the definition ``name``; the file's start when nothing is there."""
        file = kind.file(name)
        node = self.nodes.get(file)
        return node.where(path, key=key, offset=offset) if node is not None else f"{file}:1:1"


def load(files: Mapping[str, str], kinds: Kinds) -> Loaded:
    """Read and validate ``files`` (relative path → text). Never raises; everything wrong is in ``problems``."""
    problems: list[Problem] = []
    nodes: dict[str, Node] = {}
    found: dict[FileKind, dict[str, Definition]] = {kind: {} for kind in FILE_KINDS}
    for path in sorted(files):
        kind = kind_of(path)
        if kind is None:
            problems += _stray(path)
            continue
        node = source.read(files[path], path)
        if not isinstance(node, Node):
            problems += node
            continue
        nodes[path] = node
        definition, wrong = _definition(node, kind, kinds)
        problems += wrong
        if definition is not None:
            found[kind][_key(definition, kind)] = definition
    if APP_FILE not in files:
        problems.append(problem("definition.no_app", f"{APP_FILE}:1:1"))
    return Loaded(
        app=next(iter(_of(found[APP], AppDef).values()), None),
        forms=_of(found[FORMS], FormDef),
        workflows=_of(found[WORKFLOWS], WorkflowDef),
        postings=_of(found[POSTINGS], PostingDef),
        rules=_of(found[RULES], RuleDef),
        roles=_of(found[ROLES], RoleDef),
        vouchers=_of(found[VOUCHERS], VoucherDef),
        calendars=_of(found[CALENDARS], CalendarDef),
        stories=_of(found[STORIES], StoryDef),
        nodes=MappingProxyType(nodes),
        files=MappingProxyType({path: files[path] for path in sorted(files) if kind_of(path) is not None}),
        problems=tuple(problems),
    )


def _definition(node: Node, kind: FileKind, kinds: Kinds) -> tuple[Definition | None, tuple[Problem, ...]]:
    outdated = upgrade.problems(node) if kind is APP else ()
    tree: dict[str, object] = dict(node.tree)
    problems: tuple[Problem, ...] = outdated
    if kind is FORMS and "fields" in tree:
        tree["fields"], wrong = split_fields(node.tree["fields"], node, ("fields",), kinds.field_types)
        problems += wrong
    try:
        definition = kind.model.model_validate(tree, by_alias=True, by_name=False)
    except ValidationError as error:
        return None, (*problems, *explained(error, kind.model, node))
    return definition, (*problems, *_misnamed(node, kind, definition))


def _misnamed(node: Node, kind: FileKind, definition: Definition) -> tuple[Problem, ...]:
    key = _key(definition, kind)
    if kind is APP or node.path == kind.file(key):
        return ()
    path: Path = (kind.key,)
    return (problem("definition.file_name", node.where(path), key=key, expected=kind.file(key)),)


def _stray(path: str) -> tuple[Problem, ...]:
    """A YAML file where no definition is read from is most likely a slip of the pen."""
    folder = path.partition("/")[0]
    folders = [kind.folder for kind in FILE_KINDS if kind.folder]
    if folder in FOREIGN or not path.endswith((SUFFIX, ".yml")):
        return ()
    if path.endswith(".yml"):
        return (problem("definition.file_suffix", f"{path}:1:1", expected=path.removesuffix(".yml") + SUFFIX),)
    near = suggestion(folder, folders) if "/" in path else suggestion(path, [APP_FILE])
    return (problem("definition.stray_file", f"{path}:1:1", folders="、".join(folders), **near),)


def _key(definition: Definition, kind: FileKind) -> str:
    return str(getattr(definition, kind.key))


def _of(definitions: Mapping[str, Definition], model: type[Kind]) -> Mapping[str, Kind]:
    return MappingProxyType({key: each for key, each in definitions.items() if isinstance(each, model)})
