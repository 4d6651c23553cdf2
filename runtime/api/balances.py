"""Balances of any ledger, and the entries behind one: ``/-/balances``, ``/-/balances/entries``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query

from runtime.api.callers import PREFIX, answered
from runtime.api.shapes import entry_json, plain_object
from runtime.facade import balances
from runtime.facade.door import Door
from runtime.web.dependencies import Natural

Limit = Annotated[int, Query(ge=1, le=500)]


def balance_api() -> APIRouter:
    """The routes."""
    router = APIRouter(prefix=PREFIX)
    router.get("/-/balances", response_model=None)(answered(balance_list))
    router.get("/-/balances/entries", response_model=None)(answered(behind))
    return router


def balance_list(
    door: Door,
    ledger: str = "",
    product: Natural | None = None,
    warehouse: Natural | None = None,
    partner: Natural | None = None,
    subject: Natural | None = None,
    element: str = "",
    search: str = "",
    zero: bool = False,
    after: str = "",
    limit: Limit = 50,
) -> Mapping[str, Any]:
    """Balances of a ledger by its dimensions; ``ledgers`` are those the caller may ask for, ``after`` is the ``next``
    of a page."""
    asked = {"product": product, "warehouse": warehouse, "partner": partner, "subject": subject, "element": element}
    only = {name: value for name, value in asked.items() if value}
    return plain_object(balances.balances(door, ledger, only, search, not zero, after, limit))


def behind(door: Door, balance: str, after: Natural | None = None, limit: Limit = 50) -> Mapping[str, Any]:
    """The entries of the balance with the key ``balance``, newest first."""
    view = balances.entries(door, balance, after, limit)
    return {**plain_object(view), "rows": [entry_json(row) for row in view.rows]}
