"""What a field's type adds to its definition: the keys that are not common to all fields, validated by the type.

An author writes both kinds of key side by side; here they are told apart, so that ``FieldDef`` can forbid what it does
not know and every type can forbid what is not its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ValidationError

from engine.definitions.form import FieldDef
from engine.definitions.mistakes import cropped, explained, keys_of
from engine.definitions.source import Node, Path, Tree
from engine.fieldtypes.contract import FieldType
from engine.problems import Problem, problem, suggestion

COMMON_KEYS = frozenset(keys_of(FieldDef)) - {"options"}
NESTED = "fields"


def split_fields(
    fields: Tree, node: Node, path: Path, types: Mapping[str, FieldType]
) -> tuple[object, tuple[Problem, ...]]:
    """The fields ready for ``FieldDef`` (type-specific keys replaced by the type's own options), and what is wrong
    with those options. Anything that is not a mapping is passed on for ``FieldDef`` to refuse."""
    if not isinstance(fields, dict):
        return fields, ()
    ready: dict[str, object] = {}
    problems: list[Problem] = []
    for key, field in fields.items():
        ready[key], found = _split(field, node, (*path, key), types)
        problems += found
    return ready, tuple(problems)


def _split(field: Tree, node: Node, path: Path, types: Mapping[str, FieldType]) -> tuple[object, tuple[Problem, ...]]:
    if not isinstance(field, dict):
        return field, ()
    common: dict[str, object] = {key: value for key, value in field.items() if key in COMMON_KEYS}
    own = {key: value for key, value in field.items() if key not in COMMON_KEYS}
    nested, problems = split_fields(field.get(NESTED), node, (*path, NESTED), types)
    if NESTED in field:
        common[NESTED] = nested
    name = field.get("type")
    if not isinstance(name, str):
        return common, problems
    kind = types.get(name)
    if kind is None:
        where = node.where((*path, "type"))
        return common, (
            *problems,
            problem("definition.unknown_type", where, type=cropped(name), **suggestion(name, types)),
        )
    options, found = _options(kind.options, own, node, path)
    if options is not None:
        common["options"] = options
    return common, (*problems, *found)


def _options(
    model: type[BaseModel], own: Mapping[str, Tree], node: Node, path: Path
) -> tuple[BaseModel | None, tuple[Problem, ...]]:
    names = (*COMMON_KEYS, *keys_of(model))
    unknown = tuple(
        problem(
            "definition.unknown_key",
            node.where((*path, key), key=True),
            key=cropped(key),
            **suggestion(key, names),
        )
        for key in own
        if key not in keys_of(model)
    )
    try:
        return model.model_validate({key: value for key, value in own.items() if key in keys_of(model)}), unknown
    except ValidationError as error:
        return None, (*unknown, *explained(error, model, node, path))
