"""导入: choose a file, match its columns, see what would happen, start it, watch it, take it back.

Everything a person decides is posted and kept with the import, so one may leave the page at any time and come back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from engine.problems import Refused, problem
from runtime.facade import import_errors, imports
from runtime.web.dependencies import Natural, Posted, Visit, Visiting, number_in, text_of
from runtime.web.downloads import download
from runtime.web.pages import go_to, render, say
from runtime.web.routes.files import file_of, parts_of
from runtime.web.site import site_of

PROBLEMS_SHOWN = 100
DRAFT = "draft"


def import_routes() -> APIRouter:
    """The routes of imports."""
    router = APIRouter(prefix="/w/{workspace}/{app}/import")

    @router.get("")
    def overview(request: Request, found: Visiting, form: str = "") -> Response:
        offered = imports.importable_forms(found.door)
        if form and form not in {key for key, _ in offered}:
            raise Refused([problem("permission.import_denied", form=found.door.form(form).label)], "forbidden")
        return render(
            request, found, "import/index.html",
            offered=offered, form=form, runs=imports.latest(found.door, form),
            limit=site_of(request).settings.upload_limit_mb,
        )  # fmt: skip

    @router.post("")
    def upload(request: Request, found: Visiting, sent: Posted) -> Response:
        file = file_of(sent)
        number = imports.upload(found.door, text_of(sent, "form"), file.filename or "", parts_of(file.file))
        _check_if_small(found, number)
        return go_to(request, found.links.page("import", number))

    @router.get("/{number:int}")
    def one(request: Request, found: Visiting, number: Natural, after: Natural = 0) -> Response:
        run = imports.progress(found.door, number)
        problems, more = imports.problems_of(found.door, number, after, PROBLEMS_SHOWN)
        shown: dict[str, Any] = {"run": run, "problems": problems, "more": more, "after": after}
        if run.state == DRAFT:
            return render(request, found, "import/draft.html", view=imports.view(found.door, number), **shown)
        return render(request, found, "import/run.html", **shown)

    @router.get("/{number:int}/state")
    def state(request: Request, found: Visiting, number: Natural) -> Response:
        run = imports.progress(found.door, number)
        if run.finished:
            return Response(status_code=204, headers={"HX-Redirect": found.links.page("import", number)})
        return render(request, found, "import/state.html", part=True, run=run)

    @router.post("/{number:int}")
    def change(request: Request, found: Visiting, number: Natural, sent: Posted) -> Response:
        _configure(found, number, sent)
        if text_of(sent, "do") == "run":
            imports.start(found.door, number)
        elif not imports.view(found.door, number).problems:
            imports.check(found.door, number)
        return go_to(request, found.links.page("import", number))

    @router.post("/{number:int}/resume")
    def resume(request: Request, found: Visiting, number: Natural, sent: Posted) -> Response:
        imports.start(found.door, number)
        return go_to(request, found.links.page("import", number))

    @router.post("/{number:int}/undo")
    def undo(request: Request, found: Visiting, number: Natural, sent: Posted) -> Response:
        done = imports.start_undo(found.door, number)
        said = say(site_of(request), found.language, "import.undone_said" if done else "import.undoing_said")
        return go_to(request, found.links.page("import", number), said)

    @router.post("/{number:int}/drop")
    def drop(request: Request, found: Visiting, number: Natural, sent: Posted) -> Response:
        imports.drop(found.door, number)
        return go_to(request, found.links.page("import"), say(site_of(request), found.language, "import.dropped_said"))

    @router.get("/{number:int}/errors")
    def errors(request: Request, found: Visiting, number: Natural) -> Response:
        run = imports.progress(found.door, number)
        name = say(site_of(request), found.language, "import.error_file", name=Path(run.file_name).stem)
        return download(f"{name}.xlsx", lambda path: import_errors.error_rows(found.door, number, path))

    return router


def _check_if_small(found: Visit, number: int) -> None:
    """A first trial without being asked, where it takes no time and the proposal can work at all."""
    view = imports.view(found.door, number)
    if not view.problems and not view.large:
        imports.check(found.door, number)


def _configure(found: Visit, number: int, sent: FormData) -> None:
    """What the form says: ``map.<column>`` and ``scale.<column>``, and the choices above them."""
    view = imports.view(found.door, number)
    imports.configure(
        found.door,
        number,
        mapping={column.index: text_of(sent, f"map.{column.index}") for column in view.columns},
        mode=text_of(sent, "mode"),
        action=text_of(sent, "action"),
        sheet=text_of(sent, "sheet"),
        header_row=number_in(text_of(sent, "header_row")) or 0,
        scale={column.index: 100 for column in view.columns if text_of(sent, f"scale.{column.index}")},
    )
