"""Home, the menu as a page, the search box and look-ups: ways to get somewhere.

Each shows only what the person may open; the facade has left the rest out already.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from runtime.facade import accounts, dead_ends, lists, menu, message_centre, tasks
from runtime.facade.list_views import LookUpHit
from runtime.facade.menu import MenuEntry
from runtime.web.dependencies import Visit, Visiting
from runtime.web.look import beside
from runtime.web.pages import render, trigger

PER_FORM = 4
MOST_HITS = 24
LONGEST = 100
RECENT_MESSAGES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Somewhere the search box leads."""

    text: str
    detail: str
    address: str
    icon: str


def home_routes() -> APIRouter:
    """The routes of home, menu and search."""
    router = APIRouter(prefix="/w/{workspace}/{app}")

    @router.get("/home")
    def home(request: Request, found: Visiting) -> Response:
        return render(
            request,
            found,
            "home.html",
            home=menu.home(found.door),
            waiting=tasks.task_count(found.door),
            messages=message_centre.inbox_messages(found.door, limit=RECENT_MESSAGES),
            dead=dead_ends.waiting(found.door),
        )

    @router.get("/menu")
    def all_pages(request: Request, found: Visiting) -> Response:
        return render(request, found, "menu.html", sections=menu.menu(found.door))

    @router.get("/search")
    def search(request: Request, found: Visiting, q: str = "") -> Response:
        text = q.strip()[:LONGEST]
        return render(
            request,
            found,
            "search.html",
            part=True,
            text=text,
            pages=_pages(found, text),
            records=_records(found, text),
        )

    @router.get("/look-up/{form}")
    def look_up(request: Request, found: Visiting, form: str, text: str = "") -> Response:
        wanted = text.strip()[:LONGEST]
        hits = _people(found, wanted) if form == "member" else lists.look_up(found.door, form, wanted)
        return render(request, found, "lists/look_up.html", part=True, hits=hits, text=wanted)

    @router.get("/toasts")
    def counts(request: Request, found: Visiting) -> Response:
        shown: dict[str, object] = {
            "tasks": tasks.task_count(found.door),
            "messages": message_centre.unread_count(found.door),
        }
        latest = message_centre.inbox_messages(found.door, limit=1)
        if latest and not latest[0].read:
            shown |= {"latest": latest[0].id, "title": latest[0].title}
        return Response(status_code=204, headers={"HX-Trigger": trigger("stockloom:counts", shown)})

    return router


def _people(found: Visit, text: str) -> tuple[LookUpHit, ...]:
    return tuple(LookUpHit(id=one.id, text=one.name, detail=one.login) for one in accounts.people(found.door, text))


def _pages(found: Visit, text: str) -> list[Hit]:
    """Menu entries whose words hold the text; all that make something new when nothing was typed."""
    wanted = text.lower()
    hits: list[Hit] = []
    for section in menu.menu(found.door):
        for entry in section.items:
            if any(wanted in word for word in menu.spellings(entry)):
                address = found.links.page(entry.form or entry.page)
                hits.append(
                    Hit(text=entry.label, detail=section.label, address=address, icon=entry.icon or section.icon)
                )
    return hits[: MOST_HITS if wanted else 12]


def _records(found: Visit, text: str) -> list[Hit]:
    """Documents by number, master data by code, name or pinyin; forms in the order of the menu."""
    if not text:
        return []
    hits: list[Hit] = []
    for entry in _forms(found):
        for one in lists.look_up(found.door, entry.form, text, limit=PER_FORM):
            address = found.links.record(entry.form, one.id)
            detail = " · ".join(part for part in (beside(one.text, one.detail), entry.label) if part)
            hits.append(Hit(text=one.text, detail=detail, address=address, icon=entry.icon))
        if len(hits) >= MOST_HITS:
            break
    return hits[:MOST_HITS]


def _forms(found: Visit) -> list[MenuEntry]:
    entries = [entry for section in menu.menu(found.door) for entry in section.items if entry.form]
    forms = found.door.bundle.forms
    return sorted(entries, key=lambda entry: not forms[entry.form].is_master)
