"""The part of the OpenAPI document about workflows, with an example of every move."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

REF = "#/components/schemas/"
# What a client sends with each move; the offer of the move says what it asks for.
EXAMPLES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "agree": {"comment": "同意", "data": {}},
        "reject": {"comment": "金额不符"},
        "return": {"node": "manager", "back": True, "comment": "请补充附件"},
        "transfer": {"users": [7], "comment": "请代为处理"},
        "delegate": {"users": [7], "comment": "请先看一下"},
        "add_sign": {"users": [7, 8], "place": "before"},
        "remove_sign": {"users": [8]},
        "claim": {},
        "release": {},
        "withdraw": {"comment": "填错了"},
        "take_back": {},
        "urge": {},
        "comment": {"comment": "已电话沟通", "files": []},
        "terminate": {"comment": "重复单据"},
        "reactivate": {"comment": "误终止"},
        "reassign": {"seat": 3, "users": [7]},
    }
)


def form_paths(base: str, form: str, label: str) -> Mapping[str, Any]:
    """Paths about the run of one document of a form."""
    identity = {"name": "document", "in": "path", "required": True, "schema": {"type": "integer"}}
    one = f"{base}/{{document}}"
    paths: dict[str, Any] = {
        f"{one}/flow": {"parameters": [identity], "get": _operation(form, f"审批 / Approval: {label}", _any())}
    }
    file = {"name": "file", "in": "path", "required": True, "schema": {"type": "string"}}
    paths[f"{one}/flow/files/{{file}}"] = {
        "parameters": [identity, file],
        "get": _operation(form, "审批附件 / A file of a decision", _any()),
    }
    for act, example in EXAMPLES.items():
        body = {"schema": {"$ref": f"{REF}Move"}, "example": dict(example)}
        paths[f"{one}/flow/{act}"] = {"parameters": [identity], "post": _operation(form, act, _outcome(), body)}
    workflow = {"name": "workflow", "in": "path", "required": True, "schema": {"type": "string"}}
    paths[f"{one}/start/{{workflow}}"] = {
        "parameters": [identity, workflow],
        "post": _operation(form, "发起流程 / Start a workflow", _outcome(), _body({"comment": "请审计"}), "201"),
    }
    return paths


def app_paths(base: str) -> Mapping[str, Any]:
    """Paths about the person's lists and what administrators do."""
    tab = {"name": "tab", "in": "path", "required": True, "schema": {"enum": ["open", "done", "mine", "copies"]}}
    workflow = {"name": "workflow", "in": "path", "required": True, "schema": {"type": "string"}}
    number = {"name": "proposal", "in": "path", "required": True, "schema": {"type": "integer"}}
    upload = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
    batch = {"action": "agree", "comment": "同意", "items": [{"form": "purchase_order", "document": 12}]}
    return {
        f"{base}/-/inbox/{{tab}}": {"parameters": [tab], "get": _operation("flows", "待办中心 / Inbox", _any())},
        f"{base}/-/inbox/decide": {"post": _operation("flows", "批量审批 / Decide several", _any(), _body(batch))},
        f"{base}/-/stuck": {"get": _operation("flows", "停滞的流程 / Stuck runs", _any())},
        f"{base}/-/proposals/{{proposal}}": {
            "parameters": [number],
            "post": _operation("flows", "处理未生效的变更 / An agreed change", _any(), _body({"make": True})),
        },
        f"{base}/-/files": {
            "post": {
                **_operation("files", "上传附件 / Upload a file", _any(), status="201"),
                "requestBody": {"content": {"multipart/form-data": {"schema": upload}}},
            }
        },
        f"{base}/-/files/{{file}}": {
            "parameters": [{"name": "file", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": _operation("files", "下载附件 / Download a file", _any()),
        },
        f"{base}/-/hand-over": {
            "post": _operation("flows", "离职交接 / Hand over", _any(), _body({"leaver": 5, "successor": 7}))
        },
        f"{base}/-/migrations/{{workflow}}": {
            "parameters": [workflow],
            "get": _operation("flows", "换版影响 / What a migration would do", _any()),
            "post": _operation(
                "flows", "换版 / Migrate runs", _any(), _body({"nodes": {"manager": "head"}, "dry_run": True})
            ),
        },
    }


def move_schema() -> Mapping[str, Any]:
    """What a move may carry."""
    whole, text = {"type": "integer"}, {"type": "string"}
    users = {"type": "array", "items": whole}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "seat": whole,
            "token": whole,
            "run": whole,
            "version": whole,
            "signature": whole,
            "files": {"type": "array", "items": text},
            "users": users,
            "node": text,
            "place": {"enum": ["before", "after", "beside"]},
            "back": {"type": "boolean"},
            "comment": text,
            "confirmed": {"type": "boolean"},
            "chosen": {"type": "object", "additionalProperties": users},
            "data": {"type": "object"},
        },
    }


def _operation(
    tag: str,
    summary: str,
    answer: Mapping[str, Any],
    body: Mapping[str, Any] | None = None,
    status: str = "200",
) -> Mapping[str, Any]:
    problems = {"content": {"application/json": {"schema": {"$ref": f"{REF}Problems"}}}}
    operation: dict[str, Any] = {
        "tags": [tag],
        "summary": summary,
        "responses": {
            status: {"description": "OK", "content": {"application/json": {"schema": answer}}},
            "default": {"description": "Problems", **problems},
        },
    }
    if body is not None:
        operation["requestBody"] = {"content": {"application/json": dict(body)}}
    return operation


def _body(example: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"schema": _any(), "example": example}


def _outcome() -> Mapping[str, Any]:
    return {"$ref": f"{REF}Outcome"}


def _any() -> Mapping[str, Any]:
    return {"type": "object"}
