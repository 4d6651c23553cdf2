"""Workflows over the API: the moves of a run, the person's lists, what waits for an administrator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query

from engine.problems import Problem, Refused, problem
from runtime.api.callers import PREFIX, Body, answered
from runtime.api.shapes import outcome_json, plain
from runtime.facade import documents, flow_acts, flow_inbox, flow_view, flows
from runtime.facade.door import Door
from runtime.facade.flow_acts import Act, Item, Migration
from runtime.facade.flow_inbox import Wanted
from runtime.web.dependencies import Natural

Key = Annotated[str, Header(alias="Idempotency-Key", max_length=200)]
WHOLE = ("seat", "token", "signature", "version", "run")
WORDS = ("node", "place", "comment")
KNOWN = frozenset({*WHOLE, *WORDS, "users", "back", "chosen", "data", "confirmed", "files"})


def flow_api() -> APIRouter:
    """The routes; those about one document stand under it."""
    router = APIRouter(prefix=PREFIX)
    router.get("/-/inbox/{tab}", response_model=None)(answered(inbox))
    router.post("/-/inbox/decide", response_model=None)(answered(decide))
    router.get("/-/stuck", response_model=None)(answered(stuck))
    router.post("/-/proposals/{proposal}", response_model=None)(answered(proposal))
    router.post("/-/hand-over", response_model=None)(answered(hand_over))
    router.get("/-/migrations/{workflow}", response_model=None)(answered(migrations))
    router.post("/-/migrations/{workflow}", response_model=None)(answered(migrate))
    router.get("/{form}/{document}/flow", response_model=None)(answered(flow))
    router.post("/{form}/{document}/flow/{act}", response_model=None)(answered(act))
    router.post("/{form}/{document}/start/{workflow}", response_model=None)(answered(start, 201))
    return router


def inbox(
    door: Door,
    tab: str,
    form: str = "",
    node: str = "",
    search: str = "",
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 30,
) -> Mapping[str, Any]:
    """One of the person's lists: ``open``, ``done``, ``mine``, ``copies``; ``after`` is the ``next`` of a page."""
    named = next((one for one in flow_inbox.TABS if one == tab), None)
    if named is None:
        raise Refused([problem("flow.no_tab", "tab", name=tab)], "missing")
    page = flow_inbox.page(door, named, Wanted(form=form, node=node, text=search), after, limit)
    return {"rows": [plain(row) for row in page.rows], "next": page.next or None}


def decide(door: Door, sent: Body) -> Mapping[str, Any]:
    """``action`` (``agree`` or ``reject``) on several documents; each has an outcome of its own."""
    items = [
        Item(form=str(one.get("form", "")), document=_whole(one, "document"), seat=_whole(one, "seat"))
        for one in _objects(sent, "items")
    ]
    done = flow_acts.batch(door, items, str(sent.get("action", "agree")), str(sent.get("comment", "")), "api")
    return {"rows": [_result(door, item, outcome) for item, outcome in done]}


def stuck(door: Door, after: Natural = 0) -> Mapping[str, Any]:
    """Places of runs, and agreed changes, that only an administrator can set going again."""
    return {"rows": [plain(one) for one in flows.stuck(door, after)]}


def proposal(door: Door, proposal: Natural, sent: Body) -> Mapping[str, Any]:
    """Make an agreed change on the record as it now is (``make`` true), or drop it."""
    outcome = flow_acts.make_proposal(door, proposal, sent.get("make") is True)
    return {"id": proposal, "outcome": outcome_json(door, outcome) if outcome is not None else None}


def hand_over(door: Door, sent: Body) -> Mapping[str, Any]:
    """Everything that waits for ``leaver`` comes to ``successor`` (user ids)."""
    done = flow_acts.hand_over(door, _whole(sent, "leaver"), _whole(sent, "successor"), str(sent.get("comment", "")))
    return {"rows": [_result(door, item, outcome) for item, outcome in done]}


def migrations(door: Door, workflow: str) -> Mapping[str, Any]:
    """What moving the running runs to the published version would do; changes nothing."""
    return {"rows": [_migration(door, one) for one in flow_acts.migrations(door, workflow, {})]}


def migrate(door: Door, workflow: str, sent: Body) -> Mapping[str, Any]:
    """Move running runs by the map ``nodes`` (old node → new node); with ``dry_run`` only tell."""
    nodes = sent.get("nodes", {})
    if not isinstance(nodes, Mapping):
        raise Refused([problem("flow.bad_value", "nodes", name="nodes")])
    mapping = {str(old): str(new) for old, new in nodes.items()}
    perform = flow_acts.migrations if sent.get("dry_run") is True else flow_acts.migrate_runs
    return {"rows": [_migration(door, one) for one in perform(door, workflow, mapping)]}


def flow(door: Door, form: str, document: Natural) -> Mapping[str, Any]:
    """The approval of a document: where it stands, its log, the moves the caller may make, a proposed change."""
    view = flow_view.flow_view(door, form, document)
    return {
        "run": view.run,
        "status": view.status,
        "rounds": view.rounds,
        "started_at": plain(view.started_at),
        "finished_at": plain(view.finished_at),
        "stuck": list(view.stuck),
        "log": [plain(line) for line in view.log],
        "offers": [plain(one) for one in flows.offered(door, form, document)],
        "proposal": plain(flows.proposed(door, form, document)),
    }


def act(door: Door, form: str, document: Natural, act: str, sent: Body, idempotency_key: Key = "") -> Mapping[str, Any]:
    """One move: agree, reject, return, transfer, delegate, add_sign, remove_sign, claim, release, withdraw, take_back,
    terminate, reactivate, urge, comment, reassign. The body names what the offer of the move asks for."""
    given = _act(door, form, sent)
    return outcome_json(door, flow_acts.act(door, form, document, act, given, idempotency_key, "api"))


def start(door: Door, form: str, document: Natural, workflow: str, sent: Body) -> Mapping[str, Any]:
    """Start a workflow that waits to be called on a document."""
    return outcome_json(door, flow_acts.start(door, form, document, workflow, str(sent.get("comment", "")), "api"))


def _act(door: Door, form: str, sent: Mapping[str, Any]) -> Act:
    unknown: list[Problem] = [
        problem("api.unknown_key", key, name=key, known=", ".join(sorted(KNOWN))) for key in sent if key not in KNOWN
    ]
    chosen = sent.get("chosen", {})
    data = sent.get("data")
    if not isinstance(chosen, Mapping):
        unknown.append(problem("flow.bad_value", "chosen", name="chosen"))
    if data is not None and not isinstance(data, Mapping):
        unknown.append(problem("api.not_an_object", "data"))
    if unknown:
        raise Refused(unknown)
    return Act(
        seat=_whole(sent, "seat"),
        token=_whole(sent, "token"),
        users=_wholes(sent.get("users", ()), "users"),
        node=str(sent.get("node", "")),
        place=str(sent.get("place", "")),
        back=sent.get("back") is True,
        comment=str(sent.get("comment", "")),
        signature=_whole(sent, "signature") or None,
        files=_texts(sent, "files"),
        chosen={str(node): _wholes(users, "chosen") for node, users in chosen.items()},
        patch=documents.patch_from_json(door.form(form), data) if data is not None else None,
        version=_whole(sent, "version") or None,
        run=_whole(sent, "run"),
        confirmed=sent.get("confirmed") is True,
    )


def _whole(sent: Mapping[str, Any], name: str) -> int:
    value = sent.get(name, 0)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused([problem("flow.bad_value", name, name=name)])
    return value


def _wholes(value: object, name: str) -> tuple[int, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Refused([problem("flow.bad_value", name, name=name)])
    return tuple(_whole({name: one}, name) for one in value)


def _texts(sent: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = sent.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Refused([problem("flow.bad_value", name, name=name)])
    return tuple(dict.fromkeys(value))


def _objects(sent: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = sent.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise Refused([problem("flow.bad_value", name, name=name)])
    return value


def _result(door: Door, item: Item, outcome: documents.Outcome | Refused) -> Mapping[str, Any]:
    named = {"form": item.form, "document": item.document, "seat": item.seat}
    if isinstance(outcome, Refused):
        return {**named, "done": False, "problems": [_problem(door, one) for one in outcome.problems]}
    return {**named, "done": True, "doc_status": str(outcome.status)}


def _migration(door: Door, one: Migration) -> Mapping[str, Any]:
    return {
        "run": one.run,
        "form": one.form,
        "document": one.document,
        "nodes": list(one.nodes),
        "moved": one.moved,
        "changes": [_problem(door, each) for each in one.changes],
    }


def _problem(door: Door, one: Problem) -> Mapping[str, Any]:
    return {"code": one.code, "where": one.where, "text": door.say(one)}
