"""Finance: ageing, statements, vouchers. All of it is derived behind the facade; dates default to this month."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import Response

from runtime.facade import finance, lists, vouchers
from runtime.facade.list_views import LookUpHit
from runtime.web.dependencies import Natural, Visit, Visiting, number_in
from runtime.web.downloads import MEDIA, download
from runtime.web.pages import render, say
from runtime.web.site import site_of

MOST_PARTNERS = 500
PAGE_SIZE = 50


def finance_routes() -> APIRouter:
    """The routes of finance."""
    router = APIRouter(prefix="/w/{workspace}/{app}")

    @router.get("/ageing")
    def ageing(
        request: Request,
        found: Visiting,
        side: str = "receivable",
        by: str = "due",
        partner: Natural | None = None,
        overdue: str = "",
        after: Natural = 0,
        items_after: Natural = 0,
    ) -> Response:
        view = finance.ageing(
            found.door,
            _side(side),
            "day" if by == "day" else "due",
            partner=partner,
            overdue=overdue == "1",
            after=after,
            items_after=items_after,
            limit=PAGE_SIZE,
        )
        chosen = {"side": view.side, "by": view.basis, "partner": partner, "overdue": overdue}
        return render(
            request, found, "finance/ageing.html",
            view=view, chosen=chosen, after=after, items_after=items_after, settings=_settings(found),
        )  # fmt: skip

    @router.get("/statement")
    def statement(
        request: Request,
        found: Visiting,
        side: str = "receivable",
        partner: str = "",
        start: str = "",
        end: str = "",
    ) -> Response:
        which = _side(side)
        first, last = _period(found, start, end)
        chosen_partner = number_in(partner)
        view = None if chosen_partner is None else finance.statement(found.door, which, chosen_partner, first, last)
        chosen = {"side": which, "partner": chosen_partner, "start": first.isoformat(), "end": last.isoformat()}
        return render(
            request,
            found,
            "finance/statement.html",
            view=view,
            chosen=chosen,
            partners=_partners(found, which),
            settings=_settings(found),
        )

    @router.get("/vouchers")
    def voucher_page(
        request: Request,
        found: Visiting,
        chart: str = "",
        start: str = "",
        end: str = "",
        by: str = "document",
        file: str = "",
        after: Natural = 0,
    ) -> Response:
        first, last = _period(found, start, end)
        gathered = by if by in ("document", "day", "period") else "document"
        asked = partial(vouchers.vouchers, found.door, chart, first, last, gathered)  # type: ignore[arg-type]
        if file in MEDIA:
            whole = asked()
            kind: vouchers.FileKind = "csv" if file == "csv" else "xlsx"
            name = f"{say(site_of(request), found.language, 'page.vouchers')}-{first:%Y%m}.{kind}"
            return download(name, lambda path: vouchers.export(found.door, whole, path, kind))
        view = asked(after=after, limit=PAGE_SIZE)
        chosen = {"chart": view.chart, "start": first.isoformat(), "end": last.isoformat(), "by": gathered}
        return render(
            request,
            found,
            "finance/vouchers.html",
            view=view,
            chosen=chosen,
            after=after,
            settings=_settings(found),
        )

    return router


def _side(text: str) -> finance.Side:
    return "payable" if text == "payable" else "receivable"


def _settings(found: Visit) -> object:
    return found.door.bundle.app.settings


def _period(found: Visit, start: str, end: str) -> tuple[date, date]:
    """The days asked for; without them, this month."""
    today = found.door.house.now().date()
    first = _day(start) or today.replace(day=1)
    last = _day(end) or first.replace(day=monthrange(first.year, first.month)[1])
    return (first, last) if first <= last else (last, first)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _partners(found: Visit, side: finance.Side) -> tuple[LookUpHit, ...]:
    form = getattr(found.door.bundle.app.dimensions, finance.PARTNERS[side])
    return lists.look_up(found.door, form, "", limit=MOST_PARTNERS) if form else ()
