"""Balances of any ledger, and the entries behind one of them. Which ledgers there are is decided behind the facade."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from runtime.facade import balances
from runtime.web.dependencies import Natural, Visiting
from runtime.web.pages import render

PAGE_SIZE = 50
LONGEST = 100


def balance_routes() -> APIRouter:
    """The routes of balances."""
    router = APIRouter(prefix="/w/{workspace}/{app}/balances")

    @router.get("")
    def page(
        request: Request,
        found: Visiting,
        ledger: str = "",
        q: str = "",
        zero: str = "",
        after: str = "",
        product: Natural | None = None,
        warehouse: Natural | None = None,
        partner: Natural | None = None,
        subject: Natural | None = None,
        element: str = "",
    ) -> Response:
        asked = {
            "product": product, "warehouse": warehouse, "partner": partner, "subject": subject, "element": element,
        }  # fmt: skip
        only = {name: value for name, value in asked.items() if value}
        words = q.strip()[:LONGEST]
        view = balances.balances(found.door, ledger, only, words, zero != "1", after, PAGE_SIZE)
        return render(
            request,
            found,
            "finance/balances.html",
            view=view,
            chosen={"ledger": view.ledger, "q": words, "zero": zero, **only},
            only=only,
            after=after,
            names={
                part.dimension: part.text
                for row in view.rows[:1]
                for part in row.parts
                if only.get(part.dimension) == part.value
            },
            settings=found.door.bundle.app.settings,
        )

    @router.get("/entries")
    def behind(request: Request, found: Visiting, balance: str = "", after: Natural | None = None) -> Response:
        view = balances.entries(found.door, balance, after, PAGE_SIZE)
        own = {one.key for one in view.dimensions}
        spoken = ("product_text", "warehouse_text", "lot", "serial", "status_text", "bin_text")
        kept = [
            name
            for name in spoken
            if name.removesuffix("_text") not in own and any(getattr(row, name) for row in view.rows)
        ]
        return render(
            request,
            found,
            "finance/balance_entries.html",
            view=view,
            kept=kept,
            after=after,
            settings=found.door.bundle.app.settings,
        )

    return router
