"""Stock: levels, the entries behind them, and the scanner's page.

From a level one gets to its entries and from an entry to its document. Which figures and warehouses are shown is
decided behind the facade; a missing measure is a missing column.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from engine.problems import Refused, problem
from runtime.facade import documents, lists, lots, menu, stock, unit_codes
from runtime.facade.list_views import LookUpHit
from runtime.web.dependencies import Natural, Visit, Visiting, number_in
from runtime.web.pages import render

PAGE_SIZE = 50
MOST_WAREHOUSES = 200
MOST_DETAILS = 100  # lots shown below a place; the page of lots pages through all of them
LONGEST = 100


def stock_routes() -> APIRouter:
    """The routes of stock."""
    router = APIRouter(prefix="/w/{workspace}/{app}")

    @router.get("/stock")
    def levels(
        request: Request,
        found: Visiting,
        q: str = "",
        product: Natural | None = None,
        warehouse: str = "",
        short: str = "",
        zero: str = "",
        after: str = "",
        unfold: str = "",
    ) -> Response:
        place = number_in(warehouse)
        view = stock.levels(
            found.door,
            product=product,
            warehouse=place,
            search=q.strip()[:LONGEST],
            below_safety=short == "1",
            nonzero=zero != "1",
            after=pair_of(after),
            limit=PAGE_SIZE,
        )
        chosen = {"q": q.strip()[:LONGEST], "product": product, "warehouse": place, "short": short, "zero": zero}
        opened = pair_of(unfold) if "on_hand" in view.measures else None
        return render(
            request,
            found,
            "stock/levels.html",
            view=view,
            chosen=chosen,
            after=after,
            detailed=lots.detailed_places(found.door, {row.product for row in view.rows}),
            opened=opened,
            details=lots.details(found.door, opened[0], opened[1], limit=MOST_DETAILS) if opened else None,
            product_name=name_of(found, "product", product),
            warehouses=warehouses_of(found),
            settings=found.door.bundle.app.settings,
            product_form=found.door.bundle.app.dimensions.product,
        )

    @router.get("/entries")
    def entries(
        request: Request,
        found: Visiting,
        product: Natural | None = None,
        warehouse: str = "",
        ledger: str = "stock",
        lot: str = "",
        after: Natural | None = None,
    ) -> Response:
        place, number = number_in(warehouse), lot.strip()[:LONGEST]
        rows = stock.entries(
            found.door, product=product, warehouse=place, ledger=ledger, lot=number, after=after, limit=PAGE_SIZE + 1
        )
        shown = rows[:PAGE_SIZE]
        return render(
            request,
            found,
            "stock/entries.html",
            rows=shown,
            next=shown[-1].id if len(rows) > PAGE_SIZE else None,
            chosen={"product": product, "warehouse": place, "ledger": ledger, "lot": number},
            after=after,
            product_name=name_of(found, "product", product),
            warehouse_name=name_of(found, "warehouse", place),
            with_value=any(row.value is not None for row in shown),
            kept={
                name
                for name in ("lot", "serial", "status_text", "bin_text")
                if any(getattr(row, name) for row in shown)
            },
            settings=found.door.bundle.app.settings,
        )

    @router.get("/scan")
    def scan(request: Request, found: Visiting, code: str = "") -> Response:
        text = code.strip()[:LONGEST]
        key = _form(found, "product")
        coded = unit_codes.by_code(found.door, key, text)
        hits = tuple(one.record for one in coded) or (lists.look_up(found.door, key, text) if text else ())
        exact = tuple(hit for hit in hits if text.lower() in {part.lower() for part in hit.text.split()})
        hits = exact if len(exact) == 1 else hits
        view = None
        if len(hits) == 1 and menu.may_open(found.door, "stock"):
            view = stock.levels(found.door, product=hits[0].id, nonzero=False)
        return render(request, found, "scan.html", text=text, hits=hits, view=view, form=key)

    return router


def _form(found: Visit, dimension: str) -> str:
    """The form that plays the part of ``product`` or ``warehouse`` in this app."""
    key = getattr(found.door.bundle.app.dimensions, dimension)
    if key is None:
        raise Refused([problem("web.no_page")], "missing")
    return str(key)


def warehouses_of(found: Visit) -> tuple[LookUpHit, ...]:
    """The warehouses to choose from; none for whoever may not read them."""
    try:
        return lists.look_up(found.door, _form(found, "warehouse"), "", limit=MOST_WAREHOUSES)
    except Refused:
        return ()


def name_of(found: Visit, dimension: str, identity: int | None) -> str:
    """Name of the chosen product or warehouse, if the person may read it."""
    if identity is None:
        return ""
    try:
        return documents.read(found.door, _form(found, dimension), identity).number
    except Refused:
        return f"#{identity}"


def pair_of(after: str) -> tuple[int, int] | None:
    """``12.3`` → (12, 3): the product and warehouse a page goes on after."""
    first, _, second = after.partition(".")
    left, right = number_in(first), number_in(second)
    return None if left is None or right is None else (left, right)
