"""Generated lists: the page, its columns, its filters, what is done with several records at once, and the export.

The state of a list is its address (`runtime.web.list_state`); htmx swaps the list in place and pushes the address.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from fastapi import APIRouter, Request
from starlette.datastructures import QueryParams
from starlette.responses import Response

from engine.problems import Refused, problem
from runtime.facade import documents, exports, forms, lists, organisation
from runtime.facade.documents import Outcome
from runtime.facade.list_views import ColumnView, ListView, RowView
from runtime.web.dependencies import Posted, Visit, Visiting, number_in, text_of, texts_of
from runtime.web.downloads import download
from runtime.web.list_state import BETWEEN, ListState, state_of
from runtime.web.pages import go_to, render

BULK = MappingProxyType({"document": ("submit", "approve", "delete"), "master": ("disable", "enable", "delete")})
FACTS = 3
NO_FACTS = frozenset({"biz_date", "doc_status", "exec_status", "settle_status"})
FACT_KINDS = ("link", "money", "date", "quantity")
MOST_AT_ONCE = 500
RANGED = frozenset({"date", "datetime", "number", "integer", "quantity", "price", "money", "percent"})
OPEN_STATES = frozenset({"draft", "pending", "approved"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterForm:
    """The filter being made: the field, the operators it offers and the widget for its value."""

    path: str
    label: str
    widget: str
    operators: tuple[str, ...]
    to: str
    choices: tuple[tuple[str, str], ...]


def list_routes() -> APIRouter:
    """The routes of lists; included after those of the built-in pages, whose names win."""
    router = APIRouter(prefix="/w/{workspace}/{app}/{form}")

    @router.get("")
    def show(request: Request, found: Visiting, form: str) -> Response:
        state = state_of(request.query_params)
        view = lists.page(found.door, form, state.request())
        address = state.address(found.links, form)
        headers = (
            {"HX-Push-Url": address, "HX-Trigger": "stockloom:close-drawer"} if "fp" in request.query_params else {}
        )
        return render(
            request,
            found,
            "lists/list.html",
            headers=headers,
            view=view,
            state=state,
            facts=facts(view),
            late=late_cells(view, found.door.house.now().date()),
            bulk=tuple(action for action in BULK[view.kind] if action in view.actions),
            suggested=found.door.bundle.forms[form].definition.list.filters,
        )

    @router.get("/columns")
    def columns(request: Request, found: Visiting, form: str) -> Response:
        state = state_of(request.query_params)
        view = lists.page(found.door, form, state.request(limit=1))
        chosen = [column.path for column in view.columns]
        rest = [column for column in view.all_columns if column.path not in chosen]
        ordered = (*view.columns, *rest)
        return render(
            request, found, "lists/columns.html", part=True, view=view, state=state, ordered=ordered, chosen=chosen
        )

    @router.post("/columns")
    def choose_columns(request: Request, found: Visiting, form: str, sent: Posted) -> Response:
        chosen = tuple(dict.fromkeys(texts_of(sent, "column")))
        if not chosen and not text_of(sent, "reset"):
            raise Refused([problem("web.no_columns")])
        state = state_of(QueryParams(text_of(sent, "state"))).changed(columns=() if text_of(sent, "reset") else chosen)
        lists.save_columns(found.door, form, state.columns)
        return go_to(request, state.address(found.links, form))

    @router.get("/filter")
    def filter_form(request: Request, found: Visiting, form: str, path: str = "") -> Response:
        state = state_of(request.query_params)
        offered = filterable(found, form)
        picked = next((one for one in offered if one.path == path), None)
        if path and picked is None:
            raise Refused([problem("web.bad_filter", text=path)])
        return render(
            request,
            found,
            "lists/filter.html",
            part=True,
            form=form,
            state=state,
            offered=offered,
            picked=picked,
            departments=organisation.departments(found.door) if picked and picked.to == "department" else (),
        )

    @router.get("/export")
    def export(request: Request, found: Visiting, form: str) -> Response:
        state = state_of(request.query_params)
        label = forms.form_view(found.door, form).label
        return download(
            f"{label}-{found.door.house.now():%Y%m%d-%H%M}.xlsx",
            lambda path: exports.export(found.door, form, state.changed().request(), path),
        )

    @router.post("/bulk")
    def bulk(request: Request, found: Visiting, form: str, sent: Posted) -> Response:
        action = text_of(sent, "action")
        ticked = (number_in(one) for one in texts_of(sent, "id"))
        ids = tuple(one for one in ticked if one is not None)[:MOST_AT_ONCE]
        if action not in BULK[forms.form_view(found.door, form).kind] or not ids:
            raise Refused([problem("web.nothing_ticked")])
        results = documents.many(found.door, form, ids, action, text_of(sent, "reason"))
        done = [(one, outcome) for one, outcome in results if isinstance(outcome, Outcome)]
        failed = [(one, outcome) for one, outcome in results if isinstance(outcome, Refused)]
        return render(
            request,
            found,
            "lists/bulk_done.html",
            part=True,
            headers={"HX-Trigger": "stockloom:list-changed"},
            form=form,
            action=action,
            done=done,
            failed=failed,
            names=_names(found, form, tuple(one for one, _ in failed)),
        )

    return router


def facts(view: ListView) -> frozenset[str]:
    """The columns a phone shows beside the first and the state: a partner, an amount and a date before any others."""
    others = [column for column in view.columns[1:] if column.path not in NO_FACTS]
    firsts = [next((one.path for one in others if one.type_name == kind), None) for kind in FACT_KINDS]
    rest = [column.path for column in others if column.path not in firsts]
    return frozenset([path for path in (*firsts, *rest) if path is not None][:FACTS])


def late_cells(view: ListView, today: date) -> dict[tuple[int, str], str]:
    """(row, path) → ``today`` or ``late``: dates that fall today, and promised ones an open document has missed."""
    dates = [column for column in view.columns if column.type_name == "date"]
    marked: dict[tuple[int, str], str] = {}
    for row in view.rows:
        for column in dates:
            found = _date(row, column)
            if found == today and column.path != "biz_date":
                marked[row.id, column.path] = "today"
            elif found is not None and found < today and column.path != "biz_date" and _open(row):
                marked[row.id, column.path] = "late"
    return marked


def filterable(found: Visit, form: str) -> tuple[FilterForm, ...]:
    """Every field a filter may be made of: the columns, then the fields of the line tables."""
    view = lists.page(found.door, form, ListState().request(limit=1))
    tables = forms.form_view(found.door, form).tables
    offered = [_offer(column, column.label) for column in view.all_columns if column.operators]
    for table in tables:
        for one in table.fields:
            if one.computed or not one.operators:
                continue
            choices = one.options.get("choices")
            pairs = tuple((str(key), str(label)) for key, label in choices.items()) if isinstance(choices, dict) else ()
            to = str(one.options.get("to") or "") if one.type_name == "link" else one.type_name
            column = ColumnView(
                path=one.path,
                label=one.label,
                type_name=one.type_name,
                align="",
                operators=one.operators,
                to=to if one.type_name in {"link", "member", "department"} else "",
                choices=pairs,
            )
            offered.append(_offer(column, f"{table.label} · {one.label}"))
    return tuple(offered)


def _offer(column: ColumnView, label: str) -> FilterForm:
    operators = column.operators
    if column.choices:
        widget = "choices"
    elif column.type_name == "department" or column.to == "department":
        widget = "department"
    elif column.to:
        widget = "look_up"
    else:
        widget = {"date": "date", "datetime": "datetime", "boolean": "boolean"}.get(column.type_name, "text")
        if column.type_name in RANGED and widget == "text":
            widget = "figure"
    if column.type_name in RANGED:
        operators = (BETWEEN, *operators)
    wanted = tuple(one for one in operators if one != "in" or widget == "choices")
    return FilterForm(
        path=column.path, label=label, widget=widget, operators=wanted, to=column.to, choices=column.choices
    )


def _date(row: RowView, column: ColumnView) -> date | None:
    value = row.cells[column.path].value
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None


def _open(row: RowView) -> bool:
    executed = row.cells.get("exec_status")
    return row.status in OPEN_STATES and (executed is None or executed.value != "done")


def _names(found: Visit, form: str, ids: Iterable[int]) -> dict[int, str]:
    """Numbers of the records a bulk action could not be done with."""
    named: dict[int, str] = {}
    for one in ids:
        try:
            named[one] = documents.read(found.door, form, one).number
        except Refused:
            named[one] = f"#{one}"
    return named
