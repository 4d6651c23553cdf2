"""JSON Schemas (2020-12) of the definition files, made from the models and the field types, for editors and builders.

The reader takes every scalar as text, so where a model asks for a text the schema admits numbers and truth values too:
``default: 0`` is as good as ``default: "0"``. ``tools/export_schemas.py`` writes the files under ``schemas/``; a test
compares them with what comes out here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.definitions.file_kinds import FILE_KINDS, FORMS, FileKind
from engine.kinds import Kinds

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FIELD = "FieldDef"
EXACT_KEYS = ("pattern", "enum", "const", "format")
# Words of the models are for those who read the code; a default is the reader's business.
DROPPED = ("title", "default", "description")
ANY_SCALAR = ("string", "number", "boolean")


def export(kinds: Kinds) -> Mapping[str, dict[str, Any]]:
    """Schema by kind of definition: ``app``, ``form``, ``workflow``, ``posting``, ``rule``, ``role``, ``story``."""
    return {kind.key: _schema(kind, kinds) for kind in FILE_KINDS}


def _schema(kind: FileKind, kinds: Kinds) -> dict[str, Any]:
    made = kind.model.model_json_schema(by_alias=True, ref_template="#/$defs/{model}")
    if kind is FORMS:
        made["$defs"] = _with_field_types(dict(made["$defs"]), kinds)
    relaxed: dict[str, Any] = _relaxed(made)
    folder = f"{kind.folder}/*.yaml" if kind.folder else "app.yaml"
    return {"$schema": DIALECT, "$id": f"{kind.key}.schema.json", "title": f"Stockloom {folder}"} | {
        key: value for key, value in relaxed.items() if key != "title"
    }


def _with_field_types(definitions: dict[str, Any], kinds: Kinds) -> dict[str, Any]:
    """A field has the common keys, and what its type adds; the type decides, so an editor names the one wrong key."""
    common = definitions.pop(FIELD)
    shared = {key: value for key, value in common["properties"].items() if key != "options"}
    shared["type"] = {"enum": sorted(kinds.field_types)}
    variants = []
    for name, field_type in sorted(kinds.field_types.items()):
        own = field_type.options.model_json_schema(by_alias=True, ref_template="#/$defs/{model}")
        definitions |= own.pop("$defs", {})
        adds = {key: value for key in ("properties", "required") if (value := own.get(key))}
        if adds:
            variants.append({"if": {"properties": {"type": {"const": name}}, "required": ["type"]}, "then": adds})
    definitions[FIELD] = {
        "type": "object",
        "properties": shared,
        "required": common["required"],
        "allOf": variants,
        "unevaluatedProperties": False,
    }
    return definitions


def _relaxed(schema: Any) -> Any:
    """``schema`` without generated titles, with every free text open to all scalars."""
    if isinstance(schema, list):
        return [_relaxed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    relaxed: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):  # names of the author's world, not words of JSON Schema
            relaxed[key] = {name: _relaxed(each) for name, each in value.items()}
        elif key not in DROPPED:
            relaxed[key] = _relaxed(value)
    if relaxed.get("type") == "string" and not any(key in relaxed for key in EXACT_KEYS):
        relaxed["type"] = list(ANY_SCALAR)
    return relaxed
