"""Lots: where they are, where they came from and went; one entry of stock explained; what can be promised of goods."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from engine.picking import STATUS_LABELS
from runtime.facade import entry_story, lots, promises, supplies, trace
from runtime.web.dependencies import Natural, Visiting, number_in
from runtime.web.pages import render
from runtime.web.routes.stock import LONGEST, PAGE_SIZE, name_of, warehouses_of


def lot_routes() -> APIRouter:
    """The routes of lots and entries."""
    router = APIRouter(prefix="/w/{workspace}/{app}")

    @router.get("/stock/lots")
    def details(
        request: Request,
        found: Visiting,
        q: str = "",
        lot: str = "",
        product: Natural | None = None,
        warehouse: str = "",
        due: Literal["", "near", "expired"] = "",
        status: str = "",
        after: Natural = 0,
    ) -> Response:
        place = number_in(warehouse)
        words = {"q": q.strip()[:LONGEST], "lot": lot.strip()[:LONGEST], "status": status[:LONGEST]}
        view = lots.details(
            found.door,
            product=product,
            warehouse=place,
            search=words["q"],
            lot=words["lot"],
            status=words["status"],
            due=due,
            offset=after,
            limit=PAGE_SIZE,
        )
        return render(
            request,
            found,
            "stock/lots.html",
            view=view,
            chosen={**words, "product": product, "warehouse": place, "due": due},
            after=after,
            product_name=name_of(found, "product", product),
            warehouses=warehouses_of(found),
            statuses=[(key, label.text(found.door.language)) for key, label in STATUS_LABELS.items()],
        )

    @router.get("/stock/outlook")
    def outlook(request: Request, found: Visiting, product: Natural, warehouse: str = "") -> Response:
        """What can be promised from which day on, who waits for the product, and what on its way will serve whom."""
        return render(
            request,
            found,
            "stock/outlook.html",
            places=supplies.places(found.door, product, number_in(warehouse)),
            product=product,
            product_name=name_of(found, "product", product),
        )

    @router.get("/stock/outlook/{form}/{document:int}")
    def outlook_of(request: Request, found: Visiting, form: str, document: Natural) -> Response:
        """The part below a document's lines that says what can be promised, and where the goods it waits for will come
        from."""
        view = supplies.of_document(found.door, form, document)
        answers = promises.of_document(found.door, form, document)
        return render(request, found, "stock/outlook_of.html", part=True, view=view, answers=answers)

    @router.get("/entries/{identity}")
    def explained(request: Request, found: Visiting, identity: Natural) -> Response:
        story = entry_story.entry_story(found.door, identity)
        return render(request, found, "stock/entry.html", story=story, settings=found.door.bundle.app.settings)

    @router.get("/trace")
    def traced(request: Request, found: Visiting, lot: str = "", product: Natural | None = None) -> Response:
        wanted = lot.strip()[:LONGEST]
        view: trace.TraceView | None = None
        choices: tuple[tuple[int, str], ...] = ()
        if wanted and product is None:
            choices = trace.lots_called(found.door, wanted)
            if len(choices) == 1:
                return RedirectResponse(found.links.page("trace", lot=wanted, product=choices[0][0]), 303)
        elif wanted and product is not None:
            view = trace.trace(found.door, product, wanted)
        return render(request, found, "stock/trace.html", view=view, choices=choices, lot=wanted, product=product)

    return router
