"""What a move leaves in the database: the run and its log, tasks for open seats, timers, copies, the approval log.

Tasks are brought in line with the open seats of the run, whatever happened to them: every open seat has one open task,
and no other task of the run is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from engine.definitions.compiled import CompiledForm, CompiledWorkflow
from engine.definitions.workflow import FillStep
from engine.document import Document
from engine.labels import Label
from engine.workflow.advanced import Advanced
from engine.workflow.answers import NEVER
from engine.workflow.approvers import stands_for
from engine.workflow.move import Move, MoveKind
from engine.workflow.state import Run, RunStatus, Seat, SeatState, Token, TokenState
from engine.workflow.stored import entry_json, run_json
from runtime.stages.flow_begin import own_seat
from runtime.stages.steps import Standing, Unit
from runtime.storage import accounts, copies, run_log, runs, timers, workflow_runs
from runtime.storage.copies import CopyRow
from runtime.storage.run_log import EntryRow
from runtime.storage.runs import StoredRun
from runtime.storage.timers import TimerRow
from runtime.storage.workflow_runs import LogRow, Task

# Words of the approval log and of done tasks; other moves are called as they are.
WORDS: Mapping[MoveKind, str] = MappingProxyType(
    {MoveKind.START: "submit", MoveKind.AGREE: "approve", MoveKind.REJECT: "reject"}
)
ABOUT_THE_RUN: Mapping[MoveKind, Label] = MappingProxyType(
    {
        MoveKind.START: Label("提交", "Submit"),
        MoveKind.WITHDRAW: Label("撤回", "Withdraw"),
        MoveKind.TERMINATE: Label("终止", "Terminate"),
        MoveKind.REACTIVATE: Label("重新激活", "Reactivate"),
        MoveKind.MIGRATE: Label("换到新版流程", "Migrate"),
        MoveKind.URGE: Label("催办", "Urge"),
        MoveKind.COMMENT: Label("评论", "Comment"),
    }
)
UNLOGGED = frozenset({MoveKind.CLAIM, MoveKind.RELEASE, MoveKind.SIGNAL, MoveKind.NAMED, MoveKind.CHILD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What was written: the run as it now stands, and the seats people are asked at from now on."""

    standing: Standing
    asked: tuple[Seat, ...]


def store(
    unit: Unit,
    form: CompiledForm,
    document: Document,
    flow: CompiledWorkflow,
    before: Standing | None,
    outcome: Advanced,
    move: Move,
    parent: tuple[int, int] = (0, 0),
) -> Stored:
    """Write what ``move`` has led to; ``before`` is None for a new run."""
    run = outcome.run
    known = before.stored if before is not None else _new(unit, form, document, run, parent)
    run_id = known.id
    if outcome.entry is not None:
        entry = outcome.entry
        row = dict(entry_json(entry))
        run_log.append(
            unit.connection,
            [
                EntryRow(
                    run=run_id, number=entry.number, kind=str(move.kind), by=move.by, at=move.at,
                    move=row["move"], found=row["found"],
                )
            ],
        )  # fmt: skip
    ended = run.status is not RunStatus.RUNNING
    stuck = next((_reason(token) for token in run.tokens if token.state is TokenState.STUCK), "")
    stored = replace(
        known,
        state=run_json(run),
        finished_at=unit.now if ended else None,
        result=str(run.status) if ended else None,
        stuck="" if ended else stuck,
        entries=run.entries,
        snapshot=run.snapshot or known.snapshot,
    )
    runs.save_run(unit.connection, stored)
    seat = _acted_at(unit, before, outcome, move)
    asked = _tasks(unit, form, document, flow, before, run_id, outcome, move, seat)
    _timers(unit, form, document, run_id, run, move, before is not None)
    _log(unit, form, document, flow, run_id, before, outcome, move, seat)
    return Stored(standing=Standing(stored=stored, run=run, flow=flow), asked=asked)


def copied_rows(unit: Unit, document: Document, run_id: int, node: str, users: Iterable[int]) -> None:
    """抄送: these people find the document among what they were told of."""
    copies.add(
        unit.connection,
        [
            CopyRow(run=run_id, form=document.form, document=document.id or 0, node=node, user=user, at=unit.now)
            for user in users
        ],
    )


def title(form: CompiledForm, document: Document, label: Label) -> Label:
    """What a task or message about the document is called."""
    number = document.number or ""
    return Label(
        f"{label.text('zh')}：{form.label.text('zh')} {number}", f"{label.text('en')}: {form.label.text('en')} {number}"
    )


def log_row(
    unit: Unit, document: Document, run_id: int, node: str, label: Label, action: str, reason: str, **more: object
) -> LogRow:
    """One line of the approval log, by whoever acts."""
    actor = unit.around.actor
    return LogRow(
        run=run_id,
        form=document.form,
        document=document.id or 0,
        node=node,
        label=label,
        user=actor.user,
        user_name=actor.name,
        action=action,
        reason=reason.strip(),
        at=unit.now,
        **more,  # type: ignore[arg-type]
    )


def _reason(token: Token) -> str:
    return token.reason.code if token.reason is not None else "flow.stuck"


def _new(unit: Unit, form: CompiledForm, document: Document, run: Run, parent: tuple[int, int]) -> StoredRun:
    return runs.start_run(
        unit.connection,
        form=form.key,
        document=document.id or 0,
        workflow=run.workflow,
        snapshot=run.snapshot,
        state=run_json(run),
        at=unit.now,
        user=run.starter,
        parent=parent,
    )


def _acted_at(unit: Unit, before: Standing | None, outcome: Advanced, move: Move) -> Seat | None:
    """The seat that was used: the one named, else the one of the person that ended with the move, or is open still."""
    actor = unit.around.actor
    if before is None or not actor.user:
        return None
    if move.seat:
        return outcome.run.seat(move.seat)
    for seat in outcome.ended:
        if seat.user == actor.user or (seat.user is None and seat.role in actor.roles):
            return seat
    return own_seat(before.run, actor.user, actor.roles)


def _tasks(
    unit: Unit,
    form: CompiledForm,
    document: Document,
    flow: CompiledWorkflow,
    before: Standing | None,
    run_id: int,
    outcome: Advanced,
    move: Move,
    acted: Seat | None,
) -> tuple[Seat, ...]:
    """Bring the open tasks in line with the open seats. Returns the seats that got a task."""
    run = outcome.run
    wanted = {seat.id: seat for seat in run.open_seats()}
    kept: set[int] = set()
    if before is not None:
        gone: dict[tuple[int | None, str], list[int]] = {}
        for task in workflow_runs.open_tasks_of_runs(unit.connection, [run_id]):
            number = task.seat or _seat_of_old(task, before)
            seat = wanted.get(number)
            if seat is not None and task.seat and (seat.user, seat.role or None) == (task.user, task.role or None):
                kept.add(number)
                continue
            ending = _ending(run.seat(number), move, acted is not None and acted.id == number)
            gone.setdefault(ending, []).append(task.id or 0)
        for (by, word), ids in gone.items():
            workflow_runs.close_tasks(unit.connection, at=unit.now, by=by, outcome=word, ids=ids)
    fresh = tuple(seat for number, seat in wanted.items() if number not in kept)
    due = _first_due(run)
    workflow_runs.create_tasks(
        unit.connection, [_task(form, document, flow, run, run_id, seat, due.get(seat.token), unit) for seat in fresh]
    )
    return fresh


def _seat_of_old(task: Task, before: Standing) -> int:
    """The seat of a task written before seats had numbers: the one for the same people."""
    for seat in before.run.open_seats():
        if (seat.user, seat.role or None) == (task.user, task.role or None):
            return seat.id
    return 0


def _ending(seat: Seat | None, move: Move, acted: bool) -> tuple[int | None, str]:
    """Who ended a task and how: whoever acted at that very seat, else nobody."""
    word = WORDS.get(move.kind, str(move.kind))
    if seat is None or not acted:
        return None, word
    if seat.state is SeatState.AGREED:
        return move.by, "approve"
    return move.by, "reject" if seat.state is SeatState.REJECTED else word


def _task(
    form: CompiledForm,
    document: Document,
    flow: CompiledWorkflow,
    run: Run,
    run_id: int,
    seat: Seat,
    due: datetime | None,
    unit: Unit,
) -> Task:
    token = run.token(seat.token)
    node = token.node if token is not None else ""
    step = flow.nodes.get(node)
    return Task(
        kind="approval",
        title=title(form, document, step.label if step is not None else form.label),
        created_at=unit.now,
        user=seat.user,
        role=None if seat.user is not None else seat.role,
        form=form.key,
        document=document.id,
        run=run_id,
        node=node,
        due_at=due,
        seat=seat.id,
        step="fill" if isinstance(step, FillStep) else "approve",
        behalf=_behalf(seat),
    )


def _behalf(seat: Seat) -> tuple[int, ...]:
    """Whose say it is, where it is not only the user's own."""
    says = stands_for(seat)
    return () if says == (seat.user,) else says


def _first_due(run: Run) -> Mapping[int, datetime]:
    """When the first deadline of each place falls due."""
    deadlines = {token.id: [due.at for due in token.due if due.number >= 0] for token in run.tokens}
    return {number: min(moments) for number, moments in deadlines.items() if moments and min(moments) < NEVER}


def _timers(
    unit: Unit,
    form: CompiledForm,
    document: Document,
    run_id: int,
    run: Run,
    move: Move,
    existed: bool,
) -> None:
    """Bring the open timers in line with the moments the places of the run have set."""
    wanted = {(token.id, due.number, due.at): token.node for token in run.tokens for due in token.due if due.at < NEVER}
    if existed:
        come = (move.token, move.timer) if move.kind is MoveKind.TIMER else None
        ended: dict[str, list[int]] = {timers.FIRED: [], timers.VOID: []}
        for row in timers.open_of_runs(unit.connection, [run_id]):
            if (row.token, row.number) == come and row.due_at <= unit.now:
                ended[timers.FIRED].append(row.id or 0)
            elif wanted.pop((row.token, row.number, row.due_at), None) is None:
                ended[timers.VOID].append(row.id or 0)
        for how, ids in ended.items():
            timers.end_each(unit.connection, ids, unit.now, how)
    timers.add(
        unit.connection,
        [
            TimerRow(
                kind=timers.FLOW, due_at=at, created_at=unit.now, run=run_id, token=token, number=number,
                node=node, form=form.key, document=document.id or 0,
            )
            for (token, number, at), node in wanted.items()
        ],
    )  # fmt: skip


def _log(
    unit: Unit,
    form: CompiledForm,
    document: Document,
    flow: CompiledWorkflow,
    run_id: int,
    before: Standing | None,
    outcome: Advanced,
    move: Move,
    seat: Seat | None,
) -> None:
    """One line for people per move; what only the product needs to know stands in the log of the run."""
    if move.kind in UNLOGGED or outcome.entry is None:
        return
    number = seat.token if seat is not None else move.token
    token = before.run.token(number) if before is not None else None
    step = flow.nodes.get(token.node) if token is not None else None
    word = WORDS.get(move.kind, str(move.kind))
    if move.kind is MoveKind.REASSIGN and not move.users:
        word = "retry"
    if move.kind is MoveKind.TIMER:
        word = _timer_word(step, move.timer)
        if not word:
            return
    label = ABOUT_THE_RUN.get(move.kind) or (step.label if step is not None else form.label)
    said = move.kind is MoveKind.COMMENT  # at a place, or about the run; nobody has taken any time for it
    if said and step is not None:
        label = step.label
    names = accounts.user_names(unit.connection, move.users) if move.users else {}
    workflow_runs.log(
        unit.connection,
        [
            log_row(
                unit,
                document,
                run_id,
                token.node if token is not None else "",
                label,
                word,
                move.comment,
                behalf=_behalf(seat) if seat is not None else (),
                arrived_at=token.arrived if token is not None and seat is not None and not said else None,
                signature=move.signature,
                files=move.files,
                others="、".join(names.get(user, str(user)) for user in move.users),
            )
        ],
    )


def _timer_word(step: object, number: int) -> str:
    """What a deadline did, for the log; nothing for the end of a wait."""
    deadlines = getattr(step, "deadlines", ())
    return f"timer_{deadlines[number].then}" if 0 <= number < len(deadlines) else ""
