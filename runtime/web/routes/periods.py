"""Months and days: 收发存汇总表, 库存健康检查 and 结账. What is shown and allowed is decided behind the facade."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from runtime.facade import closings, health, movements
from runtime.facade.movements import MovementRequest
from runtime.web.dependencies import Natural, Posted, Visiting, number_in, text_of
from runtime.web.downloads import download
from runtime.web.pages import go_to, render, say
from runtime.web.routes.stock import LONGEST, PAGE_SIZE, name_of, pair_of, warehouses_of
from runtime.web.site import site_of


def period_routes() -> APIRouter:
    """The routes of reports by month, of the health page and of closing."""
    router = APIRouter(prefix="/w/{workspace}/{app}")

    @router.get("/movements")
    def movement_page(
        request: Request,
        found: Visiting,
        since: str = "",
        until: str = "",
        by: str = "",
        q: str = "",
        product: Natural | None = None,
        warehouse: str = "",
        after: str = "",
        file: str = "",
    ) -> Response:
        month = f"{found.door.house.now():%Y-%m}"
        asked = MovementRequest(
            since=since or until or month,
            until=until or since or month,
            by_warehouse=by == "warehouse",
            product=product,
            warehouse=number_in(warehouse),
            search=q.strip()[:LONGEST],
            after=pair_of(after),
            limit=PAGE_SIZE,
        )
        if file == "xlsx":
            label = say(site_of(request), found.language, "page.movements")
            name = f"{label}-{asked.since}-{asked.until}.xlsx"
            return download(name, lambda path: movements.export(found.door, asked, path))
        return render(
            request,
            found,
            "stock/movements.html",
            view=movements.report(found.door, asked),
            chosen={
                "since": asked.since, "until": asked.until, "by": by, "q": asked.search, "product": product,
                "warehouse": asked.warehouse,
            },
            after=after,
            product_name=name_of(found, "product", product),
            warehouses=warehouses_of(found),
            settings=found.door.bundle.app.settings,
        )  # fmt: skip

    @router.get("/health")
    def health_page(request: Request, found: Visiting) -> Response:
        return render(
            request,
            found,
            "stock/health.html",
            view=health.checkup(found.door),
            settings=found.door.bundle.app.settings,
        )

    @router.get("/closing")
    def closing_page(request: Request, found: Visiting, through: str = "", warehouse: str = "") -> Response:
        place = number_in(warehouse) or 0
        view = closings.overview(found.door)
        period = closings.check(found.door, through, place) if through else None
        chosen = {"through": through, "warehouse": place or None}
        today = found.door.house.now().date()
        return render(request, found, "closing.html", view=view, period=period, chosen=chosen, today=today)

    @router.post("/closing")
    def close(request: Request, found: Visiting, sent: Posted) -> Response:
        closings.close(found.door, text_of(sent, "through"), number_in(text_of(sent, "warehouse")) or 0)
        said = say(site_of(request), found.language, "closing.done", through=text_of(sent, "through"))
        return go_to(request, found.links.page("closing"), said)

    @router.post("/closing/{identity:int}/reopen")
    def reopen(request: Request, found: Visiting, identity: Natural, sent: Posted) -> Response:
        closings.reopen(found.door, identity, text_of(sent, "reason"))
        return go_to(request, found.links.page("closing"), say(site_of(request), found.language, "closing.reopened"))

    return router
