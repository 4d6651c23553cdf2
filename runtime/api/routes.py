"""``/api/v1/{workspace}/{app}/…``: documents, actions, lists, look-ups; what is not a form stands under ``/-/``.

Every route takes a ``Door``; every write takes an idempotency key; every refusal is JSON with field addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response
from starlette.responses import JSONResponse

from engine.forms.draft import Patch
from engine.problems import Problem, Refused, problem
from runtime.api.balances import balance_api
from runtime.api.callers import PREFIX, Body, answered
from runtime.api.files import file_api
from runtime.api.flows import flow_api
from runtime.api.imports import import_api
from runtime.api.money import money_api
from runtime.api.openapi import openapi
from runtime.api.periods import period_api
from runtime.api.rules import rule_api
from runtime.api.shapes import (
    cursor_json,
    document_json,
    entry_json,
    level_json,
    list_json,
    outcome_json,
    place_of,
    plain,
    plain_object,
    task_json,
)
from runtime.api.supply import supply_api
from runtime.api.trying import trying_api
from runtime.facade import documents, entry_story, lists, lots, stock, tasks, trace
from runtime.facade.actions import FETCH
from runtime.facade.documents import Command, Outcome
from runtime.facade.door import Door
from runtime.facade.fetching import carry_out
from runtime.facade.list_views import ListRequest
from runtime.web.dependencies import Natural

NEW_ACTIONS = ("save", "submit", "approve")
KNOWN_KEYS = frozenset({"data", "action", "version", "reason", "confirmed", "variant"})

Key = Annotated[str, Header(alias="Idempotency-Key", max_length=200)]


def api_routes() -> APIRouter:
    """The routes, built-in pages before forms."""
    router = APIRouter(prefix=PREFIX)
    router.get("/-/openapi.json", response_model=None)(answered(describe))
    router.get("/-/stock", response_model=None)(answered(stock_levels))
    router.get("/-/entries", response_model=None)(answered(stock_entries))
    router.get("/-/lots", response_model=None)(answered(stock_lots))
    router.get("/-/entries/{identity}", response_model=None)(answered(entry_explained))
    router.get("/-/trace", response_model=None)(answered(lot_trace))
    router.get("/-/tasks", response_model=None)(answered(open_tasks))
    for desk in (
        import_api,
        file_api,
        period_api,
        money_api,
        balance_api,
        rule_api,
        trying_api,
        flow_api,
        supply_api,
    ):
        router.routes.extend(desk().routes)
    router.get("/{form}", response_model=None)(answered(list_documents))
    router.get("/{form}/-/look-up", response_model=None)(answered(look_up))
    router.post("/{form}", response_model=None)(answered(create, 201))
    router.get("/{form}/{document}", response_model=None)(answered(read))
    router.patch("/{form}/{document}", response_model=None)(answered(change))
    router.post("/{form}/{document}/do/{action}", response_model=None)(answered(act))
    router.post("/{form}/{document}/push/{target}", response_model=None)(answered(push, 201))
    router.post("/{form}/{document}/fetch/{key}", response_model=None)(answered(bring_in))
    router.delete("/{form}/{document}", response_model=None)(answered(delete))
    return router


def describe(door: Door) -> Mapping[str, Any]:
    """The OpenAPI document of the published app, as far as the caller may use it."""
    return openapi(door)


def stock_levels(
    door: Door,
    product: Natural | None = None,
    warehouse: Natural | None = None,
    search: str = "",
    below_safety: bool = False,
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Mapping[str, Any]:
    """Stock by product and warehouse: on hand, reserved, in transit, available; ``after`` is the ``next`` of a page."""
    view = stock.levels(door, product, warehouse, search, below_safety, True, place_of(after), limit)
    return {
        "measures": view.measures,
        "rows": [level_json(row) for row in view.rows],
        "next": cursor_json(view.next),
    }


def stock_entries(
    door: Door,
    product: Natural | None = None,
    warehouse: Natural | None = None,
    ledger: str = "stock",
    after: Natural | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Mapping[str, Any]:
    """Ledger entries, newest first."""
    rows = stock.entries(door, product, warehouse, ledger, after, limit)
    return {"rows": [entry_json(row) for row in rows], "next": rows[-1].id if len(rows) == limit else None}


def stock_lots(
    door: Door,
    product: Natural | None = None,
    warehouse: Natural | None = None,
    search: str = "",
    lot: str = "",
    status: str = "",
    due: Literal["", "near", "expired"] = "",
    offset: Natural = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Mapping[str, Any]:
    """Goods by lot, bin, serial number and status; ``offset`` is the ``next`` of a page."""
    view = lots.details(door, product, warehouse, search, lot, status, due, offset, limit)
    return {"rows": [plain(row) for row in view.rows], "next": view.next}


def entry_explained(door: Door, identity: Natural) -> Mapping[str, Any]:
    """How an entry of stock came about: its document, how its value was found, corrections, layers of cost."""
    return plain_object(entry_story.entry_story(door, identity))


def lot_trace(door: Door, product: Natural, lot: str) -> Mapping[str, Any]:
    """Where a lot came from (``up``) and what became of it (``down``), with quantities that close."""
    return plain_object(trace.trace(door, product, lot))


def open_tasks(door: Door) -> Mapping[str, Any]:
    """The caller's open to-dos."""
    return {"rows": [task_json(task) for task in tasks.inbox(door)]}


def list_documents(
    door: Door,
    form: str,
    columns: str = "",
    filters: Annotated[list[str] | None, Query(alias="filter")] = None,
    view: str = "",
    sort: str = "",
    search: str = "",
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Mapping[str, Any]:
    """A page of the form's list. ``filter`` is ``path:operator:value`` and may be repeated."""
    request = ListRequest(
        columns=tuple(part for part in columns.split(",") if part),
        filters=tuple(_filter(text) for text in filters or ()),
        view=view,
        sort=sort,
        search=search,
        after=after,
        limit=limit,
    )
    return list_json(lists.page(door, form, request))


def look_up(door: Door, form: str, q: str = "", limit: Annotated[int, Query(ge=1, le=100)] = 20) -> Mapping[str, Any]:
    """Records by code, name or pinyin."""
    return {
        "rows": [{"id": hit.id, "text": hit.text, "detail": hit.detail} for hit in lists.look_up(door, form, q, limit)]
    }


def create(door: Door, form: str, sent: Body, idempotency_key: Key = "") -> Mapping[str, Any] | Response:
    """Create a document and, with ``action``, submit or approve it in the same transaction."""
    action = _action(sent, "save")
    if action not in NEW_ACTIONS:
        raise Refused([problem("api.bad_action", "action", action=action, known=", ".join(NEW_ACTIONS))])
    outcome = documents.submit(door, _command(door, form, None, action, sent, idempotency_key))
    answer = outcome_json(door, outcome)
    return JSONResponse(answer) if outcome.repeated else answer


def read(door: Door, form: str, document: Natural) -> Mapping[str, Any]:
    """One document."""
    return document_json(documents.read(door, form, document))


def change(door: Door, form: str, document: Natural, sent: Body, idempotency_key: Key = "") -> Mapping[str, Any]:
    """Change a document; ``version`` guards against overwriting somebody else's change."""
    action = _action(sent, "save")
    return outcome_json(door, documents.submit(door, _command(door, form, document, action, sent, idempotency_key)))


def act(
    door: Door, form: str, document: Natural, action: str, sent: Body, idempotency_key: Key = ""
) -> Mapping[str, Any]:
    """Carry out an action: submit, approve, reject, withdraw, unapprove, void, close, reopen, disable, enable."""
    return outcome_json(door, carry_out(door, _command(door, form, document, action, sent, idempotency_key)))


def push(
    door: Door, form: str, document: Natural, target: str, sent: Body, idempotency_key: Key = ""
) -> Mapping[str, Any]:
    """Push down into ``target``; ``data`` overrides what is proposed, lines by position."""
    _refuse_unknown(sent)
    overrides = documents.patch_from_json(door.form(target), _data(sent)) if "data" in sent else None
    outcome: Outcome = documents.push(
        door,
        form,
        document,
        target,
        str(sent.get("variant", "")),
        overrides,
        _action(sent, "save"),
        idempotency_key,
        "api",
    )
    return outcome_json(door, outcome)


def bring_in(
    door: Door, form: str, document: Natural, key: str, sent: Body, idempotency_key: Key = ""
) -> Mapping[str, Any]:
    """Add a line for every product of the stock ledger that is missing in a draft, and save it with ``data``."""
    return outcome_json(door, carry_out(door, _command(door, form, document, f"{FETCH}{key}", sent, idempotency_key)))


def delete(door: Door, form: str, document: Natural, idempotency_key: Key = "") -> Mapping[str, Any]:
    """Delete a draft, or a record nothing refers to."""
    command = Command(form=form, action="delete", document=document, idempotency_key=idempotency_key, origin="api")
    return outcome_json(door, documents.submit(door, command))


def _command(door: Door, form: str, document: int | None, action: str, sent: Mapping[str, Any], key: str) -> Command:
    _refuse_unknown(sent)
    compiled = door.form(form)
    patch: Patch | None = (
        documents.patch_from_json(compiled, _data(sent)) if "data" in sent or document is None else None
    )
    version = sent.get("version")
    if version is not None and (not isinstance(version, int) or isinstance(version, bool)):
        raise Refused([problem("api.bad_version", "version")])
    return Command(
        form=form,
        action=action,
        document=document,
        version=version,
        patch=patch,
        reason=str(sent.get("reason", "")),
        confirmed=sent.get("confirmed") is True,
        idempotency_key=key,
        origin="api",
    )


def _refuse_unknown(sent: Mapping[str, Any]) -> None:
    unknown: list[Problem] = [
        problem("api.unknown_key", key, name=key, known=", ".join(sorted(KNOWN_KEYS)))
        for key in sent
        if key not in KNOWN_KEYS
    ]
    if unknown:
        raise Refused(unknown)


def _data(sent: Mapping[str, Any]) -> Mapping[str, Any]:
    data = sent.get("data", {})
    if not isinstance(data, Mapping):
        raise Refused([problem("api.not_an_object")])
    return data


def _action(sent: Mapping[str, Any], default: str) -> str:
    return str(sent.get("action", default))


def _filter(text: str) -> tuple[str, str, str]:
    path, _, rest = text.partition(":")
    operator, _, value = rest.partition(":")
    if not path or not operator:
        raise Refused([problem("api.bad_filter", "filter", text=text[:80])])
    return path, operator, value
