"""What pydantic found wrong with a tree → problems with the address of the key or value, in the product's own words.

The English sentences of pydantic never leave this module; what decides is the type of the error and the place it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError

from engine.definitions.source import Node, Path, Tree
from engine.problems import Param, Problem, problem, suggestion

MOST_SHOWN = 60
KEY_PATTERN = r"^[a-z][a-z0-9_]{0,47}$"
EXPECTED: Mapping[str, str] = MappingProxyType(
    {
        "string_type": "definition.expected_text",
        "string_sub_type": "definition.expected_text",
        "dict_type": "definition.expected_mapping",
        "model_type": "definition.expected_mapping",
        "model_attributes_type": "definition.expected_mapping",
        "dataclass_type": "definition.expected_mapping",
        "tuple_type": "definition.expected_list",
        "list_type": "definition.expected_list",
        "set_type": "definition.expected_list",
        "frozen_set_type": "definition.expected_list",
        "iterable_type": "definition.expected_list",
        "bool_type": "definition.expected_yes_no",
        "bool_parsing": "definition.expected_yes_no",
        "int_type": "definition.expected_whole_number",
        "int_parsing": "definition.expected_whole_number",
        "int_parsing_size": "definition.expected_whole_number",
        "int_from_float": "definition.expected_whole_number",
        "decimal_type": "definition.expected_number",
        "decimal_parsing": "definition.expected_number",
        "finite_number": "definition.expected_number",
        "date_type": "definition.expected_date",
        "date_parsing": "definition.expected_date",
        "date_from_datetime_parsing": "definition.expected_date",
        "label": "definition.bad_label",
    }
)
BOUNDS: Mapping[str, str] = MappingProxyType(
    {
        "greater_than": "definition.too_small",
        "greater_than_equal": "definition.too_small",
        "less_than": "definition.too_big",
        "less_than_equal": "definition.too_big",
    }
)
TOO_LONG = ("string_too_long", "too_long")
TOO_SHORT = ("string_too_short", "too_short")


def explained(error: ValidationError, model: type[BaseModel], node: Node, prefix: Path = ()) -> Iterator[Problem]:
    """The problems behind ``error``, one per address and in reading order of the error list.

    Args:
        prefix: path in the node's tree at which ``model`` was validated.
    """
    seen: set[tuple[str, str]] = set()
    for detail in error.errors(include_url=False):
        found = _explain(detail, model, node, prefix)
        # Members of a union complain one by one about the same value; several keys may be missing at one place.
        place = (found.where, str(found.params.get("key", "")))
        if place not in seen:
            seen.add(place)
            yield found


def _explain(detail: Any, model: type[BaseModel], node: Node, prefix: Path) -> Problem:
    kind: str = detail["type"]
    context: Mapping[str, Any] = detail.get("ctx", {})
    path, parent, missing = _walk(node, prefix, detail["loc"])
    key = cropped(str(detail["loc"][-1])) if detail["loc"] else ""
    if kind == "extra_forbidden":
        names = keys_of(_model_at(model, detail["loc"][:-1]))
        return problem("definition.unknown_key", node.where(path, key=True), key=key, **suggestion(key, names))
    if kind == "missing":
        return problem("definition.missing_key", node.where(parent, key=True), key=key)
    if key == "[key]":
        return problem("definition.not_a_key", node.where(path, key=True), value=cropped(str(path[-1])))
    value = node.at(path)
    where = node.where(path)
    if value is None and not missing:
        return problem("definition.empty_value", where, key=cropped(str(path[-1])) if path else "")
    return _value_problem(kind, context, value, where)


def cropped(text: str) -> str:
    """``text`` as a sentence can carry it."""
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def _value_problem(kind: str, context: Mapping[str, Any], value: Tree, where: str) -> Problem:
    shown = cropped(value) if isinstance(value, str) else ""
    if kind in EXPECTED:
        return problem(EXPECTED[kind], where, value=shown)
    if kind in ("literal_error", "enum"):
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        params: dict[str, Param] = {"value": shown, "choices": "、".join(choices), **suggestion(shown, choices)}
        return problem("definition.not_a_choice", where, **params)
    if kind == "string_pattern_mismatch":
        if context.get("pattern") == KEY_PATTERN:
            return problem("definition.not_a_key", where, value=shown)
        return problem("definition.bad_pattern", where, value=shown, pattern=str(context.get("pattern")))
    if kind in BOUNDS:
        limit = next((str(context[name]) for name in ("gt", "ge", "lt", "le") if name in context), "")
        return problem(BOUNDS[kind], where, value=shown, limit=limit)
    if kind in TOO_LONG:
        return problem("definition.too_long", where, most=int(context.get("max_length", 0)))
    if kind in TOO_SHORT:
        return problem("definition.too_short", where, least=int(context.get("min_length", 1)))
    if "." in kind:  # raised by a model of ours: the type of the error is the code of the problem
        return problem(kind, where, value=shown, **{key: str(part) for key, part in context.items()})
    return problem("definition.bad_value", where, value=shown)


def _walk(node: Node, prefix: Path, loc: tuple[str | int, ...]) -> tuple[Path, Path, bool]:
    """The path in the tree an error location means, its parent, and whether the tree ends before the location does.

    Names of union members and ``[key]`` stand in locations but not in the tree; they are passed over.
    """
    path = prefix
    parent = prefix
    missing = False
    for step in loc:
        part = node.at(path)
        if (isinstance(part, dict) and step in part) or (isinstance(part, list) and isinstance(step, int)):
            parent = path
            path = (*path, step)
        elif isinstance(part, dict) and step != "[key]" and not str(step).startswith("<"):
            parent = path
            missing = True
    return path, path if missing else parent, missing


def keys_of(model: type[BaseModel] | None) -> tuple[str, ...]:
    """The keys an author may write in ``model``."""
    if model is None:
        return ()
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _model_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> type[BaseModel] | None:
    annotation: Any = model
    for step in loc:
        annotation = _below(annotation, step)
        if annotation is None:
            return None
    return _as_model(annotation)


def _below(annotation: Any, step: str | int) -> Any:
    """The annotation one step further down: a field of a model, an item of a tuple, a value of a dict."""
    if isinstance(step, str) and step.startswith("<"):
        return _tagged(annotation, step)
    for member in _members(annotation):
        if isinstance(member, type) and issubclass(member, BaseModel):
            for name, field in member.model_fields.items():
                if step == (field.alias or name):
                    return field.annotation
        elif get_origin(member) is tuple and isinstance(step, int):
            return get_args(member)[0]
        elif get_origin(member) is dict and isinstance(step, str):
            return get_args(member)[1]
    return None


def _tagged(annotation: Any, tag: str) -> Any:
    """The member of a union that carries ``tag``."""
    if get_origin(annotation) is Annotated and any(isinstance(x, Tag) and x.tag == tag for x in get_args(annotation)):
        return get_args(annotation)[0]
    found = (_tagged(part, tag) for part in get_args(annotation))
    return next((each for each in found if each is not None), None)


def _members(annotation: Any) -> tuple[Any, ...]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return tuple(each for part in get_args(annotation) for each in _members(part) if each is not NoneType)
    return (annotation,)


def _as_model(annotation: Any) -> type[BaseModel] | None:
    members = _members(annotation)
    models = [each for each in members if isinstance(each, type) and issubclass(each, BaseModel)]
    return models[0] if models else None
