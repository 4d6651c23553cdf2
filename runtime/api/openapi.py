"""OpenAPI 3.1 of one published app, generated from its forms as the caller may use them: hidden fields are absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.definitions.compiled import CompiledField, CompiledForm
from engine.permissions import Access, FormAccess, is_administrator
from engine.workflow.lifecycle import transitions
from runtime.api.openapi_desk import desk_paths
from runtime.api.openapi_flows import app_paths, form_paths, move_schema
from runtime.facade.door import Door
from runtime.facade.rule_buttons import buttons
from runtime.facade.supplies import has_supplies

OPENAPI = "3.1.0"
REF = "#/components/schemas/"


def openapi(door: Door) -> Mapping[str, Any]:
    """The whole document."""
    base = f"/api/v1/{door.workspace.key}/{door.bundle.app.app}"
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {"Outcome": _outcome(), "Problems": _problems(), "Move": move_schema()}
    for key, form in door.bundle.forms.items():
        access = door.access(form)
        if "read" not in access.actions:
            continue
        schemas[key] = record(door, form, access, writing=False)
        schemas[f"{key}_input"] = record(door, form, access, writing=True)
        paths.update(_paths(door, base, form, access))
        if any(flow.definition.form == key for flow in door.bundle.flows.values()):
            paths.update(form_paths(f"{base}/{key}", key, form.label.text(door.language)))
    paths[f"{base}/-/stock"] = {"get": _operation(door, "stock", "库存余额 / Stock levels", _any())}
    paths[f"{base}/-/lots"] = {"get": _operation(door, "stock", "批次与库位 / Lots and bins", _any())}
    paths[f"{base}/-/outlook"] = {"get": _operation(door, "stock", "可承诺量与供需 / Supply and promise", _any())}
    paths[f"{base}/-/entries"] = {"get": _operation(door, "stock", "库存流水 / Ledger entries", _any())}
    paths[f"{base}/-/entries/{{identity}}"] = {"get": _operation(door, "stock", "流水来历 / One entry", _any())}
    paths[f"{base}/-/trace"] = {"get": _operation(door, "stock", "批次追溯 / Trace a lot", _any())}
    for name, words in (
        ("ageing", "账龄 / Ageing"),
        ("statement", "对账单 / Statement"),
        ("vouchers", "会计凭证 / Vouchers"),
    ):
        paths[f"{base}/-/{name}"] = {"get": _operation(door, "finance", words, _any())}
    paths[f"{base}/-/tasks"] = {"get": _operation(door, "tasks", "待办 / Open tasks", _any())}
    paths.update(app_paths(base))
    paths.update(desk_paths(base, is_administrator(door.actor)))
    return {
        "openapi": OPENAPI,
        "info": {
            "title": door.bundle.app.label.text(door.language),
            "version": door.bundle.app.version,
            "x-snapshot": door.bundle.hash,
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "API key"}},
        },
        "security": [{"key": []}],
    }


def record(door: Door, form: CompiledForm, access: FormAccess, writing: bool) -> dict[str, Any]:
    """Schema of a record's ``data``, for reading or for sending."""
    properties = _properties(door, form.fields.values(), access, writing)
    for key, table in form.tables.items():
        if access.readable(key):
            line = {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "id": {"type": ["integer", "null"]},
                    **_properties(door, table.fields.values(), access, writing),
                    "source": _source(),
                },
            }
            properties[key] = {"type": "array", "items": line, "title": table.label.text(door.language)}
    if writing and not form.is_master:
        properties["biz_date"] = {"type": "string", "format": "date"}
    required = [
        field.key for field in form.fields.values() if writing and field.required is True and field.key in properties
    ]
    shape: dict[str, Any] = {"type": "object", "title": form.label.text(door.language), "properties": properties}
    if writing:
        shape["additionalProperties"] = False
    if required:
        shape["required"] = required
    return shape


def _properties(door: Door, fields: Any, access: FormAccess, writing: bool) -> dict[str, Any]:
    wanted = Access.WRITE if writing else Access.READ
    return {
        field.key: _property(door, field, writing)
        for field in fields
        if access.access(field.path) >= wanted and not (writing and field.formula is not None)
    }


def _property(door: Door, field: CompiledField, writing: bool) -> dict[str, Any]:
    schema = dict(field.type.json_schema(field.options))
    described: dict[str, Any] = {"title": field.label.text(door.language), "x-type": field.type_name}
    if writing and field.type_name in ("link", "member", "department", "open_item"):
        return {**described, "anyOf": [schema, {"type": "string"}, {"type": "null"}]}
    if writing and "pattern" in schema and schema.get("type") == "string":
        return {**described, "anyOf": [schema, {"type": "number"}, {"type": "null"}]}
    return {**described, "anyOf": [schema, {"type": "null"}]}


def _paths(door: Door, base: str, form: CompiledForm, access: FormAccess) -> dict[str, Any]:
    key, label = form.key, form.label.text(door.language)
    one, many = f"{base}/{key}/{{document}}", f"{base}/{key}"
    identity = {"name": "document", "in": "path", "required": True, "schema": {"type": "integer"}}
    paths: dict[str, Any] = {many: {"get": _operation(door, key, label, _any())}, one: {"parameters": [identity]}}
    paths[one]["get"] = _operation(
        door, key, label, {"type": "object", "properties": {"data": {"$ref": f"{REF}{key}"}}}
    )
    if has_supplies(door, key):
        paths[f"{one}/supplies"] = {
            "parameters": [identity],
            "get": _operation(door, key, f"供应来源 / Supplies of {label}", _any()),
        }
        paths[f"{one}/promises"] = {
            "parameters": [identity],
            "get": _operation(door, key, f"交期答复 / Promises for {label}", _any()),
        }
    if "create" in access.actions:
        paths[many]["post"] = _operation(door, key, label, {"$ref": f"{REF}Outcome"}, _body(key), created=True)
    if "update" in access.actions:
        paths[one]["patch"] = _operation(door, key, label, {"$ref": f"{REF}Outcome"}, _body(key))
    for action, transition in transitions(form.definition).items():
        if action in access.actions and action not in ("update", "delete"):
            title = f"{transition.label.text(door.language)} {label}"
            paths[f"{one}/do/{action}"] = {
                "parameters": [identity],
                "post": _operation(door, key, title, {"$ref": f"{REF}Outcome"}, _body(key)),
            }
    for action, title in buttons(door, form):
        paths[f"{one}/do/{action}"] = {
            "parameters": [identity],
            "post": _operation(door, key, f"{title} {label}", {"$ref": f"{REF}Outcome"}, _body(key)),
        }
    for fetch in form.definition.fetches if "update" in access.actions else ():
        paths[f"{one}/fetch/{fetch.key}"] = {
            "parameters": [identity],
            "post": _operation(
                door, key, f"{fetch.label.text(door.language)} {label}", {"$ref": f"{REF}Outcome"}, _body(key)
            ),
        }
    return paths


def _operation(
    door: Door,
    tag: str,
    summary: str,
    answer: Mapping[str, Any],
    body: Mapping[str, Any] | None = None,
    created: bool = False,
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "tags": [tag],
        "summary": summary,
        "responses": {
            "201" if created else "200": {"description": "OK", "content": {"application/json": {"schema": answer}}},
            "default": {
                "description": "Problems",
                "content": {"application/json": {"schema": {"$ref": f"{REF}Problems"}}},
            },
        },
    }
    if body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": body}}}
        operation["parameters"] = [{"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}]
    return operation


def _body(key: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "data": {"$ref": f"{REF}{key}_input"},
            "action": {"type": "string"},
            "version": {"type": "integer"},
            "reason": {"type": "string"},
            "confirmed": {"type": "boolean"},
        },
    }


def _outcome() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "form": {"type": "string"},
            "id": {"type": "integer"},
            "number": {"type": ["string", "null"]},
            "version": {"type": "integer"},
            "doc_status": {"type": "string"},
            "exec_status": {"type": "string"},
            "did": {"type": "array", "items": {"type": "string"}},
            "warnings": {"type": "array", "items": {"type": "object"}},
            "repeated": {"type": "boolean"},
        },
    }


def _problems() -> dict[str, Any]:
    text = {"type": "string"}
    one = {
        "type": "object",
        "properties": {"code": text, "where": text, "text": text, "hint": {"type": ["string", "null"]}},
    }
    return {"type": "object", "properties": {"kind": text, "problems": {"type": "array", "items": one}}}


def _source() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"form": {"type": "string"}, "document": {"type": "integer"}, "line": {"type": "integer"}},
    }


def _any() -> dict[str, Any]:
    return {"type": "object"}
