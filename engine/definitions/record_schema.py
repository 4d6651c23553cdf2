"""JSON Schema (2020-12) of a record of one form, as the API takes and gives it; put together from its field types.

It judges shape, not meaning: limits that depend on other values, links that lead nowhere and permissions are judged in
the stages. Computed fields are read-only. Whatever may be left out may also be null.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.definitions.compiled import CompiledField, CompiledForm
from engine.fieldtypes.contract import Storage

DIALECT = "https://json-schema.org/draft/2020-12/schema"
BIZ_DATE = "biz_date"


def record_schema(form: CompiledForm, *, complete: bool = False) -> dict[str, object]:
    """Schema of the values of a record: header fields by key, line tables as arrays of rows.

    Args:
        complete: fields that are always required must be there, as on submit; a draft may lack them.
    """
    properties = {field.key: _field(field, complete) for field in form.fields.values()}
    if not form.is_master:
        properties[BIZ_DATE] = {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "title": "单据日期"}
    required = _required(form.fields.values()) if complete else []
    for table in form.tables.values():
        options = table.field.options
        rows = dict(table.field.type.json_schema(options))
        rows["items"] = _object(
            {field.key: _field(field, complete) for field in table.fields.values()}
            | {"id": {"type": ["integer", "null"], "minimum": 1}},
            _required(table.fields.values()) if complete else [],
        )
        if not complete:
            rows.pop("minItems", None)
        properties[table.key] = {**rows, "title": str(table.label)}
        if complete and table.min_rows:
            required.append(table.key)
    return {"$schema": DIALECT, "title": str(form.label), **_object(properties, required)}


def _object(properties: Mapping[str, object], required: list[str]) -> dict[str, object]:
    made: dict[str, object] = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return made | {"required": required} if required else made


def _field(field: CompiledField, complete: bool) -> dict[str, object]:
    shape: dict[str, object] = dict(field.type.json_schema(field.options))
    if not (complete and _always(field)):
        shape = {"anyOf": [shape, {"type": "null"}]}
    shape["title"] = str(field.label)
    if field.definition.help is not None:
        shape["description"] = str(field.definition.help)
    if field.formula is not None:
        shape["readOnly"] = True
    return shape


def _required(fields: Iterable[CompiledField]) -> list[str]:
    return [field.key for field in fields if _always(field)]


def _always(field: CompiledField) -> bool:
    """Required whatever the other values are, and neither computed nor filled in by a default."""
    kept = field.type.column(field.options).storage is not Storage.NONE
    return field.required is True and field.formula is None and field.default is None and kept
