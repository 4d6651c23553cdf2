"""The approval of one document as people look at it: the picture of the flow, where it stands, and the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from engine.definitions.compiled import CompiledWorkflow
from engine.workflow.state import Entry, Run, RunStatus, TokenState
from engine.workflow.stored import entry_from_json
from runtime.facade import documents
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.facade.flow_picture import Picture, PictureAct, Told, arms_taken, every_step, open_places, picture
from runtime.facade.flow_words import absent, lasting, people_in, performer, seat_word
from runtime.facade.views import DocumentView
from runtime.stages.flow_begin import opened
from runtime.stages.steps import Unit
from runtime.storage import files, run_log, runs, workflow_runs
from runtime.storage.files import StoredFile
from runtime.storage.runs import StoredRun
from runtime.storage.workflow_runs import LogRow, Task

DECIDES = frozenset({"approve", "agree", "reject", "return"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFile:
    """A file attached to a decision; ``size`` in bytes."""

    id: str
    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of the log, or (``waiting``) somebody it waits for.

    Attributes:
        kind: name of the act, ``approve``, ``transfer`` …; ``action``: its word. node: label of the node.
        lasted: 停留时长 in words; of somebody who is waited for, so far. others: the people it was about.
        behalf: names of the absent people it was done for; besides: and for whoever did it.
        extra: why somebody else was asked (前加签 …).
        begins: whether a new round begins here. signature: id of the file with the signature; empty for none.
    """

    user: str
    action: str = ""
    kind: str = ""
    node: str = ""
    remark: str = ""
    at: datetime | None = None
    since: datetime | None = None
    due: datetime | None = None
    late: bool = False
    lasted: str = ""
    others: str = ""
    behalf: str = ""
    besides: bool = False
    extra: str = ""
    waiting: bool = False
    begins: bool = False
    signature: str = ""
    files: tuple[LogFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowView:
    """The approval of a document.

    Attributes:
        run: id of the run; None where the form has no workflow. status: of the run, ``none`` without one.
        details: by id of a step of the picture, its lines below the title.
        rounds: how often it was submitted. sent_back: when it was last rejected, returned or withdrawn before this
            round, to show what has changed since.
    """

    document: DocumentView
    run: int | None
    status: str
    status_label: str
    picture: Picture | None
    details: Mapping[str, tuple[str, ...]]
    log: tuple[LogLine, ...]
    rounds: int = 1
    started_at: datetime | None = None
    finished_at: datetime | None = None
    lasted: str = ""
    sent_back: datetime | None = None
    stuck: tuple[str, ...] = ()


def flow_view(door: Door, form: str, document: int, shown: DocumentView | None = None) -> FlowView:
    """The approval of a document the person may read; ``shown``: the document, where it has been read already.

    Raises:
        Refused: ``missing`` when there is none.
    """
    page = shown or documents.read(door, form, document)
    with door.reading() as unit:
        return _view(door, unit, page, form, document)


def _view(door: Door, unit: Unit, page: DocumentView, form: str, document: int) -> FlowView:
    ui = partial(_say, door)
    rows = workflow_runs.log_of(unit.connection, form, document)
    tasks = [one for one in workflow_runs.open_tasks_on(unit.connection, form, document) if one.kind == "approval"]
    stored = runs.run_of(unit.connection, form, document)
    standing = opened(unit, stored) if stored is not None else None
    flow = standing.flow if standing is not None else door.bundle.workflows.get(form)
    run = standing.run if standing is not None else None
    names = _names(door, unit, run, rows, tasks)
    kept = files.get_many(unit.connection, [one for row in rows for one in row.files])
    log = _log(door, rows, tasks, run, names, kept)
    drawn, details = None, dict[str, tuple[str, ...]]()
    if flow is not None:
        entries = entries_of(unit, stored) if stored is not None else ()
        told = _told(door, flow, run, stored, entries, rows, tasks, names)
        drawn = picture(flow, run, told, door.language, ui)
        now = door.house.now()
        details = {step.id: _details(step.acts, step.note, now, ui) for step in every_step(drawn.steps)}
    status = drawn.status if drawn is not None else "none"
    ended = stored.finished_at if stored is not None else None
    began = log[_latest_start(log)].at if log else None
    stuck = [token for token in run.tokens if token.state is TokenState.STUCK] if run is not None else []
    return FlowView(
        document=page,
        run=stored.id if stored is not None else None,
        status=status,
        status_label=ui(f"flow.status_{status}"),
        picture=drawn,
        details=details,
        log=log,
        rounds=max(run.round if run is not None else 1, sum(one.begins for one in log)),
        started_at=began,
        finished_at=ended,
        lasted=lasting(began, ended or door.house.now(), ui) if began is not None and stored is not None else "",
        sent_back=_sent_back(log),
        stuck=tuple(door.say(token.reason) if token.reason else ui("flow.stuck") for token in stuck),
    )


def entries_of(unit: Unit, stored: StoredRun) -> tuple[Entry, ...]:
    """The log of a run as the engine reads it."""
    rows = run_log.entries_of(unit.connection, [stored.id])[stored.id]
    return tuple(entry_from_json({"number": row.number, "move": row.move, "found": row.found}) for row in rows)


def _say(door: Door, key: str, **params: str | int) -> str:
    return door.house.catalogue.ui(key, door.language, **params)


def act_word(door: Door, action: str) -> str:
    """The word for an act of the log."""
    key = f"flow.act_{action}"
    return _say(door, key) if door.house.catalogue.has(key) else _say(door, f"action.{action}")


def role_names(door: Door) -> dict[str, str]:
    """What the roles of the app are called."""
    return {key: role.definition.label.text(door.language) for key, role in door.bundle.roles.items()}


def _names(door: Door, unit: Unit, run: Run | None, rows: Sequence[LogRow], tasks: Sequence[Task]) -> Names:
    names = Names(door.language)
    for task in tasks:
        names.want_id("member", task.user)
        names.want_ids("member", task.behalf)
    for row in rows:
        names.want_ids("member", row.behalf)
    for seat in run.seats if run is not None else ():
        names.want_id("member", seat.user)
    if run is not None:
        names.want_id("member", run.starter)
    return names.load(unit)


def _log(
    door: Door,
    rows: Sequence[LogRow],
    tasks: Sequence[Task],
    run: Run | None,
    names: Names,
    kept: Mapping[str, StoredFile],
) -> tuple[LogLine, ...]:
    ui, now, roles = partial(_say, door), door.house.now(), role_names(door)
    lines = []
    begun = False
    for row in rows:
        starts = row.action in ("submit", "start")
        lines.append(
            LogLine(
                user=performer(door, row.user, row.user_name),
                kind=row.action,
                action=act_word(door, row.action),
                node=row.label.text(door.language) if row.node else "",
                remark=row.reason,
                at=row.at,
                since=row.arrived_at,
                lasted=lasting(row.arrived_at, row.at, ui) if row.arrived_at is not None else "",
                others=people_in(door, row.others),
                behalf=absent(row.user, row.behalf, names, door.language),
                besides=row.user in row.behalf,
                begins=starts and begun,
                signature=str(row.signature) if row.signature else "",
                files=tuple(
                    LogFile(id=one, name=kept[one].name, size=kept[one].size) for one in row.files if one in kept
                ),
            )
        )
        begun = begun or starts
    for task in tasks:
        seat = run.seat(task.seat) if run is not None and task.seat else None
        lines.append(
            LogLine(
                user=names.name("member", task.user) if task.user else roles.get(task.role or "", task.role or ""),
                node=_label(task, run, door),
                since=task.created_at,
                lasted=lasting(task.created_at, now, ui),
                due=task.due_at,
                late=task.due_at is not None and task.due_at < now,
                behalf=absent(task.user, task.behalf, names, door.language),
                besides=task.user in task.behalf,
                extra=seat_word(seat, ui) if seat is not None else "",
                waiting=True,
            )
        )
    return tuple(lines)


def _label(task: Task, run: Run | None, door: Door) -> str:
    for flow in door.bundle.flows.values():
        if task.node in flow.nodes and flow.definition.form == task.form:
            return flow.nodes[task.node].label.text(door.language)
    return task.title.text(door.language) if run is None else task.node


def _latest_start(log: Sequence[LogLine]) -> int:
    starts = [number for number, line in enumerate(log) if line.kind in ("submit", "start")]
    return starts[-1] if starts else 0


def _sent_back(log: Sequence[LogLine]) -> datetime | None:
    """When it last came back to the submitter or to a passed node, before where it stands now."""
    back = [line.at for line in log if line.kind in ("reject", "return", "withdraw", "unapprove") and line.at]
    return back[-1] if back else None


def _told(
    door: Door,
    flow: CompiledWorkflow,
    run: Run | None,
    stored: StoredRun | None,
    entries: Sequence[Entry],
    rows: Sequence[LogRow],
    tasks: Sequence[Task],
    names: Names,
) -> Told:
    mine = [row for row in rows if stored is not None and row.run == stored.id]
    starts = [number for number, row in enumerate(mine) if row.action in ("submit", "start")]
    round_rows = mine[starts[-1] :] if starts else mine
    acts: dict[str, tuple[PictureAct, ...]] = {}
    # Where it stands again after a return, what was decided there before no longer counts.
    arrived = {token.node: token.arrived for token in (run.tokens if run is not None else ())}
    for row in round_rows:
        stale = row.node in arrived and row.arrived_at is not None and row.arrived_at < arrived[row.node]
        if row.node and row.node in flow.nodes and row.action != "submit" and not stale:
            made = PictureAct(
                user=performer(door, row.user, row.user_name),
                action=act_word(door, row.action),
                kind=row.action,
                since=row.arrived_at,
                at=row.at,
                remark=row.reason,
            )
            acts[row.node] = (*acts.get(row.node, ()), made)
    roles = role_names(door)
    for task in tasks:
        if stored is None or task.run == stored.id:
            user = names.name("member", task.user) if task.user else roles.get(task.role or "", task.role or "")
            made = PictureAct(user=user, since=task.created_at, due=task.due_at, waiting=True)
            acts[task.node] = (*acts.get(task.node, ()), made)
    started = None
    if starts:
        first = mine[starts[-1]]
        started = PictureAct(
            user=performer(door, first.user, first.user_name),
            action=act_word(door, "submit"),
            kind="submit",
            at=first.at,
        )
    reasons = {
        token.node: door.say(token.reason) for token in (run.tokens if run is not None else ()) if token.reason
    }  # fmt: skip
    return Told(
        arms=arms_taken(entries),
        acts=acts,
        started=started,
        stopped=_stopped(flow, run, round_rows, entries),
        reasons=reasons,
        roles=roles,
    )


def _stopped(
    flow: CompiledWorkflow, run: Run | None, rows: Sequence[LogRow], entries: Sequence[Entry]
) -> frozenset[str]:
    """Where a run stood that ended without agreement: at the last decision, or in every arm that was still open."""
    if run is None or run.status in (RunStatus.RUNNING, RunStatus.APPROVED):
        return frozenset()
    if run.status is RunStatus.REJECTED and rows and rows[-1].node in flow.nodes and rows[-1].action in DECIDES:
        return frozenset({rows[-1].node})
    return open_places(flow, run, arms_taken(entries))


def _details(acts: Sequence[PictureAct], note: str, now: datetime, ui: partial[str]) -> tuple[str, ...]:
    """The lines below a step's title: who did what, when and after how long; else whom it asks."""
    lines = []
    for act in acts:
        if act.waiting:
            spent = lasting(act.since, now, ui) if act.since is not None else ""
            lines.append(" · ".join(one for one in (ui("flow.waits_for", who=act.user), spent) if one))
            if act.due is not None:
                lines.append(ui("flow.due", at=f"{act.due:%m-%d %H:%M}"))
        else:
            when = f"{act.at:%m-%d %H:%M}" if act.at is not None else ""
            spent = lasting(act.since, act.at, ui) if act.since is not None and act.at is not None else ""
            lines.append(" · ".join(one for one in (f"{act.user} {act.action}", when, spent) if one))
    return tuple(lines) or ((note,) if note else ())
