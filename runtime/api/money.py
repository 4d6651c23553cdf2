"""Money: ageing, open documents, statements and vouchers: ``/-/ageing``, ``/-/statement``, ``/-/vouchers``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from runtime.api.callers import PREFIX, answered
from runtime.api.shapes import plain_object
from runtime.facade import finance, vouchers
from runtime.facade.door import Door
from runtime.web.dependencies import Natural


def money_api() -> APIRouter:
    """The routes."""
    router = APIRouter(prefix=PREFIX)
    router.get("/-/ageing", response_model=None)(answered(ageing))
    router.get("/-/statement", response_model=None)(answered(statement))
    router.get("/-/vouchers", response_model=None)(answered(voucher_list))
    return router


def ageing(
    door: Door,
    side: Literal["receivable", "payable"] = "receivable",
    by: Literal["due", "day"] = "due",
    partner: Natural | None = None,
    overdue: bool = False,
    after: Natural = 0,
    items_after: Natural = 0,
    limit: Annotated[int | None, Query(ge=1, le=500)] = None,
) -> Mapping[str, Any]:
    """Open amounts by age per partner; ``items`` are the documents of ``partner``, or the overdue ones."""
    view = finance.ageing(door, side, by, partner, overdue, after=after, items_after=items_after, limit=limit)
    return plain_object(view)


def statement(
    door: Door, partner: Natural, start: date, end: date, side: Literal["receivable", "payable"] = "receivable"
) -> Mapping[str, Any]:
    """Opening, documents and payments, closing of a partner over a period."""
    return plain_object(finance.statement(door, side, partner, start, end))


def voucher_list(
    door: Door,
    start: date,
    end: date,
    chart: str = "",
    by: Literal["document", "day", "period"] = "document",
    after: Natural = 0,
    limit: Annotated[int | None, Query(ge=1, le=500)] = None,
) -> Mapping[str, Any]:
    """Vouchers of a period by the rules of ``chart``, and what no rule books."""
    view = vouchers.vouchers(door, chart, start, end, by, after=after, limit=limit)
    return {**plain_object(view), "unmapped": [plain_object(one) for _, one in view.unmapped]}
