"""The part of the OpenAPI document beside forms and flows: rules, dead ends, trying, imports, periods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

PROBLEMS = "#/components/schemas/Problems"
ANY: Mapping[str, Any] = MappingProxyType({"type": "object"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operation. ``query``: parameters it takes beside those of its path, ``texts`` those of them that are no
    numbers although others of the name are; ``example``: of what is sent."""

    summary: str
    path: str
    verb: str = "get"
    query: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    example: Mapping[str, Any] | None = None
    status: str = "200"
    answer: str = "application/json"
    upload: bool = False


DRAFT = "workflow: purchase_approval\n…"
PERIOD: Mapping[str, Any] = MappingProxyType({"definition": DRAFT, "from": "2026-01-01", "until": "2026-03-31"})
PAGE: Mapping[str, Any] = MappingProxyType({"after": 0, "limit": 1000, "rows": 200})
NOTHING: Mapping[str, Any] = MappingProxyType({})
MAPPING: Mapping[str, Any] = MappingProxyType({"mapping": {"0": "code", "1": "name"}, "mode": "upsert"})
RUN_FILTER = ("rule", "verdict", "form", "first", "last", "after", "limit")
BALANCES = (
    "ledger", "product", "warehouse", "partner", "subject", "element", "search", "zero", "after", "limit",
)  # fmt: skip
MOVEMENTS = ("since", "until", "by_warehouse", "product", "warehouse", "search", "after", "limit")
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

ADMINISTRATION = (
    Call(path="rules", summary="规则 / Rules with their figures"),
    Call(path="rules/{rule}", summary="规则 / One rule in plain words"),
    Call(path="rule-runs", summary="规则日志 / The log of rules", query=RUN_FILTER),
    Call(path="rule-runs/{run}", summary="规则日志 / One run of a rule"),
    Call(path="rule-runs/{run}/again", verb="post", summary="再运行 / Run again", example=NOTHING, status="201"),
    Call(path="dead-ends", summary="异常 / What ended without success"),
    Call(path="dead-ends/{effect}/again", verb="post", summary="重试后续 / Try an effect again", example=NOTHING,
         status="202"),
    Call(path="dead-ends/jobs/{what}", verb="post", summary="重试或移除作业 / Run a job again, or drop it",
         example={"job": "timer:acme:7"}, status="202"),
    Call(path="try", verb="post", summary="试一下 / Try a draft on a document",
         example={"definition": DRAFT, "document": "PO20260302-0001"}),
    Call(path="replay", verb="post", summary="回放 / Replay a draft over a period", example={**PERIOD, **PAGE}),
)  # fmt: skip
EVERYBODY = (
    Call(path="imports", summary="导入 / Imports", query=("form",)),
    Call(path="imports", verb="post", summary="上传 / Upload a file", query=("form",), upload=True, status="201"),
    Call(path="imports/{number}", summary="导入进度 / How far an import is"),
    Call(path="imports/{number}", verb="patch", summary="对应列 / Map its columns", example=MAPPING),
    Call(path="imports/{number}/check", verb="post", summary="试算 / Try it"),
    Call(path="imports/{number}/run", verb="post", summary="导入 / Run it", status="202"),
    Call(path="imports/{number}/undo", verb="post", summary="撤销导入 / Take it back"),
    Call(path="imports/{number}/problems", summary="问题行 / Problems by row", query=("after", "limit")),
    Call(path="imports/{number}/errors", summary="问题行 / Refused rows as Excel", answer=SHEET),
    Call(path="movements", summary="收发存 / Opening, in, out, closing", query=MOVEMENTS),
    Call(path="balances", summary="账簿余额 / Balances of a ledger", query=BALANCES, texts=("after",)),
    Call(path="balances/entries", summary="余额的流水 / Entries of a balance", query=("balance", "after", "limit")),
    Call(path="closings", summary="结账 / What is closed"),
    Call(path="closings", verb="post", summary="结账 / Close a period", example={"through": "2026-01"}, status="201"),
    Call(path="closings/check", summary="结账检查 / Checklist before closing", query=("through", "warehouse")),
    Call(path="closings/{closing}/reopen", verb="post", summary="反结账 / Open again", example={"reason": "补录发票"}),
)
NUMBERS = frozenset(
    {"run", "effect", "number", "closing", "after", "limit", "product", "warehouse", "partner", "subject"}
)
CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType({"what": ("again", "drop")})
TAGS: Mapping[str, str] = MappingProxyType(
    {
        "rules": "rules",
        "rule-runs": "rules",
        "dead-ends": "rules",
        "try": "trying",
        "replay": "trying",
        "imports": "imports",
    }
)


def desk_paths(base: str, administrator: bool) -> Mapping[str, Any]:
    """Paths below ``base``; what only administrators may do is absent for everybody else."""
    paths: dict[str, Any] = {}
    for call in (*EVERYBODY, *(ADMINISTRATION if administrator else ())):
        paths.setdefault(f"{base}/-/{call.path}", {})[call.verb] = _operation(call)
    return paths


def _operation(call: Call) -> Mapping[str, Any]:
    in_path = [part.strip("{}") for part in call.path.split("/") if part.startswith("{")]
    parameters = [_parameter(name, "path", name in NUMBERS) for name in in_path]
    parameters += [_parameter(name, "query", name in NUMBERS - {*call.texts}) for name in call.query]
    problems = {"application/json": {"schema": {"$ref": PROBLEMS}}}
    operation: dict[str, Any] = {
        "tags": [TAGS.get(call.path.split("/")[0], "periods")],
        "summary": call.summary,
        "responses": {
            call.status: {"description": "OK", "content": {call.answer: {"schema": _answer(call)}}},
            "default": {"description": "Problems", "content": problems},
        },
    }
    if parameters:
        operation["parameters"] = parameters
    if call.upload:
        form = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
        operation["requestBody"] = {"content": {"multipart/form-data": {"schema": form}}, "required": True}
    elif call.example is not None:
        sent = {"schema": dict(ANY), "example": dict(call.example)}
        operation["requestBody"] = {"content": {"application/json": sent}}
    return operation


def _answer(call: Call) -> Mapping[str, Any]:
    return {"type": "string", "format": "binary"} if call.answer == SHEET else dict(ANY)


def _parameter(name: str, place: str, number: bool) -> Mapping[str, Any]:
    schema: dict[str, Any] = {"type": "integer" if number else "string"}
    if name in CHOICES:
        schema["enum"] = list(CHOICES[name])
    return {
        "name": name,
        "in": place,
        "required": place == "path" or name in ("since", "through", "balance"),
        "schema": schema,
    }
