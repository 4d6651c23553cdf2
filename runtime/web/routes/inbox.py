"""待办中心: the four lists, batch decisions, claiming, and working through tasks one after another."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import FormData, QueryParams
from starlette.responses import Response

from engine.problems import Problem, Refused, problem
from engine.workflow.demands import MOST_FILES
from engine.workflow.move import MoveKind
from runtime.facade import (
    documents,
    files,
    flow_acts,
    flow_changes,
    flow_inbox,
    flow_moves,
    flow_offers,
    flow_view,
    forms,
    tasks,
)
from runtime.facade.documents import Outcome
from runtime.facade.flow_acts import Act
from runtime.facade.flow_inbox import InboxRow, Tab, Wanted
from runtime.facade.flow_words import lasting
from runtime.facade.views import ChangeView, DocumentView, FormView
from runtime.web.dependencies import Natural, Posted, Visit, Visiting, number_in, text_of, texts_of
from runtime.web.document_page import arranged
from runtime.web.pages import go_to, render, say
from runtime.web.responses import refusal
from runtime.web.routes.flow_forms import chosen_of, files_of, signature_of
from runtime.web.site import site_of

MOST_AT_ONCE = 200
FILTERS = ("form", "node", "submitter", "since", "until", "overdue", "q", "kind")
SHOWN_LINES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address asks for: the tab, the filters as typed, and what they mean."""

    tab: Tab
    given: dict[str, str]
    wanted: Wanted
    after: str

    def query(self, **changed: str) -> dict[str, str]:
        """The address's query with some of it changed."""
        return {name: value for name, value in {"tab": self.tab, **self.given, **changed}.items() if value}


def inbox_routes() -> APIRouter:
    """The routes of tasks."""
    router = APIRouter(prefix="/w/{workspace}/{app}/tasks")

    @router.get("")
    def show(request: Request, found: Visiting) -> Response:
        asked = _asked(request.query_params, found)
        page = flow_inbox.page(found.door, asked.tab, asked.wanted, asked.after)
        return render(
            request, found, "tasks.html",
            page=page, asked=asked, tabs=flow_inbox.TABS, counts=flow_inbox.counts(found.door),
            choices=flow_inbox.choices(found.door, asked.tab), lasting=_lasting(request, found),
        )  # fmt: skip

    @router.post("/batch")
    def batch(request: Request, found: Visiting, sent: Posted) -> Response:
        ticked = [one for one in map(number_in, texts_of(sent, "id")) if one is not None][:MOST_AT_ONCE]
        if not ticked:
            raise Refused([problem("web.nothing_ticked")])
        results = flow_moves.agree_to_all(found.door, ticked, text_of(sent, "comment"))
        return render(
            request, found, "flow/batch.html",
            done=[(row, one) for row, one in results if isinstance(one, Outcome)],
            failed=[(row, one) for row, one in results if isinstance(one, Refused)],
        )  # fmt: skip

    @router.post("/read")
    def read(request: Request, found: Visiting, sent: Posted) -> Response:
        ids = [one for one in map(number_in, texts_of(sent, "id")) if one is not None]
        flow_inbox.mark_read(found.door, ids)
        return go_to(request, found.links.page("tasks", tab="copies"))

    @router.get("/{task:int}")
    def review(request: Request, found: Visiting, task: Natural, n: Natural = 1, did: str = "") -> Response:
        row = flow_inbox.one(found.door, task)
        if row.kind != "approval" or row.document is None:
            address = found.links.record(row.form, row.document) if row.document else found.links.list(row.form)
            return go_to(request, address)
        return _review(request, found, row, max(n, 1), did)

    @router.post("/{task:int}/decide")
    def decide(request: Request, found: Visiting, task: Natural, sent: Posted) -> Response:
        row = flow_inbox.one(found.door, task)
        agree = text_of(sent, "decision") == "agree"
        number = number_in(text_of(sent, "n")) or 1
        try:
            given = Act(
                comment=text_of(sent, "comment"),
                signature=signature_of(found.door, sent),
                files=files_of(sent),
                chosen=chosen_of(sent),
                confirmed=text_of(sent, "confirmed") == "yes",
            )
            outcome = flow_moves.decide(found.door, row, given, agree=agree, key=text_of(sent, "key"))
        except Refused as refused:
            return _again(request, found, row, number, sent, refused)
        following = flow_inbox.next_task(found.door, row)
        word = "agree" if agree else "reject"
        told = say(site_of(request), found.language, f"inbox.did_{word}", number=outcome.number or row.title)
        told = " · ".join((told, *(found.door.say(one) for one in outcome.did)))
        did = f"{row.form}:{row.document}"
        if following is None:
            return go_to(request, found.links.page("tasks", "finished", n=number, did=did), told)
        return go_to(request, found.links.page("tasks", following, n=number + 1, did=did), told)

    @router.get("/finished")
    def finished(request: Request, found: Visiting, n: Natural = 0, did: str = "") -> Response:
        return render(request, found, "flow/finished.html", count=n, undo=_undo(found, did))

    @router.post("/{task:int}/finish")
    def finish(request: Request, found: Visiting, task: Natural, sent: Posted) -> Response:
        tasks.finish(found.door, task)
        return go_to(request, found.links.page("tasks"), say(site_of(request), found.language, "tasks.finished"))

    @router.post("/{task:int}/{move}")
    def pool(request: Request, found: Visiting, task: Natural, move: str, sent: Posted) -> Response:
        """Claim a task of a role, or put it back."""
        row = flow_inbox.one(found.door, task)
        if move not in (MoveKind.CLAIM, MoveKind.RELEASE) or row.document is None:
            raise Refused([problem("web.no_page")], "missing")
        flow_acts.act(found.door, row.form, row.document, move, Act(seat=row.seat))
        told = say(site_of(request), found.language, f"flow.done_{move}", number=row.title)
        return go_to(request, found.links.page("tasks"), told)

    return router


def _asked(query: QueryParams, found: Visit) -> Asked:
    tab: Tab = next((one for one in flow_inbox.TABS if one == query.get("tab")), "open")
    given = {name: query.get(name, "").strip()[:100] for name in FILTERS}
    form, _, node = given["node"].rpartition("/")
    until = _day(given["until"])
    wanted = Wanted(
        form=form or given["form"],
        node=node,
        submitter=number_in(given["submitter"]),
        since=_day(given["since"]),
        until=until + timedelta(days=1) if until is not None else None,
        overdue=found.door.house.now() if given["overdue"] else None,
        text=given["q"],
        kind=given["kind"] if given["kind"] in ("approval", "todo") else "",
    )
    return Asked(tab=tab, given=given, wanted=wanted, after=query.get("after", "")[:60])


def _day(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time()) if text else None
    except ValueError:
        raise Refused([problem("web.bad_filter", text=text)]) from None


def _lasting(request: Request, found: Visit) -> Any:
    words = partial(say, site_of(request), found.language)
    return lambda since, until=None: lasting(since, until or found.door.house.now(), words)


def _review(
    request: Request,
    found: Visit,
    row: InboxRow,
    number: int,
    did: str = "",
    problems: tuple[Problem, ...] = (),
    typed: str = "",
    attached: tuple[str, ...] = (),
    confirm: bool = False,
    status: int = 200,
) -> Response:
    """The one page an approval is decided on."""
    assert row.document is not None
    door = found.door
    shape = forms.form_view(door, row.form)
    view = documents.read(door, row.form, row.document)
    flow = flow_view.flow_view(door, row.form, row.document, view)
    offers = flow_offers.offer_views(door, row.form, row.document, row.seat)
    following = flow_inbox.next_task(door, row)
    return render(
        request,
        found,
        "flow/review.html",
        status=status,
        task=row,
        form=shape,
        view=view,
        page=arranged(shape, view, dict.fromkeys(("biz_date", "save", "submit"), "") | _labels(request, found)),
        flow=flow,
        offers=[one for one in offers if one.kind not in ("agree", "reject") and one.shown],
        agree=flow_offers.offer(offers, "agree"),
        changed=_changed(view, flow, shape),
        proposed=flow_changes.proposed_view(door, row.form, row.document, view),
        number=number,
        total=number - 1 + flow_inbox.waiting(door),
        following=following,
        undo=_undo(found, did),
        problems=problems,
        typed=typed,
        kept_files=files.names(door, attached),
        most_files=MOST_FILES,
        confirm=confirm,
        shown_lines=SHOWN_LINES,
        file_names=_file_names(found, view),
        key=secrets.token_hex(16),
        lasting=_lasting(request, found),
    )


def _file_names(found: Visit, view: DocumentView) -> dict[str, str]:
    """What attached files are called."""
    values = [cell.value for cell in view.values.values()]
    ids = [str(one) for value in values if isinstance(value, list | tuple) for one in value]
    return files.names(found.door, ids) if ids else {}


def _labels(request: Request, found: Visit) -> dict[str, str]:
    return {"biz_date": say(site_of(request), found.language, "document.biz_date")}


def _changed(view: DocumentView, flow: flow_view.FlowView, shape: FormView) -> list[ChangeView]:
    """What was typed since the document was last sent back; none in the first round.

    What follows by formula is left out, except the grand total.
    """
    if flow.sent_back is None:
        return []
    money = [field.label for field in shape.fields if field.computed and field.type_name == "money"]
    every = [*shape.fields, *(field for table in shape.tables for field in table.fields)]
    worked_out = tuple(field.label for field in every if field.computed and field.label not in money[-1:])
    return [
        one
        for act in reversed(view.history)
        if act.at >= flow.sent_back
        for one in act.changes
        if one.label not in worked_out and not one.label.endswith(tuple(f" {label}" for label in worked_out))
    ]


def _again(request: Request, found: Visit, row: InboxRow, number: int, sent: FormData, refused: Refused) -> Response:
    """The page once more, with what is missing; a warning may be confirmed."""
    if refused.kind not in ("invalid", "conflict"):
        return refusal(request, refused.problems, refused.kind)
    warnings = all(str(one.severity) == "warning" for one in refused.problems)
    return _review(
        request, found, row, number, problems=refused.problems, typed=text_of(sent, "comment"), attached=files_of(sent),
        confirm=warnings, status=422,
    )  # fmt: skip


def _undo(found: Visit, did: str) -> tuple[str, int, str] | None:
    """What was just decided, when it may still be taken back: form, id and number."""
    form, _, identity = did.partition(":")
    document = number_in(identity)
    if document is None or form not in found.door.bundle.forms:
        return None
    try:
        back = flow_offers.offer(flow_offers.offer_views(found.door, form, document), "take_back")
        return (form, document, "") if back is not None and back.allowed else None
    except Refused:
        return None
