"""委托, and for administrators of runs: flows that are stuck, hand-over of a leaver, moves to a new version."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from engine.problems import Problem, Refused, problem
from runtime.facade import flow_acts, flow_people, flows, stand_ins
from runtime.web.dependencies import Natural, Posted, Visit, Visiting, text_of
from runtime.web.pages import go_to, render, say
from runtime.web.routes.flow_forms import people_of
from runtime.web.site import site_of

NODE = "node."


def stand_in_routes() -> APIRouter:
    """The routes of stand-ins and of administrators of runs; before those of one document's flow."""
    router = APIRouter(prefix="/w/{workspace}/{app}/flows")

    @router.get("/stand-ins")
    def show(request: Request, found: Visiting) -> Response:
        return _stand_ins(request, found)

    @router.post("/stand-ins")
    def add(request: Request, found: Visiting, sent: Posted) -> Response:
        people = people_of(sent, "to_user")
        try:
            if len(people) != 1:
                raise Refused([problem("workflow.name_one", "to_user")])
            stand_ins.add(
                found.door,
                people[0],
                text_of(sent, "form"),
                _moment(sent, "from_at", time()),
                _moment(sent, "until_at", time(), days=1),
                text_of(sent, "reason")[:200],
            )
        except Refused as refused:
            return _stand_ins(request, found, refused.problems, sent)
        told = say(site_of(request), found.language, "stand_in.added")
        return go_to(request, found.links.page("flows", "stand-ins"), told)

    @router.post("/stand-ins/{stand_in:int}/end")
    def end(request: Request, found: Visiting, stand_in: Natural, sent: Posted) -> Response:
        stand_ins.end(found.door, stand_in)
        told = say(site_of(request), found.language, "stand_in.ended")
        return go_to(request, found.links.page("flows", "stand-ins"), told)

    @router.get("/stuck")
    def stuck(request: Request, found: Visiting, after: Natural = 0) -> Response:
        _administrators_only(found)
        return _stuck(request, found, after)

    @router.post("/stuck/{form}/{document:int}/{run:int}/{token:int}/retry")
    def retry(
        request: Request, found: Visiting, form: str, document: Natural, run: Natural, token: Natural, sent: Posted
    ) -> Response:
        """A stuck place once more; what still stands in its way is said on the page."""
        try:
            flow_acts.retry(found.door, form, document, run, token)
        except Refused as refused:
            if refused.kind in ("missing", "forbidden"):
                raise
            return _stuck(request, found, problems=refused.problems)
        told = say(site_of(request), found.language, "stuck.done_retry")
        return go_to(request, found.links.page("flows", "stuck"), told)

    @router.post("/hand-over")
    def hand_over(request: Request, found: Visiting, sent: Posted) -> Response:
        leaver, successor = people_of(sent, "leaver"), people_of(sent, "successor")
        if len(leaver) != 1 or len(successor) != 1:
            raise Refused([problem("workflow.name_one", "successor")])
        results = flow_acts.hand_over(found.door, leaver[0], successor[0], text_of(sent, "comment"))
        return _stuck(
            request, found,
            results=[(item, one if isinstance(one, Refused) else None) for item, one in results],
            titles=flows.titles(found.door, [(item.form, item.document) for item, _ in results]),
        )  # fmt: skip

    @router.post("/proposals/{proposal:int}/{what}")
    def decide(request: Request, found: Visiting, proposal: Natural, what: str, sent: Posted) -> Response:
        """An agreed change that could not be made: make it on the record as it now is, or drop it."""
        if what not in ("make", "drop"):
            raise Refused([problem("web.no_page")], "missing")
        flow_acts.make_proposal(found.door, proposal, what == "make")
        told = say(site_of(request), found.language, f"stuck.done_{what}")
        return go_to(request, found.links.page("flows", "stuck"), told)

    @router.post("/migrate")
    def migrate(request: Request, found: Visiting, sent: Posted) -> Response:
        """A dry run; with ``go`` the runs are moved."""
        flow = text_of(sent, "flow")
        mapping = {
            name.removeprefix(NODE): value
            for name, value in sent.items()
            if name.startswith(NODE) and isinstance(value, str) and value
        }
        go = text_of(sent, "go") == "yes"
        made = (flow_acts.migrate_runs if go else flow_acts.migrations)(found.door, flow, mapping)
        return _stuck(
            request, found, migrations=made, moved=go, flow=flow, mapping=mapping,
            titles=flows.titles(found.door, [(one.form, one.document) for one in made]),
            here_nodes=sorted({node for one in made for node in one.nodes}),
            new_nodes=[(key, step.label) for key, step in found.door.bundle.flows[flow].nodes.items()],
        )  # fmt: skip

    return router


def _stuck(
    request: Request, found: Visit, after: int = 0, problems: tuple[Problem, ...] = (), **shown: Any
) -> Response:
    """The page of runs for administrators; ``shown``: what a hand-over or a migration has to say."""
    nothing: dict[str, Any] = {"results": None, "migrations": None, "flow": "", "mapping": {}, "titles": {}}
    return render(
        request, found, "flow/stuck.html",
        status=409 if problems else 200,
        rows=flows.stuck(found.door, after), problems=problems, workflows=_workflows(found), **{**nothing, **shown},
    )  # fmt: skip


def _stand_ins(
    request: Request, found: Visit, problems: tuple[Problem, ...] = (), sent: FormData | None = None
) -> Response:
    mine, others = stand_ins.stand_in_views(found.door)
    typed = {name: text_of(sent, name) for name in ("form", "from_at", "until_at", "reason")} if sent else {}
    picked = people_of(sent, "to_user") if sent else ()
    names = [(one.id, one.name) for one in flow_people.people(found.door, "") if one.id in picked]
    return render(
        request, found, "flow/stand_ins.html",
        status=422 if problems else 200,
        mine=mine, others=others, forms=stand_ins.forms(found.door), problems=problems, typed=typed, picked=names,
        today=found.door.house.now().date(),
    )  # fmt: skip


def _moment(sent: FormData, name: str, at: time, days: int = 0) -> datetime:
    """The beginning of the day somebody chose; with ``days``, of a later one: the last day counts in full."""
    try:
        return datetime.combine(date.fromisoformat(text_of(sent, name)), at) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise Refused([problem("stand_in.no_day", name)]) from None


def _administrators_only(found: Visit) -> None:
    if not flow_acts.administers_any(found.door):
        raise Refused([problem("flow.not_administrator")], "forbidden")


def _workflows(found: Visit) -> list[tuple[str, str]]:
    flows_of_app = found.door.bundle.flows.items()
    return [(key, flow.definition.label.text(found.language)) for key, flow in flows_of_app]
