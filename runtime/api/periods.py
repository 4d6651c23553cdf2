"""Stock movements by month, and closing days and months: ``/-/movements`` and ``/-/closings``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query

from engine.problems import Refused, problem
from runtime.api.callers import PREFIX, Body, answered
from runtime.api.shapes import cursor_json, place_of
from runtime.facade import closings, movements
from runtime.facade.door import Door
from runtime.facade.movements import NOTHING, MovementRequest, MovementRow, MovementView, Sum
from runtime.web.dependencies import Natural


def period_api() -> APIRouter:
    """The routes."""
    router = APIRouter(prefix=PREFIX)
    router.get("/-/movements", response_model=None)(answered(movement_report))
    router.get("/-/closings", response_model=None)(answered(list_closings))
    router.get("/-/closings/check", response_model=None)(answered(check))
    router.post("/-/closings", response_model=None)(answered(close, 201))
    router.post("/-/closings/{closing}/reopen", response_model=None)(answered(reopen))
    return router


def movement_report(
    door: Door,
    since: str,
    until: str = "",
    by_warehouse: bool = False,
    product: Natural | None = None,
    warehouse: Natural | None = None,
    search: str = "",
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Mapping[str, Any]:
    """Opening, in and out by move type, closing for months ``2026-01``; ``after`` is the ``next`` of a page."""
    view = movements.report(
        door,
        MovementRequest(
            since=since, until=until or since, by_warehouse=by_warehouse, product=product, warehouse=warehouse,
            search=search, after=place_of(after), limit=limit,
        ),
    )  # fmt: skip
    return {
        "categories": [{"key": one.key, "label": one.label, "side": one.side} for one in view.categories],
        "rows": [
            {
                "product": row.product,
                "product_text": row.product_text,
                "warehouse": row.warehouse or None,
                "warehouse_text": row.warehouse_text,
                "unit": row.unit,
                "aux_unit": row.second or None,
                **_sums(view, row),
            }
            for row in view.rows
        ],
        "totals": _sums(view, view.totals),
        "next": cursor_json(view.next),
    }


def list_closings(door: Door) -> Mapping[str, Any]:
    """What is closed, newest first, and what may be closed next."""
    view = closings.overview(door)
    return {
        "rows": [
            {
                "id": row.id,
                "kind": row.kind,
                "warehouse": row.warehouse or None,
                "through": row.through.isoformat(),
                "closed_by": row.closed_by,
                "closed_at": row.closed_at.isoformat(),
                "reopened_at": row.reopened_at.isoformat() if row.reopened_at else None,
                "reason": row.reason,
                "may_reopen": row.may_reopen,
            }
            for row in view.rows
        ],
        "rights": sorted(view.rights),
        "next_month": view.next_month,
    }


def check(door: Door, through: str, warehouse: Natural = 0) -> Mapping[str, Any]:
    """The checklist for closing a month (``2026-01``) or the days of a warehouse (``2026-01-31``)."""
    view = closings.check(door, through, warehouse)
    return {
        "kind": view.kind,
        "through": view.through.isoformat(),
        "ready": view.ready,
        "checks": [
            {
                "key": one.key,
                "label": one.label,
                "level": one.level,
                "count": one.count,
                "named": [{"form": form or None, "id": identity, "text": text} for form, identity, text in one.links],
            }
            for one in view.checks
        ],
    }


def close(door: Door, sent: Body) -> Mapping[str, Any]:
    """Close a month, or with ``warehouse`` the days of one warehouse, to ``through``."""
    warehouse = sent.get("warehouse") or 0
    if not isinstance(warehouse, int):
        raise Refused([problem("closing.warehouse_denied", "warehouse")])
    return {"id": closings.close(door, str(sent.get("through", "")), warehouse)}


def reopen(door: Door, closing: Natural, sent: Body) -> Mapping[str, Any]:
    """Open the days of the latest closing again; ``reason`` is demanded."""
    closings.reopen(door, closing, str(sent.get("reason", "")))
    return {"id": closing}


def _sums(view: MovementView, row: MovementRow) -> Mapping[str, Any]:
    def told(one: Sum) -> Mapping[str, str]:
        shown = {"quantity": f"{one[0]:f}"}
        if view.with_value:
            shown["value"] = f"{one[1]:f}"
        if row.second:
            shown["aux"] = f"{one[2]:f}"
        return shown

    return {
        "opening": told(row.opening),
        "moves": {one.key: told(row.moves.get(one.key, NOTHING)) for one in view.categories},
        "in": told(row.came_in),
        "out": told(row.went_out),
        "closing": told(row.closing),
    }
