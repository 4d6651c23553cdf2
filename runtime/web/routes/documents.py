"""The page of a document or record, and what it asks while somebody types: preview, look-up, save.

A page is sent once; its scripts then send JSON here and get cells, problems and, after saving, fresh parts of the page.
Whether something may be seen or done is decided behind the facade; a refusal becomes JSON with addresses and sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from engine.problems import Problem, Refused, problem
from runtime.facade import (
    accounts,
    documents,
    files,
    forms,
    lists,
    on_offer,
    open_items,
    organisation,
    supplies,
    unit_codes,
)
from runtime.facade.actions import FETCH
from runtime.facade.documents import Command, Outcome
from runtime.facade.door import Door
from runtime.facade.fetching import carry_out
from runtime.facade.list_views import LookUpHit
from runtime.facade.rule_buttons import BUTTON
from runtime.facade.unit_codes import UnitHit
from runtime.facade.views import DocumentView, FieldView, FormView
from runtime.web.dependencies import Guarded, Natural, OnSite, Visit, Visiting, number_in
from runtime.web.document_json import choice_pairs, document_json, fields_json, problems_json
from runtime.web.document_page import DAY, Page, arranged
from runtime.web.pages import render, say
from runtime.web.responses import refusal
from runtime.web.routes.flow_forms import LARGEST_SIGNATURE, move_beside
from runtime.web.site import Site, site_of

MOST_LINES = 10_000
FEW_PEOPLE = 20
STALE = "document.stale"
PARTS = ("strip", "side", "foot")
WORDS = (
    "line", "saved", "offline", "nothing", "searching", "empty", "confirm_title", "confirm_do", "confirm_back",
    "cancel", "reason",
    "reason_optional", "risky_delete", "risky_void", "risky_unapprove", "undo", "restore_found", "restore_from",
    "discard", "stale_by", "stale", "stale_reload", "problem_count", "warning_count", "uploading", "upload_failed",
    "too_many_files", "file_wrong", "remove", "pasted", "copied", "rows_full", "yes", "no",
)  # fmt: skip


class Typed(BaseModel):
    """What somebody typed: header values by key, whole line tables where one changed."""

    model_config = ConfigDict(extra="forbid")

    id: Natural | None = None
    values: dict[str, Any] = Field(default_factory=dict, max_length=500)
    lines: dict[str, Annotated[list[dict[str, Any]], Field(max_length=MOST_LINES)]] = Field(
        default_factory=dict, max_length=20
    )


class Sent(Typed):
    """What somebody typed, and what is to be done with it."""

    action: str = Field(max_length=80)
    version: Natural | None = None
    reason: str = Field(default="", max_length=2000)
    confirmed: bool = False
    idempotency_key: str = Field(default="", max_length=80)
    chosen: dict[str, list[Natural]] = Field(default_factory=dict, max_length=50)
    signature: str = Field(default="", max_length=LARGEST_SIGNATURE)


def document_routes() -> APIRouter:
    """The routes of documents and records; included after those of the built-in pages, whose names win."""
    router = APIRouter(prefix="/w/{workspace}/{app}/{form}")

    @router.get("/new")
    def new(
        request: Request,
        visit: Visiting,
        form: str,
        from_: Annotated[str, Query(alias="from", max_length=80)] = "",
        variant: Annotated[str, Query(max_length=48)] = "",
    ) -> Response:
        """A new document: blank, or as pushed down from another (``?from=purchase_order:7``)."""
        shape = _creatable(visit.door, form)
        source, _, identity = from_.partition(":")
        if from_:
            number = number_in(identity)
            if number is None:
                raise Refused([problem("web.no_page")], "missing")
            view = documents.push_draft(visit.door, source, number, form, variant)
            made_from = documents.read(visit.door, source, number)
        else:
            view = documents.blank(visit.door, form)
            made_from = None
        origin = f"{from_}:{variant}" if from_ else ""
        return _page(request, visit, shape, view, origin, made_from)

    @router.get("/lookup")
    def lookup(
        visit: Visiting,
        form: str,
        field: Annotated[str, Query(max_length=120)],
        q: Annotated[str, Query(max_length=100)] = "",
        partner: Natural | None = None,
    ) -> Response:
        """Records, people or departments for a field, found by code, name or pinyin; open documents of ``partner``."""
        shape = forms.form_view(visit.door, form)
        found = _field(shape, field)
        return JSONResponse({"hits": [list(hit) for hit in _hits(visit.door, form, found, q.strip(), partner)]})

    @router.post("/preview")
    def preview(visit: Guarded, site: OnSite, form: str, typed: Typed) -> Response:
        """The document as it would be, with every problem; nothing is stored."""
        door = visit.door
        patch = documents.patch_from_json(door.form(form), {**typed.values, **typed.lines})
        view = documents.preview(door, form, typed.id, patch)
        found = problems_json(view.problems, partial(_told, site, visit))
        return JSONResponse(document_json(view) | {"problems": found})

    @router.post("/save")
    def save(request: Request, visit: Guarded, site: OnSite, form: str, sent: Sent) -> Response:
        """Carry out an action, with what was typed; answers where the document is now and what was done."""
        door = visit.door
        given = {**sent.values, **sent.lines}
        patch = documents.patch_from_json(door.form(form), given) if given or sent.id is None else None
        command = Command(
            form=form,
            action=sent.action,
            document=sent.id,
            version=sent.version,
            patch=patch,
            reason=sent.reason,
            idempotency_key=sent.idempotency_key,
            confirmed=sent.confirmed,
            move=move_beside(door, sent.action, sent.reason, sent.chosen, sent.signature),
        )
        try:
            outcome = carry_out(door, command)
        except Refused as refused:
            return _refused(request, site, visit, form, sent, refused)
        return JSONResponse(_done(request, site, visit, form, sent.action, outcome))

    @router.get("/{document:int}")
    def existing(request: Request, visit: Visiting, form: str, document: Natural) -> Response:
        """A stored document."""
        shape = forms.form_view(visit.door, form)
        return _page(request, visit, shape, documents.read(visit.door, form, document))

    return router


def _page(
    request: Request,
    visit: Visit,
    shape: FormView,
    view: DocumentView,
    origin: str = "",
    made_from: DocumentView | None = None,
) -> Response:
    context = _context(visit, site_of(request), shape, view, origin)
    return render(request, visit, "document/page.html", **context | {"source": made_from})


def _context(visit: Visit, site: Site, shape: FormView, view: DocumentView, origin: str = "") -> dict[str, Any]:
    words = {name: say(site, visit.language, f"document.{name}") for name in (DAY, "save", "submit")}
    page = arranged(shape, view, words)
    place = (visit.links.workspace, visit.links.app, str(visit.door.actor.user))
    return {
        "form": shape,
        "view": view,
        "page": page,
        "source": None,
        "supplied": supplies.has_supplies(visit.door, shape.key),
        "file_names": _file_names(visit.door, page),
        "setup": {
            "document": document_json(view),
            "fields": fields_json(shape, page),
            "limits": {table.key: table.max_rows for table in shape.tables},
            "pushed": bool(origin),
            "draft": "|".join((*place, shape.key, str(view.id or "new"), origin)),
            "urls": {
                "form": visit.links.list(shape.key),
                "files": f"{visit.links.root}/files",
                "wanted": visit.links.page("flows", shape.key, "wanted"),
            },
            # Figures stay named: the scripts put them in.
            "words": {name: site.catalogue.words[visit.language][f"document.{name}"] for name in WORDS},
        },
    }


def _done(request: Request, site: Site, visit: Visit, form: str, action: str, outcome: Outcome) -> dict[str, Any]:
    """What a script needs after a successful action."""
    said = [_told(site, visit, one)[0] for one in outcome.did]
    answer: dict[str, Any] = {
        "id": outcome.document,
        "version": outcome.version,
        "number": outcome.number,
        "did": said,
        "said": say(site, visit.language, _done_key(action), number=outcome.number or ""),
        "address": visit.links.record(form, outcome.document),
    }
    if action == "delete":
        return answer | {"address": visit.links.list(form)}
    if action != "save":
        return answer
    view = documents.read(visit.door, form, outcome.document)
    shape = forms.form_view(visit.door, form)
    context = _context(visit, site, shape, view)
    pieces = {name: render(request, visit, f"document/{name}.html", part=True, **context) for name in PARTS}
    parts = {name: bytes(piece.body).decode() for name, piece in pieces.items()}
    return answer | {"document": document_json(view), "parts": parts, "draft": context["setup"]["draft"]}


def _done_key(action: str) -> str:
    if action.startswith(FETCH):
        return "document.done_save"
    return "rules.done_button" if action.startswith(BUTTON) else f"document.done_{action}"


def _refused(request: Request, site: Site, visit: Visit, form: str, sent: Sent, refused: Refused) -> Response:
    """A refusal; a stale version also says who changed the document last, and when."""
    if sent.id is None or not any(one.code == STALE for one in refused.problems):
        return refusal(request, refused.problems, refused.kind)
    now = documents.read(visit.door, form, sent.id)
    last = now.history[0] if now.history else None
    latest = {"user": last.user, "at": last.at.strftime("%Y-%m-%d %H:%M"), "action": last.action} if last else None
    found = problems_json(refused.problems, partial(_told, site, visit))
    return JSONResponse({"kind": refused.kind, "problems": found, "latest": latest, "stale": True}, status_code=409)


def _file_names(door: Door, page: Page) -> dict[str, str]:
    ids = [one for place in page.files for one in _texts(place.cell.value)]
    return files.names(door, ids) if ids else {}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list | tuple) else ()


def _told(site: Site, visit: Visit, one: Problem) -> tuple[str, str | None]:
    return site.catalogue.text(one, visit.language)


def _creatable(door: Door, form: str) -> FormView:
    shape = forms.form_view(door, form)
    if "create" not in shape.actions:
        compiled = door.form(form)
        raise Refused([problem("permission.action_denied", action="create", form=compiled.label)], "forbidden")
    return shape


def _field(shape: FormView, path: str) -> FieldView:
    fields = [*shape.fields, *(field for table in shape.tables for field in table.fields)]
    found = next((field for field in fields if field.path == path), None)
    if found is None:
        raise Refused([problem("web.no_page")], "missing")
    return found


def _hits(
    door: Door, form: str, field: FieldView, text: str, partner: int | None = None
) -> Sequence[tuple[object, ...]]:
    if field.widget == "member":
        return [(person.id, person.name, "") for person in accounts.people(door, text)][:FEW_PEOPLE]
    if field.widget == "department":
        lower, found = text.lower(), organisation.departments(door)
        return [(one.id, one.name, "") for one in found if lower in one.name.lower()][:FEW_PEOPLE]
    if field.widget == "open_item":
        return open_items.look_up(door, form, field.path, partner, text)
    target = field.options.get("to")
    if field.widget == "link" and isinstance(target, str):
        coded = unit_codes.by_code(door, target, text, link=(form, field.path))
        found_records = [one.record for one in coded] or lists.look_up(door, target, text, link=(form, field.path))
        beside = unit_codes.filled_unit(door, form, field.path) if coded else ""
        offered = on_offer.available(door, target, {hit.id for hit in found_records})
        word = door.house.catalogue.ui("stock.available", door.language)
        stocks = {identity: f"{word} {quantity}" for identity, quantity in offered.items()}
        if coded:
            return [_with_unit(one, beside, stocks) for one in coded]
        return [(hit.id, hit.text, _further(hit, stocks)) for hit in found_records]
    return [(key, label, "") for key, label in choice_pairs(field) if text.lower() in label.lower()]


def _with_unit(found: UnitHit, beside: str, stocks: Mapping[int, str]) -> tuple[object, ...]:
    """A hit that brings the unit whose barcode was scanned into the field ``beside`` it."""
    further = " · ".join(part for part in (found.unit_text, _further(found.record, stocks)) if part)
    brings = {beside: [found.unit, found.unit_text]} if beside else {}
    return (found.record.id, found.record.text, further, brings)


def _further(hit: LookUpHit, stocks: Mapping[int, str]) -> str:
    """What a hit's name does not say already, and how much of it there is."""
    parts = [part for part in hit.detail.split(" · ") if part not in hit.text]
    return " · ".join([*parts, *filter(None, [stocks.get(hit.id)])])
