"""The approval of one document as a page, its printed log, and the dialogs of every move."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import FileResponse, JSONResponse, Response

from engine.problems import Refused, problem
from engine.workflow.demands import MOST_FILES
from engine.workflow.move import MoveKind
from runtime.facade import documents, files, flow_acts, flow_changes, flow_inbox, flow_offers, flow_people, flow_view
from runtime.facade.flow_offers import OfferView
from runtime.facade.flow_picture import Picture
from runtime.facade.flow_view import FlowView
from runtime.web.dependencies import Natural, Posted, Visit, Visiting
from runtime.web.flow_drawing import rail, wide
from runtime.web.links import within
from runtime.web.pages import go_to, render, say
from runtime.web.routes.files import SANDBOX, handed_out
from runtime.web.routes.flow_forms import act_in
from runtime.web.site import site_of

MOST_FOUND = 20
DIALOGS = frozenset(
    {
        MoveKind.AGREE, MoveKind.REJECT, MoveKind.RETURN, MoveKind.TRANSFER, MoveKind.DELEGATE, MoveKind.ADD_SIGN,
        MoveKind.REMOVE_SIGN, MoveKind.CLAIM, MoveKind.RELEASE, MoveKind.TAKE_BACK, MoveKind.WITHDRAW, MoveKind.URGE,
        MoveKind.COMMENT, MoveKind.REASSIGN, MoveKind.TERMINATE, MoveKind.REACTIVATE,
    }
)  # fmt: skip


def flow_routes() -> APIRouter:
    """The routes of flows."""
    router = APIRouter(prefix="/w/{workspace}/{app}/flows")

    @router.get("/people")
    def people(found: Visiting, q: Annotated[str, Query(max_length=100)] = "", role: str = "") -> Response:
        """People for a dialog, by name, login or pinyin; with ``role`` only those who hold it."""
        hits = flow_people.people(found.door, q.strip(), role)[:MOST_FOUND]
        return JSONResponse({"hits": [{"id": one.id, "name": one.name, "detail": one.detail} for one in hits]})

    @router.get("/{form}/wanted")
    def wanted(
        request: Request, found: Visiting, form: str, action: str = "submit", document: Natural | None = None
    ) -> Response:
        """What an action on a document's page must be told beside what was typed: people to be picked, a signature."""
        offers = flow_offers.offer_views(found.door, form, document) if document is not None else ()
        kind = next((str(kind) for kind, name in flow_acts.LIFE.items() if name == action), "")
        one = flow_offers.offer(offers, kind)
        fresh = flow_offers.starting_choices(found.door, form) if action == "submit" else ()
        chosen = one.chosen if one is not None and one.allowed and one.chosen else fresh
        label = say(site_of(request), found.language, f"flow.move_{kind}") if kind else action
        return render(
            request, found, "flow/wanted.html", part=True,
            chosen=chosen, label=label, signs=one is not None and one.comment == "signature",
        )  # fmt: skip

    @router.get("/{form}/{document:int}")
    def show(request: Request, found: Visiting, form: str, document: Natural) -> Response:
        view = flow_view.flow_view(found.door, form, document)
        flow_inbox.mark_document_read(found.door, form, document)
        offers = flow_offers.offer_views(found.door, form, document)
        shown = [one for one in offers if one.shown]
        waits = flow_changes.proposed_view(found.door, form, document, view.document)
        return render(
            request, found, "flow/page.html",
            flow=view, view=view.document, offers=shown, proposed=waits, **drawings(view),
        )  # fmt: skip

    @router.get("/{form}/{document:int}/print")
    def printed(request: Request, found: Visiting, form: str, document: Natural) -> Response:
        view = flow_view.flow_view(found.door, form, document)
        return render(request, found, "flow/print.html", flow=view, view=view.document)

    @router.get("/{form}/{document:int}/panel")
    def panel(request: Request, found: Visiting, form: str, document: Natural) -> Response:
        """What the side panel of a document shows: the picture, whom it waits for, the log."""
        view = flow_view.flow_view(found.door, form, document)
        flow_inbox.mark_document_read(found.door, form, document)
        offers = [one for one in flow_offers.offer_views(found.door, form, document) if one.shown]
        return render(
            request, found, "flow/panel.html", part=True,
            flow=view, view=view.document, offers=offers, rail=drawings(view)["rail"],
        )  # fmt: skip

    @router.get("/{form}/{document:int}/proposed")
    def proposed(request: Request, found: Visiting, form: str, document: Natural) -> Response:
        """What a document's page says of a change that waits for agreement; nothing where none does."""
        view = flow_changes.proposed_view(found.door, form, document)
        return render(request, found, "flow/proposed.html", part=True, proposed=view, form=form, document=document)

    @router.get("/{form}/{document:int}/signatures/{number}")  # 60 bits: more digits than an id may have
    def signature(found: Visiting, form: str, document: Natural, number: Natural) -> Response:
        documents.read(found.door, form, document)
        view = flow_view.flow_view(found.door, form, document)
        if str(number) not in {line.signature for line in view.log}:
            raise Refused([problem("storage.file_missing")], "missing")
        kept = files.signature(found.door, number)
        return FileResponse(
            kept.path,
            media_type=kept.media_type,
            headers={"Content-Security-Policy": SANDBOX, "Cache-Control": "private, no-store"},
        )

    @router.get("/{form}/{document:int}/files/{file}")
    def attached(found: Visiting, form: str, document: Natural, file: str) -> Response:
        """A file of a line of the log."""
        return handed_out(files.attached(found.door, form, document, file))

    @router.get("/{form}/{document:int}/{move}")
    def dialog(
        request: Request, found: Visiting, form: str, document: Natural, move: str, seat: Natural = 0, back: str = ""
    ) -> Response:
        """The dialog of a move, for the drawer."""
        one = _offer(found, form, document, move, seat)
        return _dialog(request, found, form, document, one, back)

    @router.post("/{form}/{document:int}/{move}")
    def act(
        request: Request, found: Visiting, form: str, document: Natural, move: str, sent: Posted, back: str = ""
    ) -> Response:
        kind = _kind(move)
        outcome = flow_acts.act(found.door, form, document, kind, act_in(found.door, sent))
        told = say(site_of(request), found.language, f"flow.done_{kind}", number=outcome.number or "")
        told = " · ".join((told, *(found.door.say(one) for one in outcome.did)))
        return go_to(request, within(back, found.links.workspace) or found.links.record(form, document), told)

    return router


def drawings(view: FlowView) -> dict[str, Any]:
    """The picture in both widths."""
    drawn: Picture | None = view.picture
    if drawn is None:
        return {"rail": None, "wide": None}
    return {"rail": rail(drawn.steps, view.details), "wide": wide(drawn.steps, view.details)}


def _kind(move: str) -> MoveKind:
    try:
        kind = MoveKind(move)
    except ValueError:
        raise Refused([problem("web.no_page")], "missing") from None
    if kind not in DIALOGS:
        raise Refused([problem("web.no_page")], "missing")
    return kind


def _offer(found: Visit, form: str, document: int, move: str, seat: int) -> OfferView:
    kind = str(_kind(move))
    one = flow_offers.offer(flow_offers.offer_views(found.door, form, document, seat), kind)
    if one is None:
        raise Refused([problem("flow.no_run")], "missing")
    return one


def _dialog(request: Request, found: Visit, form: str, document: int, one: OfferView, back: str) -> Response:
    context: dict[str, Any] = {"offer": one, "form": form, "document": document, "back": back, "most_files": MOST_FILES}
    return render(request, found, "flow/move.html", part=True, **context)
